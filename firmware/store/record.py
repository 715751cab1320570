"""What a slot of the grant cache says: 96 bytes, and how a grant becomes one to three of them.

Imports policy and struct. docs/storage.md has the layout. Here is only content; `bucket` adds
the generation and the seal, and hands over nothing whose seal is wrong.
"""

import struct

from ..policy.grant import MOST_RULES, Grant
from ..policy.instant import Instant
from ..policy.schedule import NO_FIRST_DAY, NO_LAST_DAY, Rule
from .seal import SEAL_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    from ..policy.decision import State

    Page = Union[bytearray, memoryview]

SLOT_BYTES = 96
MOST_PARTS = 3
KEY_BYTES = 16
SHARE_BYTES = 16
MOST_HOLDER_BYTES = 32

# Offsets in a slot. All kinds but MORE have a key, a share and a version at the same place.
KIND = 0  # low half: kind; high half: flags
PARTS = 1  # low half: how many slots, of MORE: which one; high half: length of the share id - 1
GENERATION = 2
BODY = 6
KEY = 6
SHARE = 22
VERSION = 38
SEAL = SLOT_BYTES - SEAL_BYTES

# Kinds.
VACANT = 0  # nothing; keeps the file of an emptied bucket
GRANT = 1
MORE = 2  # a second or third slot of the record before it
STANDING = 3  # what is known of a share beside its grants
WITHDRAWN = 4  # one key of a share was revoked

# Flags.
OLD = 0x10  # of GRANT and WITHDRAWN: the share has a newer version
COUNTED = 0x20  # of GRANT: void without the standing of its share
REVOKED = 0x40  # of STANDING: the share is over

_BODY_BYTES = SEAL - BODY
_USES = 42  # of STANDING
_FIRST_USE = 44
_NEVER = 0x1FFFF  # in the place of a day
_HEAD = ">16s16sI"
_FIXED = 40  # bytes of the body up to the time of issue
_PAIR = ">BHH"
_PAIR_BYTES = 5

_DENY = 0x80  # beside the weekdays of a rule
_UTC = 1  # beside its window
_DATED = 2


def is_counted(grant: Grant) -> bool:
    """Whether openings under this grant change what is known of its share."""
    return grant.uses is not None or grant.after_first_use_s is not None


def encode(grant: Grant) -> bytearray:
    """The slots of a grant that `policy.grant.fault` passes. ValueError for ids too long."""
    _check_ids(grant)
    bits = len(grant.holder)
    for width, value in (
        (5, len(grant.parent or b"")),
        (4, len(grant.rules)),
        (2, grant.level),
        (5, grant.rights),
        (2, grant.channels),
        (1, grant.duress),
        (1, grant.start is not None),
        (1, grant.until is not None),
        (1, grant.lease is not None),
        (1, grant.uses is not None),
        (1, grant.after_first_use_s is not None),
    ):
        bits = bits << width | int(value)
    body = struct.pack(_HEAD + "I", grant.key, grant.share, grant.version, bits)
    body += _instant(grant.issued)
    for instant in (grant.start, grant.until, grant.lease):
        if instant is not None:
            body += _instant(instant)
    if grant.uses is not None:
        body += struct.pack(">H", grant.uses)
    if grant.after_first_use_s is not None:
        body += struct.pack(">I", grant.after_first_use_s)
    body += grant.parent or b""
    for rule in grant.rules:
        body += _rule(rule)
    kind = GRANT | (COUNTED if is_counted(grant) else 0)
    return _slots(kind, grant.share, body + grant.holder)


def standing(share: bytes, floor: int, revoked: bool = False) -> bytearray:
    """The slot for what is known of a share; never used yet."""
    body = struct.pack(_HEAD, b"", share, floor) + b"\x00\x00" + _instant(None)
    return _slots(STANDING | (REVOKED if revoked else 0), share, body)


def withdrawn(share: bytes, key: bytes, version: int) -> bytearray:
    """The slot that says that a key of a share was revoked, up to a version."""
    return _slots(WITHDRAWN, share, struct.pack(_HEAD, key, share, version))


def vacant() -> bytearray:
    """The slot of a bucket that has none."""
    return bytearray(SLOT_BYTES)


