"""What locks are told and what they say: whole locks on the firmware, no network."""

import json
from hashlib import sha256

import pytest

from firmware.crypto import cose
from firmware.access import statements
from firmware.policy import reasons
from firmware.policy.decision import TRUSTED
from firmware.policy.grant import UNLOCK
from firmware.store import entry
from firmware_tests.cloud.native import API, add_lock, give, ok, refused
from firmware_tests.cloud.street import BOB
from host_sim.cloud.domain import issuing, operations
from host_sim.cloud.domain.model import Deed, Device, Share, Statement
from host_sim.cloud.keys import PrivateKey, short
from host_sim.cloud.link import topics


def device(street):
    with street.world.transaction() as context:
        return context.session.query(Device).order_by(Device.id).first()


def key_of(street):
    with street.world.transaction() as context:
        return context.session.query(Device).order_by(Device.id).first().public_key


def deeds(street, like="lock.%"):
    with street.world.transaction() as context:
        rows = context.session.query(Deed).filter(Deed.what.like(like)).order_by(Deed.id)
        return [(row.what, row.details) for row in rows]


def guests(owner, door, count, prefix="guest"):
    return [give(owner, door, f"{prefix}{number}@example.org") for number in range(count)]


# --- changes -------------------------------------------------------------------------------------


def test_a_lock_that_comes_has_the_time_and_the_settings(street, anna, door, lock):
    lock.lock.clock.read(lock.lock._now)
    assert lock.lock._now.trust == TRUSTED
    assert lock.lock.settings.current.zone == ok(anna.get(f"{API}/devices/{door}"))["zone"]
    ok(anna.patch(f"{API}/devices/{door}", json={"settings": {"auto_lock_s": 30}}))
    street.settle()
    assert lock.lock.settings.current.auto_lock_s == 30


def test_a_share_is_at_the_lock_at_once_changed_and_gone(street, anna, bob, door, lock):
    share = give(anna, door, bob.email)["id"]
    street.settle()
    assert lock.knock(BOB, UNLOCK) == reasons.ALLOWED
    assert device(street).applied == lock.applied == device(street).sequence
    ok(anna.patch(f"{API}/shares/{share}", json={"terms": {"rights": ["lock"]}}))
    street.settle()
    assert lock.knock(BOB, UNLOCK) == reasons.NO_RIGHT
    ok(anna.delete(f"{API}/shares/{share}"), 204)
    street.settle()
    assert lock.knock(BOB, UNLOCK) == reasons.UNKNOWN_SHARE
    assert {result["reason"] for result in street.results} == {0, reasons.TIME_SET}


def test_a_lock_that_was_away_hears_all_of_it_and_nothing_twice(street, anna, bob, door, lock):
    street.go(lock)
    share = give(anna, door, bob.email)["id"]
    for day in range(1, 201):
        until = {"terms": {"until": f"2027-{day % 12 + 1:02}-{day % 28 + 1:02}T12:00Z"}}
        ok(anna.patch(f"{API}/shares/{share}", json=until))
    assert not street.told
    assert street.last(topics.of_lock(lock.id, topics.HEAD)) == {"sequence": 201, "settings": 1}
    street.results.clear()
    street.come(lock)
    assert lock.applied == 201
    assert len({result["statement"] for result in street.results}) == len(street.results)
    assert not any(result["reason"] for result in street.results if result["applied"])
    street.results.clear()
    street.hello(lock)
    assert [result["reason"] for result in street.results] == [reasons.TIME_SET]


def test_no_more_is_told_at_once_than_the_window_allows(street, anna, bob, door, lock):
    street.go(lock)
    share = give(anna, door, bob.email)["id"]
    for day in range(1, 201):
        until = {"terms": {"until": f"2027-{day % 12 + 1:02}-{day % 28 + 1:02}T12:00Z"}}
        ok(anna.patch(f"{API}/shares/{share}", json=until))
    street.near[lock.id] = lock
    street.say(lock, topics.PRESENCE, b"online")
    street.say(lock, topics.HELLO, json.dumps(lock.hello()).encode())
    for _ in range(3):
        ok(anna.patch(f"{API}/devices/{door}", json={"name": "Gate"}))
        assert len(street.told) <= 4 + 1  # and the time, which no door waits for


