"""The issuer: what it signs is what an independent reader finds, and what a lock takes in."""

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given

from firmware.access.intake import Intake
from firmware.crypto import cose
from firmware.policy import reasons
from firmware.policy.grant import Grant, fault, normalise, same_terms
from firmware.policy.instant import from_unix
from firmware.policy.schedule import Rule
from firmware.store.grants import Grants
from firmware_tests import soak
from firmware_tests.both.store_case import RamFiles, cache
from firmware_tests.unit.given_grants import grants
from host_sim.cloud import sign1
from host_sim.cloud.issuer import GrantRefused, issue
from host_sim.cloud.keys import PrivateKey
from tools.vectors.grants import canonical

ISSUER = PrivateKey.from_scalar(7)
PHONE = PrivateKey.from_scalar(11)
ISSUER.public.precompute()


def accept(token: bytes) -> tuple[int, Grants]:
    held = cache(RamFiles(), RamFiles(), lock=b"front-door")
    return Intake(b"front-door", ISSUER.public, held).accept(token), held


def plain() -> Grant:
    grant = Grant(b"share-1", b"front-door", b"")
    grant.holder = b"person-7"
    grant.issued = from_unix(1_607_947_200)
    return grant


@given(grants())
def test_a_lock_takes_in_what_was_issued(grant):
    reason, held = accept(issue(grant, PHONE.public, ISSUER))
    assert reason == reasons.ALLOWED
    [taken] = held.grants()
    assert same_terms(taken, grant)
    assert (taken.issued, taken.lease) == (grant.issued, grant.lease)


@given(grants())
def test_an_independent_reader_finds_the_terms_and_the_signature(grant):
    token = issue(grant, PHONE.public, ISSUER)
    tagged = cbor2.loads(token)
    assert tagged.tag == 18
    protected, unprotected, payload, signature = tagged.value
    assert unprotected == {}
    header = cbor2.loads(protected)
    assert header[1] == -7 and header[16] == 65_000 and len(header[4]) == 8
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(ISSUER.public.x, "big"),
        int.from_bytes(ISSUER.public.y, "big"),
        ec.SECP256R1(),
    )
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    covered = cbor2.dumps(["Signature1", protected, b"", payload])
    numbers.public_key().verify(encode_dss_signature(r, s), covered, ec.ECDSA(SHA256()))
    claims = cbor2.loads(payload)
    assert canonical(claims) == payload
    assert claims[2] == grant.holder.decode() and claims[3] == "front-door"
    terms = claims[-65537]
    assert (terms[0], terms[1], terms[2], terms[3]) == (
        grant.version,
        grant.level,
        grant.rights,
        grant.channels,
    )
    assert len(terms.get(5, [])) == len(grant.rules)
    assert terms.get(6) == grant.uses


def test_the_same_grant_is_the_same_bytes():
    assert issue(plain(), PHONE.public, ISSUER) == issue(plain(), PHONE.public, ISSUER)


def test_a_plain_grant_is_about_250_bytes_and_one_with_eight_rules_below_400():
    assert len(issue(plain(), PHONE.public, ISSUER)) <= 250
    grant = plain()
    grant.rules = [Rule(127, 3600 * n + 1, 86_399 - 3600 * n) for n in range(8)]
    assert len(issue(grant, PHONE.public, ISSUER)) <= 400


def test_terms_that_no_lock_takes_are_not_signed():
    grant = plain()
    grant.rules = [Rule(0, 0, 3600)]
    with pytest.raises(GrantRefused) as refused:
        issue(grant, PHONE.public, ISSUER)
    assert refused.value.reason == reasons.BAD_WEEKDAYS


def test_claims_that_were_mutated_and_signed_again_raise_nothing():
    """Even what a faulty cloud signs gets in only if `fault` lets it."""
    random = soak.Random(soak.seed())
    full = plain()
    full.rules = [
        Rule(n + 1, 3600 * n, 86_400 - n, n % 2 == 0, n % 3 == 0, 18_262, 18_627) for n in range(8)
    ]
    full.start, full.until, full.lease = (from_unix(1_607_947_200 + n) for n in range(3))
    full.uses, full.after_first_use_s, full.parent = 3, 600, b"share-0"
    normalise(full)
    payloads = [
        cbor2.loads(issue(grant, PHONE.public, ISSUER)).value[2] for grant in (plain(), full)
    ]
    taken = 0
    for _ in range(soak.count(100_000, 1_000)):
        payload = bytearray(payloads[random.below(2)])
        for _ in range(1 + random.below(3)):
            payload[random.below(len(payload))] = random.below(256)
        reason, held = accept(resigned(bytes(payload)))
        taken += reason == reasons.ALLOWED
        assert all(fault(grant) == reasons.ALLOWED for grant in held.grants())
        assert held.count() == (reason == reasons.ALLOWED)
    assert taken > 0


def resigned(payload: bytes) -> bytes:
    return sign1.sign(payload, cose.key_id(ISSUER.public), ISSUER.sign, typ=65_000)
