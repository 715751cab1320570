"""The numbers of the reasons: they stay, each has its words, and a test produces each of them."""

from firmware.policy import reasons
from firmware.policy.decision import decide
from firmware_tests.both.check import equal, true
from firmware_tests.both.policy_case import Case
from firmware_tests.both.vectors import read
from host_sim import words

# What was published once never changes its meaning; only additions belong here.
PUBLISHED = (
    (0, "allowed"),
    (1, "key_unproven"),
    (2, "unknown_share"),
    (3, "revoked"),
    (4, "superseded"),
    (5, "wrong_lock"),
    (6, "mode"),
    (7, "locked_out"),
    (8, "no_right"),
    (9, "channel_closed"),
    (10, "clock_unknown"),
    (11, "too_early"),
    (12, "expired"),
    (13, "lease_over"),
    (14, "deny_rule"),
    (15, "outside_rules"),
    (16, "uses_spent"),
    (17, "first_use_over"),
    (18, "parent_denies"),
    (19, "clock_uncertain"),
)


def decisions_reasons():
    """What `decide` can say: the numbers of the table from 0 to the last one before the gap."""
    numbers = [number for number, _, _ in words.TABLE]
    found = [number for number in range(64) if number in numbers]
    return found[: found.index(reasons.CLOCK_UNCERTAIN) + 1]


def test_every_reason_of_a_decision_is_produced():
    produced = set()
    for scenario in read("order")["scenarios"]:
        case = Case(scenario)
        case.ask(decide, scenario["moments"][0])
        produced.add(case.decision.reason)
    equal(sorted(produced), decisions_reasons())
    equal(sorted(produced), list(range(20)))


def test_published_numbers_keep_their_names():
    for number, name in PUBLISHED:
        equal(words.name(number), name)


def test_the_table_has_each_number_and_each_name_once_and_a_sentence():
    numbers = [number for number, _, _ in words.TABLE]
    equal(numbers, sorted(set(numbers)))
    constants = [name for name in dir(reasons) if name[0] != "_" and name != "NOTHING"]
    equal(sorted(constants), sorted([name.upper() for _, name, _ in words.TABLE]))
    for number, name, text in words.TABLE:
        true(0 <= number < 256, name)
        equal(getattr(reasons, name.upper()), number, name)
        true(text.endswith("."), name)
        equal(words.name(number), name)
        equal(words.text(number), text)


def test_an_unknown_number_has_a_name_and_a_sentence():
    equal(words.name(200), "reason_200")
    true("does not know" in words.text(200))
