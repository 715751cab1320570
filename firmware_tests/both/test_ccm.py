"""AES-CCM: packets of RFC 3610, OpenSSL's messages, and that nothing altered ever opens."""

from cryptolib import aes

from firmware.crypto import ccm
from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.vectors import read

LACKS = ("cryptolib",)

# RFC 3610 section 8, packets 1 to 4: nonce, bytes of AAD, bytes in all, ciphertext and tag.
PACKETS = (
    (
        "00000003020100a0a1a2a3a4a5",
        8,
        31,
        "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0",
    ),
    (
        "00000004030201a0a1a2a3a4a5",
        8,
        32,
        "72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3ba091d56e10400916",
    ),
    (
        "00000005040302a0a1a2a3a4a5",
        8,
        33,
        "51b1e5f44a197d1da46b0f8e2d282ae871e838bb64da8596574adaa76fbd9fb0c5",
    ),
    (
        "00000006050403a0a1a2a3a4a5",
        12,
        31,
        "a28c6865939a9a79faaa5c4c2a9d4a91cdac8c96c861b9c9e61ef1",
    ),
)

KEY = bytes(range(16))
NONCE = bytes(range(13))


def test_packets_of_rfc_3610():
    key = bytes(range(0xC0, 0xD0))
    for nonce, aad_bytes, packet_bytes, sealed in PACKETS:
        packet = bytes(range(packet_bytes))
        args = (packet[aad_bytes:], packet[:aad_bytes])
        equal(ccm.encrypt(aes, key, bytes.fromhex(nonce), args[0], args[1]).hex(), sealed)
        opened = ccm.decrypt(aes, key, bytes.fromhex(nonce), bytes.fromhex(sealed), args[1])
        equal(opened, args[0])


def test_messages_of_openssl():
    messages = read("crypto-ccm")["messages"]
    for message in messages:
        key, nonce, aad, plaintext, sealed = [
            bytes.fromhex(message[name]) for name in ("key", "nonce", "aad", "plaintext", "sealed")
        ]
        tag_bytes = message["tag_bytes"]
        equal(ccm.encrypt(aes, key, nonce, plaintext, aad, tag_bytes), sealed)
        equal(ccm.decrypt(aes, key, nonce, sealed, aad, tag_bytes), plaintext)
    true(len(messages) >= 26, "no vectors")


def test_nothing_altered_opens():
    for tag_bytes in (8, 16):
        sealed = ccm.encrypt(aes, KEY, NONCE, b"seventeen bytes..", b"aad", tag_bytes)
        for place in range(len(sealed)):
            altered = bytearray(sealed)
            altered[place] ^= 1 << (place % 8)
            equal(ccm.decrypt(aes, KEY, NONCE, bytes(altered), b"aad", tag_bytes), None, place)
        for length in range(len(sealed)):
            equal(ccm.decrypt(aes, KEY, NONCE, sealed[:length], b"aad", tag_bytes), None, length)
        equal(ccm.decrypt(aes, KEY, NONCE, sealed + b"\x00", b"aad", tag_bytes), None)
        for aad in (b"", b"aaD", b"aad\x00", b"aa", bytes(3)):
            equal(ccm.decrypt(aes, KEY, NONCE, sealed, aad, tag_bytes), None, aad)
        equal(ccm.decrypt(aes, bytes(16), NONCE, sealed, b"aad", tag_bytes), None)
        equal(ccm.decrypt(aes, KEY, bytes(13), sealed, b"aad", tag_bytes), None)


def test_a_tag_of_the_other_length_does_not_open():
    short = ccm.encrypt(aes, KEY, NONCE, bytes(20), b"", 8)
    long = ccm.encrypt(aes, KEY, NONCE, bytes(20), b"", 16)
    equal(ccm.decrypt(aes, KEY, NONCE, short, b"", 16), None)
    equal(ccm.decrypt(aes, KEY, NONCE, long, b"", 8), None)
    # A long tag cut short is not a short tag: the length is authenticated.
    equal(ccm.decrypt(aes, KEY, NONCE, long[:-8], b"", 8), None)


