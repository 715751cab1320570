"""The phone's wallet, and what a phone carries from a lock to its cloud."""

import json
import os

import pytest
from cryptolib import aes

from firmware.crypto import ecdh
from firmware.crypto.p256 import InvalidPoint, PublicKey
from firmware.crypto.slices import finish
from firmware.link.carried import Carried
from firmware.link.ratchet import Ratchet
from host_sim.cloud.keys import PrivateKey
from host_sim.phone.wallet import Wallet


def point_of(key: PrivateKey) -> bytes:
    return key.public.x + key.public.y


@pytest.fixture
def wallet() -> Wallet:
    return Wallet(7, point_of(PrivateKey.from_scalar(7)))


def test_a_wallet_survives_a_file(wallet):
    known = wallet.know("front-door", point_of(PrivateKey.from_scalar(9)))
    known.statements = [b"one", b"two"]
    known.carried = [bytes(40)]
    known.ratchet = Ratchet(os.urandom(32))
    known.ratchet.step()
    wallet.know("back-door", point_of(PrivateKey.from_scalar(10)))
    again = Wallet.of(json.loads(json.dumps(wallet.as_dict())))
    assert again.as_dict() == wallet.as_dict()
    assert again.by_value == wallet.by_value
    front, back = again.locks["front-door"], again.locks["back-door"]
    assert front.ratchet and front.ratchet.step() == known.ratchet.step()
    assert back.ratchet is None
    assert front.authenticate({4: b"12345678"}) is None


def test_a_lock_with_another_key_is_another_lock(wallet):
    known = wallet.know("front-door", point_of(PrivateKey.from_scalar(9)))
    known.statements = [b"for the old one"]
    assert wallet.know("front-door", known.point) is known
    assert wallet.know("front-door", point_of(PrivateKey.from_scalar(10))).statements == []
    with pytest.raises(InvalidPoint):
        wallet.know("front-door", bytes(64))


def test_the_cloud_opens_what_only_it_can():
    issuer, lock = PrivateKey.new(), 12_345
    point = finish(ecdh.public(lock, os.urandom))
    _, shared = finish(ecdh.pair(678, lock, point_of(issuer), os.urandom))
    carried = Carried(aes, shared).seal(b"a piece of the log", os.urandom(13))
    assert issuer.agree(PublicKey(point[:32], point[32:])) == shared
    assert Carried(aes, issuer.agree(PublicKey(point[:32], point[32:]))).open(carried)
    other = PrivateKey.new().agree(PublicKey(point[:32], point[32:]))
    assert Carried(aes, other).open(carried) is None