def test_what_got_lost_is_told_again(street, anna, bob, door, lock):
    give(anna, door, bob.email)
    street.told.clear()  # the network ate it
    guests(anna, door, 3)
    street.told.clear()
    street.hello(lock)
    assert lock.knock(BOB, UNLOCK) == reasons.UNKNOWN_SHARE  # it may be under way
    street.world.now += 31
    street.hello(lock)
    assert lock.knock(BOB, UNLOCK) == reasons.ALLOWED


def test_the_service_forgets_and_goes_on(street, anna, bob, door, lock):
    give(anna, door, bob.email)
    street.told.clear()
    street.restart()
    street.exchange.connected()
    assert street.last(topics.of_lock(lock.id, topics.HEAD))["sequence"] == 1
    street.hello(lock)
    assert lock.knock(BOB, UNLOCK) == reasons.ALLOWED


def test_a_lease_is_renewed_at_a_lock_that_nobody_visits(street, anna, bob, door, lock):
    give(anna, door, bob.email, lease="1 h")
    street.settle()
    for _ in range(8):
        street.world.now += 1_000
        lock.wait(1_000)
        street.world.service.renew_leases()
        street.settle()
    assert lock.knock(BOB, UNLOCK) == reasons.ALLOWED
    street.go(lock)
    street.world.now += 4_000
    lock.wait(4_000)
    assert lock.knock(BOB, UNLOCK) == reasons.LEASE_OVER
    street.world.service.renew_leases()
    street.come(lock)
    assert lock.knock(BOB, UNLOCK) == reasons.ALLOWED
    count = len(street.results)
    street.hello(lock)
    assert len(street.results) == count + 1  # the time; the renewal is known to be there


def test_one_lock_hears_nothing_of_another(street, anna, bob, door, lock, tmp_path):
    other = street.lock(anna, add_lock(anna), tmp_path / "other")
    street.results.clear()
    give(anna, door, bob.email)
    street.settle()
    assert (lock.knock(BOB, UNLOCK), other.knock(BOB, UNLOCK)) == (0, reasons.UNKNOWN_SHARE)
    assert len(street.results) == 1


# --- snapshots -----------------------------------------------------------------------------------


def test_a_lock_that_holds_something_else_is_told_everything(street, anna, bob, door, lock):
    give(anna, door, bob.email)
    street.settle()
    street.world.now += 100
    with street.world.transaction() as context:
        row = context.session.query(Device).one()
        assert issuing.digest(context, row) == lock.lock.grants.digest()
    street.hello(lock)
    assert deeds(street) == []
    lock.lock.grants.revoke(*revoked(lock))
    assert lock.knock(BOB, UNLOCK) != reasons.ALLOWED
    street.hello(lock)
    assert deeds(street)[0] == ("lock.snapshot", {"pages": 1})


def revoked(lock):
    held = lock.lock.grants.find(BOB)
    return held.share, BOB, held.version


def test_a_snapshot_goes_in_pages(street, anna, bob, door, lock):
    for number in range(60):
        person = street.world.person(f"p{number}@example.org")
        public = PrivateKey.from_scalar(100 + number).public
        body = {"name": "phone", "key": (public.x + public.y).hex()}
        ok(person.post(f"{API}/phones", json=body), 201)
        give(anna, door, person.email, {"rules": ["mon-fri 08:00-16:00", "sat 10:00-12:00"]})
    street.settle()
    before = lock.lock.grants.digest()
    assert len(list(lock.lock.grants.grants())) == 60
    street.world.now += 100
    street.hello(lock, lost=True)
    ((_, details),) = deeds(street)
    assert details["pages"] >= 2
    assert lock.lock.grants.digest() == before
    assert lock.applied == device(street).sequence
    assert not any(result["reason"] for result in street.results[-details["pages"] :])