def _check_ids(grant: Grant) -> None:
    fits = len(grant.key) == KEY_BYTES and 1 <= len(grant.share) <= SHARE_BYTES
    if grant.parent is not None:
        fits = fits and 1 <= len(grant.parent) <= SHARE_BYTES
    if not (fits and len(grant.holder) <= MOST_HOLDER_BYTES and len(grant.rules) <= MOST_RULES):
        raise ValueError("ids that no slot has room for")


def _slots(kind: int, share: bytes, body: bytes) -> bytearray:
    """Spread a body over as many slots as it takes."""
    parts = (len(body) + _BODY_BYTES - 1) // _BODY_BYTES
    slots = bytearray(parts * SLOT_BYTES)
    for part in range(parts):
        at = part * SLOT_BYTES
        piece = body[part * _BODY_BYTES : (part + 1) * _BODY_BYTES]
        slots[at + KIND] = MORE if part else kind
        slots[at + PARTS] = part or (len(share) - 1) << 4 | parts
        slots[at + BODY : at + BODY + len(piece)] = piece
    return slots


def _instant(instant: "Instant | None") -> bytes:
    return _pair(_NEVER, 0, 0) if instant is None else _pair(instant.day, instant.second, 0)


def _pair(a: int, b: int, flags: int) -> bytes:
    """Two numbers of 17 bits and six flags."""
    return struct.pack(_PAIR, flags << 2 | a >> 16 << 1 | b >> 16, a & 0xFFFF, b & 0xFFFF)


def _rule(rule: Rule) -> bytes:
    dated = rule.first_day != NO_FIRST_DAY or rule.last_day != NO_LAST_DAY
    flags = (_UTC if rule.utc else 0) | (_DATED if dated else 0)
    written = bytes([rule.weekdays | (0 if rule.allow else _DENY)])
    written += _pair(rule.start_s, rule.end_s, flags)
    if dated:
        first = _NEVER if rule.first_day == NO_FIRST_DAY else rule.first_day
        last = _NEVER if rule.last_day == NO_LAST_DAY else rule.last_day
        written += _pair(first, last, 0)
    return written


# --- reading; `page` is slots one after the other, `at` the offset of one ----------------------


def kind(page: "Page", at: int) -> int:
    """The kind of a slot, without its flags."""
    return page[at + KIND] & 0x0F


def parts(page: "Page", at: int) -> int:
    """How many slots a record has, from its first one."""
    return page[at + PARTS] & 0x0F


def is_share(page: "Page", at: int, share: bytes) -> bool:
    """Whether the length of the share id in a slot fits, where its bytes do."""
    return page[at + PARTS] >> 4 == len(share) - 1 and kind(page, at) not in (VACANT, MORE)


def share_of(page: "Page", at: int) -> bytes:
    """The share id in a slot."""
    return bytes(page[at + SHARE : at + SHARE + 1 + (page[at + PARTS] >> 4)])


def key_of(page: "Page", at: int) -> bytes:
    """The key in a slot."""
    return bytes(page[at + KEY : at + KEY + KEY_BYTES])


def number(page: "Page", at: int) -> int:
    """Four bytes, most significant first."""
    return (page[at] << 8 | page[at + 1]) << 16 | page[at + 2] << 8 | page[at + 3]


def put_number(page: "Page", at: int, value: int) -> None:
    """Write four bytes, most significant first."""
    struct.pack_into(">I", page, at, value)


def read_standing(page: "Page", at: int, state: "State", spare: Instant) -> None:
    """Take uses, first use and revocation of a share over into `state`; `spare` is lent to it."""
    state.revoked = state.revoked or bool(page[at + KIND] & REVOKED)
    state.uses = page[at + _USES] << 8 | page[at + _USES + 1]
    state.first_use = _read_instant(page, at + _FIRST_USE, spare)


def is_unused(page: "Page", at: int) -> bool:
    """Whether a slot is a standing that says no more than a version."""
    first_use = _pair_a(page, at + _FIRST_USE)
    used = page[at + _USES] or page[at + _USES + 1] or first_use != _NEVER
    return page[at + KIND] == STANDING and not used


def count(page: "Page", at: int, used: bool, first_use: "Instant | None") -> None:
    """Count a use of the share in its standing, and note the first one unless there is one."""
    uses = page[at + _USES] << 8 | page[at + _USES + 1]
    if used and uses < 0xFFFF:
        struct.pack_into(">H", page, at + _USES, uses + 1)
    if first_use is not None and _pair_a(page, at + _FIRST_USE) == _NEVER:
        page[at + _FIRST_USE : at + _FIRST_USE + _PAIR_BYTES] = _instant(first_use)


