"""What a wall clock does to a rule: nights that are shorter or longer, and hours given in UTC.

A single window is looked at by narrowing a copy of its rule to one date and asking the lock's own
checks when that holds, in the lock's zone and in one whose clocks do not change.
"""

from collections.abc import Iterator
from copy import copy
from datetime import datetime
from typing import NamedTuple

from firmware.policy.grant import Grant
from firmware.policy.instant import DAY_S, Instant
from firmware.policy.schedule import Rule
from firmware.policy.zone import Wall, Zone

from .preview import Change, Span, after, allowed, changes, shown

YEAR_S = 366 * DAY_S
UTC = Zone("UTC0")
_AROUND_DAYS = 3  # a window is shorter than a day, and no zone is more than a day off UTC


class Night(NamedTuple):
    """A window that a change of the clocks makes shorter or longer.

    `day` is the day number on which it starts. It lasts `lasts_s` in `parts`, not `usual_s`.
    """

    day: int
    change: Change
    usual_s: int
    lasts_s: int
    parts: int


class Local(NamedTuple):
    """A window of a rule in UTC as the lock's wall clock shows it `since` a date.

    In UTC it starts at `meant`.
    """

    meant: datetime
    start: datetime
    end: datetime
    since: datetime


def nights(grant: Grant, rule: Rule, zone: Zone, begin: Instant) -> Iterator[Night]:
    """Yield the windows of a grant's rule that are longer or shorter than usual, within a year.

    Not those of whole days: of a day nobody expects 24 hours.
    """
    if (rule.start_s, rule.end_s) == (0, DAY_S):
        return
    for change in changes(zone, begin, YEAR_S):
        if not _in_force(grant, change.at):
            continue
        usual = fixed(change.before_s)
        for day in _days_around(change):
            if not rule.starts_on(day):
                continue
            usual_s = sum(length_s for _, length_s in _window(rule, day, usual))
            spans = _window(rule, day, zone)
            lasts_s = sum(length_s for _, length_s in spans)
            if lasts_s != usual_s:
                yield Night(day, change, usual_s, lasts_s, len(spans))


def locals_of(grant: Grant, rule: Rule, zone: Zone, begin: Instant) -> Iterator[Local]:
    """Yield a window of a rule in UTC for each offset from UTC that it meets within a year."""
    starts = [begin, *(change.at for change in changes(zone, begin, YEAR_S))]
    ends = [*starts[1:], after(begin, YEAR_S)]
    for since, end in zip(starts, ends, strict=True):
        for day in range(since.day + 1, end.day):
            if not rule.starts_on(day):
                continue
            offset_s, length_s = _window(rule, day, UTC)[0]
            at = after(_look(day), offset_s)
            if _in_force(grant, at):
                start, stop = shown(at, zone), shown(after(at, length_s), zone)
                yield Local(shown(at, UTC), start, stop, shown(since, zone))
                break


def _in_force(grant: Grant, at: Instant) -> bool:
    """Whether a grant would be in force at an instant if it had no rules."""
    limits = copy(grant)
    limits.rules = []
    return any(allowed(limits, UTC, at, 1))


def _window(rule: Rule, day: int, zone: Zone) -> list[Span]:
    """When the one window that starts on a day is open, from `_look(day)` on."""
    alone = copy(rule)
    alone.allow = True
    alone.first_day = alone.last_day = day
    grant = Grant(b"", b"", b"")
    grant.rules = [alone]
    return list(allowed(grant, zone, _look(day), 2 * _AROUND_DAYS * DAY_S))


def _look(day: int) -> Instant:
    return Instant(day - _AROUND_DAYS)


def _days_around(change: Change) -> Iterator[int]:
    wall = Wall()
    fixed(change.before_s).local(change.at, wall)
    yield from range(wall.day - 1, wall.day + 2)


def fixed(offset_s: int) -> Zone:
    """A zone that is always as far from UTC."""
    minutes, seconds = divmod(abs(offset_s), 60)
    west = "-" if offset_s > 0 else ""
    return Zone(f"XXX{west}{minutes // 60}:{minutes % 60}:{seconds}")
