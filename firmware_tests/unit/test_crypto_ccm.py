"""Our AES-CCM against OpenSSL's, and the stand-in for `cryptolib` against MicroPython's."""

import cryptolib
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import given
from hypothesis import strategies as st

from firmware.crypto import ccm
from host_sim import runtimes


def openssl_decrypts(key, nonce, sealed, aad, tag_bytes):
    try:
        return AESCCM(key, tag_bytes).decrypt(nonce, sealed, aad)
    except InvalidTag:
        return None


@given(
    st.sampled_from([16, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
    st.binary(min_size=13, max_size=13),
    st.binary(max_size=100),
    st.binary(max_size=60),
    st.sampled_from([8, 16]),
    st.data(),
)
def test_messages_agree_with_openssl(key, nonce, plaintext, aad, tag_bytes, data):
    sealed = ccm.encrypt(cryptolib.aes, key, nonce, plaintext, aad, tag_bytes)
    assert sealed == AESCCM(key, tag_bytes).encrypt(nonce, plaintext, aad)
    changed = bytearray(sealed)
    if data.draw(st.booleans(), "corrupt"):
        changed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    opened = ccm.decrypt(cryptolib.aes, key, nonce, bytes(changed), aad, tag_bytes)
    assert opened == openssl_decrypts(key, nonce, bytes(changed), aad, tag_bytes)
    assert (opened is None) == (changed != sealed)


# Arguments of aes(), what to call, and its arguments, as source for both interpreters.
CALLS = (
    "aes(K, 1).encrypt(B)",
    "aes(K, 1).decrypt(B)",
    "aes(K, 2, B).encrypt(B + B)",
    "aes(K, 2, B).decrypt(B + B)",
    "aes(K + K, 1).encrypt(B)",
    "aes(K, 1, B).encrypt(B)",
    "aes(K, 1, None).encrypt(B)",
    "aes(K, 1).encrypt(b'')",
    "aes(bytearray(K), 1).encrypt(memoryview(B))",
    "aes(K, True).encrypt(B)",
    "aes(K)",
    "aes()",
    "aes(K, 0)",
    "aes(K, 3)",
    "aes(K[:8], 1)",
    "aes(K + K[:8], 1)",
    "aes(K, 2)",
    "aes(K, 2, None)",
    "aes(K, 2, B[:15])",
    "aes(K, 1, B[:15])",
    "aes(K, mode=1)",
    "aes(K, 2, IV=B)",
    "aes(K, 1).encrypt(B[:15])",
    "aes(K, 2, B).decrypt(B + B[:1])",
    "aes(K, 1).encrypt(B, bytes(16))",
    "aes(K, 1).encrypt(B, bytearray(15))",
    "aes(K, 1).encrypt(B, bytearray(17))",
    "aes(K, 1).encrypt()",
    "aes(K, 1).encrypt(5)",
    "aes(5, 1)",
)
PROGRAM = """
from cryptolib import aes
K = bytes(range(16))
B = bytes(range(100, 116))
for call in CALLS:
    try:
        print(bytes(eval(call)).hex())
    except Exception as error:
        print(type(error).__name__)
"""


def test_cryptolibs_stand_in_answers_and_refuses_like_micropython(tmp_path):
    program = tmp_path / "calls.py"
    program.write_text(f"CALLS = {CALLS!r}\n{PROGRAM}")
    answers = {
        runtime: runtimes.run(runtime, program, path=path).stdout.splitlines()
        for runtime, path in (("micropython", ()), ("cpython", ("host_sim/shims",)))
    }
    assert len(answers["micropython"]) == len(CALLS)
    assert answers["cpython"] == answers["micropython"]
