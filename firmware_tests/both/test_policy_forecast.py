"""next_allowed and timeline on every runtime; most cases of the former are in the vectors."""

from firmware.policy.decision import decide
from firmware.policy.forecast import HORIZON_S, next_allowed
from firmware_tests.both.check import equal
from firmware_tests.both.policy_case import Case, instant_of, outcome, unix_of
from host_sim import words
from host_sim.timeline import timeline

MONDAY = 1767607200  # 2026-01-05T10:00:00Z
DAY_S = 86400


def next_after(scenario, **moment):
    return unix_of(Case(scenario).ask(next_allowed, dict({"at": MONDAY}, **moment)))


def test_the_horizon_is_400_days_from_now_or_from_the_start():
    equal(HORIZON_S, 400 * DAY_S)
    for start in (None, MONDAY + 1000 * DAY_S, MONDAY + 50_000 * DAY_S):
        base = start or MONDAY
        for wait_s, expected in ((400 * DAY_S, base + 400 * DAY_S), (400 * DAY_S + 1, None)):
            window = (base + wait_s) % DAY_S
            day = text_of_day((base + wait_s) // DAY_S)
            rules = [{"start_s": window, "end_s": window + 1, "first_date": day}]
            scenario = {"grant": {"from": start, "rules": rules}}
            equal(next_after(scenario), expected, str(start))


def text_of_day(day):
    return repr_of(instant_of(day * DAY_S))


def repr_of(instant):
    from host_sim.words import iso

    return iso(instant)[:10]


def test_without_a_parent_record_nothing_is_promised():
    passed_on = {"parent": "share-0", "from": MONDAY + DAY_S}
    equal(next_after({"grant": passed_on}), None)
    held = {"grant": {"share": "share-0", "key": "phone-0", "from": MONDAY + 2 * DAY_S}}
    equal(next_after({"grant": passed_on, "state": {"parent": held}}), MONDAY + 2 * DAY_S)


def test_the_timeline_is_whole_and_says_why():
    rules = [
        {"start_s": 9 * 3600, "end_s": 17 * 3600},
        {"start_s": 12 * 3600, "end_s": 13 * 3600, "allow": False},
    ]
    case = Case({"grant": {"rules": rules, "until": MONDAY + DAY_S}, "state": {"lockout_s": 60}})
    found = timeline(
        case.grant, instant_of(MONDAY), case.zone, case.state, 2 * DAY_S, case.decision
    )
    equal(
        [(offset_s, length_s, words.name(reason)) for offset_s, length_s, reason in found],
        [
            (0, 7200, "allowed"),
            (7200, 3600, "deny_rule"),
            (10800, 14400, "allowed"),
            (25200, 16 * 3600, "outside_rules"),
            (25200 + 16 * 3600, 3600, "allowed"),
            (DAY_S, DAY_S, "expired"),
        ],
    )


def test_the_timeline_of_a_share_passed_on_needs_the_parent():
    case = Case({"grant": {"parent": "share-0", "from": MONDAY + 60}})
    found = timeline(case.grant, instant_of(MONDAY), case.zone, case.state, DAY_S, case.decision)
    equal(
        [(length_s, words.name(reason)) for _, length_s, reason in found],
        [(60, "too_early"), (DAY_S - 60, "parent_denies")],
    )


def test_one_decision_lent_to_many_leaves_nothing_behind():
    """Any decision after any other: the same as with a Decision of its own."""
    held = {"grant": {"share": "share-0", "key": "phone-0", "uses": 1, "rules": [{"weekdays": 1}]}}
    spent = {"grant": held["grant"], "state": {"uses": 1, "since_use_s": 3}}
    others = (
        {"grant": {"parent": "share-0"}, "state": {"parent": held}},
        {"grant": {"parent": "share-0"}, "state": {"parent": spent}},
        {"grant": {"parent": "share-0"}},
        {"grant": {"uses": 1}, "state": {"uses": 1, "since_use_s": 5}},
        {"grant": {"uses": 2, "duress": True}},
        {"grant": {"after_first_use_s": 60}},
        {"grant": {"rules": [{"weekdays": 2}]}},
        {"grant": {"uses": 1, "rules": [{"weekdays": 2}]}},
        {"grant": None},
        {"request": {"proven": False}},
    )
    moments = ({"at": MONDAY}, {"at": MONDAY, "error_s": 3600}, {"at": 0, "trust": "unknown"})
    for before in others:
        for scenario in others:
            for moment in moments:
                fresh, used = Case(scenario), Case(scenario)
                used.decision = Case({}).decision
                lent = Case(before)
                lent.decision = used.decision
                lent.ask(decide, moments[0])
                fresh.ask(decide, moment)
                used.ask(decide, moment)
                equal(outcome(used.decision), outcome(fresh.decision))
                fresh_next = fresh.ask(next_allowed, moment)
                lent.ask(decide, moments[1])
                equal(used.ask(next_allowed, moment), fresh_next)
