"""ECDSA and ECDH against OpenSSL's; the base point's table; budgets of field multiplications."""

import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given
from hypothesis import strategies as st

from firmware.crypto import ecdh, p256
from firmware.crypto.slices import SLICE, finish
from tools import p256_table
from tools.bench import crypto as bench

ECDSA = ec.ECDSA(Prehashed(hashes.SHA256()))
SCALARS = st.one_of(
    st.integers(1, p256.N - 1), st.integers(1, 9), st.integers(1, 9).map(lambda i: p256.N - i)
)


def openssl_verifies(public: ec.EllipticCurvePublicKey, digest: bytes, signature: bytes) -> bool:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public.verify(encode_dss_signature(r, s), digest, ECDSA)
    except InvalidSignature:
        return False
    return True


@given(SCALARS, st.binary(min_size=32, max_size=32), st.data())
def test_verdicts_agree_with_openssl(scalar, digest, data):
    private = ec.derive_private_key(scalar, ec.SECP256R1())
    public = private.public_key()
    r, s = decode_dss_signature(private.sign(digest, ECDSA))
    signature = bytearray(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    if data.draw(st.booleans(), "corrupt"):
        signature[data.draw(st.integers(0, 63))] ^= data.draw(st.integers(1, 255))
    point = public.public_numbers()
    key = p256.PublicKey(point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big"))
    expected = openssl_verifies(public, digest, bytes(signature))
    assert p256.verify(digest, bytes(signature), key) is expected
    key.precompute()
    assert p256.verify(digest, bytes(signature), key) is expected


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.booleans())
def test_keys_agree_with_openssl(x, y, on_curve):
    if on_curve:
        scalar = int.from_bytes(x, "big") % (p256.N - 1) + 1
        point = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
    try:
        p256.PublicKey(x, y)
        accepted = True
    except p256.InvalidPoint:
        accepted = False
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()
    )
    try:
        numbers.public_key()
        expected = True
    except ValueError:
        expected = False
    assert accepted is expected
    assert accepted is on_curve


@given(SCALARS)
def test_tables_hold_the_multiples_that_openssl_computes(scalar):
    point = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    key = p256.PublicKey(point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big"))
    assert key.precompute() == p256_table.table(scalar)


def test_the_base_points_table_is_the_generated_one():
    assert p256_table.TARGET.read_text(encoding="ascii") == p256_table.source()


def test_verification_stays_within_its_field_multiplications():
    counts = bench.counts(12)
    known = [multiplications for multiplications, _ in counts["known"]]
    any_key = [multiplications for multiplications, _ in counts["any"]]
    assert 800 < min(known) and max(known) <= 1260
    assert 2500 < min(any_key) and max(any_key) <= 3150
    assert {inversions for _, inversions in counts["known"] + counts["any"]} == {2}


def encoded(public: ec.EllipticCurvePublicKey) -> bytes:
    numbers = public.public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


@given(SCALARS, SCALARS, SCALARS)
def test_secrets_agree_with_openssl(ephemeral, key, peer):
    own, static, other = (
        ec.derive_private_key(scalar, ec.SECP256R1()) for scalar in (ephemeral, key, peer)
    )
    point = encoded(other.public_key())
    secret = own.exchange(ec.ECDH(), other.public_key())
    assert finish(ecdh.public(peer, os.urandom)) == point
    assert finish(ecdh.single(ephemeral, point, os.urandom)) == secret
    if ephemeral != key:
        both = finish(ecdh.pair(ephemeral, key, point, os.urandom))
        assert both == (secret, static.exchange(ec.ECDH(), other.public_key()))


@given(SCALARS)
def test_a_point_is_found_by_its_x(scalar):
    point = encoded(ec.derive_private_key(scalar, ec.SECP256R1()).public_key())
    found = finish(ecdh.lift(point[:32]))
    opposite = p256.P - int.from_bytes(point[32:], "big")
    assert found in (point, point[:32] + opposite.to_bytes(32, "big"))


def test_an_exchange_takes_the_same_steps_for_every_key_and_no_long_ones():
    for name, rounds in bench.exchanges(8).items():
        assert all(slices == rounds[0] for slices in rounds), name
        assert max(rounds[0]) <= SLICE, name
    assert sum(bench.exchanges(1)["pair"][0]) <= 2 * 2700


def test_a_verification_takes_no_long_steps_either():
    for name, slices in bench.checks().items():
        assert max(slices) <= SLICE, name
        assert sum(slices) > 800, name
