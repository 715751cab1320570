"""What the bucket that is loaded says of a share, and changes to it in RAM.

Imports policy and `record`. A slot here is one that begins a record all of whose slots are
good; what is not readable is passed over. Invariant: no change lowers the floor of a share.
"""

from . import record
from .bucket import NONE
from .record import (
    COUNTED,
    GRANT,
    KEY,
    KIND,
    OLD,
    REVOKED,
    SHARE,
    SLOT_BYTES,
    STANDING,
    VERSION,
    WITHDRAWN,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..policy.decision import State
    from ..policy.instant import Instant
    from .bucket import Bucket

ANY = 0  # in place of a kind


def seek(bucket: "Bucket", share: bytes, kind: int, start: int) -> int:
    """The first record of a share (of one kind) from slot `start` on, NONE if there is none."""
    slot = bucket.seek(SHARE, share, start)
    while slot != NONE:
        if record.is_share(bucket.page, slot * SLOT_BYTES, share):
            if kind in (ANY, _kind(bucket, slot)) and bucket.whole(slot):
                return slot
        slot = bucket.seek(SHARE, share, slot + 1)
    return NONE


def seek_key(bucket: "Bucket", key: bytes) -> int:
    """The grant of a key, NONE if there is none; a damaged one is none."""
    slot = bucket.seek(KEY, key, 0)
    while slot != NONE:
        if _kind(bucket, slot) == GRANT and bucket.whole(slot):
            return slot
        slot = bucket.seek(KEY, key, slot + 1)
    return NONE


def of_key(bucket: "Bucket", share: bytes, kind: int, key: bytes) -> int:
    """The record of a share for one of its keys, NONE if there is none."""
    slot = seek(bucket, share, kind, 0)
    while slot != NONE:
        if _has_key(bucket, slot, key):
            return slot
        slot = seek(bucket, share, kind, slot + 1)
    return NONE


def newest(bucket: "Bucket", share: bytes) -> int:
    """The grant of a share with the highest version, NONE if there is none."""
    best = NONE
    slot = seek(bucket, share, GRANT, 0)
    while slot != NONE:
        if best == NONE or version(bucket, slot) > version(bucket, best):
            best = slot
        slot = seek(bucket, share, GRANT, slot + 1)
    return best


def version(bucket: "Bucket", slot: int) -> int:
    """The version in a slot."""
    return record.number(bucket.page, slot * SLOT_BYTES + VERSION)


def outlives(bucket: "Bucket", share: bytes, key: bytes, lowest: int) -> bool:
    """Whether the revocation of a key up to version `lowest` says nothing new."""
    stands = seek(bucket, share, STANDING, 0)
    if stands != NONE and _flags(bucket, stands) & REVOKED:
        return True
    slot = of_key(bucket, share, GRANT, key)
    if slot != NONE:
        return version(bucket, slot) > lowest
    slot = of_key(bucket, share, WITHDRAWN, key)
    return slot != NONE and version(bucket, slot) >= lowest


def floor(bucket: "Bucket", share: bytes) -> int:
    """The lowest version of a share that is still accepted, 0 if the share is not here."""
    lowest = 0
    slot = seek(bucket, share, ANY, 0)
    while slot != NONE:
        lowest = max(lowest, _floor_in(bucket, slot))
        slot = seek(bucket, share, ANY, slot + 1)
    return lowest


def fill(
    bucket: "Bucket", share: bytes, key: "bytes | None", state: "State", spare: "Instant"
) -> None:
    """Take over into a cleared State what is known of a share, for one key of it.

    A counted grant without the count is as good as revoked.
    """
    uncounted = False
    stands = False
    slot = seek(bucket, share, ANY, 0)
    while slot != NONE:
        kind = _kind(bucket, slot)
        state.floor = max(state.floor, _floor_in(bucket, slot))
        if kind == GRANT:
            uncounted = uncounted or bool(_flags(bucket, slot) & COUNTED)
        elif kind == STANDING:
            stands = True
            record.read_standing(bucket.page, slot * SLOT_BYTES, state, spare)
        elif key is not None and _has_key(bucket, slot, key):
            state.floor = max(state.floor, version(bucket, slot) + 1)
        slot = seek(bucket, share, ANY, slot + 1)
    if uncounted and not stands:
        state.revoked = True


def slots(bucket: "Bucket", share: bytes, key: "bytes | None") -> int:
    """How many slots `drop` frees."""
    total = 0
    slot = seek(bucket, share, ANY, 0)
    while slot != NONE:
        if key is None or _is_about(bucket, slot, key):
            total += _parts(bucket, slot)
        slot = seek(bucket, share, ANY, slot + 1)
    return total


def drop(bucket: "Bucket", share: bytes, key: "bytes | None") -> None:
    """Take out all about a share, or about one key of it."""
    slot = seek(bucket, share, ANY, 0)
    while slot != NONE:
        if key is None or _is_about(bucket, slot, key):
            bucket.drop(slot, _parts(bucket, slot))
        else:
            slot += 1
        slot = seek(bucket, share, ANY, slot)


def forget(bucket: "Bucket", share: bytes, key: "bytes | None") -> bool:
    """Take out the revocation of a share, or of one key of it; False if there is none.

    Grants that a revoked key was ahead of stay superseded. What is known of a share goes with the
    last record of it, unless uses were counted.
    """
    if key is None:
        if newest(bucket, share) != NONE:
            return False
        drop(bucket, share, None)
        return True
    slot = of_key(bucket, share, WITHDRAWN, key)
    if slot == NONE:
        return False
    outdate(bucket, share, _floor_in(bucket, slot))
    bucket.drop(slot, 1)
    left = seek(bucket, share, ANY, 0)
    if left != NONE and seek(bucket, share, ANY, left + 1) == NONE:
        if record.is_unused(bucket.page, left * SLOT_BYTES):
            bucket.drop(left, 1)
    return True


def take_out(bucket: "Bucket", slot: int) -> None:
    """Take out a grant; what is left says at least that its share had this version."""
    at = slot * SLOT_BYTES
    share = record.share_of(bucket.view, at)
    lowest = floor(bucket, share)
    bucket.drop(slot, _parts(bucket, slot))
    if lowest <= max(1, floor(bucket, share)):  # every version is at least 1
        return
    stands = seek(bucket, share, STANDING, 0)
    if stands == NONE:
        bucket.add(record.standing(share, lowest))
    else:
        record.put_number(bucket.page, stands * SLOT_BYTES + VERSION, lowest)


def erase(bucket: "Bucket", share: bytes, key: bytes, is_over: bool) -> bool:
    """Take out the grant of a key, False if there is none; the last one of a share that `is_over`
    with all that is known of it, unless another key of it was revoked."""
    slot = of_key(bucket, share, GRANT, key)
    if slot == NONE:
        return False
    take_out(bucket, slot)
    if is_over and newest(bucket, share) == seek(bucket, share, WITHDRAWN, 0) == NONE:
        drop(bucket, share, None)
    return True


def outdate(bucket: "Bucket", share: bytes, below: int) -> None:
    """Mark the grants of a share with a version below this one."""
    slot = seek(bucket, share, GRANT, 0)
    while slot != NONE:
        if version(bucket, slot) < below:
            bucket.page[slot * SLOT_BYTES + KIND] |= OLD
        slot = seek(bucket, share, GRANT, slot + 1)


def revocation(bucket: "Bucket", share: bytes, lowest: int) -> bytearray:
    """The slot that says that a share is over, and how often it was used."""
    lowest = max(lowest, floor(bucket, share))
    stands = seek(bucket, share, STANDING, 0)
    if stands == NONE:
        return record.standing(share, lowest, True)
    at = stands * SLOT_BYTES
    slot = bucket.page[at : at + SLOT_BYTES]
    slot[KIND] |= REVOKED
    record.put_number(slot, VERSION, lowest)
    return slot


def withdrawal(bucket: "Bucket", share: bytes, key: bytes, highest: int) -> bytearray:
    """The slot that says that a key is revoked up to a version, in the place of its grant.

    That may be all that says that its version is old: then this slot goes on saying so.
    """
    slot = record.withdrawn(share, key, highest)
    held = of_key(bucket, share, GRANT, key)
    if held != NONE and _floor_in(bucket, held) > highest:
        slot[KIND] |= OLD
    return slot


def _kind(bucket: "Bucket", slot: int) -> int:
    return record.kind(bucket.page, slot * SLOT_BYTES)


def _flags(bucket: "Bucket", slot: int) -> int:
    return bucket.page[slot * SLOT_BYTES + KIND]


def _parts(bucket: "Bucket", slot: int) -> int:
    return record.parts(bucket.page, slot * SLOT_BYTES)


def _has_key(bucket: "Bucket", slot: int, key: bytes) -> bool:
    return bucket.page.find(key, slot * SLOT_BYTES + KEY, slot * SLOT_BYTES + SHARE) >= 0


def _is_about(bucket: "Bucket", slot: int, key: bytes) -> bool:
    return _kind(bucket, slot) != STANDING and _has_key(bucket, slot, key)


def _floor_in(bucket: "Bucket", slot: int) -> int:
    return version(bucket, slot) + (1 if _flags(bucket, slot) & OLD else 0)
