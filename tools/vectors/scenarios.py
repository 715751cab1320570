"""What the policy vectors ask: scenarios in groups, with the moments that are worth a question.

A group's function yields pairs of a scenario (see `firmware_tests.oracle.model`) and its moments;
its docstring is what the file says about itself. Nothing here is random and nothing depends on the
release of the tz database.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

from firmware_tests.oracle import zones
from firmware_tests.oracle.line import line, runs
from firmware_tests.oracle.zones import unix

DAY_S = 86_400
HOUR_S = 3600

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
NEW_YORK = "EST5EDT,M3.2.0,M11.1.0"
SYDNEY = "AEST-10AEDT,M10.1.0,M4.1.0/3"
LORD_HOWE = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
CHATHAM = "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45"
DUBLIN = "IST-1GMT0,M10.5.0,M3.5.0/1"
SANTIAGO = "<-04>4<-03>,M9.1.6/24,M4.1.6/24"
JERUSALEM = "IST-2IDT,M3.4.4/26,M10.5.0"
BEIRUT = "EET-2EEST,M3.5.0/0,M10.5.0/0"
KOLKATA = "IST-5:30"

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = (1 << day for day in range(7))


def at(hour: int, minute: int = 0, second: int = 0) -> int:
    """A time of the day as seconds."""
    return hour * HOUR_S + minute * 60 + second


def rule(start_s: int = 0, end_s: int = DAY_S, **terms: Any) -> dict:
    """A rule's dict; a start or an end that is the vectors' default is left out."""
    window = {} if start_s == 0 else {"start_s": start_s}
    return window | ({} if end_s == DAY_S else {"end_s": end_s}) | terms


def around(instants: Iterable[int]) -> list[dict]:
    """Moments one second before, at, and one second after each instant."""
    near = {instant + step for instant in instants for step in (-1, 0, 1)}
    return [{"at": moment} for moment in sorted(near)]


def edges(scenario: dict, first: int, last: int) -> list[dict]:
    """The moments around each change of time's answer in a span."""
    return around([begin for begin, _, _ in runs(line(scenario, first, last), first)][1:])


def _scenario(name, rules, tz=BERLIN, **terms):
    return {"name": name, "zone": {"tz": tz}, "grant": {"rules": rules} | terms}


def weekdays():
    """Every weekday mask, Monday 1 to Sunday 64, at noon on each day of a week."""
    noons = [{"at": unix(2026, 6, day, 10)} for day in range(1, 8)]
    for mask in range(1, 128):
        yield _scenario(f"mask-{mask}", [{"weekdays": mask}]), noons


def windows():
    """Windows within a day, half-open, at both sides of each edge."""
    cases = {
        "office": (at(9), at(17)),
        "from-midnight": (0, at(7, 30)),
        "until-midnight": (at(18), DAY_S),
        "whole-day": (0, DAY_S),
        "one-second": (at(12), at(12, 0, 1)),
        "first-second": (0, 1),
        "last-second": (DAY_S - 1, DAY_S),
        "last-minute-but-one": (at(23, 58), at(23, 59)),
        "to-the-second": (at(6, 59, 59), at(19, 0, 1)),
    }
    for name, (start_s, end_s) in cases.items():
        for mask in (127, MONDAY, MONDAY | TUESDAY, SUNDAY):
            scenario = _scenario(f"{name}-{mask}", [rule(start_s, end_s, weekdays=mask)])
            yield (
                scenario,
                edges(scenario, unix(2026, 1, 4), unix(2026, 1, 7)) or around([unix(2026, 1, 5)]),
            )
    touching = _scenario(
        "touching", [rule(at(8), at(10)), rule(at(10), at(12)), rule(at(11), at(13))]
    )
    yield touching, around([unix(2026, 1, 5, hour) for hour in (7, 9, 10, 11, 12)])