def test_a_database_that_was_put_back_is_not_believed_silently(street, anna, bob, door, lock):
    share = give(anna, door, bob.email)["id"]
    street.settle()
    with street.world.transaction() as context:
        row = context.session.query(Device).one()
        row.applied = row.sequence = 0
        context.session.query(Statement).filter(Statement.sequence.is_not(None)).delete()
    ahead = lock.applied
    street.world.now += 100
    street.hello(lock)
    street.hello(lock)
    assert deeds(street) == [("lock.ahead", {"applied": ahead})]
    assert lock.knock(BOB, UNLOCK) == reasons.ALLOWED  # nobody was put out
    # What changes from now on counts.
    ok(anna.patch(f"{API}/shares/{share}", json={"terms": {"rights": ["lock"]}}))
    street.settle()
    assert lock.knock(BOB, UNLOCK) == reasons.NO_RIGHT
    street.world.now += 100
    assert anna.post(f"{API}/devices/{door}/resync").status_code == 202
    assert refused(anna.post(f"{API}/devices/{door}/resync")) == (409, "not-ahead")
    street.settle()
    street.hello(lock)
    with street.world.transaction() as context:
        row = context.session.query(Device).one()
        assert issuing.digest(context, row) == lock.lock.grants.digest()
        assert (row.applied, row.ahead) == (row.sequence, None)


def test_what_changes_after_a_database_was_put_back_counts(street, anna, bob, door, lock):
    share = give(anna, door, bob.email)["id"]
    street.settle()
    copied = device(street).sequence
    ok(anna.patch(f"{API}/shares/{share}", json={"terms": {"rights": ["lock"]}}))
    street.settle()
    with street.world.transaction() as context:
        row = context.session.query(Device).one()
        row.applied = row.sequence = copied
        context.session.query(Statement).filter(Statement.sequence > copied).delete()
        context.session.query(Share).filter(Share.uid == share).one().version = 1
    street.hello(lock)

    ok(anna.patch(f"{API}/shares/{share}", json={"terms": {"rights": ["unlock"]}}))
    street.settle()
    assert lock.knock(BOB, UNLOCK) == reasons.ALLOWED
    other = PrivateKey.from_scalar(8).public
    body = {"name": "another", "key": (other.x + other.y).hex()}
    phone = ok(bob.post(f"{API}/phones", json=body), 201)["id"]
    street.settle()
    assert [lock.knock(key, UNLOCK) for key in (BOB, short(other))] == [reasons.ALLOWED] * 2
    ok(bob.delete(f"{API}/phones/{phone}"), 204)
    street.settle()
    assert lock.knock(BOB, UNLOCK) == reasons.ALLOWED
    assert lock.knock(short(other), UNLOCK) == reasons.UNKNOWN_SHARE
    assert deeds(street, "lock.refused") == []


# --- what locks say ------------------------------------------------------------------------------


def test_a_log_is_kept_and_acknowledged(street, anna, bob, door, lock):
    give(anna, door, bob.email)
    street.settle()
    lock.knock(BOB, UNLOCK)
    street.say(lock, topics.LOG, lock.export())
    street.settle()
    kept = lock.lock.log.acknowledged
    assert kept >= 3
    audit = ok(anna.get(f"{API}/devices/{door}/audit?limit=1000"))["items"]
    decisions = [event for event in audit if event["type"] == "sharelock.log.decision"]
    assert [event["data"]["reason"] for event in decisions] == [reasons.ALLOWED]
    street.say(lock, topics.LOG, lock.export())
    street.settle()
    assert lock.lock.log.acknowledged > kept  # the acknowledgement was an entry, too


def test_an_acknowledgement_that_got_lost_comes_again(street, lock):
    street.say(lock, topics.LOG, lock.export())
    street.told.clear()
    assert lock.lock.log.acknowledged == 0
    street.come(lock)
    assert lock.lock.log.acknowledged > 0


