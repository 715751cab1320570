"""Terms that no lock may accept, each with its reason, and windows as people mean them."""

from firmware.policy import reasons
from firmware.policy.grant import (
    LAST_DAY,
    MOST_HOLDER,
    MOST_ID,
    MOST_VERSION,
    Grant,
    fault,
    normalise,
    rule_fault,
)
from firmware.policy.instant import FAR_S, Instant
from firmware.policy.schedule import Rule, normal_end
from firmware_tests.both.check import equal, true
from host_sim import words

DAY_S = 86400


def grant_with(**terms):
    made = Grant(b"share-1", b"lock-1", b"phone-1")
    for name, value in terms.items():
        true(hasattr(made, name), name)
        setattr(made, name, value)
    return made


def day(number):
    return Instant(number, 0)


REFUSED = (
    (reasons.BAD_ID, {"share": b""}),
    (reasons.BAD_ID, {"share": bytes(MOST_ID + 1)}),
    (reasons.BAD_ID, {"lock": b""}),
    (reasons.BAD_ID, {"lock": bytes(MOST_ID + 1)}),
    (reasons.BAD_ID, {"parent": b""}),
    (reasons.BAD_ID, {"parent": bytes(MOST_ID + 1)}),
    (reasons.BAD_ID, {"holder": bytes(MOST_HOLDER + 1)}),
    (reasons.BAD_VERSION, {"version": 0}),
    (reasons.BAD_VERSION, {"version": MOST_VERSION + 1}),
    (reasons.BAD_LEVEL, {"level": -1}),
    (reasons.BAD_LEVEL, {"level": 3}),
    (reasons.BAD_RIGHTS, {"rights": 0}),
    (reasons.BAD_RIGHTS, {"rights": 8}),
    (reasons.BAD_RIGHTS, {"rights": 7 | 16}),
    (reasons.BAD_RIGHTS, {"rights": 32, "level": 2}),
    (reasons.BAD_RIGHTS, {"rights": -1, "level": 2}),
    (reasons.BAD_CHANNELS, {"channels": 0}),
    (reasons.BAD_CHANNELS, {"channels": 4}),
    (reasons.BAD_CHANNELS, {"channels": -1}),
    (reasons.BAD_DATES, {"start": day(20000), "until": day(20000)}),
    (reasons.BAD_DATES, {"start": day(20001), "until": day(20000)}),
    (reasons.BAD_DATES, {"start": day(20001), "lease": day(20000)}),
    (reasons.BAD_DATES, {"start": day(10956)}),
    (reasons.BAD_DATES, {"until": day(LAST_DAY + 1)}),
    (reasons.BAD_DATES, {"lease": day(1 << 40)}),
    (reasons.BAD_DATES, {"issued": day(0)}),
    (reasons.TOO_MANY_RULES, {"rules": [Rule()] * 9}),
    (reasons.BAD_WEEKDAYS, {"rules": [Rule(), Rule(128)]}),
    (reasons.BAD_USES, {"uses": 0}),
    (reasons.BAD_USES, {"uses": -1}),
    (reasons.BAD_USES, {"uses": 65536}),
    (reasons.BAD_USES, {"after_first_use_s": 0}),
    (reasons.BAD_USES, {"after_first_use_s": FAR_S}),
    (reasons.OWNER_TIMED, {"level": 2, "start": day(20000)}),
    (reasons.OWNER_TIMED, {"level": 2, "until": day(20000)}),
    (reasons.OWNER_TIMED, {"level": 2, "lease": day(20000)}),
    (reasons.OWNER_TIMED, {"level": 2, "rules": [Rule()]}),
    (reasons.OWNER_TIMED, {"level": 2, "after_first_use_s": 1}),
    (reasons.OWNER_TIMED, {"level": 2, "uses": 1}),
    (reasons.OWNER_TIMED, {"level": 2, "parent": b"share-0"}),
    (reasons.BAD_PARENT, {"parent": b"share-1"}),
)

