"""What phone and lock say to each other once they share a key: frames under AES-CCM.

Imports AES-CCM. A nonce is the session's salt, who speaks, and a counter, so no frame can be left
out, repeated, put elsewhere or sent back. Both sides use this; `aes` is MicroPython's.
"""

from ..crypto import ccm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

KEY_BYTES = 16
SALT_BYTES = 8
MOST_FRAMES = 65_535  # of either side

# Labels of the exporter, from those for private use (RFC 9528 section 10.1).
KEYS_LABEL = 32_768  # KEY_BYTES and SALT_BYTES of the session
RESUME_LABEL = 32_769  # what the resumption starts from, see `ratchet`

# The first byte of a message.
GREETING = 0x01  # from the lock: a nonce of SALT_BYTES
START_OVER = 0x02  # from the lock: no resumption, go on with MESSAGE_1
MESSAGE_1 = 0x10
MESSAGE_2 = 0x11
MESSAGE_3 = 0x12
MESSAGE_4 = 0x13
ERROR = 0x1F
RESUME = 0x20  # from the phone: the id of a step, and the first frame
FRAME = 0x21
GREET = 0x22  # from the phone: another nonce, please


class Session:
    """One side's view of a visit; `key` and `salt` were never used for another.

    The key may come later than the salt: the lock makes the session of a resumption beforehand.
    """

    def __init__(self, aes: "Callable", key: bytes, salt: bytes, is_lock: bool) -> None:
        self._aes = aes
        self.key = key
        self._sends = salt + (b"\x01" if is_lock else b"\x00")
        self._takes = salt + (b"\x00" if is_lock else b"\x01")
        self._sent = 0
        self._taken = 0

    def seal(self, plaintext: bytes) -> bytes:
        """The next frame, 8 bytes longer."""
        if self._sent == MOST_FRAMES:
            raise ValueError("no session is that long")
        nonce = self._sends + self._sent.to_bytes(4, "big")
        self._sent += 1
        return ccm.encrypt(self._aes, self.key, nonce, plaintext)

    def open(self, frame: bytes) -> "bytes | None":
        """The plaintext of the next frame; None for anything else, which changes nothing."""
        if self._taken == MOST_FRAMES:
            return None
        nonce = self._takes + self._taken.to_bytes(4, "big")
        plaintext = ccm.decrypt(self._aes, self.key, nonce, frame)
        if plaintext is not None:
            self._taken += 1
        return plaintext