def overnight():
    """A start after the end: the window runs over midnight and belongs to the day it starts on."""
    for name, start_s, end_s in (
        ("night", at(22), at(6)),
        ("all-but-a-second", at(12, 0, 1), at(12)),
        ("over-midnight-by-a-second", at(23), 1),
        ("from-the-last-second", DAY_S - 1, at(5)),
    ):
        for mask in (FRIDAY, SUNDAY, FRIDAY | SATURDAY, 127):
            scenario = _scenario(f"{name}-{mask}", [rule(start_s, end_s, weekdays=mask)])
            yield scenario, edges(scenario, unix(2026, 1, 8), unix(2026, 1, 13))
    friday = _scenario("friday-night-not-friday-morning", [rule(at(22), at(6), weekdays=FRIDAY)])
    yield friday, [{"at": unix(2026, 1, day, 4, 59)} for day in (8, 9, 10, 11)]


_CLOCK_CHANGES = (
    BERLIN,
    NEW_YORK,
    SYDNEY,
    LORD_HOWE,
    CHATHAM,
    DUBLIN,
    SANTIAGO,
    JERUSALEM,
    BEIRUT,
)


def dst():
    """Nights on which clocks change: an hour shown twice is open twice, a skipped one never."""
    for tz in _CLOCK_CHANGES:
        zone = zones.posix(tz)
        for change in zones.changes(zone, unix(2026), unix(2027)):
            before, after = (zones.offset(zone, change - 1), zones.offset(zone, change))
            turn = (
                change + min(before, after)
            ) % DAY_S  # where the repeated or skipped time begins
            inside = (turn + 600) % DAY_S
            spring = "spring" if after > before else "autumn"
            for name, start_s, end_s in (
                ("inside", inside, (inside + 900) % DAY_S),
                ("across", (turn - HOUR_S) % DAY_S, (inside + 60) % DAY_S),
                ("night", at(21), at(9)),
            ):
                terms = [rule(start_s, end_s or DAY_S)]
                scenario = _scenario(f"{name}-{spring}", terms, tz)
                moments = edges(scenario, change - 6 * HOUR_S, change + 6 * HOUR_S)
                yield scenario, moments + around([change])
    night = _scenario("utc-does-not-move", [rule(at(1), at(2), utc=True)])
    for change in (unix(2026, 3, 29, 1), unix(2026, 10, 25, 1)):
        yield night, around([change, change + HOUR_S])


def dates():
    """First and last date of a rule, inclusive, tested on the day on which a window starts."""
    span = unix(2026, 1, 30), unix(2026, 2, 5)
    for name, terms in (
        ("one-day", rule(first_date="2026-02-01", last_date="2026-02-01")),
        ("two-days", rule(at(9), at(17), first_date="2026-02-01", last_date="2026-02-02")),
        (
            "last-night-runs-on",
            rule(at(22), at(6), first_date="2026-01-31", last_date="2026-02-01"),
        ),
        ("open-end", rule(at(9), at(17), first_date="2026-02-02")),
        ("open-start", rule(at(9), at(17), last_date="2026-02-02")),
        (
            "no-such-weekday",
            rule(weekdays=MONDAY, first_date="2026-02-03", last_date="2026-02-05"),
        ),
        ("utc-calendar", rule(utc=True, first_date="2026-02-01", last_date="2026-02-01")),
        ("denied-day", rule(allow=False, first_date="2026-02-01", last_date="2026-02-01")),
    ):
        for tz in (BERLIN, SANTIAGO):
            scenario = _scenario(name, [terms], tz)
            yield scenario, edges(scenario, *span) or around([unix(2026, 2, 2, 12)])
    leap = _scenario("leap-day", [rule(first_date="2028-02-29", last_date="2028-02-29")])
    yield leap, edges(leap, unix(2028, 2, 27), unix(2028, 3, 3))
    yield _span("from-until", {"from": unix(2026, 2, 1, 8), "until": unix(2026, 2, 1, 9)})
    yield _span("from-only", {"from": unix(2026, 2, 1, 8)})
    yield _span("until-only", {"until": unix(2026, 2, 1, 9)})
    yield _span("lease-before-until", {"lease": unix(2026, 2, 1, 8), "until": unix(2026, 2, 1, 9)})
    yield _span("lease-after-until", {"lease": unix(2026, 2, 1, 9), "until": unix(2026, 2, 1, 8)})


