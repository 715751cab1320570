"""What a lock advertises: that it is one, and which, for those who know its id and nobody else.

Imports crypto. The advertisement has the service; the answer to a scan has 3 random bytes, and the
first 4 of their HMAC-SHA256 with the lock's id as the key. They are made anew together with the
address.
"""

from ..crypto.kdf import hmac_sha256

SALT_BYTES = 3
_TAG_BYTES = 4
_FLAGS = b"\x02\x01\x06"  # for everybody to find; no Bluetooth but LE
_UUIDS = b"\x11\x07"  # all 128-bit services
_DATA = b"\x18\x21"  # of a 128-bit service
# Connected, 60 to 120 ms between two exchanges are quick enough for a visit, and spare batteries.
_INTERVALS = b"\x05\x12\x30\x00\x60\x00"


def beacon(lock: bytes, salt: bytes) -> bytes:
    """The data of the service: salt and tag, 7 bytes."""
    return salt + hmac_sha256(lock, b"beacon" + salt)[:_TAG_BYTES]


def is_of(lock: bytes, data: bytes) -> bool:
    """Whether a lock's beacon is that of the lock with this id."""
    return len(data) == SALT_BYTES + _TAG_BYTES and data == beacon(lock, data[:SALT_BYTES])


def advertisement(service: bytes) -> bytes:
    """What is advertised; `service` is the UUID, its last byte first."""
    return _FLAGS + _UUIDS + service


def answer(service: bytes, lock: bytes, salt: bytes) -> bytes:
    """What is answered to a scan, 31 bytes."""
    return _DATA + service + beacon(lock, salt) + _INTERVALS
