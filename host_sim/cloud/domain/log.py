"""The logs of locks: taken in as locks export them, checked, kept, acknowledged.

What a log should not have - a gap, an entry that is damaged, numbers that go back - is a deed for
the owner to read, once. It never keeps later entries out: they may tell what happened.
"""

from sqlalchemy import select

from firmware.link import credential
from firmware.link.carried import Carried
from firmware.store import entry
from firmware.store.export import HEAD_BYTES, HeadError, read_head

from host_sim.shims.cryptolib import aes

from . import issuing, locks
from .context import Context
from .errors import Invalid
from .model import Deed, Device, LogEntry

MOST = 256  # entries to a chunk


class Chunk:
    """An export that came: `records` are entries that are as the lock chained them.

    `after` and `link` are what the lock says came before, `damaged` how many were left out, and
    `missing` how many places have entries missing between others. Raises Invalid.
    """

    def __init__(self, content: bytes):
        try:
            self.after, self.link = read_head(content[:HEAD_BYTES])
        except HeadError as error:
            raise Invalid(str(error), code="bad-log") from None
        body = content[HEAD_BYTES:]
        if len(body) % entry.BYTES or len(body) > MOST * entry.BYTES:
            raise Invalid(f"a log comes in up to {MOST} whole entries", code="bad-log")
        self.records: list[bytes] = []
        self.damaged = 0
        self.missing = 0
        chain = entry.Chain(self.link, None, self.after or None)
        for at in range(0, len(body), entry.BYTES):
            record = body[at : at + entry.BYTES]
            fault = chain.take(record)
            if fault == entry.BAD_LINK:
                self.damaged += 1
                continue
            self.missing += fault == entry.BAD_SEQUENCE
            self.records.append(record)


def take(ctx: Context, device: Device, content: bytes) -> list[LogEntry]:
    """Keep what is new of an export; the entries that are. Raises Invalid for what is none."""
    locks.hold(ctx, device)
    chunk = Chunk(content)
    last = newest(ctx, device)
    branch = last.branch if last else 0
    known = _known(ctx, device, branch, chunk)
    if _differs(chunk, known):
        branch += 1
        known = {}
        _note(ctx, device, "log.went-back", branch=branch, after=chunk.after)
    elif not _continues(chunk, known, last):
        _note(ctx, device, "log.gap", after=last.sequence if last else 0, until=_first(chunk))
    made = [
        LogEntry(
            device_id=device.id,
            branch=branch,
            sequence=entry.sequence(record),
            record=record,
            received_at=ctx.now,
        )
        for record in chunk.records
        if entry.sequence(record) not in known
    ]
    ctx.session.add_all(made)
    ctx.session.flush()
    if made and chunk.missing:
        _note(ctx, device, "log.gap", places=chunk.missing, until=_first(chunk))
    if made and chunk.damaged:
        _note(ctx, device, "log.damaged", entries=chunk.damaged, after=chunk.after)
    return made


def take_carried(ctx: Context, device: Device, sealed: bytes) -> list[LogEntry]:
    """The same for a piece that somebody carried, and could not read. Raises Invalid."""
    if device.public_key is not None:
        lock = credential.key_of_point(device.public_key)
        for issuer in ctx.issuers.all:
            content = Carried(aes, issuer.key.agree(lock)).open(sealed)
            if content is not None:
                return take(ctx, device, content)
    raise Invalid("that is no piece of this lock's log", code="bad-log")


def acknowledgement(ctx: Context, device: Device) -> bytes | None:
    """That all of it up to its last entry is kept, as it travels; None if there is no entry."""
    last = newest(ctx, device)
    if last is None:
        return None
    return issuing.acknowledgement(ctx, device, last.sequence, entry.link(last.record))


def newest(ctx: Context, device: Device) -> LogEntry | None:
    """The last entry of a device's log."""
    mine = select(LogEntry).where(LogEntry.device_id == device.id)
    return ctx.session.scalar(
        mine.order_by(LogEntry.branch.desc(), LogEntry.sequence.desc()).limit(1)
    )


def _known(ctx: Context, device: Device, branch: int, chunk: Chunk) -> dict[int, bytes]:
    """The entries of a branch with the numbers of a chunk, and the one before."""
    numbers = [chunk.after, *map(entry.sequence, chunk.records)]
    rows = select(LogEntry).where(
        LogEntry.device_id == device.id,
        LogEntry.branch == branch,
        LogEntry.sequence.in_(numbers),
    )
    return {row.sequence: row.record for row in ctx.session.scalars(rows)}


def _differs(chunk: Chunk, known: dict[int, bytes]) -> bool:
    """Whether a chunk tells another story than what came before it."""
    before = known.get(chunk.after)
    if before is not None and chunk.link is not None and entry.link(before) != chunk.link:
        return True
    return any(known.get(entry.sequence(each), each) != each for each in chunk.records)


def _continues(chunk: Chunk, known: dict[int, bytes], last: LogEntry | None) -> bool:
    """Whether a chunk begins with, or right after, what is known; or where a log begins."""
    if not chunk.records or known:
        return True
    return last is None and chunk.after == 0 and chunk.link == bytes(entry.LINK_BYTES)


def _first(chunk: Chunk) -> int:
    return entry.sequence(chunk.records[0])


def _note(ctx: Context, device: Device, what: str, **details: int) -> None:
    ctx.session.add(Deed(device_id=device.id, what=what, details=details, at=ctx.now))
