"""A week as a grid: who may open in which half hour, and by which rule.

What is allowed is asked of the lock's own checks, and so is when a rule holds: a grant that has
only that rule is asked. Where something changes within a half hour, the cell's title says when.
"""

from collections.abc import Iterator
from copy import copy
from datetime import datetime
from typing import Any, NamedTuple

from starlette.datastructures import QueryParams

from firmware.policy import reasons
from firmware.policy.grant import Grant
from firmware.policy.instant import Instant
from firmware.policy.schedule import Rule
from firmware.policy.zone import Zone
from host_sim import words
from host_sim.cloud.domain import sharing, terms
from host_sim.cloud.domain.model import ACCEPTED, Share
from host_sim.cloud.preview import Span, after, allowed, changes, reasons_over, shown
from host_sim.cloud.terms import write_rule
from host_sim.grid import Cell, cells, week_start

from ..filters import UTC
from ..looking import day_of, looking
from ..panes import Pane, threaded
from ..stand import Stand

_CHANGES_S = 400 * 86_400  # how far ahead a change of the clocks is looked for
_WEEK_S = 7 * 86_400


class Segment(NamedTuple):
    """A time with one reason and, if a rule has to do with it, the numbers of those that hold."""

    offset_s: int
    length_s: int
    reason: int
    rules: tuple[int, ...]


class Line(NamedTuple):
    """One share's week."""

    uid: str
    name: str
    rules: list[str]
    segments: list[Segment]

    def why(self, segment: Segment) -> str:
        """`rule 1 (mon-fri 08:00-16:00)`, or the reason of a denial."""
        named = ", ".join(f"rule {n} ({self.rules[n - 1]})" for n in segment.rules)
        if segment.reason == reasons.ALLOWED:
            return named or "at any time"
        reason = words.name(segment.reason)
        return f"{reason}, {named}" if named else reason


class Shown(NamedTuple):
    """A cell: who may, its `state` and its `title`.

    The state is all, part or none; `skipped` where the clocks skip it, and `once` where other days
    show it twice. `starts` if the cell above it is for others.
    """

    names: tuple[str, ...]
    state: str
    title: str
    starts: bool


class Row(NamedTuple):
    """A half hour of the clock on all days; `again` for one that the clocks show twice."""

    label: str
    again: bool
    cells: list[Shown]


def segments(
    grant: Grant, zone: Zone, at: Instant, seconds: int, parent: Grant | None
) -> Iterator[Segment]:
    """Yield what the lock's checks of time say to a grant, with the rules that are behind it."""
    holds = [
        (rule.allow, list(allowed(_only(grant, rule), zone, at, seconds))) for rule in grant.rules
    ]
    for offset_s, length_s, reason in reasons_over(grant, zone, at, seconds, parent):
        kind = {reasons.ALLOWED: True, reasons.DENY_RULE: False}.get(reason)
        acting = [(n, spans) for n, (allow, spans) in enumerate(holds, 1) if allow is kind]
        yield from _pieces(offset_s, length_s, reason, acting)


def _only(grant: Grant, rule: Rule) -> Grant:
    """The grant with one rule, as one that allows."""
    alone = copy(grant)
    alone.rules = [copy(rule)]
    alone.rules[0].allow = True
    return alone


def _pieces(
    offset_s: int, length_s: int, reason: int, acting: list[tuple[int, list[Span]]]
) -> Iterator[Segment]:
    """Yield a span cut where one of the rules begins or ends to hold."""
    end_s = offset_s + length_s
    cuts = {offset_s, end_s}
    for _, spans in acting:
        for at_s, lasts_s in spans:
            cuts |= {cut for cut in (at_s, at_s + lasts_s) if offset_s < cut < end_s}
    places = sorted(cuts)
    for since_s, until_s in zip(places, places[1:], strict=False):
        rules = tuple(
            n for n, spans in acting if any(at <= since_s < at + lasts for at, lasts in spans)
        )
        yield Segment(since_s, until_s - since_s, reason, rules)


def view(stand: Stand, query: QueryParams) -> dict[str, Any]:
    """The week that the query names, or that of now; of one share, or of all."""
    with looking(stand, query) as look:
        if look.device is None:
            return {"me": look.me.name, "device": None}
        now_s = stand.time.now_s()
        clock = "utc" if query.get("clock") == "utc" else "local"
        zone = UTC if clock == "utc" else look.zone
        start = week_start(day_of(query.get("week", ""), now_s, zone), zone)
        shares = [
            share
            for share in sharing.visible(look.ctx, look.me, look.device)
            if share.status == ACCEPTED
        ]
        halves = list(cells(start, zone))
        week_s = halves[-1].offset_s + halves[-1].length_s
        lines = [_line(share, look.zone, start, week_s) for share in shares]
        chosen = [line for line in lines if line.uid == query.get("who")]
        when = _When(start, zone, halves)
        return {
            "me": look.me.name,
            "device": look.device.name,
            "lines": lines,
            "one": chosen[0] if chosen else None,
            "clock": clock,
            "days": [when.day(43_200 + 86_400 * day) for day in range(7)],
            "rows": rows(chosen or lines, halves, when),
            "spoken": [(line, _spoken(line, when)) for line in chosen or lines],
            "earlier": when.date(43_200 - _WEEK_S),
            "later": when.date(43_200 + _WEEK_S),
            "change": _change(start, look.zone),
        }


