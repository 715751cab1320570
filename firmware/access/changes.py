"""What a grant or a revocation does to the grant cache, and what keeps it from doing so.

Imports policy. The cache has the methods of `store.grants.Grants`.
"""

from ..policy import reasons
from ..policy.grant import same_terms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..policy.grant import Grant
    from .batch import Batch
    from .snapshot import Page
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
        if cache.is_in_doubt(grant.share, grant.key):
            return reasons.CACHE_DAMAGED
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
    share, key, version = revocation.share, revocation.key, revocation.version
    if not cache.room().revoke(share, key, version):
        return reasons.CACHE_FULL
    if revocation.sequence is not None and not sync.remember(revocation.sequence, share, key):
        return reasons.CACHE_FULL
    if not _is_done(cache, revocation):
        cache.revoke(share, key, version)
    return reasons.ALLOWED


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


def obstacle(cache: "Any", batch: "Batch | Page") -> int:
    """Why a batch or page cannot be applied as a whole, `ALLOWED` if it can. Changes nothing."""
    room = cache.room()
    for share, key, version in batch.revocations:
        if cache.is_in_doubt(share, key):
            return reasons.CACHE_DAMAGED
        if _ends_something(cache, share, key) and not room.revoke(share, key, version):
            return reasons.CACHE_FULL
    for grant in batch.grants():
        reason = _obstacle(cache, room, grant)
        if reason:
            return reason
    return reasons.ALLOWED


def _obstacle(cache, room, grant):
    reason = stale(cache, grant)
    if reason in (reasons.CHANGED_TERMS, reasons.CACHE_DAMAGED):
        return reason
    if reason == reasons.OLD_ISSUE:
        held = cache.find(grant.key)
        if room.is_ended(held.share, held.key):
            reason = reasons.ALLOWED  # by then it is the only one
    if reason or is_held(cache, grant):
        return reasons.ALLOWED  # something newer came loose, or just this
    reason = passed_on(cache, grant)
    if not reason and not room.put(grant):
        reason = reasons.CACHE_FULL
    return reason


def apply(cache: "Any", batch: "Batch | Page") -> bool:
    """Make the changes of a batch or page, as often as it takes; False if one found no room."""
    done = True
    for share, key, version in batch.revocations:
        if _ends_something(cache, share, key):
            done = cache.revoke(share, key, version) and done
    for grant in batch.grants():
        if not is_held(cache, grant) and not stale(cache, grant):
            done = cache.put(grant) and done
    return done


def _ends_something(cache, share, key):
    if key is None:
        return cache.holding(share) is not None
    held = cache.find(key)
    return held is not None and held.share == share
