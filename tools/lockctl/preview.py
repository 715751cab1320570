"""`lockctl grant preview`: when it will be open."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

import click
from rich.console import Console
from rich.text import Text

from firmware.policy.forecast import HORIZON_S
from firmware.policy.grant import Grant, fault
from firmware.policy.instant import DAY_S, Instant
from firmware.policy.zone import Zone
from host_sim.cloud.preview import Change, after, allowed, changes, moment, shown
from host_sim.grid import HOURS, WEEK_S, week, week_start
from host_sim.words import duration

from .cli import NO, Refused, conflict, json_option, time_option, zone_option
from .output import console, print_json, table
from .sources import read_source, source
from .tokens import read_grant

_DAYS = 7


class _Interval(NamedTuple):
    """A time during which it is open; `goes_on` where only the preview ends."""

    start: Instant
    end: Instant
    goes_on: bool


class _Week(NamedTuple):
    """A week from `start` on and its grid, with the changes of the clocks in it."""

    start: Instant
    rows: list[str]
    changes: list[Change]


@click.command()
@source
@zone_option
@time_option("--from", "start", "From when on.")
@click.option(
    "--days", type=click.IntRange(1, 400), help=f"How many days of 24 h.  [default: {_DAYS}]"
)
@click.option("--count", type=click.IntRange(1, 1000), help="How many intervals, in 400 days.")
@click.option("--parent", type=click.File("rb"), help="The grant that it was passed on from.")
@json_option
def preview(
    file: BinaryIO | None,
    body: BinaryIO | None,
    local: bool,
    zone: Zone,
    start: Instant,
    days: int | None,
    count: int | None,
    parent: BinaryIO | None,
    as_json: bool,
) -> None:
    """Show when a grant is open: as intervals, and week by week.

    Only time is looked at, with no use made so far. FILE is a token: raw, in hexadecimal or in
    base64url; its signature is not checked. Exits with 1 if it is never open in that time.

    \b
    Example:
      lockctl grant preview anna.cwt --zone Europe/Warsaw --from 2026-03-27 --days 4
    """
    if days and count:
        conflict("--days", "--count")
    grant = read_source(file, body, local, read_grant)
    reason = fault(grant)
    if reason:
        raise Refused("Refused", reason)
    above = read_grant(parent) if parent else None
    seconds = HORIZON_S if count else (days or _DAYS) * DAY_S
    intervals = list(islice(_intervals(grant, zone, start, seconds, above), count))
    if count and intervals:
        seconds = min(seconds, start.until(intervals[-1].end))
    if as_json:
        print_json(_members(intervals, zone, start, seconds))
    else:
        _tell(intervals, zone, console())
        _tell_weeks(_weeks(grant, zone, start, seconds, above), zone, console())
    click.get_current_context().exit(0 if intervals else NO)


def _intervals(
    grant: Grant, zone: Zone, start: Instant, seconds: int, parent: Grant | None
) -> Iterator[_Interval]:
    for offset_s, length_s in allowed(grant, zone, start, seconds, parent):
        end_s = offset_s + length_s
        yield _Interval(after(start, offset_s), after(start, end_s), end_s >= seconds)


def _weeks(
    grant: Grant, zone: Zone, start: Instant, seconds: int, parent: Grant | None
) -> Iterator[_Week]:
    at = week_start(start, zone)
    while at.until(after(start, seconds)) > 0:
        rows = week(at, zone, allowed(grant, zone, at, WEEK_S, parent))
        following = week_start(after(at, WEEK_S), zone)
        yield _Week(at, rows, list(changes(zone, after(at, -1), at.until(following) + 1)))
        at = following


def _members(intervals: list[_Interval], zone: Zone, start: Instant, seconds: int) -> Any:
    return {
        "zone": zone.text,
        "from": _iso(start, zone),
        "to": _iso(after(start, seconds), zone),
        "intervals": [
            {
                "start": _iso(interval.start, zone),
                "end": None if interval.goes_on else _iso(interval.end, zone),
                "seconds": None if interval.goes_on else interval.start.until(interval.end),
            }
            for interval in intervals
        ],
        "clock_changes": [
            {"at": _iso(change.at, zone), "before_s": change.before_s, "after_s": change.after_s}
            for change in changes(zone, start, seconds)
        ],
    }


def _iso(at: Instant, zone: Zone) -> str:
    return shown(at, zone).isoformat()


def _tell(intervals: list[_Interval], zone: Zone, out: Console) -> None:
    if not intervals:
        out.print("Never open in that time.")
        return
    rows = table("open from", "until", "for")
    for interval in intervals:
        if interval.goes_on:
            rows.add_row(moment(interval.start, zone), "beyond this preview", "")
        else:
            length = duration(interval.start.until(interval.end))
            rows.add_row(moment(interval.start, zone), moment(interval.end, zone), length)
    out.print(rows)


def _tell_weeks(weeks: Iterator[_Week], zone: Zone, out: Console) -> None:
    """The grids of the weeks, but for those that look like the one before."""
    last = None
    for one in weeks:
        if last and one.rows == last.rows and not one.changes and not last.changes:
            continue
        last = one
        monday = shown(after(one.start, DAY_S // 2), zone).date()
        out.print()
        told = [("  " + _tell_change(change, zone), "yellow") for change in one.changes]
        out.print(Text.assemble((f"Week of {monday}", "bold"), *told), soft_wrap=True)
        out.print(Text(f"            {HOURS}", "dim"), soft_wrap=True)
        for row, cells in enumerate(one.rows):
            day = shown(after(one.start, row * DAY_S + DAY_S // 2), zone)
            out.print(
                Text.assemble((f"{day:%a %d %b}  ", "dim"), (cells, "green")), soft_wrap=True
            )


def _tell_change(change: Change, zone: Zone) -> str:
    since = shown(change.at, zone)
    before = shown(after(change.at, -1), zone)
    way = "forward" if change.after_s > change.before_s else "back"
    by = duration(abs(change.after_s - change.before_s))
    return f"clocks go {way} by {by} on {since:%a %Y-%m-%d}, after {before:%H:%M:%S}"
