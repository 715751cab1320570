"""An uncertain clock: allowed only if allowed at every whole second that it may be."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.policy.decision import decide
from firmware_tests import soak
from firmware_tests.both.policy_case import Case, outcome
from firmware_tests.oracle.line import REASONS, line, runs
from firmware_tests.oracle.verdict import verdict
from firmware_tests.property.given import DAY_S, ERRORS_S, scenarios


@settings(max_examples=soak.count(20_000, 250))
@given(scenarios(), ERRORS_S)
def test_allowed_if_and_only_if_every_second_of_the_error_allows(drawn, error_s):
    """Asked where it matters: where the error just reaches an edge of the answer, or just not."""
    scenario, at = drawn
    first, last = at - 2 * DAY_S, at + 2 * DAY_S
    painted = line(scenario, first - 3600, last + 3601)
    edges = [begin for begin, _, _ in runs(painted, first - 3600)][:25]
    near = {
        edge + side * error_s + step for edge in edges for side in (-1, 1) for step in (-1, 0, 1)
    }
    case = Case(scenario)
    for moment in [at, *(asked for asked in sorted(near) if first <= asked < last)]:
        index = moment - first + 3600
        expected = REASONS[painted[index]]
        if expected == "allowed" and any(painted[index - error_s : index + error_s + 1]):
            expected = "clock_uncertain"
        case.ask(decide, {"at": moment, "error_s": error_s, "trust": "holdover"})
        assert outcome(case.decision)["reason"] == expected, (moment, error_s)


@settings(max_examples=soak.count(2_000, 40))
@given(scenarios(most_rules=3), st.integers(0, 90))
def test_the_whole_outcome_is_that_of_asking_about_every_second(drawn, error_s):
    scenario, at = drawn
    case = Case(scenario)
    moment = {"at": at, "error_s": error_s}
    case.ask(decide, moment)
    assert outcome(case.decision) == verdict(scenario, moment)


@settings(max_examples=soak.count(2_000, 60))
@given(
    scenarios(most_rules=2),
    st.sampled_from([-1, 0, 3600, 3601, 100_000]),
    st.sampled_from(["unknown", "holdover", "trusted"]),
)
def test_no_clock_or_too_large_an_error_denies_whatever_depends_on_time(drawn, error_s, trust):
    scenario, at = drawn
    case = Case(scenario)
    moment = {"at": at, "error_s": error_s, "trust": trust}
    case.ask(decide, moment)
    assert outcome(case.decision) == verdict(scenario, moment)
