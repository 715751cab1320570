"""The issuer's keys: which of them signs, and how a lock hears of another one."""

import json
import logging
import re
import shlex
import shutil
import time
from base64 import b64decode, urlsafe_b64decode

import httpx2
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from firmware.access import statements
from firmware.crypto import cose
from firmware.policy import reasons
from firmware.policy.grant import Grant
from firmware.policy.instant import from_unix, to_unix
from firmware_tests.cloud.realm import NOW, ROOT, Lock, Realm, rotate, vouch, write
from firmware_tests.cloud.native import API, add_lock, ok
from firmware_tests.cloud.test_serve import Process
from host_sim.cloud import issuer, issuers
from host_sim.cloud.domain import issuing, sharing
from host_sim.cloud.domain.model import Device, Statement
from host_sim.cloud.issuers import Issuers
from host_sim.cloud.keys import KeyFileError, PrivateKey, load_public
from host_sim.runtimes import ROOT as PROJECT
from tools.lockctl.__main__ import main

DOCUMENT = (PROJECT / "docs" / "cloud.md").read_text()


@pytest.fixture
def folder(tmp_path):
    """A first key that signs, a second one that waits, and the root's public key."""
    made = tmp_path / "keys"
    Issuers.prepare(made, NOW)
    issuers.new(made)
    (made / issuers.ROOT).write_bytes(ROOT.public_pem())
    return made


def public(folder, number):
    return load_public(folder / f"issuer-{number}.pem")


def signing(folder):
    """The number of the key that signs."""
    return Issuers(folder, NOW).signer.number


# --- the folder ----------------------------------------------------------------------------------


def test_the_first_key_is_made_once_for_the_service_alone(tmp_path):
    made = Issuers.prepare(tmp_path / "keys", NOW)
    assert (made.signer.number, made.signer.statement) == (1, None)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "keys" / "issuer-1.pem").stat().st_mode & 0o777 == 0o600
    assert Issuers.prepare(tmp_path / "keys", NOW).current == made.current


def test_a_new_key_signs_when_the_root_has_vouched_for_it(folder):
    before = Issuers(folder, NOW)
    assert [each.may_sign for each in before.all] == [True, False]
    assert before.signer.number == 1
    statement = vouch(2, public(folder, 2))
    accepted = before.accept(statement, NOW)
    assert (accepted.number, accepted.statement) == (2, statement)
    after = Issuers(folder, NOW)
    assert (after.signer.number, after.signer.statement) == (2, statement)
    assert after.current == cose.key_id(public(folder, 2))
    assert after.key(before.current).public.x == public(folder, 1).x


def test_the_first_key_may_have_a_statement_too(folder):
    statement = vouch(1, public(folder, 1))
    Issuers(folder, NOW).accept(statement, NOW)
    assert Issuers(folder, NOW).signer.statement == statement
    assert signing(folder) == 1