ACCEPTED = (
    {},
    {"share": bytes(MOST_ID), "lock": b"1", "holder": bytes(MOST_HOLDER)},
    {"version": MOST_VERSION},
    {"level": 1, "rights": 31},
    {"level": 2, "rights": 31},
    {"rights": 2},
    {"channels": 2},
    {"start": day(20000), "until": Instant(20000, 1), "lease": Instant(20000, 1)},
    {"start": day(10957), "until": day(LAST_DAY)},
    {"lease": day(20000), "until": day(19000)},
    {"rules": [Rule()] * 8},
    {"uses": 1, "after_first_use_s": 1},
    {"uses": 65535, "after_first_use_s": FAR_S - 1},
    {"parent": b"share-0"},
)

REFUSED_RULES = (
    (reasons.BAD_WEEKDAYS, Rule(0)),
    (reasons.BAD_WEEKDAYS, Rule(128)),
    (reasons.BAD_WEEKDAYS, Rule(-1)),
    (reasons.BAD_WINDOW, Rule(1, -1)),
    (reasons.BAD_WINDOW, Rule(1, DAY_S, 3600)),
    (reasons.BAD_WINDOW, Rule(1, 0, DAY_S + 1)),
    (reasons.BAD_WINDOW, Rule(1, 0, -1)),
    (reasons.BAD_WINDOW, Rule(1, 0, 1 << 40)),
    (reasons.EMPTY_WINDOW, Rule(1, 0, 0)),
    (reasons.EMPTY_WINDOW, Rule(1, 3600, 3600)),
    (reasons.EMPTY_WINDOW, Rule(1, DAY_S - 60, DAY_S - 60)),
    (reasons.EMPTY_WINDOW, Rule(1, DAY_S - 1, DAY_S - 1)),
    (reasons.BAD_DATES, Rule(1, first_day=20001, last_day=20000)),
    (reasons.BAD_DATES, Rule(1, first_day=10956)),
    (reasons.BAD_DATES, Rule(1, first_day=LAST_DAY + 1)),
    (reasons.BAD_DATES, Rule(1, last_day=10956)),
    (reasons.BAD_DATES, Rule(1, last_day=1 << 40)),
)


def test_each_fault_of_the_terms_has_its_reason():
    for reason, terms in REFUSED:
        equal(words.name(fault(grant_with(**terms))), words.name(reason), repr(terms))


def test_what_is_in_order_is_accepted():
    for terms in ACCEPTED:
        equal(words.name(fault(grant_with(**terms))), "allowed", repr(terms))


def test_each_fault_of_a_rule_has_its_reason_normalised_or_not():
    for reason, rule in REFUSED_RULES:
        equal(words.name(rule_fault(rule)), words.name(reason), repr(rule.start_s))
        made = grant_with(rules=[rule])
        normalise(made)
        equal(words.name(fault(made)), words.name(reason), "%d-%d" % (rule.start_s, rule.end_s))


def test_every_other_mask_is_a_set_of_weekdays():
    for mask in range(1, 128):
        equal(rule_fault(Rule(mask)), reasons.ALLOWED, str(mask))


def test_the_last_minute_and_the_last_second_mean_midnight():
    for end_s, expected in (
        (0, DAY_S),
        (1, 1),
        (DAY_S - 61, DAY_S - 61),
        (DAY_S - 60, DAY_S),
        (DAY_S - 59, DAY_S - 59),
        (DAY_S - 2, DAY_S - 2),
        (DAY_S - 1, DAY_S),
        (DAY_S, DAY_S),
        (DAY_S + 1, DAY_S + 1),
    ):
        equal(normal_end(end_s), expected, str(end_s))


def test_normalising_twice_changes_nothing_more():
    made = grant_with(rules=[Rule(1, 22 * 3600, 0), Rule(1, 0, DAY_S - 60), Rule(1, 5, 5)])
    for _ in range(2):
        normalise(made)
        equal([rule.end_s for rule in made.rules], [DAY_S, DAY_S, 5])


def test_whatever_asks_for_the_time_is_timed():
    equal(grant_with().timed(), False)
    equal(grant_with(uses=1, duress=True).timed(), False)
    for terms in (
        {"start": day(0)},
        {"until": day(0)},
        {"lease": day(0)},
        {"rules": [Rule()]},
        {"after_first_use_s": 1},
    ):
        equal(grant_with(**terms).timed(), True, repr(terms))
