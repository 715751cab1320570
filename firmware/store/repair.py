"""What helps the grant cache after damage. Imported only then.

Imports its siblings. A use must not come back because the count of it was damaged: a share whose
count may be lost has nothing left, and keeps nothing when it is put back.
"""

from . import record, shares
from .bucket import NONE, SLOTS
from .ledger import SUMS
from .record import COUNTED, GRANT, KIND, MORE, SLOT_BYTES, STANDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

    from .bucket import Bucket
    from .shelves import Shelves


def reindex(shelves: "Shelves") -> "Iterator[None]":
    """Make the index and the ledger again from the buckets; one step for each index file."""
    for number in range(shelves.index.file_count):
        shelves.settle()
        shelves.index.rebuilt(number, shelves.keys())
        yield
    shelves.count_all()
    shelves.ledger.doubtful = False
    shelves.ledger.confirm()


def mend(shelves: "Shelves") -> int:
    """Drop what cannot be read; returns how many slots."""
    shelves.settle()
    shelves.count_all()  # to know of setbacks
    shelves.doubt_ledger()
    dropped = 0
    for number in range(shelves.count):
        dropped += _mend_bucket(shelves, number)
    shelves.setbacks.clear()
    shelves.is_hurt = False
    shelves.counted = False
    for _ in reindex(shelves):
        pass
    return dropped


def _mend_bucket(shelves: "Shelves", number: int) -> int:
    shelves.load(number)
    bucket = shelves.bucket
    if bucket.lost:
        shelves.ledger.uncounted = True
        shelves.ledger.write()
        bucket.remove(number)
        return SLOTS
    bucket.check()
    dropped = _drop_bad(bucket)
    if dropped or number % SUMS in shelves.setbacks:
        _spend(bucket, number % SUMS in shelves.setbacks)
        shelves.ledger.uncounted = True  # written before the bucket is
        shelves.write()
    return dropped


def _drop_bad(bucket: "Bucket") -> int:
    before = bucket.count
    slot = 0
    while slot < bucket.count:
        at = slot * SLOT_BYTES
        if bucket.whole(slot) and record.kind(bucket.page, at) != MORE:
            slot += max(1, record.parts(bucket.page, at))
        else:
            bucket.drop(slot, 1)
    return before - bucket.count


def _spend(bucket: "Bucket", older: bool) -> None:
    """Leave nothing of what counts that are missing, or all of them if it is `older`, allow."""
    slot = 0
    while slot < bucket.count:
        at = slot * SLOT_BYTES
        kind = record.kind(bucket.page, at)
        if kind == STANDING and older:
            record.spend(bucket.page, at)
        elif kind == GRANT and bucket.page[at + KIND] & COUNTED:
            share = record.share_of(bucket.view, at)
            if shares.seek(bucket, share, STANDING, 0) == NONE:
                # In the place of the one that was dropped.
                added = bucket.add(record.standing(share, shares.floor(bucket, share)))
                record.spend(bucket.page, added * SLOT_BYTES)
        slot += 1
