"""A phone's account: its key at the cloud, grants and news for locks, logs that it hands in."""

import pytest

from firmware.access import claims
from firmware.crypto import cose, cwt
from firmware.link.carried import Carried
from firmware.link.requests import CARRY, NONCE, STATUS
from firmware_tests.cloud.desk_lock import DeskLock
from firmware_tests.cloud.native import API, add_lock, give, ok, refused
from host_sim.cloud.domain.model import Device
from host_sim.cloud.keys import PrivateKey
from host_sim.phone.account import Account
from host_sim.phone.pocket import Pocket, PocketError
from host_sim.phone.visit import STATUS_BYTES, put_away
from host_sim.shims.cryptolib import aes

KEY = PrivateKey.from_scalar(21)  # the lock's
POINT = KEY.public.x + KEY.public.y


@pytest.fixture
def anna(one_service):
    return one_service.person("anna@example.org")


@pytest.fixture
def bob(one_service):
    return one_service.person("bob@example.org")


@pytest.fixture
def door(anna):
    return add_lock(anna)


@pytest.fixture
def lock(one_service, anna, door, tmp_path):
    enrolment = ok(anna.post(f"{API}/devices/{door}/enrolment"), 201)
    with one_service.transaction() as context:
        context.session.query(Device).one().public_key = POINT
    return DeskLock(tmp_path / "flash", enrolment, one_service.now)


def account(person):
    def ask(method, path, **options):
        answer = person.request(method, path, **options)
        return None if answer.status_code in (403, 404) else ok(answer, answer.status_code)

    return Account(ask)


@pytest.fixture
def pocket(tmp_path):
    with Pocket.make(tmp_path / "phone.json") as opened:
        yield opened


def carried(lock, issuer):
    reader = lock.lock.log.reader(0)
    records = bytearray(64 * 64)
    length = reader.read_into(memoryview(records))
    export = reader.head() + records[:length]
    return Carried(aes, KEY.agree(issuer)).seal(export, bytes(13))


def test_a_phone_gets_its_grant_and_the_news_once(bob, anna, door, lock, pocket):
    mine = account(bob)
    mine.introduce(pocket, "Pixel")
    assert list(mine.fetch(pocket)) == []
    share = give(anna, door, bob.email, {"uses": 3})
    assert list(mine.fetch(pocket)) == [(lock.id, "Door")]
    known = pocket.wallet.locks[lock.id]
    assert known.point == POINT
    (token,) = known.statements
    payload = cwt.decode_claims(cose.parse(token).payload)
    assert payload[cwt.CTI].hex() == share["id"] and payload[claims.TERMS][claims.USES] == 3
    # Bob may see no other shares, so there are only the settings.
    assert len(pocket.place(lock.id).news) == 1
    for each in (*known.statements, *map(bytes.fromhex, pocket.place(lock.id).news)):
        assert lock.take(each)["reason"] == 0
    pocket.place(lock.id).grant = token.hex()
    list(mine.fetch(pocket))
    assert known.statements == []


def test_an_owner_carries_what_the_lock_lacks(anna, bob, door, lock, pocket):
    with Pocket.make(pocket._path.with_name("other.json")) as other:
        account(bob).introduce(other, "Pixel")
    give(anna, door, bob.email)
    mine = account(anna)
    mine.introduce(pocket, "Own")
    list(mine.fetch(pocket))
    assert [lock.take(bytes.fromhex(each))["reason"] for each in pocket.place(lock.id).news] == [
        0,
        0,
    ]
    assert lock.applied > 0


def test_what_the_lock_has_by_this_phone_is_not_fetched_again(anna, bob, door, lock, pocket):
    """Before the cloud hears of it, too: a second batch has to follow on the first."""
    with Pocket.make(pocket._path.with_name("other.json")) as other:
        account(bob).introduce(other, "Pixel")
    share = give(anna, door, bob.email)["id"]
    mine = account(anna)
    mine.introduce(pocket, "Own")
    for is_last in (False, True):
        if is_last:
            ok(anna.delete(f"{API}/shares/{share}"), 204)
        list(mine.fetch(pocket))
        news = [bytes.fromhex(each) for each in pocket.place(lock.id).news]
        assert [lock.take(each)["reason"] for each in news] == [0, 0]
        status = bytes(3) + lock.applied.to_bytes(4, "big") + bytes(STATUS_BYTES - 7)
        put_away(pocket, lock.id, [(NONCE, b""), (CARRY, b""), (STATUS, status)])
    assert ok(anna.get(f"{API}/devices/{door}"))["applied"] == 0


def test_a_lock_that_never_said_its_key_is_left_out(one_service, anna, door, lock, pocket):
    with one_service.transaction() as context:
        context.session.query(Device).one().public_key = None
    mine = account(anna)
    mine.introduce(pocket, "Pixel")
    assert list(mine.fetch(pocket)) == []


def test_the_log_comes_home_with_anybody(one_service, anna, bob, door, lock, pocket):
    issuer = one_service.service.issuers.signer.key.public
    give(anna, door, bob.email)
    mine = account(bob)
    mine.introduce(pocket, "Pixel")
    list(mine.fetch(pocket))
    pocket.wallet.locks[lock.id].carried.append(carried(lock, issuer))
    list(mine.fetch(pocket))
    assert pocket.wallet.locks[lock.id].carried == []
    ack = bytes.fromhex(pocket.place(lock.id).news[0])
    assert lock.take(ack)["reason"] == 0
    assert lock.lock.log.acknowledged == lock.lock.log.sequence - 1  # the acknowledgement itself
    told = ok(anna.get(f"{API}/devices/{door}/audit"))["items"]
    assert "sharelock.log.boot" in [each["type"] for each in told]


def test_what_is_no_log_of_this_lock_is_refused(one_service, anna, bob, door, lock):
    stranger = PrivateKey.from_scalar(99).public
    path = f"{API}/devices/{door}/log"
    for log in ("AAAA", "A", carried(lock, stranger).hex()):
        assert refused(anna.post(path, json={"log": log})) == (400, "bad-log")
    assert refused(anna.post(path, json={"log": "!"})) == (400, "invalid")
    assert refused(bob.post(path, json={"log": "AAAA"})) == (404, "not-found")


def test_the_time_for_a_lock_s_nonce(anna, door, lock):
    (token,) = account(anna).time(door, lock.lock.clock.ask())
    assert lock.take(token)["reason"] == 128


def test_a_pocket_is_for_its_owner_and_for_one_at_a_time(tmp_path):
    path = tmp_path / "phone.json"
    with pytest.raises(PocketError, match="no key yet"), Pocket(path):
        pass
    made = Pocket.make(path)
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(PocketError, match="never overwritten"):
        Pocket.make(path)
    with Pocket(path) as pocket:
        pocket.wallet.know("front-door", POINT).statements.append(b"a")
        pocket.place("front-door").name = "Home"
        pocket.save()
    assert path.stat().st_mode & 0o077 == 0
    with Pocket(path) as pocket:
        assert pocket.wallet.point == made.wallet.point
        assert pocket.lock("Home") == pocket.lock(None)
        assert pocket.lock("front-door")[1].statements == [b"a"]
        with pytest.raises(PocketError, match="there are: Home"):
            pocket.lock("Work")
    path.write_text("{}")
    with pytest.raises(PocketError, match="damaged"), Pocket(path):
        pass
