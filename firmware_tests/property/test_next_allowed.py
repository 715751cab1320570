"""When next: what is found is allowed, nothing before it is, and nothing found is nothing there.

The oracle paints all the 400 days, second by second.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.policy import forecast
from firmware.policy.decision import Decision, decide
from firmware.policy.forecast import next_allowed
from firmware_tests import soak
from firmware_tests.both.policy_case import Case, outcome, unix_of
from firmware_tests.oracle import forecast as brute
from firmware_tests.oracle.verdict import verdict
from firmware_tests.oracle.zones import unix
from firmware_tests.property.given import DAY_S, ERRORS_S, scenarios


class Counting(Decision):
    """A Decision that counts its moves along time: one for each step of a search."""

    moves = 0

    def move(self, seconds):
        self.moves += 1
        super().move(seconds)


@st.composite
def denials(draw, most_rules=8):
    """A scenario with what else time may mend: a lock-out, the end of a repeat."""
    scenario, at = draw(scenarios(most_rules))
    if draw(st.integers(0, 3)) == 0:
        scenario["state"]["lockout_s"] = draw(st.integers(0, 2 * DAY_S))
    if draw(st.integers(0, 3)) == 0:
        scenario["grant"]["uses"] = 2
        scenario["state"] |= {"uses": 2, "since_use_s": draw(st.integers(0, 31))}
    if draw(st.integers(0, 9)) == 0:
        scenario["grant"]["from"] = at + draw(st.integers(1, 60_000 * DAY_S))
        for term in ("until", "lease"):
            scenario["grant"].pop(term, None)
    parent = scenario["state"].get("parent")
    if parent and draw(st.integers(0, 3)) == 0:
        parent["grant"]["uses"] = 1
        parent["state"] = {"uses": 1, "since_use_s": draw(st.integers(0, 31))}
    action = draw(st.sampled_from(["unlock", "pull", "lock"]))
    return scenario | {"request": {"action": action}}, at


@settings(max_examples=soak.count(10_000, 130))
@given(denials(), ERRORS_S)
def test_it_is_the_first_second_that_the_painted_year_allows(drawn, error_s):
    scenario, at = drawn
    moment = {"at": at, "error_s": error_s}
    found = unix_of(Case(scenario).ask(next_allowed, moment))
    assert found == brute.next_allowed(scenario, moment)


@settings(max_examples=soak.count(10_000, 150))
@given(denials(most_rules=4), st.one_of(st.just(0), st.integers(0, 60)))
def test_it_is_allowed_and_the_second_before_is_not(drawn, error_s):
    """Asked of `decide` itself, later, with the lock-out and the last use that much older."""
    scenario, at = drawn
    moment = {"at": at, "error_s": error_s}
    case = Case(scenario)
    found = unix_of(case.ask(next_allowed, moment))
    if found is None:
        return
    assert found > at
    for wait_s, expected in ((found - at - 1, False), (found - at, True)):
        then = brute.later(scenario, wait_s)
        later = Case(then)
        asked = {"at": at + wait_s, "error_s": error_s}
        later.ask(decide, asked)
        assert later.decision.allowed == expected, (scenario, asked)
        assert outcome(later.decision) == verdict(then, asked)


@settings(max_examples=soak.count(2_000, 60))
@given(denials(), ERRORS_S)
def test_a_search_leaves_the_arguments_as_they_were(drawn, error_s):
    scenario, at = drawn
    case = Case(scenario)
    moment = {"at": at, "error_s": error_s}
    case.ask(decide, moment)
    before = outcome(case.decision)
    case.ask(next_allowed, moment)
    case.ask(decide, moment)
    assert outcome(case.decision) == before


def short_windows(count, length_s, **terms):
    """`count` windows a day, evenly spread."""
    gap_s = DAY_S // count
    return [{"start_s": n * gap_s, "end_s": n * gap_s + length_s} | terms for n in range(count)]


def apart(count):
    """Child and parent whose windows, eight a day each, never meet."""
    child = {"parent": "share-0", "rules": short_windows(count, 60)}
    shifted = [
        rule | {"start_s": rule["start_s"] + 600, "end_s": rule["end_s"] + 600}
        for rule in short_windows(count, 60)
    ]
    parent = {"share": "share-0", "key": "phone-0", "rules": shifted}
    return {"grant": child, "state": {"parent": {"grant": parent}}}


# The worst that could be thought of, and whether the limit cuts the search short before 400 days
# are over.
WORST = {
    "seven short windows, an error that none outlasts": (
        {"grant": {"rules": [*short_windows(7, 600), {"first_date": "2026-12-01"}]}},
        3600,
        True,
    ),
    "four windows, each with its own denial": (
        {
            "grant": {
                "rules": short_windows(4, 60) + short_windows(4, 120, allow=False),
            }
        },
        0,
        True,
    ),
    "two windows, each with its own denial": (
        {"grant": {"rules": short_windows(2, 60) + short_windows(2, 120, allow=False)}},
        0,
        False,
    ),
    "one window, denied for months": (
        {
            "grant": {
                "rules": [
                    {"start_s": 32_400, "end_s": 61_200, "weekdays": 31},
                    {"allow": False, "last_date": "2026-12-31"},
                ]
            }
        },
        600,
        False,
    ),
    "child and parent with eight windows each that never meet": (apart(8), 0, True),
    "child and parent with two windows each that never meet": (apart(2), 0, False),
}


@pytest.mark.parametrize("name", WORST)
def test_the_limit_of_steps_cuts_off_only_what_does_not_meet_for_months(name):
    scenario, error_s, cut = WORST[name]
    moment = {"at": unix(2026, 1, 5, 12, 34, 56), "error_s": error_s}
    case = Case(scenario)
    case.decision = Counting()
    found = unix_of(case.ask(next_allowed, moment))
    searched_days = (unix_of(case.decision.at) - moment["at"]) // DAY_S
    assert (case.decision.moves > forecast.MOST_STEPS) == cut, case.decision.moves
    if cut:
        assert found is None
        assert searched_days > 100
    else:
        assert found == brute.next_allowed(scenario, moment)
