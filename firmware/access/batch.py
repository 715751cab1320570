"""A batch: consecutive changes of one lock under one signature, and what they come to.

Imports policy, `claims` and `statements`. A pure function of the payload, so that a batch that was
cut off half-way comes to the same when it is done again: revocations, and at most one grant for
each key, none of which the batch itself takes back. Done in this order, from the start, any number
of times, they lead to the same end.
"""

from ..policy import reasons
from .claims import ClaimsError
from .statements import CHANGE, CHANGES, FIRST, LAST, MOST_SEQUENCE, Header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from .statements import Granting, Revocation

    Change = Union[Granting, Revocation]

_CHANGE_MEMBERS = 2


class Batch:
    """A batch without a fault; raises ClaimsError or CoseError for any other.

    `first` and `last` are the sequence numbers that it covers; changes that are missing between
    them changed nothing that still counts.
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
        self.revocations: "list[Revocation]" = []
        self.grants: "list[Granting]" = []
        before = self.first - 1
        for change in changes:
            read = _read(change)
            if read.lock != self.lock:
                raise ClaimsError(reasons.OTHER_LOCK)
            if read.sequence is None or not before < read.sequence <= self.last:
                raise ClaimsError(reasons.BAD_SEQUENCE)
            before = read.sequence
            self._add(read)
        self._check_parents()

    def _add(self, change):
        """Take in the next change, so that it stands for those before it that it overrides."""
        if change.grant is None:
            self.revocations.append(change)
        else:
            self._check_later(change)
        self.grants = [earlier for earlier in self.grants if not _overrides(change, earlier)]
        if change.grant is not None:
            self.grants.append(change)

    def _check_later(self, change):
        """Whatever came before it in the batch must admit a grant."""
        version = change.grant.version
        for revoked in self.revocations:
            if revoked.share == change.share and revoked.key is None:
                raise ClaimsError(reasons.SHARE_REVOKED)
            if revoked.share == change.share and revoked.key == change.key:
                if version <= revoked.version:
                    raise ClaimsError(reasons.OLD_VERSION)
        for granted in self.grants:
            if granted.share == change.share and version < granted.grant.version:
                raise ClaimsError(reasons.OLD_VERSION)

    def _check_parents(self):
        passed_on = [change.share for change in self.grants if change.grant.parent]
        for change in self.grants:
            if change.grant.parent in passed_on:
                raise ClaimsError(reasons.BAD_PARENT)


def _read(change: "Any") -> "Change":
    if type(change) is not list or len(change) != _CHANGE_MEMBERS:
        raise ClaimsError(reasons.MALFORMED)
    typ, payload = change
    if type(typ) is not int or type(payload) is not bytes:
        raise ClaimsError(reasons.MALFORMED)
    if typ not in CHANGE:
        raise ClaimsError(reasons.UNKNOWN_KIND)
    read: "Change" = CHANGE[typ](payload)
    reason = read.check()
    if reason:
        raise ClaimsError(reason)
    return read


def _overrides(change, grant):
    """Whether an earlier grant of the batch does not count any more after this change."""
    if change.grant:
        return change.key == grant.key
    if change.share != grant.share:
        return False
    return change.key is None or (
        change.key == grant.key and grant.grant.version <= change.version
    )
