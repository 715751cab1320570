"""When the terms of a grant allow it, worked out by the lock's own checks.

Only time is asked about: neither the key nor the rights, and with no use made so far. A share that
was passed on is looked at by itself unless its parent is given.
"""

from collections.abc import Iterator
from copy import copy
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from firmware.policy import reasons
from firmware.policy.decision import Decision, State
from firmware.policy.grant import Grant
from firmware.policy.instant import Instant
from firmware.policy.zone import Wall, Zone
from host_sim.timeline import timeline

from .terms import local_datetime

Span = tuple[int, int]  # (offset, length) in seconds


class Change(NamedTuple):
    """A change of the clocks: the instant, and the offsets from UTC before and after it."""

    at: Instant
    before_s: int
    after_s: int


def allowed(
    grant: Grant, zone: Zone, at: Instant, seconds: int, parent: Grant | None = None
) -> Iterator[Span]:
    """Yield the times at which it is allowed, for `seconds` from `at` on; no two of them touch."""
    for offset_s, length_s, reason in reasons_over(grant, zone, at, seconds, parent):
        if reason == reasons.ALLOWED:
            yield offset_s, length_s


def reasons_over(
    grant: Grant, zone: Zone, at: Instant, seconds: int, parent: Grant | None = None
) -> Iterator[tuple[int, int, int]]:
    """Yield (offset, length, reason), all the time, as `host_sim.timeline`."""
    state = State(grant.lock)
    if parent:
        state.parent = parent
        state.parent_state = State(parent.lock)
    else:
        grant = copy(grant)
        grant.parent = None
    yield from timeline(grant, at, zone, state, seconds, Decision())


def changes(zone: Zone, at: Instant, seconds: int) -> Iterator[Change]:
    """Yield the changes of the clocks after `at`, for `seconds`."""
    wall = Wall()
    zone.local(at, wall)
    before_s = at.until(wall)
    passed_s = wall.steady_s
    while passed_s < seconds:
        moment = after(at, passed_s)
        zone.local(moment, wall)
        offset_s = moment.until(wall)
        if offset_s != before_s:
            yield Change(moment, before_s, offset_s)
        before_s = offset_s
        passed_s += wall.steady_s


def after(at: Instant, seconds: int) -> Instant:
    """The instant some seconds later; up to `FAR_S` of them, or as many earlier if negative."""
    moment = Instant(at.day, at.second)
    moment.shift(seconds)
    return moment


def shown(at: Instant, zone: Zone) -> datetime:
    """What the wall clock of a zone shows at an instant, with its offset from UTC."""
    wall = Wall()
    zone.local(at, wall)
    offset = timedelta(seconds=at.until(wall))
    return local_datetime(at, zone).replace(tzinfo=timezone(offset))


def moment(at: Instant, zone: Zone) -> str:
    """The same for people: `Fri 2026-03-27 22:00:00+01:00`."""
    local = shown(at, zone)
    return f"{local:%a} {local.isoformat(' ')}"
