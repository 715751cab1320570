"""The audit log: a hash chain of entries in a ring of segment files.

Imports crypto. docs/log.md has the format and the reasons.

Invariants: an entry that was flushed stays until it is acknowledged or until the ring is full, and
then an entry says so; a sequence number once given out is never given to another entry, whatever
happens to the flash; a damaged entry makes no other one unreadable. A flush is one append to one
file, and now and then two.

`append` touches no flash. Not more than `MOST_PENDING` entries wait in RAM; what comes on top is
counted, and the count becomes an entry.
"""

import struct

from ..crypto.slices import finish
from . import entry
from .copies import Copies
from .export import Reader
from .seal import Seal
from .segments import PER_SEGMENT, Segments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generator

    from ..policy.decision import Now
    from .files import Files

CAPACITY = 4096
MOST_PENDING = 16

_WINDOW = 128  # sequence numbers reserved at a time
_BLIND_JUMP = 0x7FFF  # numbers skipped when nothing tells which were used
_STATE = ">IIII16s16s"  # ceiling, first, acknowledged, last; link before first, link of last
_NO_LINK = b"\x00" * entry.LINK_BYTES


class Log:
    """The log in the folder `files`, under `key` (32 bytes of its own); `aside` is another folder.

    `capacity` is the most entries on flash; the newest `capacity - 64` at least are kept.
    """

    def __init__(
        self, files: "Files", aside: "Files", key: bytes, capacity: int = CAPACITY
    ) -> None:
        self._seal = Seal(key)
        self._most_segments = max(capacity // PER_SEGMENT, 2)
        self._state = Copies((aside, files), "log", self._seal)
        self._segments = Segments(files)
        self._firsts = self._segments.firsts
        self._faults: "dict[int, int]" = {}  # damaged entries of a segment that were reported
        self._pending = bytearray(MOST_PENDING * entry.BYTES)
        self._view = memoryview(self._pending)
        self._waiting = 0  # entries in _pending
        self._lost = 0  # entries for which there was no room in it
        self._free = 0  # entries that fit into the last segment, on flash
        self._scrubbed = 0
        self._unsure = False  # whether the last append took place
        self._next = 1
        self._link = _NO_LINK  # of the last entry, pending or not
        self.is_open = False
        self._end = 0  # the segment in which that was found at boot
        self._written = 0  # sequence number of the last entry on flash
        self._written_link = _NO_LINK
        self._ceiling = 0  # every number ever given out is at or below, also after a cut
        self._first = 0  # entries below have left the ring
        self._anchor: "bytes | None" = _NO_LINK  # the link before the oldest entry, if known
        self.acknowledged = 0
        self.sequence = 0  # of the last entry, pending or not

    # --- starting and stopping -------------------------------------------------------------------

    def open(self, now: "Now") -> int:
        """Find the end of the log, clean up, and enter the boot: CLEAN, UNCLEAN or FIRST.

        That entry is on flash when this returns. Raises OSError if it cannot be; then nothing is
        entered before it was called again with more success.
        """
        self.is_open = self._unsure = False
        self._waiting = self._free = self._written = self._end = 0
        self._written_link = _NO_LINK
        state = self._state.read()
        broken = self._state.present - self._state.whole
        last, last_link = self._load(state) if state else (0, b"")
        self._segments.load(self._first)
        if not state and self._firsts:
            self._first = self._firsts[0]
            self._anchor = None
        while len(self._firsts) > self._most_segments:
            self._drop_oldest()
        damaged = self._find_end()
        missing = max(last, self.acknowledged) - self._written
        self._next = self._written + 1
        self._link = self._written_link
        if not self._firsts and not self._state.present:
            how = entry.FIRST
        elif not damaged and 0 < last == self._written and last_link == self._link:
            how = entry.CLEAN
        else:
            how = entry.UNCLEAN
        skipped = self._skip() if how == entry.UNCLEAN else 0
        self._settle_segments()
        self._reserve()
        self.is_open = True
        self.append(entry.BOOT, now, how, count=skipped)
        if broken:
            self.append(entry.DAMAGE, now, entry.STATE, count=broken)
        if missing > 0:
            self.append(entry.DAMAGE, now, entry.MISSING, count=missing)
        for first, count in damaged:
            self._report(now, first, count)
        try:
            self.flush()
        except OSError:
            self.is_open = False
            raise
        return how

    def _settle_segments(self) -> None:
        """Remove segments with numbers that were never given out; what fits into the last one?"""
        while self._firsts and self._firsts[-1] >= self._next:
            self._segments.remove(self._firsts[-1])
        if self._firsts and self._firsts[-1] == self._end:
            self._free = PER_SEGMENT - self._segments.count(self._end)

    def close(self) -> None:
        """Write everything and mark an orderly stop, which the next entry undoes."""
        if not self.is_open:
            return
        self.flush()
        self._save(self._written, self._written_link)

    def _load(self, state: bytes) -> "tuple[int, bytes]":
        """Take over the stored state; the last entry and its link, if the stop was orderly."""
        self._ceiling, self._first, self.acknowledged, last, anchor, link = struct.unpack(
            _STATE, state
        )
        self._anchor = None if self._first and anchor == _NO_LINK else anchor
        return last, link

    def _save(self, last: int, link: bytes) -> None:
        anchor = self._anchor or _NO_LINK
        self._state.write(
            struct.pack(_STATE, self._ceiling, self._first, self.acknowledged, last, anchor, link)
        )

    def _reserve(self) -> None:
        """Make sure that no number given out before the next flush can be given out again."""
        before = self._ceiling
        self._ceiling = max(before, self._next + _WINDOW)
        try:
            self._save(0, _NO_LINK)
        except OSError:
            self._ceiling = before
            raise

    def _skip(self) -> int:
        """Go past all numbers that may have been given out; how many those are."""
        known = max(self._written, self._ceiling)
        if self._state.whole == 0:
            known += _BLIND_JUMP
        elif self._state.whole == 1:
            known += 2 * _WINDOW  # the copy that is left may be the older one
        self._next = known + 1
        return known - self._written

    # --- writing ---------------------------------------------------------------------------------

    def append(
        self,
        kind: int,
        now: "Now",
        reason: int = 0,
        action: int = 0,
        share: bytes = b"",
        subject: bytes = b"",
        count: int = 0,
    ) -> int:
        """Chain an entry in RAM; its sequence number, 0 if there is no room before a flush."""
        # Two places are left for the gaps that the log itself may have to enter.
        is_full = self._waiting + 3 > MOST_PENDING or self._next + 3 > entry.MOST_SEQUENCE
        if is_full or not self.is_open:
            self._lost += 1
            return 0
        left = self._free - self._waiting
        if self._lost:
            lost = self._lost
            self._lost = 0
            self._gap(now, entry.QUEUE, b"", lost)
        slot = self._slot()
        entry.pack(slot, self._next, kind, now, reason, action, share, subject, count)
        number = self._chain(slot)
        # A new segment begins here or one before: what does the ring lose by it?
        if left >= 0 > self._free - self._waiting and len(self._firsts) >= self._most_segments:
            self._make_room(now)
        return number

    def _make_room(self, now: "Now") -> None:
        oldest = self._firsts[0]
        last = self._firsts[1] - 1
        lost = min(last - max(oldest - 1, self.acknowledged), PER_SEGMENT)
        if lost > 0:
            self._gap(now, entry.RING, struct.pack(">II", oldest, last), lost)

    def _gap(self, now: "Now", reason: int, subject: bytes, count: int) -> None:
        slot = self._slot()
        entry.pack(slot, self._next, entry.GAP, now, reason, 0, b"", subject, count)
        self._chain(slot)

    def _slot(self) -> memoryview:
        at = self._waiting * entry.BYTES
        return self._view[at : at + entry.BYTES]

    def _chain(self, slot: memoryview) -> int:
        """Chain the entry that was packed into the slot; its number."""
        self._link = entry.chain(slot, self._link)
        self.sequence = self._next
        self._next += 1
        self._waiting += 1
        return self.sequence

    def flush(self) -> int:
        """Write what is pending, and how many entries that was; all of them are safe afterwards.

        OSError passes through; then everything that is not safe is still pending.
        """
        if not self.is_open:
            return 0
        if self._unsure:
            self._find_out()
        total = self._waiting
        while self._waiting:
            self._write_some()
        if self._next + MOST_PENDING > self._ceiling:
            self._reserve()
        while len(self._firsts) > self._most_segments:
            self._drop_oldest()
        return total

    def _write_some(self) -> None:
        """Append as much of what is pending as goes into one segment."""
        first = self._firsts[-1] if self._free else entry.sequence(self._view)
        count = min(self._free or PER_SEGMENT, self._waiting)
        for i in range(count):
            entry.tag(self._view[i * entry.BYTES : (i + 1) * entry.BYTES], self._seal)
        self._unsure = True
        self._segments.append(first, self._view[: count * entry.BYTES])
        self._unsure = False
        self._took(first, count)

    def _find_out(self) -> None:
        """After an append that failed: what of it is on flash?"""
        first = self._firsts[-1] if self._free else entry.sequence(self._view)
        before = PER_SEGMENT - self._free if self._free else 0
        count = self._segments.count(first) - before
        self._unsure = False
        if count > 0:
            self._took(first, count)

    def _took(self, first: int, count: int) -> None:
        """The first `count` pending entries are on flash, in the segment of `first`."""
        if not self._free:
            self._firsts.append(first)
            self._free = PER_SEGMENT
        self._free -= count
        end = count * entry.BYTES
        self._written = entry.sequence(self._view[end - entry.BYTES :])
        self._written_link = entry.link(self._view[end - entry.BYTES :])
        self._waiting -= count
        rest = self._waiting * entry.BYTES
        self._pending[:rest] = self._pending[end : end + rest]

    def _drop_oldest(self) -> None:
        """Let the oldest segment go. The state is first: a cut leaves a file that open removes."""
        oldest = self._firsts[0]
        record = bytearray(entry.BYTES)
        count = self._segments.count(oldest)
        self._anchor = None
        if count and self._segments.read(oldest, count - 1, record):
            self._anchor = entry.link(record)
        self._first = self._firsts[1]
        self._save(0, _NO_LINK)
        self._segments.remove(oldest)
        self._faults.pop(oldest, None)

    # --- acknowledging ---------------------------------------------------------------------------

    def acknowledge(self, sequence: int, link: bytes) -> bool:
        """Note that the cloud has everything up to an entry; False if that is not an entry here.

        `link` is that entry's: who acknowledges has to know the chain. Idempotent.
        """
        record = bytearray(entry.BYTES)
        if self._segments.find(sequence, record) is None or entry.link(record) != link:
            return False
        if sequence > self.acknowledged:
            before = self.acknowledged
            self.acknowledged = sequence
            try:
                self._save(0, _NO_LINK)
            except OSError:
                self.acknowledged = before
                raise
        return True

    # --- reading ---------------------------------------------------------------------------------

    def reader(self, after: int = 0) -> "Reader":
        """A Reader of the entries on flash after number `after`, or of all if that is not here."""
        record = bytearray(entry.BYTES)
        found = self._segments.find(after, record)
        if found is None:
            return Reader(self._segments, 0, 0, 0, self._anchor)
        return Reader(self._segments, found[0], found[1] + 1, after, entry.link(record))

    def scrub(self, now: "Now") -> "Generator[None, None, None]":
        """Check one more segment, from the oldest to the newest and again, an entry at a time.

        New damage becomes an entry. A full round is as many calls as there are segments.
        """
        if not self._firsts:
            return
        self._scrubbed = (self._scrubbed + 1) % len(self._firsts)
        first = self._firsts[self._scrubbed]
        count, _, _ = yield from self._examining(self._scrubbed)
        if first in self._firsts:  # and has not left the ring meanwhile
            self._report(now, first, count)

    def _report(self, now: "Now", first: int, count: int) -> None:
        """Enter damage, unless it is known since the last boot."""
        if count > self._faults.get(first, 0):
            subject = struct.pack(">I", first)
            if self.append(entry.DAMAGE, now, entry.RECORDS, subject=subject, count=count):
                self._faults[first] = count

    # --- finding the end after a boot ------------------------------------------------------------

    def _find_end(self) -> "list[tuple[int, int]]":
        """Find the last entry that can be believed; damage on the way as [(segment, entries)]."""
        damaged = []
        for index in range(len(self._firsts) - 1, -1, -1):
            count, last, link = finish(self._examining(index))
            if count:
                damaged.append((self._firsts[index], count))
            if last:
                self._written = last
                self._written_link = link
                self._end = self._firsts[index]
                break
        return damaged

    def _examining(self, index: int) -> "Generator[None, None, tuple[int, int, bytes]]":
        """Check a segment: (damaged entries, number of the last good one or 0, last link)."""
        first = self._firsts[index]
        record = bytearray(entry.BYTES)
        chain = self._chain_before(index, record)
        damaged = last = 0
        count = self._segments.count(first)
        for place in range(count):
            yield
            if not self._segments.read(first, place, record):
                return damaged + count - place, last, chain.link or _NO_LINK
            if chain.take(record) == entry.GOOD:
                last = entry.sequence(record)
            else:
                damaged += 1
        return damaged, last, chain.link or _NO_LINK

    def _chain_before(self, index: int, record: bytearray) -> entry.Chain:
        """A Chain that has taken what comes before a segment.

        Two entries of it: a damaged link of the last one is known by the one before.
        """
        if index == 0:
            return entry.Chain(self._anchor, self._seal)
        chain = entry.Chain(None, self._seal)
        first = self._firsts[index - 1]
        count = self._segments.count(first)
        for place in range(max(count - 2, 0), count):
            if self._segments.read(first, place, record):
                chain.take(record)
        return chain
