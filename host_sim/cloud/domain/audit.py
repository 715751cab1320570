"""What was done to a device, and what it did: deeds of people and entries of its own log.

Both in the order in which the service came to know of them, which is the only one that a reader
who comes again can rely on.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from .context import Context
from .model import Deed, Device, LogEntry, Person, Share
from .permissions import Act, require

MOST = 10_000  # events to one answer


class Place(NamedTuple):
    """How far somebody has read: the last deed, and the last entry."""

    deed: int = 0
    entry: int = 0


class Done(NamedTuple):
    """A deed, with the uids of who did it and of the share that it was about."""

    deed: Deed
    person: str | None
    share: str | None


def read(
    ctx: Context, actor: Person, device: Device, after: Place, most: int
) -> tuple[list[Done | LogEntry], Place]:
    """The next events, and how far they reach. Raises NotFound, Forbidden."""
    require(ctx, actor, device, Act.READ_LOG)
    most = min(most, MOST)
    found: list[Done | LogEntry] = [*_deeds(ctx, device, after, most)]
    found += _entries(ctx, device, after, most)
    found = sorted(found, key=_known_at)[:most]  # is stable: neither kind is reordered
    deed, entry = after
    for event in found:
        if isinstance(event, LogEntry):
            entry = event.id
        else:
            deed = event.deed.id
    return found, Place(deed, entry)


def _deeds(ctx: Context, device: Device, after: Place, most: int) -> Sequence[Done]:
    rows = (
        select(Deed, Person.uid, Share.uid)
        .outerjoin(Person, Person.id == Deed.person_id)
        .outerjoin(Share, Share.id == Deed.share_id)
        .where(Deed.device_id == device.id, Deed.id > after.deed)
        .order_by(Deed.id)
        .limit(most)
    )
    return [Done(*row) for row in ctx.session.execute(rows)]


def _entries(ctx: Context, device: Device, after: Place, most: int) -> Sequence[LogEntry]:
    rows = select(LogEntry).where(LogEntry.device_id == device.id, LogEntry.id > after.entry)
    return ctx.session.scalars(rows.order_by(LogEntry.id).limit(most)).all()


def _known_at(event: Done | LogEntry) -> int:
    return event.received_at if isinstance(event, LogEntry) else event.deed.at