def _span(name, terms):
    scenario = {"name": name, "grant": terms}
    return scenario, around(terms.values())


def deny():
    """Deny beats allow; a grant with deny rules only is allowed but for those."""
    span = unix(2026, 1, 9), unix(2026, 1, 13)
    lunch = rule(at(12), at(13), allow=False)
    for name, rules in (
        ("only-deny", [lunch]),
        ("deny-inside-allow", [rule(at(9), at(17)), lunch]),
        ("deny-listed-first", [lunch, rule(at(9), at(17))]),
        ("deny-covers-allow", [rule(at(9), at(10)), rule(at(8), at(11), allow=False)]),
        ("deny-on-sunday", [rule(at(9), at(17)), rule(weekdays=SUNDAY, allow=False)]),
        (
            "deny-night-over-day",
            [rule(at(0), at(12)), rule(at(22), at(2), allow=False, weekdays=FRIDAY)],
        ),
        ("deny-same-window", [rule(at(9), at(10)), rule(at(9), at(10), allow=False)]),
        (
            "eight",
            [rule(at(2 * hour), at(2 * hour + 2), allow=hour % 2 == 0) for hour in range(8)],
        ),
    ):
        scenario = _scenario(name, rules)
        yield scenario, edges(scenario, *span) or around([unix(2026, 1, 10, 8, 30)])


def utc():
    """Rules on UTC beside rules on the wall clock."""
    span = unix(2026, 3, 27), unix(2026, 3, 31)
    for tz in (BERLIN, NEW_YORK, SYDNEY, KOLKATA):
        for name, rules in (
            ("utc-only", [rule(at(9), at(17), utc=True)]),
            ("utc-weekday", [rule(weekdays=SUNDAY, utc=True)]),
            ("utc-night", [rule(at(22), at(2), utc=True, weekdays=SATURDAY)]),
            (
                "utc-denies-local",
                [rule(at(6), at(20)), rule(at(10), at(11), utc=True, allow=False)],
            ),
            (
                "local-denies-utc",
                [rule(at(6), at(20), utc=True), rule(at(10), at(11), allow=False)],
            ),
        ):
            scenario = _scenario(name, rules, tz)
            yield scenario, edges(scenario, *span)


