"""The intake of statements: whole or not at all, with a reason.

Imports crypto, policy and `claims`. What counts is signature, audience and version, never the way
by which a statement came. Nothing that arrives here raises.
"""

from ..crypto import cose
from ..policy import reasons
from ..policy.grant import fault, same_terms
from . import claims

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..crypto.p256 import PublicKey

LARGEST = 1024  # bytes of a statement; a grant with eight dated rules has some 400

COSE_REASONS = {
    cose.MALFORMED: reasons.MALFORMED,
    cose.HEADER: reasons.CRITICAL_UNKNOWN,
    cose.ALGORITHM: reasons.WRONG_ALGORITHM,
    cose.CRITICAL: reasons.CRITICAL_UNKNOWN,
    cose.KID: reasons.UNKNOWN_ISSUER,
    cose.KEY: reasons.BAD_KEY,
    cose.POINT: reasons.BAD_KEY,
    cose.SIGNATURE: reasons.BAD_SIGNATURE,
}


class Intake:
    """Takes in statements for one lock (its id) from one issuer (its PublicKey) into a cache.

    The cache has the methods of `host_sim.lock.memory.Memory`.
    """

    def __init__(self, lock: bytes, issuer: "PublicKey", cache: "Any"):
        self._lock = lock
        self._issuer = issuer
        self._cache = cache

    def accept(self, token: bytes) -> int:
        """Take in a grant: `ALLOWED` if it is in force now, else why not, and nothing changed."""
        if len(token) > LARGEST:
            return reasons.TOO_LARGE
        try:
            return self._accept(token)
        except claims.ClaimsError as error:
            return error.reason
        except cose.CoseError as error:
            return COSE_REASONS[error.code]

    def _accept(self, token):
        statement = cose.parse(token, LARGEST)
        if statement.typ != claims.TYPE:
            return reasons.UNKNOWN_KIND
        grant = claims.read(cose.verify(statement, self._issuer))
        if grant.lock != self._lock:
            return reasons.OTHER_LOCK
        return fault(grant) or self._passed_on(grant) or self._stale(grant) or self._keep(grant)

    def _passed_on(self, grant):
        """A share that was passed on is not passed on again."""
        parent = self._cache.holding(grant.parent) if grant.parent else None
        return reasons.BAD_PARENT if parent and parent.parent else reasons.ALLOWED

    def _stale(self, grant):
        """Why what the lock has is newer, if it is."""
        state = self._cache.state(grant.share)
        if state.revoked:
            return reasons.SHARE_REVOKED
        if grant.version < state.floor:
            return reasons.OLD_VERSION
        held = self._cache.find(grant.key)
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

    def _keep(self, grant):
        return reasons.ALLOWED if self._cache.put(grant) else reasons.CACHE_FULL