def test_a_log_that_is_shorter_than_it_was_is_told(street, lock):
    street.say(lock, topics.LOG, lock.export())
    street.settle()
    street.go(lock)
    street.near[lock.id] = lock
    street.say(lock, topics.PRESENCE, b"online")
    street.hello(lock, log=1)
    ((what, details),) = deeds(street, "log.%")
    assert (what, details["said"]) == ("log.shorter", 1)


def test_a_state_is_shown_by_the_apis(street, anna, lock):
    said = {"lock": "UNLOCKED", "battery": 3900, "charge": 63, "door": "open", "at": 5}
    street.say(lock, topics.STATE, json.dumps(said).encode(), retained=True)
    path = f"/api/v1.32/my/lock/{device(street).id}/sync"
    shown = ok(anna.get(path))["result"]
    assert (shown["isConnected"], shown["lockProperties"]["state"]) == (True, 2)
    assert shown["lockProperties"]["batteryLevel"] == 63
    street.say(lock, topics.STATE, b'{"lock": "LOCKING"}', retained=True)
    assert ok(anna.get(path))["result"]["lockProperties"]["state"] == 5
    street.say(lock, topics.STATE, b'{"lock": "JAMMED"}', retained=True)
    assert ok(anna.get(path))["result"]["lockProperties"]["stateChangeResult"] == 1
    for word, state in ((b"PULLED", 7), (b"UNKNOWN", 9), (b"LOCKED", 6)):
        street.say(lock, topics.STATE, b'{"lock": "%s"}' % word, retained=True)
        assert ok(anna.get(path))["result"]["lockProperties"]["state"] == state
    street.go(lock)
    assert ok(anna.get(path))["result"]["isConnected"] is False


@pytest.mark.parametrize(
    "what, payload",
    [
        (topics.HELLO, b""),
        (topics.HELLO, b"[]"),
        (topics.HELLO, b"\xff\xfe"),
        (topics.HELLO, b'{"applied": -1}'),
        (topics.HELLO, b'{"applied": 1e99, "settings": 1, "log": 0, "kept": 0}'),
        (topics.RESULT, b'{"statement": "0", "reason": 0, "applied": 7}'),
        (topics.RESULT, b'{"statement": "0000000000000000", "reason": 900, "applied": 7}'),
        (topics.STATE, b'{"lock": "OPEN SESAME"}'),
        (topics.STATE, b'{"lock": "LOCKED", "share": "\'; DROP TABLE shares"}'),
        (topics.LOG, b"SLOG"),
        (topics.LOG, bytes(96)),
        ("up/other", b"{}"),
    ],
)
def test_what_makes_no_sense_changes_nothing(street, lock, what, payload):
    before = vars(device(street))
    street.say(lock, what, payload)
    after = vars(device(street))
    assert {k: v for k, v in before.items() if k[0] != "_"} == {
        k: v for k, v in after.items() if k[0] != "_"
    }
    assert not street.told


def test_a_hello_that_was_retained_is_old(street, anna, bob, door, lock):
    street.go(lock)
    street.near[lock.id] = lock
    street.say(lock, topics.HELLO, json.dumps(lock.hello()).encode(), retained=True)
    give(anna, door, bob.email)
    assert not street.told


def test_a_stranger_on_the_broker_is_nobody(street):
    street.exchange.heard(f"locks/{'f' * 16}/up/hello", b"{}", False)
    street.exchange.heard(f"home/{'f' * 32}/command", b"UNLOCK", False)
    street.exchange.heard("locks", b"", False)
    assert not street.published


# --- operations ----------------------------------------------------------------------------------


def operate(person, street, action="unlock"):
    path = f"/api/v1.32/my/lock/{device(street).id}/operation/{action}"
    return ok(person.post(path), 202)["result"]["operationId"]


def polled(person, operation):
    result = ok(person.get(f"/api/v1.32/my/device/operation/{operation}"))["result"]
    return result["status"], result["result"]


def test_a_hello_that_was_under_way_brings_no_used_challenge_back(street, anna, bob, door, lock):
    give(anna, door, bob.email)
    street.settle()
    first = operate(bob, street)
    street.say(lock, topics.HELLO, json.dumps(lock.hello()).encode())
    street.settle()
    second = operate(bob, street)
    street.settle()
    assert polled(bob, second) == ("PENDING", None)
    street.hello(lock)
    assert [polled(bob, each) for each in (first, second)] == [("COMPLETED", 0)] * 2


