"""One entry of the audit log: 64 bytes, chained to the entry before and authenticated by the lock.

Imports crypto, `seal` and struct. docs/log.md has the layout. The link is a hash that anybody can
check; the tag is a code under the lock's own key, so that nobody with access to the flash alone
can write an entry, or leave one out between two others. `Chain` checks both, on the lock and in
the tools.
"""

import struct
from hashlib import sha256

from ..crypto.constant_time import equal
from .seal import SEAL_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..policy.decision import Now
    from .seal import Seal

BYTES = 64
LINK_BYTES = 16
SHARE_BYTES = 16
SUBJECT_BYTES = 8
MOST_SEQUENCE = 0x3FFF_FFFF  # fits a 31-bit small integer
MOST_COUNT = 0xFFFF
CHANNEL_SHIFT = 6  # in the action of a decision, above the action itself

BOOT = 1
GAP = 2
DAMAGE = 3
DECISION = 4
BOLT = 5
STATEMENT = 6
CLOCK = 7
STRANGERS = 8
SETTINGS = 9
KINDS = {
    BOOT: "boot",
    GAP: "gap",
    DAMAGE: "damage",
    DECISION: "decision",
    BOLT: "bolt",
    STATEMENT: "statement",
    CLOCK: "clock",
    STRANGERS: "strangers",
    SETTINGS: "settings",
}

# Reasons of the kinds that the log itself writes.
CLEAN = 0  # boot: after an orderly stop
UNCLEAN = 1  # boot: after a power cut or a crash; numbers are skipped
FIRST = 2  # boot: there was no log
CRASHED = 3  # boot: so many runs in a row ended with an error, or hung
FAILED = 4  # boot: the task in the subject ended with an error, and is tried again
QUEUE = 1  # gap: so many did not get a number, because none could be written for a while
RING = 2  # gap: so many, not acknowledged, had to make room
RECORDS = 1  # damage: so many entries of a segment, from the sequence number in the subject on
STATE = 2  # damage: so many copies of the log's state
MISSING = 3  # damage: so many numbers are gone that were known to be on flash
SETTINGS_COPIES = 4  # damage: to the settings, in one copy or in both
FLOOR_COPIES = 5  # damage: the same, to the clock's floor
SYNC_COPIES = 6  # damage: the same, to the sequence of statements
ISSUER_COPIES = 7  # damage: the same, to the issuer that the root named
ENDS_COPIES = 8  # damage: the same, to the bolt's calibration

# Faults that a Chain finds.
GOOD = 0
BAD_LINK = 1  # the entry, or its link, is not what was chained
BAD_TAG = 2  # chained, but not by the holder of the key
BAD_SEQUENCE = 3  # entries are missing before this one, or it is out of order

_HEAD = ">IBBBBBHBHH"
_SHARE = 16
_SUBJECT = 32
_LINK = 40
_TAG = BYTES - SEAL_BYTES
_PLACE = b"entry"


def pack(
    record: "memoryview | bytearray",
    sequence: int,
    kind: int,
    now: "Now",
    reason: int,
    action: int,
    share: bytes,
    subject: bytes,
    count: int,
) -> None:
    """Write an entry without its link and tag; a share or subject that is too long is cut."""
    at = now.at
    clock = now.trust << 6 | error_class(now.error_s)
    day = at.day
    second = at.second
    struct.pack_into(
        _HEAD, record, 0, sequence, kind, reason, action, clock,
        day >> 16 & 0xFF, day & 0xFFFF, second >> 16, second & 0xFFFF, min(count, MOST_COUNT),
    )  # fmt: skip
    _put(record, _SHARE, share, SHARE_BYTES)
    _put(record, _SUBJECT, subject, SUBJECT_BYTES)


def _put(record: "memoryview | bytearray", at: int, value: bytes, width: int) -> None:
    for i in range(width):
        record[at + i] = value[i] if i < len(value) else 0


