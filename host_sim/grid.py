"""A week as a grid: half hours on the lock's wall clock, and how much of each is allowed."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from firmware.policy.instant import DAY_S, Instant, weekday
from firmware.policy.zone import Wall, Zone

WEEK_S = 8 * DAY_S  # how much of the spans a week needs: one in which the clocks go back is longer
_CELL_S = 1800
_STEP_S = 900  # offsets of zones are multiples of this
HOURS = "0     3     6     9     12    15    18    21    24"
NONE, PART, ALL, SKIPPED = "·", "▒", "█", " "


class Cell(NamedTuple):
    """A half hour of the wall clock, or what there is of it.

    `day` counts from Monday, `half` from midnight; `again` if the clocks show it a second time.
    `offset_s` is from the start of the week.
    """

    day: int
    half: int
    again: bool
    offset_s: int
    length_s: int


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


def cells(start: Instant, zone: Zone) -> Iterator[Cell]:
    """Yield the half hours that the wall clock shows in the week from `start` on, in their order.

    The first and the last one before and after a change of the clocks may be shorter.
    """
    wall = Wall()
    zone.local(start, wall)
    monday = wall.day
    seen: set[tuple[int, int]] = set()
    cell: Cell | None = None
    for offset_s in range(0, WEEK_S, _STEP_S):
        at = Instant(start.day, start.second)
        at.shift(offset_s)
        zone.local(at, wall)
        quarter = (wall.day - monday, wall.second // _STEP_S)
        place = (quarter[0], wall.second // _CELL_S, quarter in seen)
        seen.add(quarter)
        if cell and cell[:3] == place:
            cell = cell._replace(length_s=cell.length_s + _STEP_S)
            continue
        if cell and cell.day < 7:
            yield cell
        cell = Cell(*place, offset_s, _STEP_S)


def week(start: Instant, zone: Zone, spans: Iterable[tuple[int, int]]) -> list[str]:
    """Seven rows of 48 characters, for a week that begins at `start`.

    `spans` are (offset, length) in seconds, over `WEEK_S`. A half hour that the clocks skip is
    blank, one that they show twice counts as one.
    """
    spans = list(spans)
    shown = [[0] * 48 for _ in range(7)]
    allowed = [[0] * 48 for _ in range(7)]
    for cell in cells(start, zone):
        shown[cell.day][cell.half] += cell.length_s
        allowed[cell.day][cell.half] += _overlap(
            spans, cell.offset_s, cell.offset_s + cell.length_s
        )
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
