"""What a grant or a revocation does to the grant cache, and what keeps it from doing so.

Imports policy and store. The cache has the methods of `store.grants.Grants`. For loose grants the
few of `host_sim.lock.memory.Memory` are enough.
"""

from ..policy import reasons
from ..policy.grant import OWNER, same_terms
from ..store import record
from ..store.grants import FOR_OWNERS, FOR_REVOCATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..policy.grant import Grant
    from .batch import Batch
    from .statements import Revocation
    from .sync import Sync


def passed_on(cache: "Any", grant: "Grant") -> int:
    """A share that was passed on is not passed on again: BAD_PARENT, or `ALLOWED`."""
    parent = cache.holding(grant.parent) if grant.parent else None
    return reasons.BAD_PARENT if parent and parent.parent else reasons.ALLOWED


def stale(cache: "Any", grant: "Grant") -> int:
    """Why what the lock has is newer than a grant, `ALLOWED` if it is not."""
    state = cache.state(grant.share, grant.key)
    if state.revoked:
        return reasons.SHARE_REVOKED
    if grant.version < state.floor:
        return reasons.OLD_VERSION
    held = cache.find(grant.key)
    if held is None or (held.share == grant.share and held.version < grant.version):
        return reasons.ALLOWED
    newer_s = held.issued.until(grant.issued)
    if held.share != grant.share:
        return reasons.ALLOWED if newer_s > 0 else reasons.OLD_ISSUE
    if not same_terms(held, grant):
        return reasons.CHANGED_TERMS
    if newer_s > 0 or (newer_s == 0 and held.lease == grant.lease):
        return reasons.ALLOWED
    return reasons.OLD_ISSUE


def is_renewal(cache: "Any", grant: "Grant") -> bool:
    """Whether a grant says nothing but what the lock has, or a later lease for it."""
    held = cache.find(grant.key)
    return held is not None and same_terms(held, grant) and not stale(cache, grant)


def is_held(cache: "Any", grant: "Grant") -> bool:
    """Whether the lock has exactly this statement's grant."""
    held = cache.find(grant.key)
    if held is None or held.issued != grant.issued or held.lease != grant.lease:
        return False
    return same_terms(held, grant)


def revoke(cache: "Any", sync: "Sync", revocation: "Revocation") -> int:
    """A loose revocation: `ALLOWED` once nothing can undo it, CACHE_FULL if there is no room."""
    share, key = revocation.share, revocation.key
    if revocation.sequence is not None:
        if not sync.remember(revocation.sequence, share, key is None):
            return reasons.CACHE_FULL
    done = _is_done(cache, revocation) or cache.revoke(share, key, revocation.version)
    return reasons.ALLOWED if done else reasons.CACHE_FULL


def _is_done(cache, revocation):
    """Whether it says nothing new: then nothing is written."""
    if revocation.key is not None:
        return False  # the cache finds that out by itself
    state = cache.state(revocation.share)
    return (
        state.revoked
        and cache.holding(revocation.share) is None
        and state.floor >= revocation.version
    )


# --- batches -------------------------------------------------------------------------------------


def obstacle(cache: "Any", batch: "Batch") -> int:
    """Why a batch cannot be applied as a whole, `ALLOWED` if it can. Changes nothing."""
    new = new_owners = 0
    for change in batch.grants:
        grant = change.grant
        reason = stale(cache, grant)
        if reason == reasons.CHANGED_TERMS:
            return reason
        if reason:
            continue  # something newer came loose
        reason = passed_on(cache, grant)
        if reason:
            return reason
        more = _more_slots(cache, grant)
        new_owners += more
        new += 0 if grant.level == OWNER else more
    slots = cache.slots()
    if new and slots + new > cache.capacity:
        return reasons.CACHE_FULL
    if new_owners and slots + new_owners > cache.capacity + FOR_REVOCATIONS + FOR_OWNERS:
        return reasons.CACHE_FULL
    return reasons.ALLOWED


def _more_slots(cache, grant):
    """How many slots a grant may take beyond those that it frees, at the most."""
    needed = len(record.encode(grant)) // record.SLOT_BYTES
    held = cache.find(grant.key)
    if held is None:
        return needed + int(record.is_counted(grant))
    if held.share != grant.share:
        return needed + 1 + int(record.is_counted(grant))  # one may stay for the other share
    freed = len(record.encode(held)) // record.SLOT_BYTES
    return max(0, needed + int(record.is_counted(grant) > record.is_counted(held)) - freed)


def apply(cache: "Any", batch: "Batch") -> bool:
    """Make the changes of a batch, as often as it takes; False if one found no room."""
    done = True
    for revocation in batch.revocations:
        if _ends_something(cache, revocation):
            done = cache.revoke(revocation.share, revocation.key, revocation.version) and done
    for granting in batch.grants:
        grant = granting.grant
        if not is_held(cache, grant) and not stale(cache, grant):
            done = cache.put(grant) and done
    return done


def _ends_something(cache, revocation):
    if revocation.key is None:
        return cache.holding(revocation.share) is not None
    held = cache.find(revocation.key)
    return held is not None and held.share == revocation.share


def forget(cache: "Any", share: bytes, whole: bool) -> None:
    """Drop a revocation that batches have passed; not a share whose uses still count."""
    if not whole:
        state = cache.state(share)
        if state.revoked or state.uses or state.first_use is not None:
            return
    cache.forget(share)
