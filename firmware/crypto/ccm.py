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
_NO_BLOCK = bytes(_BLOCK_BYTES)
_SHORT_BYTES = 32
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
    sealed = _stream(aes, key, nonce, len(plaintext))
    _mix(sealed, _BLOCK_BYTES, plaintext)
    _mix(sealed, 0, _mac(aes, key, nonce, plaintext, aad, tag_bytes))
    return bytes(sealed[_BLOCK_BYTES : _BLOCK_BYTES + len(plaintext)]) + sealed[:tag_bytes]


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
    opened = _stream(aes, key, nonce, plaintext_bytes)
    _mix(opened, _BLOCK_BYTES, ciphertext[:plaintext_bytes])
    plaintext = bytes(opened[_BLOCK_BYTES : _BLOCK_BYTES + plaintext_bytes])
    tag = _mac(aes, key, nonce, plaintext, aad, tag_bytes)
    _mix(tag, 0, opened[:tag_bytes])
    return plaintext if equal(tag, ciphertext[plaintext_bytes:]) else None


def _check_sizes(nonce, plaintext_bytes, aad, tag_bytes):
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a nonce has 13 bytes")
    if tag_bytes != 8 and tag_bytes != 16:
        raise ValueError("a tag has 8 or 16 bytes")
    if plaintext_bytes > MAX_PLAINTEXT_BYTES or len(aad) > MAX_AAD_BYTES:
        raise ValueError("too long")


def _mac(aes, key, nonce, plaintext, aad, tag_bytes):
    """The tag before encryption (RFC 3610 section 2.2)."""
    text_at = _BLOCK_BYTES + (_padded(2 + len(aad)) if aad else 0)
    blocks = bytearray(text_at + _padded(len(plaintext)))
    blocks[0] = (64 if aad else 0) | ((tag_bytes - 2) // 2) << 3 | (_LENGTH_BYTES - 1)
    blocks[1:14] = nonce
    blocks[14] = len(plaintext) >> 8
    blocks[15] = len(plaintext) & 0xFF
    if aad:
        blocks[16] = len(aad) >> 8
        blocks[17] = len(aad) & 0xFF
        blocks[18 : 18 + len(aad)] = aad
    blocks[text_at : text_at + len(plaintext)] = plaintext
    aes(key, _MODE_CBC, _NO_BLOCK).encrypt(blocks, blocks)
    last = len(blocks) - _BLOCK_BYTES
    return blocks[last : last + tag_bytes]


def _stream(aes, key, nonce, size):
    """The key stream (section 2.3): a block for the tag, then whole ones for so many bytes."""
    stream = bytearray(_BLOCK_BYTES + _padded(size))
    for at in range(0, len(stream), _BLOCK_BYTES):
        stream[at] = _LENGTH_BYTES - 1
        stream[at + 1 : at + 14] = nonce
        stream[at + 14] = at >> 12
        stream[at + 15] = at >> 4 & 0xFF
    aes(key, _MODE_ECB).encrypt(stream, stream)
    return stream


def _mix(into, at, text):
    """XOR `text` into a buffer from `at` on."""
    if len(text) > _SHORT_BYTES:
        _mix_long(into, at, text)
        return
    for i in range(len(text)):
        into[at + i] ^= text[i]


def _mix_long(into, at, text):
    """Two integers' XOR takes one step where a loop takes one for each byte, but more heap."""
    end = at + len(text)
    mixed = int.from_bytes(into[at:end], "big") ^ int.from_bytes(text, "big")
    into[at:end] = mixed.to_bytes(len(text), "big")


def _padded(size):
    return (size + _BLOCK_BYTES - 1) // _BLOCK_BYTES * _BLOCK_BYTES
