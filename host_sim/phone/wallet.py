"""What a phone keeps: its key, and for each lock who that is and what the two have in common.

Imports the firmware's crypto and link; runs on MicroPython, too. `as_dict` and `Wallet.of` are
for whoever writes it to a file that nobody else may read.
"""

from binascii import hexlify, unhexlify

from firmware.crypto import cbor, cose, edhoc
from firmware.link import credential
from firmware.link.ratchet import Ratchet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class KnownLock:
    """A lock by its public key's `point`, 64 bytes.

    `statements` are to be brought to it, in their order; `carried` are pieces of its log for the
    cloud; `ratchet` is what lets the phone in without a handshake, None if nothing does.
    """

    def __init__(self, point: bytes) -> None:
        self.point = point
        self.statements: "list[bytes]" = []
        self.carried: "list[bytes]" = []
        self.ratchet: "Ratchet | None" = None
        key = credential.key_of_point(point)
        self._by_kid = {edhoc.HEADER_KID: cose.key_id(key)}
        self.credential = cbor.encode(credential.claims(key))

    def authenticate(self, id_cred: dict) -> "tuple[bytes, bytes] | None":
        """Its credential and point, if that is who ID_CRED names."""
        return (self.credential, self.point) if id_cred == self._by_kid else None


class Wallet:
    """A phone's `scalar`, its public `point`, and `locks` by their ids."""

    def __init__(self, scalar: int, point: bytes) -> None:
        self.scalar = scalar
        self.point = point
        self.locks: "dict[str, KnownLock]" = {}
        key = credential.key_of_point(point)
        claims = credential.claims(key)
        self.credential = cbor.encode(claims)
        self.by_value = {edhoc.HEADER_KCCS: claims}
        self.by_kid = {edhoc.HEADER_KID: cose.key_id(key)}

    def know(self, lock: str, point: bytes) -> KnownLock:
        """This lock, with this key; with another than before it is another lock."""
        known = self.locks.get(lock)
        if known is None or known.point != point:
            known = self.locks[lock] = KnownLock(point)
        return known

    def as_dict(self) -> "dict[str, Any]":
        """All of it, for JSON."""
        return {
            "scalar": _text(self.scalar.to_bytes(32, "big")),
            "point": _text(self.point),
            "locks": {
                lock: {
                    "point": _text(known.point),
                    "statements": [_text(token) for token in known.statements],
                    "carried": [_text(piece) for piece in known.carried],
                    "ratchet": _text(known.ratchet.secret) if known.ratchet else None,
                }
                for lock, known in self.locks.items()
            },
        }

    @classmethod
    def of(cls, members: "dict[str, Any]") -> "Wallet":
        """What `as_dict` gave."""
        wallet = cls(int(members["scalar"], 16), unhexlify(members["point"]))
        for lock, kept in members["locks"].items():
            known = wallet.know(lock, unhexlify(kept["point"]))
            known.statements = [unhexlify(token) for token in kept["statements"]]
            known.carried = [unhexlify(piece) for piece in kept["carried"]]
            if kept["ratchet"]:
                known.ratchet = Ratchet(unhexlify(kept["ratchet"]))
        return wallet


def _text(data: bytes) -> str:
    return hexlify(data).decode()
