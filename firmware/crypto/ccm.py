"""AES-CCM (RFC 3610, SP 800-38C) as COSE uses it: 13-byte nonces, tags of 8 or 16 bytes.

Imports the constant-time comparison. The block cipher is passed in: `aes(key, mode, iv)` with the
interface of MicroPython's `cryptolib.aes`, which has neither CCM nor CTR on the ESP32. The MAC is
one CBC call, the key stream one ECB call over all counter blocks.

A nonce must never be used twice with one key; the caller sees to that. Of a message whose tag is
wrong nothing gets out.
"""

from .constant_time import equal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

NONCE_BYTES = 13
MAX_PLAINTEXT_BYTES = 0xFFFF
MAX_AAD_BYTES = 0xFEFF  # longer ones have another length prefix, which nothing here needs

_BLOCK_BYTES = 16
_LENGTH_BYTES = 2  # L = 15 - NONCE_BYTES
_MODE_ECB = 1
_MODE_CBC = 2


def encrypt(
    aes: "Callable",
    key: bytes,
    nonce: bytes,
    plaintext: bytes,
    aad: bytes = b"",
    tag_bytes: int = 8,
) -> bytes:
    """Ciphertext and tag; `tag_bytes` is 8 (AES-CCM-16-64-*) or 16 (AES-CCM-16-128-*).

    Raises ValueError for a nonce, tag length, plaintext or AAD of a size that is not possible.
    """
    _check_sizes(nonce, len(plaintext), aad, tag_bytes)
    tag = _mac(aes, key, nonce, plaintext, aad, tag_bytes)
    return _crypt(aes, key, nonce, tag, plaintext)


def decrypt(
    aes: "Callable",
    key: bytes,
    nonce: bytes,
    ciphertext: bytes,
    aad: bytes = b"",
    tag_bytes: int = 8,
) -> "bytes | None":
    """The plaintext, or None if key, nonce, ciphertext, tag and AAD do not belong together.

    Raises ValueError for a nonce, tag length or AAD of a size that is not possible.
    """
    plaintext_bytes = len(ciphertext) - tag_bytes
    _check_sizes(nonce, max(plaintext_bytes, 0), aad, tag_bytes)
    if plaintext_bytes < 0:
        return None
    sealed_tag = ciphertext[plaintext_bytes:]
    opened = _crypt(aes, key, nonce, sealed_tag, ciphertext[:plaintext_bytes])
    plaintext = opened[:plaintext_bytes]
    tag = _mac(aes, key, nonce, plaintext, aad, tag_bytes)
    return plaintext if equal(tag, opened[plaintext_bytes:]) else None


def _check_sizes(nonce, plaintext_bytes, aad, tag_bytes):
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a nonce has 13 bytes")
    if tag_bytes != 8 and tag_bytes != 16:
        raise ValueError("a tag has 8 or 16 bytes")
    if plaintext_bytes > MAX_PLAINTEXT_BYTES or len(aad) > MAX_AAD_BYTES:
        raise ValueError("too long")


def _mac(aes, key, nonce, plaintext, aad, tag_bytes):
    """The tag before encryption (RFC 3610 section 2.2)."""
    flags = (64 if aad else 0) | ((tag_bytes - 2) // 2) << 3 | (_LENGTH_BYTES - 1)
    blocks = bytearray([flags])
    blocks += nonce
    blocks += len(plaintext).to_bytes(_LENGTH_BYTES, "big")
    if aad:
        blocks += len(aad).to_bytes(2, "big")
        blocks += aad
        blocks += bytes(-len(blocks) % _BLOCK_BYTES)
    blocks += plaintext
    blocks += bytes(-len(blocks) % _BLOCK_BYTES)
    chained = aes(key, _MODE_CBC, bytes(_BLOCK_BYTES)).encrypt(blocks)
    return chained[-_BLOCK_BYTES:][:tag_bytes]


def _crypt(aes, key, nonce, tag, text):
    """`text` and then `tag`, both with the key stream applied (RFC 3610 section 2.3).

    Counter 0 is the tag's, so the tag goes to the front while the key stream is applied.
    """
    block_count = 1 + (len(text) + _BLOCK_BYTES - 1) // _BLOCK_BYTES
    counters = bytearray()
    prefix = bytes([_LENGTH_BYTES - 1]) + nonce
    for counter in range(block_count):
        counters += prefix
        counters += counter.to_bytes(_LENGTH_BYTES, "big")
    stream = aes(key, _MODE_ECB).encrypt(counters)
    return _xor(text, stream[_BLOCK_BYTES:]) + _xor(tag, stream)


def _xor(data, stream):
    """Two integers' XOR takes one step where a loop would take one per byte."""
    size = len(data)
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream[:size], "big")
    return mixed.to_bytes(size, "big")
