"""A decision takes no heap: locked, none is needed; unlocked, none is taken on the sly.

MicroPython moves large frames to the heap silently when it is not locked, and works without when
it is; so both are measured.
"""

from firmware.policy import reasons
from firmware.policy.decision import decide
from firmware_tests.both.check import equal, true
from firmware_tests.both.policy_case import Case, now_of
from host_sim import words

LACKS = ("heap_counters",)

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
JANUARY = 1767607200  # Monday 2026-01-05T10:00:00Z
JULY = 1783332000  # Monday 2026-07-06T10:00:00Z
YEAR_2040 = 2224922400
SUCCESSOR = {"tz": "EET-2EEST,M3.5.0/3,M10.5.0/4", "next": {"tz": BERLIN, "from": JANUARY - 86400}}

# Eight rules of every kind; Monday 11:00 in Berlin is within the fourth, and within none of those
# that deny.
EIGHT = [
    {"allow": False, "weekdays": 64},
    {"allow": False, "start_s": 82800, "end_s": 3600, "utc": True},
    {"allow": False, "first_date": "2030-12-24", "last_date": "2031-01-01"},
    {"weekdays": 31, "start_s": 28800, "end_s": 64800},
    {"weekdays": 32, "start_s": 79200, "end_s": 21600},
    {"start_s": 43200, "end_s": 43260, "utc": True},
    {"first_date": "2027-01-01", "last_date": "2027-01-31", "start_s": 1},
    {"weekdays": 3, "start_s": 86399, "end_s": 5, "utc": True},
]
FULL = {
    "from": JANUARY - 8640000,
    "until": YEAR_2040 + 8640000,
    "lease": YEAR_2040 + 864000,
    "rules": EIGHT,
    "uses": 5,
    "after_first_use_s": 499999999,
}
OLD_USE = {"first_use": JANUARY - 60, "uses": 4}
PARENT = {"share": "share-0", "key": "phone-0", "rules": EIGHT, "uses": 9}


def scenario(grant=None, state=None, tz=BERLIN, **request):
    return {
        "zone": tz if isinstance(tz, dict) else {"tz": tz},
        "grant": dict(FULL, **(grant or {})),
        "state": dict(OLD_USE, **(state or {})),
        "request": request,
    }


def taken(case, moments):
    """The most bytes that one decision took; the zone's cache is missed first, and then hit."""
    from micropython import heap_lock, heap_unlock, mem_total  # CPython, which collects, has none

    nows = [now_of(moment) for moment in moments]
    most = 0
    for now in nows:
        heap_lock()
        try:
            _decide(case, now)
        finally:
            heap_unlock()
        # So that the next decision misses the zone's cache.
        case.zone.local(far_instant(now), case.decision.wall)
        before = mem_total()
        between = mem_total()
        _decide(case, now)
        _decide(case, now)
        after = mem_total()
        most = max(most, after - between - (between - before))
    return most


def far_instant(now):
    far = now_of({"at": JANUARY}).at
    far.day = now.at.day + 5000
    return far


def _decide(case, now):
    decide(case.grant, case.request, now, case.zone, case.state, case.decision)


def check(reason, given, *moments):
    case = Case(given)
    equal(taken(case, moments), 0, "bytes for %s" % words.name(reason))
    equal(words.name(case.decision.reason), words.name(reason))


def test_the_measure_sees_what_is_taken():
    from micropython import heap_lock, heap_unlock, mem_total

    before = mem_total()
    kept = [1, 2, 3]
    true(mem_total() > before and kept)
    heap_lock()
    failed = False
    try:
        kept = kept + kept
    except MemoryError:
        failed = True
    heap_unlock()
    true(failed)


def test_allowed_with_eight_rules_takes_no_heap():
    moments = [{"at": at} for at in (JANUARY, JULY, JANUARY)]
    check(reasons.ALLOWED, scenario(), *moments)
    for tz in ("UTC0", "IST-1GMT0,M10.5.0,M3.5.0/1", "EST-1EDT,J60/0,300/24", SUCCESSOR):
        check(reasons.ALLOWED, scenario(tz=tz), *moments)


def test_far_in_the_future_takes_no_heap():
    day_start = YEAR_2040 - YEAR_2040 % 86400
    check(reasons.OUTSIDE_RULES, scenario({"after_first_use_s": None}), {"at": day_start + 72000})


def test_an_error_of_the_clock_takes_no_heap():
    moments = [{"at": at, "error_s": 3600} for at in (JANUARY, JULY, JANUARY)]
    check(reasons.ALLOWED, scenario(), *moments)
    check(reasons.CLOCK_UNCERTAIN, scenario(), {"at": JANUARY - 9000, "error_s": 3600})


def test_a_parent_with_eight_rules_takes_no_heap():
    held = {"parent": {"grant": PARENT, "state": {"uses": 1}}}
    passed_on = scenario({"parent": "share-0"}, held)
    moments = [{"at": at, "error_s": 600} for at in (JANUARY, JULY, JANUARY)]
    check(reasons.ALLOWED, passed_on, *moments)
    closed = {"parent": {"grant": dict(PARENT, rules=EIGHT[:3] + EIGHT[4:]), "state": {}}}
    check(reasons.PARENT_DENIES, scenario({"parent": "share-0"}, closed), *moments)
    check(reasons.PARENT_DENIES, scenario({"parent": "share-0"}), *moments)


def test_no_denial_takes_heap():
    now = {"at": JANUARY}
    sunday = {"at": JANUARY - 86400}
    evening = {"at": JANUARY + 36000}
    check(reasons.KEY_UNPROVEN, scenario(proven=False), now)
    check(reasons.UNKNOWN_SHARE, scenario(key="phone-2"), now)
    check(reasons.UNKNOWN_SHARE, {"grant": None}, now)
    check(reasons.REVOKED, scenario(state={"revoked": True}), now)
    check(reasons.SUPERSEDED, scenario(state={"floor": 2}), now)
    check(reasons.WRONG_LOCK, scenario(state={"lock": "lock-2"}), now)
    check(reasons.MODE, scenario(state={"mode": "vacation"}), now)
    check(reasons.LOCKED_OUT, scenario(state={"lockout_s": 300}), now)
    check(reasons.NO_RIGHT, scenario(action="manage"), now)
    check(reasons.CHANNEL_CLOSED, scenario({"channels": 1}, channel="remote"), now)
    check(reasons.CLOCK_UNKNOWN, scenario(), {"at": JANUARY, "trust": "unknown"})
    check(reasons.TOO_EARLY, scenario(), {"at": JANUARY - 86400 * 5000})
    check(reasons.EXPIRED, scenario(), {"at": YEAR_2040 * 2})
    check(reasons.LEASE_OVER, scenario({"lease": JANUARY - 1}), now)
    check(reasons.DENY_RULE, scenario(), sunday)
    check(reasons.OUTSIDE_RULES, scenario(), evening)
    check(reasons.USES_SPENT, scenario(state={"uses": 5}), now)
    check(reasons.FIRST_USE_OVER, scenario({"after_first_use_s": 60}), now)
