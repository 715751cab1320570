"""The tests' own AES is AES, so that AES-CCM is tested on every runtime as it is shipped."""

from firmware.crypto import ccm
from firmware_tests.both.check import equal, true
from firmware_tests.both.soft_aes import aes
from firmware_tests.both.vectors import read


def test_the_block_of_fips_197():
    block = aes(bytes(range(16)), 1).encrypt(bytes.fromhex("00112233445566778899aabbccddeeff"))
    equal(block.hex(), "69c4e0d86a7b0430d8cdb78070b4c55a")


def test_messages_of_openssl():
    messages = read("crypto-ccm")["messages"]
    for message in messages:
        key, nonce, aad, plaintext, sealed = [
            bytes.fromhex(message[name]) for name in ("key", "nonce", "aad", "plaintext", "sealed")
        ]
        if len(key) == 16 and len(plaintext) < 1000:
            tag_bytes = message["tag_bytes"]
            equal(ccm.encrypt(aes, key, nonce, plaintext, aad, tag_bytes), sealed)
            equal(ccm.decrypt(aes, key, nonce, sealed, aad, tag_bytes), plaintext)
    true(len(messages) >= 26, "no vectors")