def error():
    """With an error of the clock, allowed only if allowed at every second that it may be."""
    day = unix(2026, 1, 5)
    office = _scenario("office", [rule(at(9), at(17))], "UTC0")
    exact = [
        {"at": day + at(9) + shift, "error_s": error_s}
        for error_s in (1, 30, 600, 3600)
        for shift in (
            error_s - 1,
            error_s,
            8 * HOUR_S - error_s - 1,
            8 * HOUR_S - error_s,
            8 * HOUR_S,
        )
    ]
    yield office, exact
    joined = _scenario(
        "two-rules-cover-it", [rule(at(9), at(10)), rule(at(10), at(11), utc=True)], "UTC0"
    )
    yield (
        joined,
        [{"at": day + at(10) + shift, "error_s": 600} for shift in (-3001, -3000, 0, 2999, 3000)],
    )
    gap = _scenario("one-second-gap", [rule(at(9), at(10)), rule(at(10, 0, 1), at(11))], "UTC0")
    yield gap, [{"at": day + at(10) + shift, "error_s": 60} for shift in (-61, -60, 0, 60, 61, 62)]
    denied = _scenario("short-denial", [rule(at(10), at(10, 0, 1), allow=False)], "UTC0")
    yield denied, [{"at": day + at(10) + shift, "error_s": 60} for shift in (-61, -60, 0, 60, 61)]
    for change, hour in ((unix(2026, 3, 29, 1), 1), (unix(2026, 10, 25, 1), 2)):
        night = _scenario("clock-change", [rule(at(hour), at(hour + 1))])
        near = range(-4500, 4501, 900)
        yield night, [{"at": change + shift, "error_s": 600} for shift in near]
    for name, terms in (
        ("from", {"from": day}),
        ("until", {"until": day}),
        ("lease", {"lease": day}),
        ("after-first-use", {"after_first_use_s": 3600}),
    ):
        state = {"first_use": day - 3600} if name == "after-first-use" else {}
        shifts = [{"at": day + shift, "error_s": 60} for shift in (-61, -60, 0, 59, 60)]
        yield {"name": name, "grant": terms, "state": state}, shifts
    for name, terms in (("timed", {"until": day}), ("untimed", {})):
        yield (
            {"name": f"clock-{name}", "grant": terms},
            [
                {"at": day - DAY_S, "trust": "unknown"},
                {"at": day - DAY_S, "trust": "holdover", "error_s": 3600},
                {"at": day - DAY_S, "trust": "holdover", "error_s": 3601},
                {"at": day - DAY_S, "trust": "trusted", "error_s": 3601},
            ],
        )


_AT = unix(2026, 1, 5, 12)
_PARENT = {"share": "share-0", "key": "phone-0"}

# Each makes one check fail on a grant that is otherwise in order: entries of the grant, state,
# request and moment.
FAULTS: dict[str, dict[str, Any]] = {
    "key_unproven": {"request": {"proven": False}},
    "unknown_share": {"grant": {"key": "phone-2"}},
    "revoked": {"state": {"revoked": True}},
    "superseded": {"state": {"floor": 2}},
    "wrong_lock": {"grant": {"lock": "lock-2"}},
    "mode": {"state": {"mode": "privacy"}},
    "locked_out": {"state": {"lockout_s": 60}},
    "no_right": {"grant": {"rights": 2}},
    "channel_closed": {"grant": {"channels": 2}},
    "clock_unknown": {"grant": {"until": _AT + DAY_S}, "moment": {"trust": "unknown"}},
    "too_early": {"grant": {"from": _AT + 600}},
    "expired": {"grant": {"until": _AT - 600}},
    "lease_over": {"grant": {"lease": _AT - 600}},
    "deny_rule": {"rules": [rule(at(12), at(13), allow=False, utc=True)]},
    "outside_rules": {"rules": [rule(at(14), at(15), utc=True)]},
    "uses_spent": {"grant": {"uses": 2}, "state": {"uses": 2}},
    "first_use_over": {"grant": {"after_first_use_s": 60}, "state": {"first_use": _AT - 60}},
    "parent_denies": {
        "grant": {"parent": "share-0"},
        "state": {"parent": {"grant": _PARENT, "state": {"revoked": True}}},
    },
    "clock_uncertain": {
        "rules": [rule(at(12, 0, 10), at(12, 0, 20), allow=False, utc=True)],
        "moment": {"error_s": 30},
    },
}


def with_faults(*names: str) -> tuple[dict, dict]:
    """A scenario in which the named checks fail and nothing else, and its moment."""
    scenario: dict[str, Any] = {
        "name": "+".join(names) or "none",
        "grant": {},
        "request": {},
        "state": {},
    }
    moment = {"at": _AT}
    rules = []
    for name in names:
        fault = FAULTS[name]
        for part in ("grant", "request", "state"):
            # The earlier check's terms win where two want different ones, so that it does fail.
            scenario[part] = fault.get(part, {}) | scenario[part]
        moment = fault.get("moment", {}) | moment
        rules += fault.get("rules", [])
    if rules:
        scenario["grant"]["rules"] = rules
    return {name: value for name, value in scenario.items() if value != {}}, moment


