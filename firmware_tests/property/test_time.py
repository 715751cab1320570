"""Windows, dates, denials and zones against two oracles: one per moment, one per second."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.policy.decision import decide
from firmware_tests import soak
from firmware_tests.both.policy_case import Case, instant_of, outcome
from firmware_tests.oracle import zones
from firmware_tests.oracle.line import REASONS, line, runs
from firmware_tests.oracle.verdict import verdict
from firmware_tests.oracle.zones import unix
from firmware_tests.property.given import DAY_S, TIMEZONES, scenarios
from host_sim import words
from host_sim.timeline import timeline

SPAN_S = 4 * DAY_S


def answers(case, moments):
    """The names of the reasons that `decide` gives at each of some moments."""
    found = []
    for at in moments:
        case.ask(decide, {"at": at})
        found.append(words.name(case.decision.reason))
    return found


def worth_asking(scenario, painted, first, more):
    """Both sides of every edge of the answer and of every change of the clocks, and more."""
    pieces = zones.clock(scenario["zone"]).segments(first, first + len(painted))
    changes = [begin for begin, _, _ in runs(painted, first)] + [begin for begin, _, _ in pieces]
    near = {at + step for at in changes for step in (-1, 0, 1)} | set(more)
    return sorted(at for at in near if first <= at < first + len(painted))


@settings(max_examples=soak.count(20_000, 300))
@given(scenarios(), st.lists(st.integers(0, SPAN_S), max_size=20))
def test_the_answer_is_right_on_both_sides_of_every_edge(drawn, more):
    scenario, at = drawn
    first = at - SPAN_S // 2
    painted = line(scenario, first, first + SPAN_S)
    moments = worth_asking(scenario, painted, first, [first + offset for offset in more])
    expected = [REASONS[painted[moment - first]] for moment in moments]
    assert answers(Case(scenario), moments) == expected


@settings(max_examples=soak.count(5_000, 60))
@given(scenarios(), st.lists(st.integers(0, SPAN_S), min_size=5, max_size=20))
def test_the_two_oracles_agree_with_each_other_and_with_the_whole_outcome(drawn, offsets):
    scenario, at = drawn
    first = at - SPAN_S // 2
    painted = line(scenario, first, first + SPAN_S)
    case = Case(scenario)
    for moment in worth_asking(scenario, painted, first, [first + offset for offset in offsets])[
        :60
    ]:
        expected = verdict(scenario, {"at": moment})
        assert REASONS[painted[moment - first]] == expected["reason"]
        case.ask(decide, {"at": moment})
        assert outcome(case.decision) == expected


@settings(max_examples=soak.count(5_000, 100))
@given(scenarios())
def test_the_timeline_is_the_painted_line(drawn):
    scenario, at = drawn
    case = Case(scenario)
    found = [
        (at + offset_s, at + offset_s + length_s, words.name(reason))
        for offset_s, length_s, reason in timeline(
            case.grant, instant_of(at), case.zone, case.state, 9 * DAY_S, case.decision
        )
    ]
    assert found == runs(line(scenario, at, at + 9 * DAY_S), at)


def test_every_minute_of_the_weeks_in_which_clocks_change():
    """Minute by minute over six days, and second by second around the change."""
    source = random.Random(soak.seed())
    for tz in TIMEZONES[1:-1]:
        for change in zones.changes(zones.posix(tz), unix(2026), unix(2027)):
            rules = [_random_rule(source) for _ in range(4)]
            case = Case({"zone": {"tz": tz}, "grant": {"rules": rules}})
            scenario = {"zone": {"tz": tz}, "grant": {"rules": rules}}
            minutes = range(change - 3 * DAY_S, change + 3 * DAY_S, 60)
            moments = sorted(source.sample(minutes, soak.count(len(minutes), 200)))
            moments += range(change - 20, change + 20)
            expected = [verdict(scenario, {"at": at})["reason"] for at in moments]
            assert answers(case, moments) == expected, (tz, rules)


def _random_rule(source):
    start_s, end_s = source.sample(range(0, DAY_S, 900), 2)
    return {
        "allow": source.random() < 0.7,
        "weekdays": source.randrange(1, 128),
        "start_s": start_s,
        "end_s": end_s or DAY_S,
        "utc": source.random() < 0.3,
    }


def test_every_weekday_mask_at_both_sides_of_every_edge():
    """All masks, a window by day and one over midnight, on the two sides of the world."""
    asked = 0
    for tz in TIMEZONES[1], TIMEZONES[3]:
        first = zones.changes(zones.posix(tz), unix(2026), unix(2027))[0] - 4 * DAY_S
        for start_s, end_s in ((9000, 61_200), (79_200, 9000)):
            for mask in range(1, 128):
                rule = {"weekdays": mask, "start_s": start_s, "end_s": end_s}
                scenario = {"zone": {"tz": tz}, "grant": {"rules": [rule]}}
                painted = line(scenario, first, first + 8 * DAY_S)
                moments = worth_asking(scenario, painted, first, [])
                expected = [REASONS[painted[at - first]] for at in moments]
                assert answers(Case(scenario), moments) == expected, (tz, rule)
                asked += len(moments)
    assert asked > 10_000, asked


def test_a_mask_of_no_days_is_never_open():
    scenario = {"grant": {"rules": [{"weekdays": 0}]}}
    assert set(answers(Case(scenario), range(unix(2026), unix(2026, 1, 9), 3600))) == {
        "outside_rules"
    }
