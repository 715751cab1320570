"""explain(): the very checks of the decision, in their order, with what each saw."""

from firmware.policy.decision import CHECKS, decide
from firmware_tests.both.check import equal, true
from firmware_tests.both.policy_case import Case, outcome
from firmware_tests.both.vectors import read
from host_sim import words
from host_sim.explain import explain, names
from host_sim.words import duration

MONDAY = 1767607200  # 2026-01-05T10:00:00Z
BERLIN = {"tz": "CET-1CEST,M3.5.0,M10.5.0/3"}


def seen(scenario, **moment):
    """Name to what was seen, for the steps that were reached."""
    steps = Case(scenario).ask(explain, dict({"at": MONDAY}, **moment))
    return {step.name: step.seen for step in steps if step.reason is not None}


def test_the_steps_are_the_checks_and_end_where_the_decision_does():
    for group in ("order", "parent", "error", "uses"):
        for scenario in read(group)["scenarios"]:
            case = Case(scenario)
            for moment in scenario["moments"]:
                steps = case.ask(explain, moment)
                explained = outcome(case.decision)
                equal(len(steps), len(CHECKS) + 1)
                reached = [step for step in steps if step.reason is not None]
                equal(steps[: len(reached)], reached, scenario["name"])
                equal(words.name(reached[-1].reason), moment["reason"], scenario["name"])
                equal([step.reason for step in reached[:-1]], [0] * (len(reached) - 1))
                equal(
                    [step.seen for step in steps[len(reached) :]],
                    [""] * (len(steps) - len(reached)),
                )
                true(all(step.seen for step in reached), scenario["name"])
                case.ask(decide, moment)
                equal(outcome(case.decision), explained, scenario["name"])


def test_the_names_of_the_steps_follow_the_checks():
    steps = Case({}).ask(explain, {"at": MONDAY})
    expected = (
        "key share revocation version lock mode lock-out right channel clock from until lease "
        "deny-rules allow-rules uses first-use parent clock-error"
    )
    equal(" ".join([step.name.replace(" ", "-") for step in steps]), expected)


def test_what_a_plain_grant_shows():
    equal(
        seen({"zone": BERLIN}),
        {
            "key": "proven",
            "share": "share-1, guest",
            "revocation": "live",
            "version": "1, at least 0",
            "lock": "lock-1",
            "mode": "normal",
            "lock-out": "none",
            "right": "unlock of unlock, lock, pull",
            "channel": "local of local, remote",
            "clock": "trusted, 2026-01-05T10:00:00Z",
            "from": "from any time",
            "until": "without end",
            "lease": "none",
            "deny rules": "none",
            "allow rules": "none",
            "uses": "no limit",
            "first use": "no limit",
            "parent": "not passed on",
            "clock error": "0 s either way",
        },
    )


def test_what_a_grant_with_terms_shows():
    grant = {
        "from": MONDAY - 86400,
        "until": MONDAY + 86400,
        "lease": MONDAY + 3600,
        "rules": [{"weekdays": 31}, {"weekdays": 64, "allow": False}, {"start_s": 1, "end_s": 2}],
        "uses": 2,
        "after_first_use_s": 9000,
        "parent": "share-0",
    }
    held = {"grant": {"share": "share-0", "key": "phone-0"}}
    state = {"uses": 2, "since_use_s": 9, "first_use": MONDAY - 60, "parent": held}
    shown = seen({"zone": BERLIN, "grant": grant, "state": state}, error_s=90, trust="holdover")
    for name, text in (
        ("clock", "holdover, 2026-01-05T10:00:00Z"),
        ("from", "from 2026-01-04T10:00:00Z"),
        ("until", "until 2026-01-06T10:00:00Z"),
        ("lease", "until 2026-01-05T11:00:00Z"),
        ("deny rules", "none of 1 holds"),
        ("allow rules", "one of 2 holds"),
        ("uses", "2 of 2, a repeat of the last one"),
        ("first use", "lasts 2 h 30 min from 2026-01-05T09:59:00Z"),
        ("parent", "share-0: allowed"),
        ("clock error", "1 min 30 s either way"),
    ):
        equal(shown[name], text, name)


def test_what_a_denial_shows_last():
    for scenario, name, text in (
        ({"request": {"proven": False}}, "key", "not proven"),
        ({"grant": None}, "share", "none for this key"),
        ({"state": {"revoked": True}}, "revocation", "revoked"),
        ({"state": {"floor": 3}}, "version", "1, at least 3"),
        ({"state": {"mode": "no_remote"}, "request": {"channel": "remote"}}, "mode", "no-remote"),
        ({"state": {"lockout_s": 3661}}, "lock-out", "for 1 h 1 min 1 s"),
        ({"request": {"action": "read_log"}}, "right", "read-log of unlock, lock, pull"),
        ({"request": {"action": "fly"}}, "right", "an unknown action of unlock, lock, pull"),
        ({"grant": {"channels": 2}}, "channel", "local of remote"),
        ({"grant": {"rules": [{"weekdays": 64}]}}, "allow rules", "none of 1 holds"),
        ({"grant": {"uses": 1}, "state": {"uses": 1}}, "uses", "1 of 1"),
        ({"grant": {"parent": "share-0"}}, "parent", "share-0: unknown_share"),
    ):
        shown = Case(scenario).ask(explain, {"at": MONDAY})
        last = [step for step in shown if step.reason is not None][-1]
        equal((last.name, last.seen), (name, text))
        true(last.reason, name)


def test_an_opaque_id_is_hexadecimal():
    case = Case({})
    case.grant.share = b"\x00\xffa"
    equal(case.ask(explain, {"at": MONDAY})[1].seen, "00ff61, guest")


def test_an_unknown_clock_is_no_hindrance_without_terms_of_time():
    shown = seen({}, trust="unknown")
    equal((shown["clock"], shown["clock error"]), ("unknown", "no time needed"))


def test_durations_and_names():
    equal(
        [duration(s) for s in (0, 1, 60, 3599, 3600, 86400, 90061)],
        ["0 s", "1 s", "1 min", "59 min 59 s", "1 h", "1 d", "1 d 1 h 1 min 1 s"],
    )
    equal(names(5, {1: "one", 2: "two", 4: "four"}), "one, four")
    equal(names(0, {1: "one"}), "none")
