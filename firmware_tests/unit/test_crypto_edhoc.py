"""Our EDHOC with an independent one, PyPI `lakers-python`, in both roles."""

import os

import lakers
import pytest
from cryptolib import aes

from firmware.crypto import cbor, cose, ecdh, edhoc, p256
from firmware.crypto.kdf import hkdf_expand
from firmware.crypto.slices import finish
from host_sim.phone.edhoc import Initiator

LABELS = (0, 1, 2, 10, 23)  # they put labels into one byte as they are
CONTEXT = 255  # and lengths of a context above that into one byte as well
BY = {"value": lakers.CredentialTransfer.ByValue, "kid": lakers.CredentialTransfer.ByReference}


class Party:
    """A key, its credential as a CWT claims set, and both ways to name that."""

    def __init__(self, kid: bytes | None = None) -> None:
        self.scalar = ecdh.scalar_of(os.urandom(ecdh.SEED_BYTES))
        self.secret = self.scalar.to_bytes(32, "big")
        self.point = finish(ecdh.public(self.scalar, os.urandom))
        key = p256.PublicKey(self.point[:32], self.point[32:])
        self.kid = kid or cose.key_id(key)
        self.claims = {8: {1: {**cose.key_map(key), 2: self.kid}}}
        self.credential = cbor.encode(self.claims)
        self.names: dict[str, dict] = {
            "kid": {edhoc.HEADER_KID: self.kid},
            "value": {edhoc.HEADER_KCCS: self.claims},
        }

    def authenticate(self, id_cred: dict) -> tuple[bytes, bytes] | None:
        return (self.credential, self.point) if id_cred in self.names.values() else None


def ephemeral() -> tuple[int, bytes]:
    scalar = ecdh.scalar_of(os.urandom(ecdh.SEED_BYTES))
    return scalar, finish(ecdh.public(scalar, os.urandom))[:32]


def responder(lock: Party) -> edhoc.Responder:
    return edhoc.Responder(
        aes, lock.credential, lock.kid, lock.scalar, ephemeral(), os.urandom, b"\x07"
    )


def meet(lock: Party, phone: Party, by: str, ead: list) -> tuple:
    """Their phone visits our lock."""
    ours = responder(lock)
    theirs = lakers.EdhocInitiator()
    message_1 = theirs.prepare_message_1(c_i=None, ead_1=None)
    message_2 = finish(ours.take_1(message_1))
    c_r, id_cred_r, _ = theirs.parse_message_2(message_2)
    known = lakers.credential_check_or_fetch(id_cred_r, lock.credential)
    theirs.verify_message_2(phone.secret, phone.credential, known)
    message_3, _ = theirs.prepare_message_3(BY[by], ead)
    finish(ours.take_3(message_3, phone.authenticate))
    theirs.process_message_4(ours.message_4())
    assert ours.state == edhoc.DONE
    return ours, theirs


@pytest.mark.parametrize(
    ("by", "sizes"), [("kid", (None, 0, 1, 23, 24, 100)), ("value", (None, 0, 38))]
)
def test_their_phone_and_our_lock(by, sizes):
    for size in sizes:
        ead = [] if size is None else [lakers.EADItem(5, False, os.urandom(size))]
        ours, theirs = meet(Party(), Party(), by, ead)
        check_exports(ours, theirs)


def test_two_items_of_ead_one_without_a_value():
    ead = [lakers.EADItem(17, False), lakers.EADItem(400, False, b"known to nobody")]
    check_exports(*meet(Party(), Party(), "kid", ead))


def test_what_is_critical_and_unknown_ends_the_handshake():
    with pytest.raises(edhoc.EdhocError):
        meet(Party(), Party(), "kid", [lakers.EADItem(5, True, b"do this")])


def test_100_bytes_of_ead_beside_a_credential(monkeypatch):
    """With their one fault in our place, which is not to be mended here."""

    def kdf(prk, label, context, length):
        encoded = cbor.encode(context)
        if len(context) > CONTEXT:
            encoded = b"\x58" + bytes([len(context) & 255]) + context
        return hkdf_expand(prk, cbor.encode(label) + encoded + cbor.encode(length), length)

    ead = [lakers.EADItem(5, False, os.urandom(100))]
    with pytest.raises(edhoc.EdhocError):
        meet(Party(), Party(), "value", ead)
    monkeypatch.setattr(edhoc, "_kdf", kdf)
    check_exports(*meet(Party(), Party(), "value", ead))


def check_exports(ours: edhoc.Responder | Initiator, theirs: object) -> None:
    for label in LABELS:
        for context, length in ((b"", 16), (b"bound to this", 100)):
            found = theirs.edhoc_exporter(label, list(context), length)  # type: ignore[attr-defined]
            assert ours.export(label, length, context) == bytes(found)


@pytest.mark.parametrize("size", [None, 1, 38])
@pytest.mark.parametrize("kid", [b"\x2b", b"12345678"])
@pytest.mark.parametrize("by", BY)
def test_our_phone_and_their_lock(by, kid, size):
    lock, phone = Party(), Party(kid)
    theirs = lakers.EdhocResponder(lock.secret, lock.credential)
    ours = Initiator(aes, ephemeral(), os.urandom, b"\x0e")
    theirs.process_message_1(ours.message_1())
    message_2 = theirs.prepare_message_2(BY["kid"], None, None)
    ead = [] if size is None else [9, os.urandom(size)]
    message_3 = finish(
        ours.take_2(
            message_2, lock.authenticate, phone.scalar, phone.names[by], phone.credential, ead
        )
    )
    found, _ = theirs.parse_message_3(message_3)
    known = lakers.credential_check_or_fetch(found, phone.credential)
    theirs.verify_message_3(known)
    ours.take_4(theirs.prepare_message_4(None))
    assert ours.state == edhoc.DONE
    check_exports(ours, theirs)


def test_a_phone_that_is_not_known_by_its_kid_is_told_so():
    phone = Party()
    phone.authenticate = lambda id_cred: None  # type: ignore[method-assign]
    with pytest.raises(edhoc.EdhocError) as told:
        meet(Party(), phone, "kid", [])
    assert told.value.message() == bytes.fromhex("03f5")