def test_an_operation_is_carried_out_by_the_lock_and_polled(street, anna, bob, door, lock):
    give(anna, door, bob.email)
    street.settle()
    moved = len(lock.hardware.pin.changes)
    asked = operate(bob, street)
    assert polled(bob, asked) == ("PENDING", None)
    street.settle()
    assert polled(bob, asked) == ("COMPLETED", 0)
    assert len(lock.hardware.pin.changes) > moved


def test_each_operation_takes_a_challenge_of_its_own(street, anna, bob, door, lock):
    give(anna, door, bob.email)
    street.settle()
    asked = [operate(bob, street) for _ in range(3)]
    for done in range(1, 4):
        street.settle()
        states = [polled(bob, each)[0] for each in asked]
        assert states == ["COMPLETED"] * done + ["PENDING"] * (3 - done)
        street.hello(lock)


def test_the_lock_has_the_last_word(street, anna, bob, door, lock):
    give(anna, door, bob.email, {"uses": 1})
    street.settle()
    assert lock.knock(BOB, UNLOCK) == reasons.ALLOWED
    lock.wait(120)
    street.hello(lock)
    asked = operate(bob, street)  # the cloud does not know that it was used
    street.settle()
    assert polled(bob, asked) == ("COMPLETED", reasons.USES_SPENT)


def test_a_challenge_that_ran_out_is_asked_for_again(street, anna, bob, door, lock):
    give(anna, door, bob.email)
    street.settle()
    lock.wait(61)
    asked = operate(bob, street)
    street.settle()
    assert street.results[-1]["reason"] == reasons.OLD_CHALLENGE
    assert polled(bob, asked)[0] == "PENDING"
    street.hello(lock)
    assert polled(bob, asked) == ("COMPLETED", 0)


def test_an_operation_that_nobody_answers_ends(street, anna, bob, door, lock):
    give(anna, door, bob.email)
    street.settle()
    street.go(lock)
    asked = operate(bob, street)
    street.world.now += 29
    street.exchange.expire()
    assert polled(bob, asked)[0] == "PENDING"
    street.world.now += 1
    street.exchange.expire()
    assert polled(bob, asked) == ("COMPLETED", operations.NO_ANSWER)
    street.come(lock)
    assert not any(cose.parse(token).typ == statements.COMMAND for _, token in street.told)
    lock.lock.log.flush()
    reader = lock.export(0)
    kinds = [reader[at + 4] for at in range(32, len(reader), 64)]
    assert entry.DECISION not in kinds


def test_results_of_nothing_that_was_told_do_nothing(street, anna, bob, door, lock):
    give(anna, door, bob.email)
    street.settle()
    street.near.clear()
    asked = operate(bob, street)
    forged = {"statement": sha256(b"x").digest()[:8].hex(), "reason": 0, "applied": lock.applied}
    street.say(lock, topics.RESULT, json.dumps(forged).encode())
    assert polled(bob, asked)[0] == "PENDING"


def test_phones_learn_the_lock_s_key_from_what_it_says(street, lock, bob, anna, door):
    first, other = [PrivateKey.from_scalar(scalar).public for scalar in (21, 22)]
    street.hello(lock)
    assert key_of(street) is None
    street.hello(lock, key=(first.x + first.y).hex())
    street.hello(lock, key="00" * 64)  # no point of the curve
    assert key_of(street) == first.x + first.y
    assert deeds(street, "lock.key%") == []
    give(anna, door, bob.email)
    phone = ok(bob.get(f"{API}/phones"))[0]["id"]
    answer = ok(bob.get(f"{API}/devices/{door}/grant", params={"phone": phone}))
    assert answer["key"] == (first.x + first.y).hex()
    street.hello(lock, key=(other.x + other.y).hex())
    assert deeds(street, "lock.key%") == [("lock.key-changed", {})]
