"""The seal under what the lock keeps: HMAC-SHA256 (RFC 2104), cut to eight bytes.

Imports only `hashlib`. The padded key is kept, because a bucket of grants takes some eighty
seals and `crypto.kdf` pads anew for each. Eight bytes are enough here: whoever forges one has
to write it to the flash and ask the lock, 2**63 times on average.
"""

from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Bytes = Union[bytes, bytearray, memoryview]

SEAL_BYTES = 8

_BLOCK_BYTES = 64


class Seal:
    """Seals under one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        padded = key + bytes(_BLOCK_BYTES - len(key))
        self._inner = bytes([byte ^ 0x36 for byte in padded])
        self._outer = bytes([byte ^ 0x5C for byte in padded])

    def of(self, place: "Bytes", content: "Bytes") -> bytes:
        """The seal of `content` at `place`, whose length must be fixed by what is sealed."""
        return self._digest(place, content)[:SEAL_BYTES]

    def fits(self, place: "Bytes", content: "Bytes", page: "Bytes", at: int) -> bool:
        """Whether the seal of `content` is what stands at an offset of `page`.

        It may take longer the more is right: whoever could measure it has no way to write a seal.
        """
        digest = self._digest(place, content)
        for i in range(SEAL_BYTES):
            if digest[i] != page[at + i]:
                return False
        return True

    def _digest(self, place: "Bytes", content: "Bytes") -> bytes:
        inner = sha256(self._inner)
        inner.update(place)
        inner.update(content)
        outer = sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()
