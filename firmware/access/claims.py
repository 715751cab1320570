"""A grant as CWT claims (RFC 8392); docs/protocol.md shows the bytes.

Imports crypto and policy. Registered claims carry what they mean everywhere; the terms that no
standard has a claim for stand in one private claim, a map with small keys. Every term is critical:
one that the lock does not know is refused, because leaving it out could only widen the grant.
Another claim that it does not know is ignored, as RFC 8392 section 3 asks.
"""

from ..crypto import cose, cwt
from ..policy import reasons
from ..policy.grant import Grant, normalise
from ..policy.instant import from_unix
from ..policy.schedule import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..policy.instant import Instant

TYPE = 65_000  # of a grant, in the COSE header; from the numbers left for private use
TERMS = -65_537

VERSION = 0
LEVEL = 1
RIGHTS = 2
CHANNELS = 3
UNTIL = 4
RULES = 5
USES = 6
AFTER_FIRST_USE_S = 7
DURESS = 8
PARENT = 9
SEQUENCE = 10

KEY_BYTES = 16  # of the thumbprint
_REQUIRED = object()

DENY = 1  # flags of a rule
UTC = 2

_RULE = 4  # members of a rule without dates
_DATED_RULE = 6


class ClaimsError(Exception):
    """Claims that are no grant; `reason` says why."""

    def __init__(self, reason: int):
        super().__init__("reason %d" % reason)
        self.reason = reason


def read_numbered(
    payload: bytes, batch: "Any" = None, key: "bytes | None" = None
) -> "tuple[Grant, int | None]":
    """The grant in the claims of a token that was verified, and its sequence number if it has one.

    Its windows are in normal form. It has the right shape but may still ask for what no lock
    gives, see `policy.grant.fault`. For `batch` see `origin`; `key` is the holder's, if that was
    found to be in order before. Raises ClaimsError or CoseError.
    """
    decoded = cwt.decode_claims(payload)
    if key is None:
        key = _key(decoded, batch is not None)
    claims = Members(decoded)
    terms = Members(claims.take(TERMS, dict))
    lock, issued = origin(claims, batch)
    grant = Grant(
        claims.take(cwt.CTI, bytes),
        lock,
        key,
        terms.take(LEVEL, int),
        terms.take(RIGHTS, int),
    )
    grant.holder = claims.take(cwt.SUB, str).encode()
    grant.issued = issued
    grant.start = instant(claims.take(cwt.NBF, int, None))
    grant.lease = instant(claims.take(cwt.EXP, int, None))
    grant.version = terms.take(VERSION, int)
    grant.channels = terms.take(CHANNELS, int)
    grant.until = instant(terms.take(UNTIL, int, None))
    grant.rules = [_rule(rule) for rule in terms.take(RULES, list, ())]
    grant.uses = terms.take(USES, int, None)
    grant.after_first_use_s = terms.take(AFTER_FIRST_USE_S, int, None)
    grant.duress = terms.take(DURESS, bool, False)
    grant.parent = terms.take(PARENT, bytes, None)
    sequence = terms.take(SEQUENCE, int, None)
    terms.end()
    normalise(grant)
    return grant, sequence


def origin(claims: "Members", batch: "Any") -> "tuple[bytes, Instant]":
    """For which lock, and when it was issued. A change of a batch may leave that to the batch."""
    lock = claims.take(cwt.AUD, str, None)
    issued = claims.take(cwt.IAT, int, None)
    if batch is None and (lock is None or issued is None):
        raise ClaimsError(reasons.MALFORMED)
    return (
        batch.lock if lock is None else lock.encode(),
        batch.issued if issued is None else from_unix(issued),
    )


def _key(claims, in_batch):
    """The short thumbprint of the key; in a batch that alone may stand for it."""
    key = cwt.confirmation_id(claims) if in_batch else None
    if key is None:
        return cose.thumbprint(cwt.confirmation_key(claims))[:KEY_BYTES]
    if len(key) != KEY_BYTES:
        raise ClaimsError(reasons.BAD_KEY)
    return key


class Members:
    """A map that is emptied member by member; `left` is what nobody asked for."""

    def __init__(self, members: dict):
        self.left = members

    def take(self, key: int, kind: type, default: "Any" = _REQUIRED) -> "Any":
        """The member `key`, which must be of exactly this type, or `default` if it is absent."""
        if key not in self.left:
            if default is _REQUIRED:
                raise ClaimsError(reasons.MALFORMED)
            return default
        value = self.left.pop(key)
        if type(value) is not kind:  # a bool is no int here, on any interpreter
            raise ClaimsError(reasons.MALFORMED)
        return value

    def end(self) -> None:
        """Nothing may be left: what the lock does not know could only have narrowed the rest."""
        if self.left:
            raise ClaimsError(reasons.CRITICAL_UNKNOWN)


def instant(seconds: "int | None") -> "Instant | None":
    """The Instant of a claim; None stays None."""
    return None if seconds is None else from_unix(seconds)


def _rule(members):
    if type(members) is not list or len(members) not in (_RULE, _DATED_RULE):
        raise ClaimsError(reasons.MALFORMED)
    for place, member in enumerate(members):
        if type(member) is not int and not (place >= _RULE and member is None):
            raise ClaimsError(reasons.MALFORMED)
    flags, weekdays, start_s, end_s = members[:_RULE]
    if flags & ~(DENY | UTC):
        raise ClaimsError(reasons.CRITICAL_UNKNOWN)
    first_day, last_day = members[_RULE:] or (None, None)
    return Rule(weekdays, start_s, end_s, not flags & DENY, bool(flags & UTC), first_day, last_day)
