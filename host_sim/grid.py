"""A week as a grid: half hours on the lock's wall clock, and how much of each is allowed."""

from collections.abc import Iterable

from firmware.policy.instant import DAY_S, Instant, weekday
from firmware.policy.zone import Wall, Zone

WEEK_S = 8 * DAY_S  # how much of the spans a week needs: one in which the clocks go back is longer
_CELL_S = 1800
_STEP_S = 900  # offsets of zones are multiples of this
HOURS = "0     3     6     9     12    15    18    21    24"
NONE, PART, ALL, SKIPPED = "·", "▒", "█", " "


def week_start(at: Instant, zone: Zone) -> Instant:
    """The instant at which the week of `at` began: Monday, 0:00 on the wall clock of the zone.

    If the clocks skip that, the first instant after it; if they show it twice, either.
    """
    wall = Wall()
    zone.local(at, wall)
    monday = Instant(wall.day - weekday(wall.day))
    start = Instant(at.day, at.second)
    start.shift(wall.until(monday))
    zone.local(start, wall)
    start.shift(wall.until(monday))  # a change of the clocks in between
    return start


def week(start: Instant, zone: Zone, spans: Iterable[tuple[int, int]]) -> list[str]:
    """Seven rows of 48 characters, for a week that begins at `start`.

    `spans` are (offset, length) in seconds, over `WEEK_S`. A half hour that the clocks skip is
    blank.
    """
    spans = list(spans)
    wall = Wall()
    zone.local(start, wall)
    monday = wall.day
    shown = [[0] * 48 for _ in range(7)]
    allowed = [[0] * 48 for _ in range(7)]
    for offset_s in range(0, WEEK_S, _STEP_S):
        at = Instant(start.day, start.second)
        at.shift(offset_s)
        zone.local(at, wall)
        row, cell = wall.day - monday, wall.second // _CELL_S
        if row < 7:
            shown[row][cell] += _STEP_S
            allowed[row][cell] += _overlap(spans, offset_s, offset_s + _STEP_S)
    return [
        "".join(_mark(shown[row][cell], allowed[row][cell]) for cell in range(48))
        for row in range(7)
    ]


def _overlap(spans: list[tuple[int, int]], start_s: int, end_s: int) -> int:
    return sum(max(0, min(at + length, end_s) - max(at, start_s)) for at, length in spans)


def _mark(shown_s: int, allowed_s: int) -> str:
    if not shown_s:
        return SKIPPED
    if not allowed_s:
        return NONE
    return ALL if allowed_s == shown_s else PART
