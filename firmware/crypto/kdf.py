"""HMAC (RFC 2104) and HKDF (RFC 5869), both with SHA-256. Imports only `hashlib`.

MicroPython has no `hmac`, and its digests neither copy nor tell their value twice.
"""

from hashlib import sha256

HASH_BYTES = 32

_BLOCK_BYTES = 64
_MAX_OUTPUT_BYTES = 255 * HASH_BYTES


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """The 32-byte authentication code of `data` (RFC 2104 section 2)."""
    if len(key) > _BLOCK_BYTES:
        key = sha256(key).digest()
    inner_pad = bytearray(b"\x36" * _BLOCK_BYTES)
    outer_pad = bytearray(b"\x5c" * _BLOCK_BYTES)
    for i in range(len(key)):
        inner_pad[i] ^= key[i]
        outer_pad[i] ^= key[i]
    inner = sha256(inner_pad)
    inner.update(data)
    outer = sha256(outer_pad)
    outer.update(inner.digest())
    return outer.digest()


def hkdf_extract(salt: bytes, input_key: bytes) -> bytes:
    """A 32-byte pseudorandom key (RFC 5869 section 2.2); an empty salt means 32 zero bytes."""
    return hmac_sha256(salt, input_key)


def hkdf_expand(pseudorandom_key: bytes, info: bytes, length: int) -> bytes:
    """`length` bytes of output, 0 to 8160 (RFC 5869 section 2.3); raises ValueError beyond."""
    if not 0 <= length <= _MAX_OUTPUT_BYTES:
        raise ValueError("HKDF yields 0 to 8160 bytes")
    output = b""
    block = b""
    counter = 0
    while len(output) < length:
        counter += 1
        block = hmac_sha256(pseudorandom_key, block + info + bytes([counter]))
        output += block
    return output[:length]
