"""Every kind of statement but the grant, as read from its claims; docs/protocol.md has the bytes.

Imports crypto, policy, store and `claims`. All of it is a pure function of the payload: what the
lock holds is not asked here. Everything raises ClaimsError or CoseError, whose reason says why.
"""

from ..crypto import cose, cwt
from ..policy import reasons
from ..policy.grant import FIRST_DAY, LAST_DAY, LOCK, MOST_ID, MOST_VERSION, PULL, UNLOCK, fault
from ..policy.instant import Instant
from ..store.settings import Settings
from . import claims
from .claims import ClaimsError, Members, instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..crypto.p256 import PublicKey

# Types in the COSE header.
GRANT = claims.TYPE
REVOCATION = 65_001
BATCH = 65_002
TIME = 65_003
SETTINGS = 65_004
ACK = 65_005
ISSUER = 65_006
COMMAND = 65_007
SNAPSHOT = 65_008

MOST_SEQUENCE = 0x3FFF_FFFF  # fits a 31-bit small integer

VERSION = 0  # terms of a revocation, beside claims.SEQUENCE
KEY = 11
FIRST = 0  # terms of a batch
LAST = 1
CHANGES = 2
NONCE = 0  # terms of a time
ZONE = 1  # terms of the settings, beside VERSION
NEXT_ZONE = 2
NEXT_FROM = 3
AUTO_LOCK_S = 4
MODE = 5
MOST_ERROR_S = 6
SEQUENCE = 0  # terms of an acknowledgement
LINK = 1
EPOCH = 0  # terms of an issuer
NEW_KEY = 1
ACTION = 0  # terms of a command
CHALLENGE = 1
PAGE = 1  # terms of a snapshot, beside SEQUENCE
PAGES = 2
DIGEST = 3
GRANTS = 4
AFTER = 5
THROUGH = 6
OF_EPOCH = 7


class Header:
    """What all statements say: for which lock, and issued when; and the terms that are left."""

    def __init__(self, payload: bytes, batch: "Any" = None):
        self.claims = Members(cwt.decode_claims(payload))
        self.lock, self.issued = claims.origin(self.claims, batch)
        self.terms = Members(self.claims.take(claims.TERMS, dict))
        if not FIRST_DAY <= self.issued.day <= LAST_DAY:
            raise ClaimsError(reasons.BAD_DATES)


class Granting:
    """A grant that no rule forbids, with its place in the sequence, None for none.

    `key` is known when it is read again: to look at a key takes three field multiplications.
    """

    def __init__(self, payload: bytes, batch: "Any" = None, key: "bytes | None" = None):
        self.grant, self.sequence = claims.read_numbered(payload, batch, key)
        self.lock = self.grant.lock
        self.share = self.grant.share
        self.key = self.grant.key  # type: bytes | None
        self.issued = self.grant.issued or Instant()

    def check(self) -> int:
        """Why no lock may take it in, `ALLOWED` if there is nothing."""
        return fault(self.grant) or _sequence_fault(self.sequence)


class Revocation:
    """The end of a share, or of one key of it up to a version; `key` is None for the share."""

    grant: "Any" = None

    def __init__(self, payload: bytes, batch: "Any" = None):
        header = Header(payload, batch)
        terms = header.terms
        self.lock = header.lock
        self.issued = header.issued
        self.share = header.claims.take(cwt.CTI, bytes)
        self.version = terms.take(VERSION, int)
        self.sequence = terms.take(claims.SEQUENCE, int, None)
        self.key = terms.take(KEY, bytes, None)
        terms.end()

    def check(self) -> int:
        """Why no lock may take it in, `ALLOWED` if there is nothing."""
        if not 1 <= len(self.share) <= MOST_ID:
            return reasons.BAD_ID
        if self.key is not None and len(self.key) != claims.KEY_BYTES:
            return reasons.BAD_ID
        if not 1 <= self.version <= MOST_VERSION:
            return reasons.BAD_VERSION
        return _sequence_fault(self.sequence)


CHANGE: "dict[int, Any]" = {GRANT: Granting, REVOCATION: Revocation}


class Command:
    """A share's `action` at the door, for the lock's `challenge`."""

    def __init__(self, payload: bytes):
        header = Header(payload)
        self.lock = header.lock
        self.issued = header.issued
        self.share = header.claims.take(cwt.CTI, bytes)
        self.action = header.terms.take(ACTION, int)
        self.challenge = header.terms.take(CHALLENGE, bytes)
        header.terms.end()

    def check(self) -> int:
        """Why no lock may carry it out, `ALLOWED` if there is nothing."""
        if not 1 <= len(self.share) <= MOST_ID:
            return reasons.BAD_ID
        return reasons.ALLOWED if self.action in (UNLOCK, LOCK, PULL) else reasons.BAD_ACTION


def read_time(payload: bytes) -> "tuple[Header, bytes | None]":
    """The header of a time statement, whose issue is the instant, and the nonce or None."""
    header = Header(payload)
    nonce = header.terms.take(NONCE, bytes, None)
    header.terms.end()
    return header, nonce


def read_settings(payload: bytes) -> "tuple[Header, Settings]":
    """The header, and settings of the right shape; `store.settings.fault` asks the rest."""
    header = Header(payload)
    terms = header.terms
    settings = Settings()
    settings.version = terms.take(VERSION, int)
    settings.zone = terms.take(ZONE, str)
    settings.next_zone = terms.take(NEXT_ZONE, str, None)
    settings.next_from = instant(terms.take(NEXT_FROM, int, None))
    settings.auto_lock_s = terms.take(AUTO_LOCK_S, int)
    settings.mode = terms.take(MODE, int)
    settings.most_error_s = terms.take(MOST_ERROR_S, int)
    terms.end()
    return header, settings


def read_ack(payload: bytes) -> "tuple[Header, int, bytes]":
    """The header, and number and link of the entry up to which the cloud has the log."""
    header = Header(payload)
    sequence = header.terms.take(SEQUENCE, int)
    link = header.terms.take(LINK, bytes)
    header.terms.end()
    return header, sequence, link


def read_issuer(payload: bytes) -> "tuple[Instant, int, PublicKey]":
    """When it was issued, epoch and key of an issuer; this is for every lock under the root."""
    members = Members(cwt.decode_claims(payload))
    issued = instant(members.take(cwt.IAT, int)) or Instant()
    terms = Members(members.take(claims.TERMS, dict))
    epoch = terms.take(EPOCH, int)
    key = cose.key_from_map(terms.take(NEW_KEY, dict))
    terms.end()
    if not FIRST_DAY <= issued.day <= LAST_DAY:
        raise ClaimsError(reasons.BAD_DATES)
    if not 1 <= epoch <= MOST_VERSION:
        raise ClaimsError(reasons.BAD_VERSION)
    return issued, epoch, key


def _sequence_fault(sequence: "int | None") -> int:
    if sequence is None or 1 <= sequence <= MOST_SEQUENCE:
        return reasons.ALLOWED
    return reasons.BAD_SEQUENCE
