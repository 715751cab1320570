"""The log on its way to the cloud in a phone that must not read it.

Imports crypto. The key is what the lock's static key and the issuer's agree on (SP 800-56A), so
lock and cloud have it without having met, and nobody else does. Whoever is sent one of these
tells by the log's own chain what is missing or old.
"""

from ..crypto import ccm
from ..crypto.kdf import hkdf_expand, hkdf_extract

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

_KEY_BYTES = 16
_TAG_BYTES = 16


class Carried:
    """Seals and opens under the x of the point that both keys lead to."""

    def __init__(self, aes: "Callable", shared: bytes) -> None:
        self._aes = aes
        self._key = hkdf_expand(hkdf_extract(b"", shared), b"carried log", _KEY_BYTES)

    def seal(self, export: bytes, nonce: bytes) -> bytes:
        """A piece of the log under 13 random bytes, which go in front."""
        return nonce + ccm.encrypt(self._aes, self._key, nonce, export, b"", _TAG_BYTES)

    def open(self, sealed: bytes) -> "bytes | None":
        """The piece of the log, None if the two keys did not seal it."""
        nonce, rest = sealed[: ccm.NONCE_BYTES], sealed[ccm.NONCE_BYTES :]
        if len(nonce) < ccm.NONCE_BYTES:
            return None
        return ccm.decrypt(self._aes, self._key, nonce, rest, b"", _TAG_BYTES)