def order():
    """Each check failing alone, and each pair together: the first in the order is the reason."""
    for one in FAULTS:
        scenario, moment = with_faults(one)
        yield scenario, [moment]
    for pair in combinations(FAULTS, 2):
        scenario, moment = with_faults(*pair)
        yield scenario, [moment]
    none, moment = with_faults()
    yield none, [moment]
    yield {"name": "no-grant", "grant": None}, [moment]
    yield (
        {"name": "version-at-the-floor", "grant": {"version": 7}, "state": {"floor": 7}},
        [moment],
    )
    for name, request in (
        ("no-such-action", {"action": "fly"}),
        ("no-such-channel", {"channel": "post"}),
    ):
        yield {"name": name, "request": request}, [moment]
    owner = {"level": 2, "rights": 31}
    for name, state, trust in (
        ("owner-in-privacy", {"mode": "privacy"}, "trusted"),
        ("owner-locked-out", {"lockout_s": 60}, "trusted"),
        ("owner-without-a-clock", {}, "unknown"),
    ):
        yield {"name": name, "grant": owner, "state": state}, [{"at": _AT, "trust": trust}]
    for mode in ("normal", "vacation", "privacy", "no_remote", "passage"):
        for level in (0, 1, 2):
            for channel in ("local", "remote"):
                asked = {
                    "request": {"channel": channel},
                    "grant": {"level": level},
                    "state": {"mode": mode},
                }
                yield {"name": f"{mode}-{level}-{channel}"} | asked, [{"at": _AT}]


def next_time():
    """The earliest later instant at which time alone turns the answer into yes; null for none."""
    day = unix(2026, 1, 5)
    noon = [{"at": day + at(12)}]
    erring = [{"at": day + at(12), "error_s": error_s} for error_s in (0, 1, 60, 1800, 3600)]
    office = rule(at(9), at(17), weekdays=31)
    plain = {
        "allowed-already": {"rules": [office]},
        "later-today": {"rules": [rule(at(14), at(15))]},
        "tomorrow": {"rules": [rule(at(9), at(10))]},
        "next-sunday": {"rules": [rule(weekdays=SUNDAY)]},
        "a-week-later": {"rules": [rule(at(9), at(10), weekdays=MONDAY)]},
        "after-denial": {"rules": [rule(at(12), at(13, 30), allow=False)]},
        "denied-past-window": {"rules": [rule(at(12), at(15)), rule(at(8), at(15), allow=False)]},
        "on-a-date": {"rules": [rule(at(9), at(10), first_date="2026-08-01")]},
        "dates-are-over": {"rules": [rule(last_date="2025-12-31")]},
        "never-that-weekday": {
            "rules": [rule(weekdays=MONDAY, first_date="2026-01-06", last_date="2026-01-11")]
        },
        "allow-never-outlives-denial": {
            "rules": [rule(at(9), at(10)), rule(at(8), at(11), allow=False)]
        },
        "from": {"from": day + DAY_S},
        "from-then-window": {"from": day + DAY_S, "rules": [office]},
        "from-in-ten-years": {
            "from": unix(2036, 2, 29),
            "rules": [rule(at(9), at(10), weekdays=MONDAY)],
        },
        "from-in-a-century": {"from": unix(2126, 2, 28), "rules": [rule(at(9), at(10))]},
        "expired": {"until": day},
        "until-before-window": {"until": day + at(13), "rules": [rule(at(14), at(15))]},
        "lease-over": {"lease": day},
        "within-400-days": {"rules": [rule(at(12), at(13), first_date="2027-02-09", utc=True)]},
        "after-400-days": {"rules": [rule(at(12), at(13), first_date="2027-02-10", utc=True)]},
        "uses-spent": {"uses": 0},
        "no-right": {"rights": 2, "rules": [rule(at(14), at(15))]},
    }
    for name, terms in plain.items():
        yield {"name": name, "zone": {"tz": BERLIN}, "grant": terms}, noon
    for name, rules in (
        ("error-shifts", [rule(at(14), at(17))]),
        ("error-needs-long-window", [rule(at(14), at(14, 30)), rule(at(19), at(22))]),
        ("error-joined-windows", [rule(at(14), at(15)), rule(at(15), at(16, 30), utc=True)]),
        ("error-around-denial", [rule(at(13, 30), at(13, 31), allow=False)]),
    ):
        yield {"name": name, "grant": {"rules": rules}}, erring
    for tz in _CLOCK_CHANGES:
        zone = zones.posix(tz)
        for change in zones.changes(zone, unix(2026), unix(2027)):
            low = min(zones.offset(zone, change - 1), zones.offset(zone, change))
            inside = (change + low + 600) % DAY_S
            scenario = _scenario("clock-change", [rule(inside, inside + 60)], tz)
            yield scenario, [{"at": change + shift} for shift in (-2 * HOUR_S, -1, 0, 660)]
    yield from _next_with_state(day + at(12))
    successor = {"tz": "UTC0", "next": {"from": day + DAY_S, "tz": "<+03>-3"}}
    yield (
        {"name": "next-zone", "zone": successor, "grant": {"rules": [rule(at(10), at(11))]}},
        noon,
    )
    over = {"name": "unknown-clock", "grant": {"from": day + DAY_S}}
    yield (
        over,
        [
            {"at": day, "trust": "unknown"},
            {"at": day, "error_s": 3601},
            {"at": day, "error_s": 3600},
        ],
    )


