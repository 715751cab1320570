"""Our COSE messages and keys against PyPI `cryptography`, `cbor2` and, elsewhere, `cwt`."""

import json
import subprocess
from hashlib import sha256

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given
from hypothesis import strategies as st

from firmware.crypto import cbor, cose, cwt, p256
from host_sim import runtimes
from host_sim.cloud import sign1

ES256 = ec.ECDSA(hashes.SHA256())
CLAIMS = {
    cwt.ISS: "coaps://cloud.example",
    cwt.SUB: "holder",
    cwt.AUD: "lock",
    cwt.EXP: 4_000_000_000,
    cwt.NBF: 1_000_000_000,
    cwt.IAT: 1_000_000_000,
    cwt.CTI: b"share",
    -65_537: {1: [2, None]},
}

# An interpreter with PyPI `cwt`, whose requirements do not go together with ours.
CWT_PYTHON = runtimes.ROOT / ".venv" / "cwt" / "bin" / "python"
CWT_PROGRAM = """
import json
import sys

from cwt import COSE, COSEHeaders, COSEKey
import cwt

case = json.load(sys.stdin)
bytes_of = bytes.fromhex
private = COSEKey.new({1: 2, 2: bytes_of(case["kid"]), 3: -7, -1: 1, -2: bytes_of(case["x"]),
                       -3: bytes_of(case["y"]), -4: bytes_of(case["d"])})
claims = cwt.decode(bytes_of(case["token"]), private)
protected, unprotected, payload = COSE.new().decode_with_headers(bytes_of(case["token"]), private)
token = COSE.new().encode(
    payload, private, protected={COSEHeaders.ALG: -7, COSEHeaders.KID: private.kid}
)
print(json.dumps({"token": token.hex(), "payload": payload.hex(), "exp": claims[4],
                  "sub": claims[2], "unprotected": len(unprotected)}))
"""


class Issuer:
    """A key pair of PyPI `cryptography`."""

    def __init__(self, scalar: int) -> None:
        self.scalar = scalar
        self.private = ec.derive_private_key(scalar, ec.SECP256R1())
        point = self.private.public_key().public_numbers()
        self.key = p256.PublicKey(point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big"))
        self.kid = cose.key_id(self.key)

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self.private.sign(message, ES256))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@pytest.fixture
def issuer() -> Issuer:
    return Issuer(123_456_789)


def by_hand(issuer: Issuer, payload: bytes, external_aad: bytes = b"") -> bytes:
    """A COSE_Sign1 put together with cbor2, from RFC 9052 and without our code."""
    key = cbor2.dumps({1: 2, -1: 1, -2: issuer.key.x, -3: issuer.key.y}, canonical=True)
    protected = cbor2.dumps({1: -7, 4: sha256(key).digest()[:8]}, canonical=True)
    signed = cbor2.dumps(["Signature1", protected, external_aad, payload])
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, issuer.sign(signed)]))


@given(st.integers(1, p256.N - 1), st.binary(max_size=300), st.binary(max_size=20))
def test_messages_made_by_hand_verify(scalar, payload, external_aad):
    issuer = Issuer(scalar)
    message = cose.parse(by_hand(issuer, payload, external_aad))
    assert cose.verify(message, issuer.key, external_aad) == payload
    with pytest.raises(cose.CoseError) as caught:
        cose.verify(message, issuer.key, external_aad + b"x")
    assert caught.value.code == cose.SIGNATURE


def test_our_messages_verify_elsewhere(issuer):
    token = sign1.sign(b"payload", issuer.kid, issuer.sign, b"aad")
    tagged = cbor2.loads(token)
    assert tagged.tag == 18
    protected, unprotected, payload, signature = tagged.value
    assert cbor2.loads(protected) == {1: -7, 4: issuer.kid}
    assert (unprotected, payload) == ({}, b"payload")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    signed = cbor2.dumps(["Signature1", protected, b"aad", payload])
    public = issuer.private.public_key()
    public.verify(encode_dss_signature(r, s), signed, ES256)
    with pytest.raises(InvalidSignature):
        public.verify(encode_dss_signature(r, s), signed + b"x", ES256)


def test_every_flipped_bit_of_a_message_is_noticed(issuer):
    issuer.key.precompute()
    token = sign1.sign(cbor.encode(CLAIMS), issuer.kid, issuer.sign)
    assert cose.verify(cose.parse(token), issuer.key) == cbor.encode(CLAIMS)
    for bit in range(8 * len(token)):
        changed = bytearray(token)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(cose.CoseError):
            cose.verify(cose.parse(bytes(changed)), issuer.key)


@given(st.binary(max_size=120))
def test_any_bytes_are_parsed_or_refused(data):
    for start in (b"", b"\xd2\x84", b"\xd2\x84\x4d\xa2\x01\x26\x04\x48kidkidki\xa0"):
        try:
            message = cose.parse(start + data)
        except cose.CoseError:
            continue
        parts = [message.protected, {}, message.payload, message.signature]
        assert cbor.encode(parts, 18) == start + data


@given(st.binary(max_size=90))
def test_any_bytes_are_a_key_or_refused(data):
    for start in (b"", b"\xa4\x01\x02\x20\x01\x21\x58\x20"):
        with pytest.raises(cose.CoseError):
            cose.decode_key(start + data)


def test_cwt_of_another_implementation_and_ours_verify_each_other(issuer):
    if not CWT_PYTHON.exists():
        pytest.skip("PyPI cwt is not installed: run `make env`")
    payload = cbor.encode(CLAIMS)
    case = {
        "token": sign1.sign(payload, issuer.kid, issuer.sign).hex(),
        "kid": issuer.kid.hex(),
        "x": issuer.key.x.hex(),
        "y": issuer.key.y.hex(),
        "d": issuer.scalar.to_bytes(32, "big").hex(),
    }
    done = subprocess.run(
        [CWT_PYTHON, "-c", CWT_PROGRAM],
        input=json.dumps(case),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["payload"] == payload.hex()
    assert (answer["exp"], answer["sub"]) == (CLAIMS[cwt.EXP], CLAIMS[cwt.SUB])
    assert answer["unprotected"] == 0
    theirs = bytes.fromhex(answer["token"])
    assert cwt.decode_claims(cose.verify(cose.parse(theirs), issuer.key)) == CLAIMS
    with pytest.raises(cose.CoseError):
        cose.verify(cose.parse(theirs), Issuer(2).key)
