"""HMAC and HKDF with SHA-256 by the vectors of RFC 4231 and RFC 5869; constant-time equality."""

from firmware.crypto.constant_time import equal as same
from firmware.crypto.kdf import hkdf_expand, hkdf_extract, hmac_sha256
from firmware_tests.both.check import equal, raises

# RFC 4231 sections 4.2 to 4.8 (4.6, truncated output, aside): key, data, HMAC-SHA-256.
HMAC = (
    (
        b"\x0b" * 20,
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        (
            b"This is a test using a larger than block-size key and a larger than block-size "
            b"data. The key needs to be hashed before being used by the HMAC algorithm."
        ),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)

# RFC 5869 appendix A.1 to A.3: input key, salt, info, length, pseudorandom key, output.
HKDF = (
    (
        b"\x0b" * 22,
        bytes(range(13)),
        bytes(range(0xF0, 0xFA)),
        42,
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(80)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        82,
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    ),
    (
        b"\x0b" * 22,
        b"",
        b"",
        42,
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
)


def test_hmac_gives_the_codes_of_rfc_4231():
    for key, data, code in HMAC:
        equal(hmac_sha256(key, data).hex(), code)


def test_hmac_hashes_only_keys_longer_than_a_block():
    # Zeros pad a key to a block, so 64 of them are the empty key; 65 are not.
    empty_key = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    equal(hmac_sha256(b"", b"").hex(), empty_key)
    equal(hmac_sha256(bytes(64), b"").hex(), empty_key)
    hashed_key = "2dc19480eae3a02d634b585f777b82d13b92d3683016bb3266718cc5e8089417"
    equal(hmac_sha256(bytes(65), b"").hex(), hashed_key)


def test_hkdf_gives_the_keys_of_rfc_5869():
    for input_key, salt, info, length, pseudorandom_key, output in HKDF:
        equal(hkdf_extract(salt, input_key).hex(), pseudorandom_key)
        key = bytes.fromhex(pseudorandom_key)
        equal(hkdf_expand(key, info, length).hex(), output)


def test_hkdf_output_of_every_length_is_the_start_of_a_longer_one():
    key = hkdf_extract(b"salt", b"key")
    longest = hkdf_expand(key, b"info", 100)
    for length in range(101):
        equal(hkdf_expand(key, b"info", length), longest[:length])


def test_hkdf_ends_after_255_blocks():
    equal(len(hkdf_expand(bytes(32), b"", 8160)), 8160)
    raises(ValueError, hkdf_expand, bytes(32), b"", 8161)
    raises(ValueError, hkdf_expand, bytes(32), b"", -1)


def test_comparison_sees_every_bit():
    reference = bytes(range(16))
    equal(same(reference, bytearray(reference)), True)
    for place in range(16):
        for bit in range(8):
            changed = bytearray(reference)
            changed[place] ^= 1 << bit
            equal(same(reference, changed), False)
    # Differences that cancel out in a sum or in an XOR over all bytes.
    equal(same(b"\x01\x02", b"\x02\x01"), False)
    equal(same(b"\x01\x01", b"\x02\x02"), False)


def test_comparison_of_different_lengths():
    equal(same(b"", b""), True)
    equal(same(b"", b"\x00"), False)
    equal(same(b"ab", b"abc"), False)
    equal(same(b"abc", b"ab"), False)
