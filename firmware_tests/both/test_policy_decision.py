"""Input that no honest caller sends: whatever the lock does not know is no."""

from firmware.policy import reasons
from firmware.policy.decision import CHECKS, decide
from firmware_tests.both.check import equal, true
from firmware_tests.both.policy_case import Case, now_of
from host_sim import words

MONDAY = {"at": 1767607200}  # 2026-01-05T10:00:00Z


def reason_of(case, moment=MONDAY):
    case.ask(decide, moment)
    equal(case.decision.allowed, case.decision.reason == reasons.ALLOWED)
    return words.name(case.decision.reason)


def test_a_new_decision_denies():
    fresh = Case({}).decision
    equal((fresh.allowed, fresh.reason), (False, reasons.KEY_UNPROVEN))


def test_only_true_is_a_proof():
    for value in (None, 0, 1, "yes", b"\x01", [True]):
        case = Case({})
        case.request.proven = value
        equal(reason_of(case), "key_unproven", repr(value))


def test_an_action_is_one_that_exists():
    for value in (None, 0, 3, 5, 32, 128, -1, 255):
        case = Case({"grant": {"rights": 31, "level": 2}})
        case.request.action = value
        equal(reason_of(case), "no_right", repr(value))


def test_a_channel_is_one_that_exists():
    for value in (None, 0, 3, 4, -1):
        case = Case({})
        case.request.channel = value
        equal(reason_of(case), "channel_closed", repr(value))


def test_an_unknown_mode_is_for_owners_only():
    for value in (None, 5, -1):
        for level, expected in ((0, "mode"), (1, "mode"), (2, "allowed")):
            case = Case({"grant": {"level": level}})
            case.state.mode = value
            equal(reason_of(case), expected, repr(value))


def test_an_unknown_level_is_no_owner():
    for level in (3, -1, None):
        case = Case({"grant": {"level": level}, "state": {"lockout_s": 5}})
        equal(reason_of(case), "locked_out", repr(level))


def test_an_unknown_trust_is_no_time():
    case = Case({"grant": {"until": MONDAY["at"] + 60}})
    now = now_of(MONDAY)
    for trust, known in ((1, True), (2, True), (0, False), (3, False), (-1, False)):
        now.trust = trust
        decide(case.grant, case.request, now, case.zone, case.state, case.decision)
        name = "allowed" if known else "clock_unknown"
        equal(words.name(case.decision.reason), name, str(trust))


def test_a_denial_says_nothing_else():
    """Whatever the last answer was, a denial counts nothing and raises no alarm."""
    terms = {"uses": 3, "after_first_use_s": 60, "duress": True, "parent": "share-0"}
    held = {"parent": {"grant": {"share": "share-0", "uses": 3, "after_first_use_s": 60}}}
    case = Case({"grant": terms, "state": held})
    equal(reason_of(case), "allowed")
    given = case.decision
    for filled in (given, given.parent):
        true(filled.counts and filled.starts)
    true(given.duress)
    for change in ("lockout_s", "floor", "revoked"):
        setattr(case.state, change, 5)
        true(reason_of(case) != "allowed")
        for filled in (given, given.parent):
            equal((filled.counts, filled.starts, filled.duress), (False, False, False))
        setattr(case.state, change, 0)
    equal(given.parent_reason, reasons.ALLOWED)


def test_every_check_says_allowed_or_a_reason_of_the_table():
    numbers = [number for number, _, _ in words.TABLE]
    case = Case({})
    reason_of(case)
    for check in CHECKS:
        true(check(case.decision) in numbers)
