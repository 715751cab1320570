"""How far the lock has come in the issuer's sequence of changes, over any loss of power.

Imports policy and store. `applied` is the last number that batches or a snapshot have brought; it
goes back only for a snapshot in a higher epoch of the issuer. The journal holds the batch or the
page that is being applied, so that a cut half-way is made good at the next boot. Loose revocations
that no batch has brought yet are remembered, because they must outlast the grants that they end: a
lock forgets a revocation once `applied` has passed it, and not before.
"""

import struct

from ..policy import reasons
from ..policy.instant import Instant
from ..store.copies import Copies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..store.files import Files
    from ..store.seal import Seal
    from .snapshot import Page

MOST_REMEMBERED = 32

_JOURNAL = "batch"
_HEAD = ">IIIIIHH32s"  # applied, epoch; of the series: day, second, sequence, done, pages, digest
_HEAD_BYTES = struct.calcsize(_HEAD)
_NUMBER_BYTES = 4
_KEY_BYTES = 16
_WITH_KEY = 0x80  # beside the length of the share id


class Remembered:
    """A loose revocation of a share, or of one of its keys if that is not None."""

    def __init__(self, sequence: int, share: bytes, key: "bytes | None") -> None:
        self.sequence = sequence
        self.share = share
        self.key = key


class Series:
    """The snapshot that came last: `done` of its `pages` are applied. At first there was none."""

    def __init__(
        self,
        issued: Instant,
        sequence: int = 0,
        done: int = 0,
        pages: int = 0,
        digest: bytes = b"",
    ) -> None:
        self.issued = issued
        self.sequence = sequence
        self.done = done
        self.pages = pages
        self.digest = digest

    def has(self, page: "Page") -> bool:
        """Whether this is a page of it."""
        return (
            page.digest == self.digest
            and page.sequence == self.sequence
            and page.issued == self.issued
            and page.pages == self.pages
        )