class _When:
    """Writes offsets in seconds from the start of a week as a wall clock shows them."""

    def __init__(self, start: Instant, zone: Zone, halves: list[Cell]):
        self._start = start
        self._zone = zone
        self._again = [cell for cell in halves if cell.again]

    def _shown(self, offset_s: int) -> datetime:
        return shown(after(self._start, offset_s), self._zone)

    def date(self, offset_s: int) -> str:
        """`2026-03-29`."""
        return f"{self._shown(offset_s).date()}"

    def day(self, offset_s: int) -> str:
        """`Sun 29 Mar`."""
        local = self._shown(offset_s)
        return f"{local:%a} {local.day} {local:%b}"

    def clock(self, offset_s: int) -> str:
        """`08:00`, with seconds only where there are some; `02:00 again` for the second time."""
        local = self._shown(offset_s)
        text = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
        again = any(0 <= offset_s - cell.offset_s < cell.length_s for cell in self._again)
        return f"{text} again" if again else text

    def span(self, offset_s: int, length_s: int) -> str:
        """`Mon 08:00 to 16:00`, with the days of both where they differ."""
        end_s = offset_s + length_s
        first, end = self._shown(offset_s), self._shown(end_s)
        until = self.clock(end_s)
        if end.date() != first.date():
            # A day that ends at midnight has ended on itself.
            same = until == "00:00" and self._shown(end_s - 1).date() == first.date()
            until = "24:00" if same else f"{end:%a} {until}"
        return f"{first:%a} {self.clock(offset_s)} to {until}"


def rows(lines: list[Line], halves: list[Cell], when: _When) -> list[Row]:
    """The table: a row for each half hour that the clock shows on some day of the week."""
    found = {(cell.half, cell.again, cell.day): cell for cell in halves}
    twice = sorted({cell.half for cell in halves if cell.again})
    places = [(half, False) for half in range(48)]
    if twice:
        # Where they come in time: after all that is shown twice has been shown once.
        after_all = twice[-1] + 1
        places[after_all:after_all] = [(half, True) for half in twice]
    before: list[tuple[str, ...]] = [()] * 7
    table = []
    for half, again in places:
        row = []
        for day in range(7):
            cell = found.get((half, again, day))
            made = _shown(cell, lines, when, before[day]) if cell else _missing(again)
            before[day] = made.names
            row.append(made)
        table.append(Row(f"{half // 2:02}:{half % 2 * 30:02}", again, row))
    return table


def _line(share: Share, zone: Zone, start: Instant, seconds: int) -> Line:
    grant = terms.grant(share)
    parent = terms.grant(share.parent) if share.parent else None
    return Line(
        share.uid,
        share.person.name if share.person else share.email,
        [write_rule(rule) for rule in grant.rules],
        list(segments(grant, zone, start, seconds, parent)),
    )


def _missing(again: bool) -> Shown:
    if again:
        return Shown((), "once", "only once on this day", False)
    return Shown((), "skipped", "skipped by the clocks", False)


def _shown(cell: Cell, lines: list[Line], when: _When, before: tuple[str, ...]) -> Shown:
    names, told = [], []
    whole = True
    for line in lines:
        parts = [_clip(each, cell) for each in line.segments if _overlaps(each, cell)]
        open_s = sum(each.length_s for each in parts if each.reason == reasons.ALLOWED)
        if open_s:
            names.append(line.name)
            whole = whole and open_s == cell.length_s
        if open_s or len(lines) == 1:
            told.append(f"{line.name}: {_tell(line, parts, when)}")
    state = "none" if not names else "all" if whole else "part"
    time = when.span(cell.offset_s, cell.length_s)
    who = tuple(names)
    return Shown(who, state, f"{time}. {'; '.join(told) or 'nobody'}", who != before)


def _tell(line: Line, parts: list[Segment], when: _When) -> str:
    if len(parts) == 1:
        return line.why(parts[0])
    return ", then ".join(f"{line.why(part)} from {when.clock(part.offset_s)}" for part in parts)


def _overlaps(segment: Segment, cell: Cell) -> bool:
    return (
        segment.offset_s < cell.offset_s + cell.length_s
        and cell.offset_s < segment.offset_s + segment.length_s
    )


def _clip(segment: Segment, cell: Cell) -> Segment:
    since_s = max(segment.offset_s, cell.offset_s)
    until_s = min(segment.offset_s + segment.length_s, cell.offset_s + cell.length_s)
    return segment._replace(offset_s=since_s, length_s=until_s - since_s)


def _spoken(line: Line, when: _When) -> list[str]:
    """The times at which a share is open, in words; to the second."""
    return [
        f"{when.span(each.offset_s, each.length_s)}, {line.why(each)}"
        for each in line.segments
        if each.reason == reasons.ALLOWED
    ]


def _change(start: Instant, zone: Zone) -> tuple[str, str] | None:
    """The next change of the clocks after a week: what it is, and its day."""
    for change in changes(zone, after(start, _WEEK_S), _CHANGES_S):
        local = shown(change.at, zone)
        way = "forward" if change.after_s > change.before_s else "back"
        return f"Clocks {way} on {local.day} {local:%b %Y}", f"{local.date()}"
    return None


PANE = Pane("week", "Who may open, and when", threaded(view), kinds=("cloud",))