def spend(page: "Page", at: int) -> None:
    """Make a standing one that no count and no time after the first use has anything left of."""
    struct.pack_into(">H", page, at + _USES, 0xFFFF)
    page[at + _FIRST_USE : at + _FIRST_USE + _PAIR_BYTES] = _instant(Instant())


def _pair_a(page: "Page", at: int) -> int:
    return (page[at] >> 1 & 1) << 16 | page[at + 1] << 8 | page[at + 2]


def _pair_b(page: "Page", at: int) -> int:
    return (page[at] & 1) << 16 | page[at + 3] << 8 | page[at + 4]


def _read_instant(page: "Page", at: int, instant: Instant) -> "Instant | None":
    instant.day = _pair_a(page, at)
    instant.second = _pair_b(page, at)
    return None if instant.day == _NEVER else instant


class Space:
    """A grant for one lock with room for all that decoding fills; lent again and again."""

    def __init__(self, lock: bytes) -> None:
        self.grant = Grant(b"", lock, b"")
        self._body = bytearray(MOST_PARTS * _BODY_BYTES)
        self._view = memoryview(self._body)
        rules = tuple([Rule() for _ in range(MOST_RULES)])
        self._rules = [rules[:length] for length in range(MOST_RULES + 1)]
        self._instants = [Instant() for _ in range(4)]
        self._at = 0

    def decode(self, page: "Page", at: int, key: bytes) -> Grant:
        """The grant of a key in the slots from `at` on; good until the next one is decoded."""
        for part in range(parts(page, at)):
            to = part * _BODY_BYTES
            begin = at + part * SLOT_BYTES + BODY
            self._view[to : to + _BODY_BYTES] = page[begin : begin + _BODY_BYTES]
        grant = self.grant
        grant.key = key
        grant.share = share_of(page, at)
        grant.version = number(page, at + VERSION)
        self._at = _FIXED
        self._read(grant, number(page, at + VERSION + 4))
        return grant

    def _read(self, grant: Grant, bits: int) -> None:
        grant.channels = bits >> 6 & 3
        grant.rights = bits >> 8 & 31
        grant.level = bits >> 13 & 3
        grant.duress = bool(bits >> 5 & 1)
        grant.issued = self._instant(0, True)
        grant.start = self._instant(1, bits >> 4 & 1)
        grant.until = self._instant(2, bits >> 3 & 1)
        grant.lease = self._instant(3, bits >> 2 & 1)
        grant.uses = self._integer(2) if bits >> 1 & 1 else None
        grant.after_first_use_s = self._integer(4) if bits & 1 else None
        grant.parent = self._octets(bits >> 19 & 31) or None
        grant.rules = self._rules[bits >> 15 & 15]
        for rule in grant.rules:
            self._rule(rule)
        grant.holder = self._octets(bits >> 24)

    def _skip(self, length: int) -> int:
        """Go on by so many bytes; returns where they begin."""
        at = self._at
        self._at += length
        return at

    def _octets(self, length: int) -> bytes:
        at = self._skip(length)
        return bytes(self._view[at : at + length]) if length else b""

    def _integer(self, length: int) -> int:
        value = 0
        at = self._skip(length)
        for i in range(length):
            value = value << 8 | self._body[at + i]
        return value

    def _instant(self, place: int, present: "int | bool") -> "Instant | None":
        if not present:
            return None
        return _read_instant(self._body, self._skip(_PAIR_BYTES), self._instants[place])

    def _rule(self, rule: Rule) -> None:
        body = self._body
        at = self._skip(1 + _PAIR_BYTES)
        rule.weekdays = body[at] & ~_DENY
        rule.allow = not body[at] & _DENY
        rule.start_s = _pair_a(body, at + 1)
        rule.end_s = _pair_b(body, at + 1)
        rule.utc = bool(body[at + 1] >> 2 & _UTC)
        rule.first_day = NO_FIRST_DAY
        rule.last_day = NO_LAST_DAY
        if body[at + 1] >> 2 & _DATED:
            at = self._skip(_PAIR_BYTES)
            first, last = _pair_a(body, at), _pair_b(body, at)
            rule.first_day = NO_FIRST_DAY if first == _NEVER else first
            rule.last_day = NO_LAST_DAY if last == _NEVER else last