class Sync:
    """The sequence, in two folders, sealed; the journal is in the first.

    `damaged`: some copy was not whole when it was read. `lost`: none was, so nobody knows which
    statements are old, and all are refused. `epoch` is the issuer's under which `applied` counts.
    """

    def __init__(self, folders: "tuple[Files, Files]", seal: "Seal") -> None:
        self.applied = 0
        self.epoch = 0
        self.series = Series(Instant())
        self.remembered: "list[Remembered]" = []
        self._files = folders[0]
        self._copies = Copies(folders, "sync", seal)
        content = self._copies.read()
        self.damaged = self._copies.present > self._copies.whole
        self.lost = self._copies.present > 0 and (content is None or not self._decode(content))
        if self.damaged and content is not None and not self.lost:
            self._copies.write(content)

    # --- the journal -----------------------------------------------------------------------------

    def journal(self) -> "bytes | None":
        """The batch or page that was begun and not finished, None if there is none."""
        return self._files.read(_JOURNAL)

    def begin(self, token: bytes) -> None:
        """From now on a batch or page will be applied, whatever happens."""
        self._files.replace(_JOURNAL, token)

    def end(self) -> None:
        """It is done, or can never be."""
        self._files.remove(_JOURNAL)

    # --- the sequence ----------------------------------------------------------------------------

    def needs_snapshot(self) -> bool:
        """Whether nothing else helps: the sequence is lost, or pages of a series are missing."""
        return self.lost or self.series.done < self.series.pages

    def is_old(self, sequence: "int | None") -> bool:
        """Whether batches are past a number.

        A statement without one is old as soon as there was a batch: what a lock has forgotten by
        its number must not come back without.
        """
        return self.applied > 0 and (sequence or 0) <= self.applied

    def advance(self, last: int) -> None:
        """A batch up to this number was applied."""
        if last > self.applied:
            self._write(last, self.epoch, self.series, self.remembered)

    def passed(self) -> "list[Remembered]":
        """Remembered revocations that batches have passed."""
        return [each for each in self.remembered if each.sequence <= self.applied]

    def is_ahead(self, share: bytes, key: "bytes | None") -> bool:
        """Whether a revocation of this or more came loose that no batch has brought yet."""
        for each in self.remembered:
            if each.share == share and each.key in (None, key) and each.sequence > self.applied:
                return True
        return False

    def drop_passed(self) -> None:
        """Their revocations were forgotten: they need no memory any more."""
        left = [each for each in self.remembered if each.sequence > self.applied]
        if len(left) < len(self.remembered):
            self._write(self.applied, self.epoch, self.series, left)

    def remember(self, sequence: int, share: bytes, key: "bytes | None") -> bool:
        """Remember a revocation before it is made; False if there is no place left.

        That of a share takes the place of those of its keys.
        """
        others = []
        for each in self.remembered:
            if each.share == share and each.key in (None, key) and each.sequence >= sequence:
                return True
            if each.share != share or key not in (None, each.key):
                others.append(each)
        if len(others) >= MOST_REMEMBERED:
            return False
        others.append(Remembered(sequence, share, key))
        self._write(self.applied, self.epoch, self.series, others)
        return True

    # --- snapshots -------------------------------------------------------------------------------

    def refusal(self, page: "Page", epoch: int) -> int:
        """Why a page is none of the series at hand, nor the first of a newer one; or `ALLOWED`."""
        if page.epoch != epoch:
            return reasons.OLD_EPOCH
        if self.series.has(page):
            return reasons.SEQUENCE_GAP if page.number > self.series.done + 1 else reasons.ALLOWED
        if page.number > 1:
            return reasons.SEQUENCE_GAP
        if self.series.issued.until(page.issued) <= 0:
            return reasons.OLD_ISSUE
        if page.sequence < self.applied and page.epoch == self.epoch:
            return reasons.OLD_SEQUENCE
        return reasons.ALLOWED

    def is_done(self, page: "Page") -> bool:
        """Whether a page that is not refused was applied before."""
        return self.series.has(page) and page.number <= self.series.done

    def turn(self, page: "Page", done: int) -> None:
        """So many pages of the series of this one are applied; all of them raise `applied`."""
        series = Series(page.issued, page.sequence, done, page.pages, page.digest)
        if done < page.pages:
            self._write(self.applied, self.epoch, series, self.remembered)
        else:
            self._write(page.sequence, page.epoch, series, self.remembered)
            self.lost = False

    # --- the record ------------------------------------------------------------------------------

    def _write(
        self, applied: int, epoch: int, series: Series, remembered: "list[Remembered]"
    ) -> None:
        at = series.issued
        content = struct.pack(
            _HEAD, applied, epoch,
            at.day, at.second, series.sequence, series.done, series.pages, series.digest,
        )  # fmt: skip
        for each in remembered:
            content += each.sequence.to_bytes(_NUMBER_BYTES, "big")
            flag = 0 if each.key is None else _WITH_KEY
            content += bytes([len(each.share) | flag]) + each.share + (each.key or b"")
        self._copies.write(content)
        self.applied = applied
        self.epoch = epoch
        self.series = series
        self.remembered = remembered

    def _decode(self, content: bytes) -> bool:
        """Take over what was written; False if these bytes are none of it."""
        if len(content) < _HEAD_BYTES:
            return False
        remembered = []
        at = _HEAD_BYTES
        while at < len(content):
            head = content[at : at + _NUMBER_BYTES + 1]
            if len(head) <= _NUMBER_BYTES:
                return False
            at += len(head)
            length = head[-1] & ~_WITH_KEY
            share = content[at : at + length]
            at += length
            key = None
            if head[-1] & _WITH_KEY:
                key = content[at : at + _KEY_BYTES]
                at += _KEY_BYTES
            number = int.from_bytes(head[:_NUMBER_BYTES], "big")
            remembered.append(Remembered(number, share, key))
        if at != len(content):
            return False
        self.applied, self.epoch, day, second, *series = struct.unpack(
            _HEAD, content[:_HEAD_BYTES]
        )
        self.series = Series(Instant(day, second), *series)
        self.remembered = remembered
        return True
