"""The grid of a week, in zones and weeks of all kinds."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.policy.grant import Grant
from firmware.policy.instant import DAY_S, Instant
from firmware.policy.zone import Wall, Zone
from host_sim.cloud.preview import allowed
from host_sim.cloud.terms import read_instant, read_rule
from host_sim.grid import ALL, HOURS, NONE, PART, SKIPPED, WEEK_S, week, week_start

ZONES = (
    "UTC0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
    "IST-2IDT,M3.4.4/26,M10.5.0",
    "AAA-1BBB,M3.5.1/0,M10.5.1/0",  # at midnight between Sunday and Monday
)
WARSAW = Zone(ZONES[1])
EPOCH = date(1970, 1, 1)


def grid(rules: list[str], day: str, zone: Zone = WARSAW) -> list[str]:
    grant = Grant(b"1", b"front-door", b"")
    grant.rules = [read_rule(rule) for rule in rules]
    start = week_start(read_instant(day, zone), zone)
    return week(start, zone, allowed(grant, zone, start, WEEK_S))


def cells(*runs: tuple[str, float]) -> str:
    """A row from marks and how many hours each lasts."""
    return "".join(mark * int(2 * hours) for mark, hours in runs)


@given(st.sampled_from(ZONES), st.integers(19_000, 30_000), st.integers(0, DAY_S - 1))
def test_a_week_starts_on_monday_at_midnight(text, day, second):
    zone = Zone(text)
    at = Instant(day, second)
    start = week_start(at, zone)
    wall, here = Wall(), Wall()
    zone.local(start, wall)
    zone.local(at, here)
    monday = EPOCH + timedelta(wall.day)
    assert monday.weekday() == 0
    assert monday <= EPOCH + timedelta(here.day) < monday + timedelta(7)
    assert wall.second in (0, 3600)  # the latter where the clocks skip midnight
    if wall.second:
        zone.local(Instant(start.day, start.second - 1), wall)
        assert EPOCH + timedelta(wall.day) < monday


def test_a_usual_week():
    rows = grid(["mon-fri 08:00-16:00", "deny fri 12:00-13:00", "sat 22:00-06:00"], "2026-01-14")
    office = cells((NONE, 8), (ALL, 8), (NONE, 8))
    assert rows[:4] == [office] * 4
    assert rows[4] == cells((NONE, 8), (ALL, 4), (NONE, 1), (ALL, 3), (NONE, 8))
    assert rows[5] == cells((NONE, 22), (ALL, 2))
    assert rows[6] == cells((ALL, 6), (NONE, 18))


def test_a_part_of_half_an_hour_is_marked_as_such():
    assert grid(["mon 08:10-08:20"], "2026-01-12")[0] == cells(
        (NONE, 8), (PART, 0.5), (NONE, 15.5)
    )
    assert grid(["mon 08:00-08:29:59"], "2026-01-12")[0][16] == PART


def test_the_hour_that_the_clocks_skip_is_blank():
    assert grid([], "2026-03-29")[6] == cells((ALL, 2), (SKIPPED, 1), (ALL, 21))
    assert grid(["deny daily"], "2026-03-29")[6] == cells((NONE, 2), (SKIPPED, 1), (NONE, 21))


def test_a_week_in_which_the_clocks_go_back_is_shown_to_its_end():
    assert grid([], "2026-10-25") == [cells((ALL, 24))] * 7
    assert grid(["sun 23:00-24:00"], "2026-10-25")[6] == cells((NONE, 23), (ALL, 1))


def test_an_hour_that_is_shown_twice_and_open_once_is_a_part():
    # 00:30 to 01:00 UTC is 02:30 to 03:00 the first time round
    assert grid(["sun 00:30-01:00 utc"], "2026-10-25")[6] == cells(
        (NONE, 2.5), (PART, 0.5), (NONE, 21)
    )


def test_half_an_hour_of_daylight_saving():
    zone = Zone(ZONES[3])
    assert grid([], "2026-10-04", zone)[6] == cells((ALL, 2), (SKIPPED, 0.5), (ALL, 21.5))


@pytest.mark.parametrize("day", ["2026-01-12", "2026-03-30T12:00", "2026-10-26"])
def test_a_week_whose_midnight_is_changed_has_seven_days(day):
    rows = grid(["mon"], day, Zone(ZONES[6]))
    assert len(rows) == 7 and {len(row) for row in rows} == {48}
    assert rows[0].strip(SKIPPED + ALL) == ""
    assert rows[1:] == [cells((NONE, 24))] * 6


def test_the_ruler_is_as_long_as_a_row():
    assert HOURS.index("6") == 12 and HOURS.index("21") == 42 and HOURS.index("24") == 48