def error_class(error_s: int) -> int:
    """The smallest c, at most 63, with `error_s` < 2**c."""
    bits = 0
    while error_s and bits < 63:
        error_s >>= 1
        bits += 1
    return bits


def chain(record: "memoryview | bytearray", previous: "bytes | bytearray") -> bytes:
    """Write the link of a packed entry, and return it."""
    link = link_of(record, previous)
    record[_LINK:_TAG] = link
    return link


def link_of(record: "memoryview | bytearray | bytes", previous: "bytes | bytearray") -> bytes:
    """What the link of this entry has to be, after the entry with link `previous`."""
    hashed = sha256(previous)
    hashed.update(record[:_LINK])
    return hashed.digest()[:LINK_BYTES]


def tag(record: "memoryview | bytearray", seal: "Seal") -> None:
    """Write the tag of a chained entry."""
    record[_TAG:] = seal.of(_PLACE, link(record))


def link(record: "memoryview | bytearray | bytes") -> bytes:
    """The link as it stands in an entry."""
    return bytes(record[_LINK:_TAG])


def sequence(record: "memoryview | bytearray | bytes") -> int:
    """The sequence number as it stands in an entry."""
    return int.from_bytes(record[:4], "big")


class Entry:
    """What an entry says; `day` and `second` as in `Instant`, the rest as given to `pack`."""

    def __init__(self, record: bytes) -> None:
        (
            self.sequence, self.kind, self.reason, self.action, clock,
            day, low_day, second, low_second, self.count,
        ) = struct.unpack_from(_HEAD, record)  # fmt: skip
        self.trust = clock >> 6
        self.error_class = clock & 63
        self.day = day << 16 | low_day
        self.second = second << 16 | low_second
        self.share = bytes(record[_SHARE:_SUBJECT])
        self.subject = bytes(record[_SUBJECT:_LINK])
        self.link = link(record)


class Chain:
    """Checks entries one after the other; a damaged one does not make the next one suspect.

    `previous` is the link before the first entry, None if it is not known; `seal` the log's,
    None to check no tags; `sequence` the number before the first entry, None if any will do.
    Afterwards `link` and `sequence` are those of the last entry, None for a number that cannot be
    believed.
    """

    def __init__(
        self,
        previous: "bytes | None",
        seal: "Seal | None" = None,
        sequence: "int | None" = None,
    ) -> None:
        self.link = previous
        self.sequence = sequence
        self._seal = seal
        self._repaired: "bytes | None" = None  # what the last link should have been

    def take(self, record: "memoryview | bytearray | bytes") -> int:
        """The fault of the next entry, or GOOD."""
        stored = link(record)
        fault = self._chained(record, stored)
        if fault == GOOD and self._seal is not None:
            if not equal(self._seal.of(_PLACE, stored), bytes(record[_TAG:])):
                fault = BAD_TAG
        self.link = stored
        if fault != GOOD:
            self.sequence = None
            return fault
        number = sequence(record)
        expected = self.sequence
        self.sequence = number
        if expected is None or _follows(record, number - expected - 1):
            return GOOD
        return BAD_SEQUENCE

    def _chained(self, record: "memoryview | bytearray | bytes", stored: bytes) -> int:
        if self.link is None:
            return GOOD
        wanted = link_of(record, self.link)
        if wanted == stored:
            self._repaired = None
            return GOOD
        # The link before may be what is damaged: then what it should have been leads here.
        if self._repaired is not None and link_of(record, self._repaired) == stored:
            self._repaired = None
            return GOOD
        self._repaired = wanted
        return BAD_LINK


def _follows(record: "memoryview | bytearray | bytes", skipped: int) -> bool:
    """Whether so many numbers may be missing before an entry: a boot says how many it skipped."""
    if record[4] != BOOT:
        return skipped == 0
    count = int.from_bytes(record[14:16], "big")
    return skipped == count or skipped > count == MOST_COUNT
