"""MicroPython's `cryptolib` for CPython, over PyPI `cryptography`; refuses what the real one
refuses.

Imports nothing of the project. Compared with MicroPython 1.28, unix port: AES with 16- or 32-byte
keys, modes ECB (1) and CBC (2) but no CTR, as on the ESP32, no keywords, whole blocks only, and
an object that has encrypted does not decrypt.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_MODE_ECB = 1
_MODE_CBC = 2
_BLOCK_BYTES = 16


class aes:
    """`aes(key, mode, iv)`; the chain of CBC goes on from call to call."""

    def __init__(self, key, mode, iv=None, /):
        if isinstance(key, str) or isinstance(iv, str):
            # The real one takes a string's bytes, and no code here should rely on that.
            raise TypeError("object with buffer protocol required")
        if mode not in (_MODE_ECB, _MODE_CBC):
            raise ValueError("mode")
        if len(key) not in (16, 32):
            raise ValueError("key")
        # ECB ignores an IV, but not one of a wrong size.
        if (iv is None and mode == _MODE_CBC) or (iv is not None and len(iv) != _BLOCK_BYTES):
            raise ValueError("IV")
        chaining = modes.ECB() if mode == _MODE_ECB else modes.CBC(bytes(iv))
        self._cipher = Cipher(algorithms.AES(bytes(key)), chaining)
        self._encryptor = None
        self._decryptor = None

    def encrypt(self, data, out=None, /):
        """Encrypt whole blocks, into `out` if given (at least as long), and return the result."""
        if self._decryptor is not None:
            raise ValueError("can't encrypt & decrypt")
        if self._encryptor is None:
            self._encryptor = self._cipher.encryptor()
        return self._run(self._encryptor, data, out)

    def decrypt(self, data, out=None, /):
        """Decrypt whole blocks, into `out` if given (at least as long), and return the result."""
        if self._encryptor is not None:
            raise ValueError("can't encrypt & decrypt")
        if self._decryptor is None:
            self._decryptor = self._cipher.decryptor()
        return self._run(self._decryptor, data, out)

    def _run(self, context, data, out):
        if isinstance(data, str) or isinstance(out, bytes):
            raise TypeError("object with buffer protocol required")
        if len(data) % _BLOCK_BYTES:
            raise ValueError("blksize % 16")
        if out is not None and len(out) < len(data):
            raise ValueError("output too small")
        result = context.update(bytes(data))
        if out is None:
            return result
        out[: len(result)] = result
        return out