def _next_with_state(now):
    later = rule(at(14), at(15))
    soon = rule(at(12, 0, 20), at(13), utc=True)
    parent = {"grant": _PARENT | {"rules": [rule(at(16), at(18), utc=True)]}}
    spent = {"uses": 1, "since_use_s": 5}
    for name, terms, state in (
        ("lock-out", {}, {"lockout_s": 300}),
        ("lock-out-before-window", {"rules": [later]}, {"lockout_s": 300}),
        ("lock-out-over-window", {"rules": [later]}, {"lockout_s": 4 * HOUR_S}),
        ("lock-out-in-mode", {}, {"lockout_s": 300, "mode": "privacy"}),
        ("repeat-in-time", {"uses": 1, "rules": [soon]}, spent),
        ("repeat-too-late", {"uses": 1, "rules": [soon]}, {"uses": 1, "since_use_s": 10}),
        ("repeat-and-lock-out", {"uses": 1}, spent | {"lockout_s": 24}),
        ("repeat-and-longer-lock-out", {"uses": 1}, spent | {"lockout_s": 25}),
        ("first-use-over", {"after_first_use_s": 60}, {"first_use": now - 60}),
        ("first-use-ends-first", {"after_first_use_s": 60, "rules": [later]}, {"first_use": now}),
        ("parent-opens-later", {"parent": "share-0"}, {"parent": parent}),
        ("parent-and-child-apart", {"parent": "share-0", "rules": [later]}, {"parent": parent}),
        (
            "parent-revoked",
            {"parent": "share-0"},
            {"parent": parent | {"state": {"revoked": True}}},
        ),
        ("parent-unknown", {"parent": "share-0", "rules": [later]}, {}),
    ):
        yield {"name": name, "grant": terms, "state": state}, [{"at": now}]


def uses():
    """Use counts: unlock and pull count, lock does not; within 30 s it is the same use."""
    for action in ("unlock", "pull", "lock"):
        for used in (0, 1, 2, 3):
            for since in (None, 0, 29, 30, -1):
                scenario = {
                    "name": f"{action}-after-{used}-uses",
                    "request": {"action": action},
                    "grant": {"uses": 2},
                    "state": {"uses": used, "since_use_s": since},
                }
                yield scenario, [{"at": _AT}]
    yield {"name": "no-limit", "grant": {}, "state": {"uses": 60_000}}, [{"at": _AT}]
    yield {"name": "unknown-clock", "grant": {"uses": 1}}, [{"at": 0, "trust": "unknown"}]
    yield {"name": "duress", "grant": {"uses": 1, "duress": True}}, [{"at": _AT}]