def test_zeros_at_the_end_of_aad_or_text_count():
    sealed = ccm.encrypt(aes, KEY, NONCE, b"text", b"aad")
    for text, aad in ((b"text\x00", b"aad"), (b"text", b"aad\x00"), (b"", b"aad"), (b"text", b"")):
        other = ccm.encrypt(aes, KEY, NONCE, text, aad)
        true(other[-8:] != sealed[-8:], (text, aad))


def test_impossible_sizes_are_the_callers_mistake():
    for nonce in (b"", bytes(12), bytes(14)):
        raises(ValueError, ccm.encrypt, aes, KEY, nonce, b"")
        raises(ValueError, ccm.decrypt, aes, KEY, nonce, bytes(8))
    # With 5 bytes even the counter blocks would come out as whole AES blocks.
    raises(ValueError, ccm.encrypt, aes, KEY, bytes(5), b"x")
    for tag_bytes in (0, 4, 7, 10, 17, -8):
        raises(ValueError, ccm.encrypt, aes, KEY, NONCE, b"", b"", tag_bytes)
        raises(ValueError, ccm.decrypt, aes, KEY, NONCE, bytes(20), b"", tag_bytes)
    raises(ValueError, ccm.encrypt, aes, KEY, NONCE, bytes(65536))
    raises(ValueError, ccm.encrypt, aes, KEY, NONCE, b"", bytes(0xFF00))
    equal(len(ccm.encrypt(aes, KEY, NONCE, bytes(65535), bytes(0xFEFF))), 65543)


def test_random_messages_open_and_altered_ones_do_not():
    random = soak.Random(soak.seed())
    for _ in range(soak.count(5000, 60)):
        key = random.bytes(16)
        nonce = random.bytes(13)
        text = random.bytes(random.below(70))
        aad = random.bytes(random.below(40))
        sealed = bytearray(ccm.encrypt(aes, key, nonce, text, aad))
        equal(ccm.decrypt(aes, key, nonce, bytes(sealed), aad), text)
        sealed[random.below(len(sealed))] ^= 1 + random.below(255)
        equal(ccm.decrypt(aes, key, nonce, bytes(sealed), aad), None)


def test_aes_refuses_what_the_chip_refuses():
    # The stand-in on CPython has to be as strict as the real one, so both are asked.
    for key_bytes in (0, 8, 15, 17, 24, 33):
        raises(ValueError, aes, bytes(key_bytes), 1)
    for mode in (0, 3, 4, 6):
        raises(ValueError, aes, KEY, mode)
    raises(ValueError, aes, KEY, 2)
    for iv_bytes in (0, 15, 17):
        raises(ValueError, aes, KEY, 2, bytes(iv_bytes))
        raises(ValueError, aes, KEY, 1, bytes(iv_bytes))
    raises(ValueError, aes(KEY, 1).encrypt, bytes(15))
    raises(ValueError, aes(KEY, 2, bytes(16)).decrypt, bytes(17))
    raises(ValueError, aes(KEY, 1).encrypt, bytes(16), bytearray(15))
    raises(TypeError, aes(KEY, 1).encrypt, bytes(16), bytes(16))
    raises(TypeError, aes, KEY)


def test_aes_works_in_one_direction_and_goes_on_chaining():
    one = aes(KEY, 2, bytes(16))
    first, second = one.encrypt(bytes(16)), one.encrypt(bytes(16))
    equal(first + second, aes(KEY, 2, bytes(16)).encrypt(bytes(32)))
    raises(ValueError, one.decrypt, first)
    back = aes(KEY, 2, bytes(16))
    equal(back.decrypt(first + second), bytes(32))
    raises(ValueError, back.encrypt, bytes(16))
    # FIPS 197 appendix C.1.
    block = bytes.fromhex("00112233445566778899aabbccddeeff")
    sealed = "69c4e0d86a7b0430d8cdb78070b4c55a"
    equal(aes(KEY, 1).encrypt(block).hex(), sealed)
    out = bytearray(20)
    true(aes(KEY, 1).encrypt(block, out) is out)
    equal(bytes(out).hex(), sealed + "00000000")
