"""A batch: consecutive changes of one lock under one signature, and what they come to.

Imports policy, `claims` and `statements`. A pure function of the payload, so that a batch that was
cut off half-way comes to the same when it is done again: revocations, and at most one grant for
each key, none of which the batch itself takes back. Done in this order, from the start, any number
of times, they lead to the same end. Grants are kept as they were signed and read one at a time:
forty of them at once would take more heap than a lock has to spare.
"""

from ..policy import reasons
from .claims import ClaimsError
from .statements import CHANGE, CHANGES, FIRST, LAST, MOST_SEQUENCE, Granting, Header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, Union

    from ..policy.grant import Grant
    from .statements import Revocation

    Change = Union[Granting, Revocation]

_CHANGE_MEMBERS = 2


class _Granted:
    """What has to be known of a grant while the rest of the batch is read."""

    def __init__(self, grant, payload):
        self.share = grant.share
        self.key = grant.key
        self.version = grant.version
        self.parent = grant.parent
        self.payload = payload


class Batch:
    """A batch without a fault; raises ClaimsError or CoseError for any other.

    `first` and `last` are the sequence numbers that it covers; changes that are missing between
    them changed nothing that still counts. `revocations` are (share, key or None, version).
    """

    def __init__(self, payload: bytes):
        header = Header(payload)
        self.lock = header.lock
        self.issued = header.issued
        self.first = header.terms.take(FIRST, int)
        self.last = header.terms.take(LAST, int)
        changes = header.terms.take(CHANGES, list)
        header.terms.end()
        if not 1 <= self.first <= self.last <= MOST_SEQUENCE:
            raise ClaimsError(reasons.BAD_SEQUENCE)
        self.revocations: "list[tuple[bytes, bytes | None, int]]" = []
        self._grants: "list[_Granted]" = []
        before = self.first - 1
        for change in changes:
            read = self._read(change)
            if read.lock != self.lock:
                raise ClaimsError(reasons.OTHER_LOCK)
            if read.sequence is None or not before < read.sequence <= self.last:
                raise ClaimsError(reasons.BAD_SEQUENCE)
            before = read.sequence
            if read.grant is None:
                self._revoke(read.share, read.key, read.version)
            else:
                self._grant(_Granted(read.grant, change[1]))
        self._check_parents()

    def grants(self) -> "Iterator[Grant]":
        """The grants that count, in their order."""
        for granted in self._grants:
            yield Granting(granted.payload, self, granted.key).grant

    def _read(self, change: "Any") -> "Change":
        if type(change) is not list or len(change) != _CHANGE_MEMBERS:
            raise ClaimsError(reasons.MALFORMED)
        typ, payload = change
        if type(typ) is not int or type(payload) is not bytes:
            raise ClaimsError(reasons.MALFORMED)
        if typ not in CHANGE:
            raise ClaimsError(reasons.UNKNOWN_KIND)
        read: "Change" = CHANGE[typ](payload, self)
        reason = read.check()
        if reason:
            raise ClaimsError(reason)
        return read

    def _revoke(self, share, key, version):
        """The next change is a revocation: grants before it may not count any more."""
        self.revocations.append((share, key, version))
        self._grants = [
            granted
            for granted in self._grants
            if granted.share != share
            or (key is not None and (granted.key != key or granted.version > version))
        ]

    def _grant(self, granted):
        """The next change is a grant, which whatever came before it in the batch must admit."""
        for share, key, version in self.revocations:
            if share == granted.share and key is None:
                raise ClaimsError(reasons.SHARE_REVOKED)
            if share == granted.share and key == granted.key and granted.version <= version:
                raise ClaimsError(reasons.OLD_VERSION)
        for earlier in self._grants:
            if earlier.share == granted.share and granted.version < earlier.version:
                raise ClaimsError(reasons.OLD_VERSION)
        self._grants = [earlier for earlier in self._grants if earlier.key != granted.key]
        self._grants.append(granted)

    def _check_parents(self):
        passed_on = [granted.share for granted in self._grants if granted.parent]
        for granted in self._grants:
            if granted.parent in passed_on:
                raise ClaimsError(reasons.BAD_PARENT)
