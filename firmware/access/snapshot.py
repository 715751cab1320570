"""A snapshot: all grants of a lock, as a series of pages under a signature each.

Imports policy and its siblings. A lock has no room to keep a large snapshot beside what it holds.
So a page tells all about a range of share ids and is applied by itself, whole or not at all; until
the last one, each share is as it was or as the snapshot has it, and no other change is taken in.
"""

from ..policy import reasons
from .claims import ClaimsError
from .statements import (
    AFTER,
    DIGEST,
    GRANT,
    GRANTS,
    MOST_SEQUENCE,
    OF_EPOCH,
    PAGE,
    PAGES,
    SEQUENCE,
    THROUGH,
    Granting,
    Header,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from ..policy.grant import Grant

DIGEST_BYTES = 32
MOST_PAGES = 1000
_CHANGE_MEMBERS = 2
_AT_ONCE = 32  # grants that are noted down before they are taken away


class Page:
    """A page without a fault; raises ClaimsError or CoseError for any other.

    It is about the shares whose ids are above `after` and not above `through`, None for no end.
    """

    revocations: "Any" = ()  # what a page does not have is over

    def __init__(self, payload: bytes):
        header = Header(payload)
        terms = header.terms
        self.lock = header.lock
        self.issued = header.issued
        self.sequence = terms.take(SEQUENCE, int)
        self.number = terms.take(PAGE, int)
        self.pages = terms.take(PAGES, int)
        self.digest = terms.take(DIGEST, bytes)
        self.epoch = terms.take(OF_EPOCH, int)
        self._after = terms.take(AFTER, bytes, b"")
        self._through = terms.take(THROUGH, bytes, None)
        members = terms.take(GRANTS, list)
        terms.end()
        if not (
            0 <= self.sequence <= MOST_SEQUENCE and 1 <= self.number <= self.pages <= MOST_PAGES
        ):
            raise ClaimsError(reasons.BAD_SEQUENCE)
        if len(self.digest) != DIGEST_BYTES:
            raise ClaimsError(reasons.BAD_ID)
        if (self.number == 1) != (self._after == b"") or (self.number == self.pages) != (
            self._through is None
        ):
            raise ClaimsError(reasons.BAD_SEQUENCE)
        self._payloads = [self._payload(member) for member in members]
        self._held: "set[tuple[bytes, bytes]]" = set()
        self._shares: "set[bytes]" = set()
        self._keys: "list[bytes]" = []
        passed_on = []
        for grant in self.grants():
            self._keys.append(grant.key)
            self._held.add((grant.share, grant.key))
            self._shares.add(grant.share)
            if grant.parent:
                passed_on.append(grant)
        for grant in passed_on:
            for other in passed_on:
                if other.share == grant.parent:
                    raise ClaimsError(reasons.BAD_PARENT)

    def grants(self) -> "Iterator[Grant]":
        """Its grants, in their order."""
        for place, payload in enumerate(self._payloads):
            known = self._keys[place] if place < len(self._keys) else None
            granting = Granting(payload, self, known)
            reason = granting.check() or self._fault(granting)
            if reason:
                raise ClaimsError(reason)
            yield granting.grant

    def sweep(self, cache: "Any") -> None:
        """Take away every grant in its range that it does not have, as often as it takes.

        What was issued after the snapshot stays: it came by another way.
        """
        gone = [(b"", b"")]
        while gone:
            gone = []
            for grant in cache.grants():
                if self._ends(grant):
                    gone.append((grant.share, grant.key))
                if len(gone) == _AT_ONCE:
                    break
            for share, key in gone:
                cache.erase(share, key, share not in self._shares)

    def _ends(self, grant):
        if not self._covers(grant.share) or (grant.share, grant.key) in self._held:
            return False
        return grant.issued.until(self.issued) >= 0

    def _covers(self, share):
        return self._after < share and (self._through is None or share <= self._through)

    def _payload(self, member):
        if type(member) is not list or len(member) != _CHANGE_MEMBERS:
            raise ClaimsError(reasons.MALFORMED)
        typ, payload = member
        if type(typ) is not int or type(payload) is not bytes:
            raise ClaimsError(reasons.MALFORMED)
        if typ != GRANT:
            raise ClaimsError(reasons.UNKNOWN_KIND)
        return payload

    def _fault(self, granting):
        if granting.lock != self.lock:
            return reasons.OTHER_LOCK
        if not self._covers(granting.share) or (granting.sequence or 0) > self.sequence:
            return reasons.BAD_SEQUENCE
        return reasons.ALLOWED