THIEF = PrivateKey.from_scalar(666)
WRONG = {
    "of another root": (lambda key: vouch(2, key, root=THIEF), "is signed by"),
    "for another key": (lambda key: vouch(2, THIEF.public), "is for the key"),
    "for another epoch": (lambda key: vouch(3, key), "is for epoch 3"),
    "for no epoch": (lambda key: vouch(0, key), "The version is not a number"),
    "from the future": (lambda key: vouch(2, key, NOW + 301), "is from the future, 2026-07-02T13"),
    "of another kind": (
        lambda key: issuer.sign((65_000, issuer.next_issuer(from_unix(NOW), 2, key)[1]), ROOT),
        "is not about an issuer",
    ),
    "with a broken signature": (lambda key: vouch(2, key)[:-1] + b"\0", "does not verify"),
    "cut short": (lambda key: vouch(2, key)[:-1], "not deterministic CBOR"),
    "empty": (lambda key: b"", "not deterministic CBOR"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_statement_is_neither_accepted_nor_passed_over(folder, kind):
    make, said = WRONG[kind]
    statement = make(public(folder, 2))
    names = sorted(path.name for path in folder.iterdir())
    with pytest.raises(KeyFileError, match=re.escape(said)):
        Issuers(folder, NOW).accept(statement, NOW)
    assert sorted(path.name for path in folder.iterdir()) == names
    # Somebody puts the file there by hand.
    file = folder / "issuer-2.cose"
    file.write_bytes(statement)
    with pytest.raises(KeyFileError, match=f"{re.escape(str(file))}: .*{re.escape(said)}"):
        Issuers(folder, NOW)


def test_clocks_may_differ_a_little(folder):
    Issuers(folder, NOW).accept(vouch(2, public(folder, 2), NOW + 300), NOW)
    assert signing(folder) == 2


def test_without_the_roots_key_nothing_is_believed(folder):
    (folder / issuers.ROOT).unlink()
    assert signing(folder) == 1
    with pytest.raises(KeyFileError, match=r"put the root's public key into .*/root\.pub\.pem"):
        Issuers(folder, NOW).accept(vouch(2, public(folder, 2)), NOW)


def test_no_epoch_comes_back(folder):
    issuers.new(folder)
    Issuers(folder, NOW).accept(vouch(3, public(folder, 3)), NOW)
    with pytest.raises(KeyFileError, match="is for epoch 2, and 3 is signing already"):
        Issuers(folder, NOW).accept(vouch(2, public(folder, 2)), NOW)
    assert [each.may_sign for each in Issuers(folder, NOW).all] == [True, False, True]


def test_the_number_of_a_lost_key_is_not_used_again(folder):
    (folder / "issuer-2.pem").unlink()
    assert issuers.new(folder) == (3, folder / "issuer-3.pub.pem")


@pytest.mark.parametrize(
    "name, said",
    [
        ("root.pem", "is no file of the issuer"),
        ("issuer-x.pem", "is no file of the issuer"),
        ("issuer-02.pem", "is no file of the issuer"),
        ("issuer-9.cose", r"issuer-9\.pem is gone; put it back"),
    ],
)
def test_what_does_not_belong_there_is_told(folder, name, said):
    (folder / name).write_bytes(ROOT.public_pem())
    with pytest.raises(KeyFileError, match=said):
        Issuers(folder, NOW)


def test_without_a_key_that_may_sign_nothing_begins(folder):
    (folder / "issuer-1.pem").unlink()
    with pytest.raises(KeyFileError, match=r"has no issuer-1\.pem, nor one that the root"):
        Issuers.prepare(folder, NOW)


def test_an_old_key_may_go(folder):
    old = Issuers(folder, NOW).current
    Issuers(folder, NOW).accept(vouch(2, public(folder, 2)), NOW)
    (folder / "issuer-1.pem").unlink()
    left = Issuers(folder, NOW)
    assert left.signer.number == 2
    with pytest.raises(KeyFileError, match=f"has no key {old.hex()}; put its file back"):
        left.key(old)


# --- a service that is running -------------------------------------------------------------------


def test_a_running_service_takes_a_new_key(one_service, caplog):
    caplog.set_level(logging.INFO, "host_sim")
    service, keys = one_service.service, one_service.folder / "keys"
    first = service.issuers
    service.read_keys()
    assert service.issuers is first
    rotate(keys, NOW)
    assert service.issuers is first
    service.read_keys()
    assert service.issuers.signer.number == 2
    assert [record.message for record in caplog.records] == ["new issuer"]
    issuers.new(keys)
    service.read_keys()
    assert [each.number for each in service.issuers.all] == [1, 2, 3]
    assert len(caplog.records) == 1


def test_a_running_service_keeps_its_key_if_the_folder_is_damaged(one_service, caplog):
    service, keys = one_service.service, one_service.folder / "keys"
    statement = rotate(keys, NOW)
    service.read_keys()
    file = keys / "issuer-2.cose"
    damages = (
        file.unlink,
        lambda: file.write_bytes(statement[:-1]),
        lambda: shutil.rmtree(keys),
    )
    for damage in damages:
        damage()
        service.read_keys()
        assert service.issuers.signer.number == 2
    errors = [record.__dict__["error"] for record in caplog.records]
    assert len(errors) == 3
    assert "lost files of issuer-2, which is signing" in errors[0]
    assert "CBOR" in errors[1] and "No such file" in errors[2]


def test_a_process_takes_a_new_key(tmp_path):
    process = Process(tmp_path)
    try:
        statement = rotate(tmp_path / "keys", int(time.time()))
        for _ in range(120):
            items = httpx2.get(f"{process.url}{API}/issuers").json()["items"]
            if len(items) == 2:
                break
            time.sleep(0.25)
        assert urlsafe_b64decode(items[1]["statement"]) == statement
    finally:
        assert process.stop()[0] == 0


# --- a lock --------------------------------------------------------------------------------------


@pytest.fixture
def realm(tmp_path):
    made = Realm(tmp_path)
    yield made
    made.close()


@pytest.fixture
def anna(realm):
    return realm.person("Anna", phones_=1)


@pytest.fixture
def door(realm, anna):
    return realm.device(anna)


def share(realm, anna, door, name):
    """A share with somebody new who has a phone."""
    guest = realm.person(name, phones_=1)
    return sharing.create(realm.context, anna, door, guest.email, write())


def made(realm, door):
    """The grants and revocations of a device, as they were made."""
    mine = select(Statement).where(Statement.device_id == door.id, Statement.sequence.is_not(None))
    return list(realm.session.scalars(mine.order_by(Statement.id)))


def held(lock):
    """The shares that the lock keeps a grant of."""
    return {grant.share.hex() for grant in lock.grants.grants()}


def test_a_lock_that_was_offline_catches_up(realm, anna, door):
    ctx, lock = realm.context, Lock(realm, door)
    bob = share(realm, anna, door, "Bob")
    assert lock.catch_up() == [reasons.ALLOWED]
    known, applied = held(lock), lock.sync.applied
    assert bob.uid in known
    cy = share(realm, anna, door, "Cy")
    under_way = issuing.changes_after(ctx, door, applied)
    statement = realm.rotate()
    dora = share(realm, anna, door, "Dora")
    sharing.end(ctx, anna, bob)
    # It does not know the new key, and nothing is lost by asking.
    assert lock.catch_up() == [reasons.UNKNOWN_ISSUER]
    assert lock.intake.accept(statement) == reasons.ALLOWED
    # What the old key signed is worth nothing now, though it be true.
    assert [lock.intake.accept(each) for each in under_way] == [reasons.UNKNOWN_ISSUER]
    assert lock.sync.applied == applied
    assert set(lock.catch_up()) == {reasons.ALLOWED}
    assert lock.sync.applied == door.sequence
    assert held(lock) == known - {bob.uid} | {cy.uid, dora.uid}
    assert lock.catch_up() == []


def test_old_statements_under_the_new_key_are_no_news(realm, anna, door):
    ctx, lock = realm.context, Lock(realm, door)
    share(realm, anna, door, "Bob")
    assert lock.catch_up() == [reasons.ALLOWED]
    before, applied = held(lock), lock.sync.applied
    assert lock.intake.accept(realm.rotate()) == reasons.ALLOWED
    assert lock.catch_up() == []
    again = [issuing.token(ctx, each) for each in made(realm, door)]
    again += issuing.changes_after(ctx, door, 0)
    assert {lock.intake.accept(each) for each in again} == {reasons.ALLOWED}
    assert (held(lock), lock.sync.applied) == (before, applied)


def test_all_that_goes_out_is_signed_by_the_key_of_today(realm, anna, door):
    ctx = realm.context
    bob = share(realm, anna, door, "Bob")
    old, rows = ctx.issuers.current, made(realm, door)
    went_out = [issuing.token(ctx, each) for each in rows]
    realm.rotate()
    share(realm, anna, door, "Cy")
    new = ctx.issuers.signer.key.public
    sent = [issuing.token(ctx, each) for each in made(realm, door)]
    sent.append(issuing.token(ctx, issuing.settings(ctx, door)))
    sent.append(issuing.time(ctx, door))
    sent += issuing.changes_after(ctx, door, 0)
    for token in sent:
        cose.verify(cose.parse(token, 4096), new)
    # Old and new changes fit into one batch, and keep their bytes.
    assert len(issuing.changes_after(ctx, door, 0)) == 1
    assert [cose.parse(token).payload for token in sent[: len(rows)]] == [
        cose.parse(token).payload for token in went_out
    ]
    # What each statement was first signed with is known, and can be done again.
    assert {each.issuer for each in rows} == {old}
    assert [issuing.token(ctx, each, each.issuer) for each in rows] == went_out
    issuing.renew(ctx, bob)
    newest = realm.session.scalars(select(Statement).order_by(Statement.id.desc())).first()
    assert newest.share_id == bob.id and newest.issuer == ctx.issuers.current


def test_a_stolen_key_opens_until_the_lock_hears_of_it(realm, anna, door):
    lock, stolen = Lock(realm, door), realm.context.issuers.signer.key
    statement = realm.rotate()

    def forged(name):
        grant = Grant(name, door.lock_id.encode(), b"")
        grant.holder, grant.issued = b"thief", from_unix(NOW)
        return issuer.issue(grant, PrivateKey.from_scalar(667).public, stolen)

    assert lock.intake.accept(forged(b"one")) == reasons.ALLOWED
    assert lock.intake.accept(statement) == reasons.ALLOWED
    assert lock.intake.accept(forged(b"two")) == reasons.UNKNOWN_ISSUER
    own = vouch(3, THIEF.public, root=stolen)
    assert lock.intake.accept(own) == reasons.UNKNOWN_ISSUER
    # What it had been told stays: docs/cloud.md says what to do.
    assert held(lock) == {b"one".hex()}


def test_a_lock_that_is_provisioned_later_hears_of_the_epoch_first(realm, anna, door):
    second, third = realm.rotate(), realm.rotate()
    share(realm, anna, door, "Bob")
    lock = Lock(realm, door)
    assert lock.intake.accept(third) == reasons.ALLOWED
    assert lock.intake.accept(second) == reasons.OLD_EPOCH
    assert lock.catch_up() == [reasons.ALLOWED]


def test_a_lock_that_was_not_told_the_epoch_can_be_led_back(realm, anna, door):
    """This is why docs/hardware.md asks for it."""
    second, _ = realm.rotate(), realm.rotate()
    share(realm, anna, door, "Bob")
    lock = Lock(realm, door)
    assert lock.intake.accept(second) == reasons.ALLOWED
    assert lock.catch_up() == [reasons.UNKNOWN_ISSUER]


# --- over HTTP -----------------------------------------------------------------------------------


def decoded(text):
    return None if text is None else urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_everybody_may_know_the_issuers(service):
    def listed():
        return ok(service.http.get(f"{API}/issuers"))["items"]

    keys = service.folder / "keys"
    first = public(keys, 1)
    told = {"epoch": 0, "kid": cose.key_id(first).hex(), "key": (first.x + first.y).hex()}
    assert listed() == [{**told, "statement": None}]
    issuers.new(keys)
    statement = rotate(keys, NOW)  # the third
    service.service.read_keys()
    assert [each["epoch"] for each in listed()] == [0, 3]
    last = listed()[-1]
    assert decoded(last["statement"]) == statement
    _, epoch, key = statements.read_issuer(cose.verify(cose.parse(statement), ROOT.public))
    assert (epoch, (key.x + key.y).hex(), cose.key_id(key).hex()) == (3, last["key"], last["kid"])


def test_phones_carry_the_roots_statement(one_service):
    world = one_service
    anna = world.person("anna@example.org")
    door = add_lock(anna)
    body = {"name": "phone", "key": (THIEF.public.x + THIEF.public.y).hex()}
    phone = ok(anna.post(f"{API}/phones", json=body), 201)["id"]
    with world.transaction() as context:
        number = context.session.scalars(select(Device.id)).one()

    def native():
        path = f"{API}/devices/{door}"
        yield ok(anna.get(f"{path}/changes"))
        yield ok(anna.get(f"{path}/grant", params={"phone": phone}))
        yield ok(anna.get(f"{path}/settings"))
        yield ok(anna.post(f"{path}/time", json={}))

    def tedee():
        version = "/api/v1.32"
        ids = {"mobileId": phone, "deviceId": number}
        yield ok(anna.get(f"{version}/my/devicecertificate/getformobile", params=ids))["result"]
        path = f"{version}/my/devicecertificate/getrevokedformobile"
        yield ok(anna.get(path, params=ids))["result"]
        yield ok(anna.get(f"{version}/datetime/getsignedtime", params=ids))["result"]

    other = {**body, "key": (ROOT.public.x + ROOT.public.y).hex()}
    lost = ok(anna.post(f"{API}/phones", json=other), 201)["id"]
    ok(anna.delete(f"{API}/phones/{lost}"), 204)
    assert {each["issuer"] for each in native()} == {None}
    assert {each["issuerStatement"] for each in tedee()} == {None}
    statement = rotate(world.folder / "keys", NOW)
    world.service.read_keys()
    assert {decoded(each["issuer"]) for each in native()} == {statement}
    assert {b64decode(each["issuerStatement"]) for each in tedee()} == {statement}


# --- from the command line -----------------------------------------------------------------------


@pytest.fixture
def lockctl(tmp_path, monkeypatch):
    """Runs a command in a folder with the root's keys and those of a cloud."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SHARELOCK_CLOUD_DATA", raising=False)
    monkeypatch.delenv("SHARELOCK_CLOUD_KEYS", raising=False)
    keys = tmp_path / "cloud-data" / "keys"
    Issuers.prepare(keys, NOW)
    ROOT.save_pair(tmp_path / "root.pem", tmp_path / "root.pub.pem")
    shutil.copy("root.pub.pem", keys)

    def run(words):
        return CliRunner().invoke(main, shlex.split(words), catch_exceptions=False)

    return run


def test_the_examples_of_the_document_print_what_they_show(lockctl, tmp_path):
    (block,) = re.findall(r"```console\n(\$ lockctl cloud issuer .*?)```", DOCUMENT, re.DOTALL)
    examples = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    for example in examples:
        words, _, printed = example.partition("\n")
        name, _, words = words.partition(" ")
        if name == "cp":
            shutil.copy(*words.split())
            continue
        shown = lockctl(words).output
        lines = [line.rstrip() for line in _without_ids(shown).splitlines()]
        assert lines == _without_ids(printed).splitlines(), words
    assert len(examples) == 6


def _without_ids(text):
    return re.sub(r"\b[0-9a-f]{16}\b", "KID", text)


def test_every_state_of_a_key_is_told(lockctl):
    for _ in range(4):
        lockctl("cloud issuer new")
    for epoch in (2, 4):
        keys = "cloud-data/keys"
        words = f"{keys}/issuer-{epoch}.pub.pem --root root.pem --epoch {epoch}"
        vouched = json.loads(lockctl(f"issuer vouch {words} --out x --json").stdout)
        assert vouched == {"file": "x", "bytes": 180}
        accepted = json.loads(lockctl("cloud issuer accept x --json").stdout)
        assert (accepted["epoch"], accepted["state"]) == (epoch, "signs")
    told = json.loads(lockctl("cloud issuer list --json").stdout)
    assert [(each["key"], each["epoch"], each["state"]) for each in told] == [
        ("issuer-1.pem", None, "signed before"),
        ("issuer-2.pem", 2, "signed before"),
        ("issuer-3.pem", None, "never signed"),
        ("issuer-4.pem", 4, "signs"),
        ("issuer-5.pem", None, "waits for the root"),
    ]
    assert len({each["kid"] for each in told}) == 5


def test_the_keys_may_be_elsewhere(lockctl, tmp_path, monkeypatch):
    (tmp_path / "cloud-data").rename("data")
    made = json.loads(lockctl("cloud issuer new --data data --json").stdout)
    assert made == {"epoch": 2, "public": "data/keys/issuer-2.pub.pem"}
    (tmp_path / "data" / "keys").rename("keys")
    monkeypatch.setenv("SHARELOCK_CLOUD_KEYS", "keys")
    assert len(json.loads(lockctl("cloud issuer list --json").stdout)) == 2


@pytest.mark.parametrize(
    "words, said",
    [
        ("issuer vouch root.pub.pem --root root.pub.pem --epoch 2 --out x", "no private key"),
        ("issuer vouch root.pub.pem --root root.pem --epoch 0 --out x", "--epoch"),
        ("issuer vouch root.pub.pem --root root.pem --epoch 1073741824 --out x", "--epoch"),
        ("cloud issuer accept root.pub.pem", "not deterministic CBOR"),
        ("cloud issuer list --data nowhere", "nowhere/keys: No such file"),
        ("cloud issuer new --data nowhere", "nowhere/keys: No such file"),
    ],
)
def test_bad_usage_is_told(lockctl, tmp_path, words, said):
    done = lockctl(words)
    assert done.exit_code == 2 and said in done.stderr
    assert not (tmp_path / "x").exists() and not (tmp_path / "nowhere").exists()


def test_a_statement_can_be_text(lockctl, tmp_path):
    lockctl("cloud issuer new")
    key = public(tmp_path / "cloud-data" / "keys", 2)
    (tmp_path / "x").write_text(vouch(2, key).hex())
    assert lockctl("cloud issuer accept x").stdout == "issuer-2.pem signs from now on.\n"


def test_a_statement_says_when_it_was_signed(lockctl, tmp_path):
    before = int(time.time())
    lockctl("issuer vouch root.pub.pem --root root.pem --epoch 7 --out x")
    message = cose.parse((tmp_path / "x").read_bytes())
    at, epoch, key = statements.read_issuer(cose.verify(message, ROOT.public))
    assert before <= to_unix(at) <= time.time()
    assert (epoch, key.x, key.y) == (7, ROOT.public.x, ROOT.public.y)