def first_use():
    """The time after the first use: begins with an opening, then ends so many seconds later."""
    terms = {"after_first_use_s": 3600}
    for action in ("unlock", "pull", "lock"):
        yield (
            {"name": f"not-yet-{action}", "grant": terms, "request": {"action": action}},
            [{"at": _AT}],
        )
        begun = {
            "name": f"begun-{action}",
            "grant": terms,
            "request": {"action": action},
            "state": {"first_use": _AT},
        }
        yield begun, around([_AT, _AT + 3600])
    yield (
        {"name": "with-until", "grant": terms | {"until": _AT + 60}, "state": {"first_use": _AT}},
        around([_AT + 60]),
    )
    yield {"name": "no-limit", "grant": {}, "state": {"first_use": _AT - DAY_S}}, [{"at": _AT}]


def parent():
    """A share passed on: both records must be live and both must allow."""
    child = {"parent": "share-0"}
    for reason, fault in FAULTS.items():
        if reason in ("key_unproven", "unknown_share", "parent_denies", "clock_uncertain"):
            continue
        grant = _PARENT | fault.get("grant", {})
        if "rules" in fault:
            grant["rules"] = fault["rules"]
        held = {"grant": grant, "state": fault.get("state", {})}
        scenario = {"name": f"parent-{reason}", "grant": child, "state": {"parent": held}}
        yield scenario, [{"at": _AT} | fault.get("moment", {})]
    shares: tuple[tuple[str, dict | None], ...] = (
        ("none-held", None),
        ("another-share", {"grant": {"share": "share-9"}}),
        ("no-state", {"grant": _PARENT, "state": None}),
        ("passed-on-twice", {"grant": _PARENT | {"parent": "share-9"}}),
        ("in-order", {"grant": _PARENT}),
        ("parent-counts", {"grant": _PARENT | {"uses": 3}}),
        ("parent-repeats", {"grant": _PARENT | {"uses": 3}, "state": {"since_use_s": 9}}),
        ("parent-starts", {"grant": _PARENT | {"after_first_use_s": 60}}),
        ("duress-of-the-parent-only", {"grant": _PARENT | {"duress": True}}),
    )
    for name, share in shares:
        yield {"name": name, "grant": child, "state": {"parent": share}}, [{"at": _AT}]
    counted = child | {"uses": 1, "after_first_use_s": 60}
    for action in ("unlock", "lock"):
        state = {"parent": {"grant": _PARENT | {"uses": 3, "after_first_use_s": 60}}}
        asked = {"grant": counted, "state": state, "request": {"action": action}}
        yield {"name": f"both-count-{action}"} | asked, [{"at": _AT}]
    held = {"grant": _PARENT | {"rules": [rule(at(11), at(17))]}}
    timeless = {"name": "only-the-parent-is-timed", "grant": child, "state": {"parent": held}}
    yield timeless, [{"at": unix(2026, 1, 5, 11, minute), "error_s": 600} for minute in (0, 9, 10)]
    both = {
        "name": "windows-overlap",
        "grant": child | {"rules": [rule(at(9), at(13))]},
        "state": {"parent": {"grant": _PARENT | {"rules": [rule(at(11), at(17))]}}},
    }
    yield (
        both,
        edges(both, unix(2026, 1, 5), unix(2026, 1, 6))
        + [
            {"at": unix(2026, 1, 5, 12) + shift, "error_s": 600}
            for shift in (-3001, -3000, 2999, 3000)
        ],
    )


GROUPS = (
    weekdays,
    windows,
    overnight,
    dst,
    dates,
    deny,
    utc,
    error,
    order,
    next_time,
    uses,
    first_use,
    parent,
)
