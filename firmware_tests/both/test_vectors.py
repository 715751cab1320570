"""The published vectors: this evaluator must give every answer that the oracle gave."""

from firmware.policy.decision import decide
from firmware.policy.forecast import next_allowed
from firmware.policy.zone import Wall, Zone
from firmware_tests.both.check import equal, true
from firmware_tests.both.policy_case import Case, instant_of, now_of, outcome, unix_of
from firmware_tests.both.vectors import read

EXPECTATIONS = (
    "reason",
    "parent",
    "counts",
    "starts",
    "duress",
    "parent_counts",
    "parent_starts",
)


def _answers(name, at_least):
    """Ask `decide` about every moment of a group; at least so many, lest an emptied file pass."""
    asked = 0
    for scenario in read(name)["scenarios"]:
        case = Case(scenario)
        for moment in scenario["moments"]:
            case.ask(decide, moment)
            expected = {key: moment[key] for key in EXPECTATIONS if key in moment}
            note = "%s, %s at %s" % (name, scenario["name"], moment["at"][1])
            equal(outcome(case.decision), expected, note)
            equal(case.decision.allowed, expected["reason"] == "allowed", note)
            asked += 1
    true(asked >= at_least, "%d moments in %s" % (asked, name))


def test_weekdays():
    _answers("weekdays", 127 * 7)


def test_windows():
    _answers("windows", 300)


def test_overnight():
    _answers("overnight", 200)


def test_dst():
    _answers("dst", 450)


def test_dates():
    _answers("dates", 200)


def test_deny():
    _answers("deny", 300)


def test_utc():
    _answers("utc", 500)


def test_error():
    _answers("error", 80)


def test_order():
    _answers("order", 220)


def test_uses():
    _answers("uses", 60)


def test_first_use():
    _answers("first-use", 20)


def test_parent():
    _answers("parent", 35)


def test_next():
    _answers("next", 120)
    for scenario in read("next")["scenarios"]:
        case = Case(scenario)
        for moment in scenario["moments"]:
            found = unix_of(case.ask(next_allowed, moment))
            expected = unix_of(instant_of(moment["next"]))
            equal(found, expected, "%s at %s" % (scenario["name"], moment["at"][1]))


def test_zones():
    asked = 0
    for entry in read("zones")["zones"]:
        for backwards in (
            False,
            True,
        ):  # what a zone remembers of the last question must not matter
            zone, wall = Zone(entry["tz"]), Wall()
            moments = list(entry["moments"])
            if backwards:
                moments.reverse()
            for at, iso, offset_s in moments:
                zone.local(now_of({"at": at}).at, wall)
                equal(unix_of(wall) - at, offset_s, "%s at %s" % (entry["tz"], iso))
                asked += 1
    true(asked > 1000, "%d moments" % asked)
