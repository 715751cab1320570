"""A lock over HTTP: enrolled, told what changed and the time; its log taken in."""

import re

import pytest

from firmware.access.statements import ACK, TIME
from firmware.crypto import cbor, cose
from firmware.policy import reasons
from firmware.policy.grant import UNLOCK
from firmware.store import entry
from firmware.store.export import HEAD_BYTES
from firmware_tests.cloud.desk_lock import DeskLock
from firmware_tests.cloud.realm import write
from firmware_tests.cloud.native import API, add_lock, give, ok, refused
from firmware_tests.cloud.world import NOW
from host_sim.cloud.domain import issuing, people, phones, sharing
from host_sim.cloud.domain.model import Deed, Device, LogEntry
from host_sim.cloud.keys import PrivateKey, short

PHONE = PrivateKey.from_scalar(7).public


@pytest.fixture
def bob(service):
    made = service.person("bob@example.org")
    ok(made.post(f"{API}/phones", json={"name": "phone", "key": (PHONE.x + PHONE.y).hex()}), 201)
    return made


@pytest.fixture
def door(anna):
    return add_lock(anna)


def enrol(owner, door):
    return ok(owner.post(f"{API}/devices/{door}/enrolment"), 201)


@pytest.fixture
def lock(anna, door, tmp_path):
    return DeskLock(tmp_path / "flash", enrol(anna, door), NOW)


def ask(service, lock, method, path, **options):
    headers = {"Authorization": f"Bearer {lock.secret}"}
    return service.http.request(method, f"/locks/{lock.id}/{path}", headers=headers, **options)


def send_log(service, lock, chunk=None):
    """Have a chunk of the log taken in, and the lock the answer; its reason."""
    content = lock.export() if chunk is None else chunk
    answer = ask(service, lock, "POST", "events", content=content)
    assert answer.status_code == 200, answer.text
    assert cose.parse(answer.content).typ == ACK
    return lock.lock.accept(answer.content)


def told(service):
    """What stands in the database of the log: (branch, sequence), and deeds about it."""
    with service.transaction() as context:
        rows = context.session.query(LogEntry).order_by(LogEntry.id)
        deeds = context.session.query(Deed).filter(Deed.what.like("log.%")).order_by(Deed.id)
        return (
            [(row.branch, row.sequence) for row in rows],
            [(deed.what, deed.details) for deed in deeds],
        )


def test_a_lock_is_enrolled_by_its_owner_only(service, anna, bob, door):
    first = enrol(anna, door)
    assert re.fullmatch("[0-9a-f]{64}", first["secret"])
    assert first["broker"] == "mqtts://cloud.example:8883"
    assert first["ca"].startswith("-----BEGIN CERTIFICATE-----")
    give(anna, door, bob.email, {"level": "admin"})
    assert refused(bob.post(f"{API}/devices/{door}/enrolment")) == (403, "not-allowed")
    with service.transaction() as context:
        device = context.session.query(Device).one()
        assert device.lock_id == first["lock"]
        assert first["secret"] not in str(vars(device))
    assert first["secret"] not in ok(anna.get(f"{API}/devices/{door}/audit")).__repr__()


def test_only_its_newest_password_lets_a_lock_in(service, anna, door, tmp_path):
    old = DeskLock(tmp_path / "old", enrol(anna, door), NOW)
    assert ask(service, old, "GET", "changes").status_code == 200
    new = DeskLock(tmp_path / "new", enrol(anna, door), NOW)
    assert refused(ask(service, old, "GET", "changes")) == (401, "no-lock")
    assert ask(service, new, "GET", "changes").status_code == 200
    other = DeskLock(tmp_path / "other", enrol(anna, add_lock(anna)), NOW)
    other.id = new.id
    assert refused(ask(service, other, "GET", "changes")) == (401, "no-lock")
    ok(anna.delete(f"{API}/devices/{door}"), 204)
    assert refused(ask(service, new, "GET", "changes")) == (401, "no-lock")


def pages(service, lock):
    """What a lock is answered that asks until it has everything: the tokens of each page."""
    path: str | None = "changes?after=0"
    while path is not None:
        answer = ask(service, lock, "GET", path)
        assert answer.headers["content-type"] == "application/cbor"
        assert len(answer.content) <= 16_384
        yield cbor.decode(answer.content, max_bytes=16_384)
        link = re.fullmatch(r"</locks/\w+/(.*)>; rel=\"next\"", answer.headers.get("Link", ""))
        path = link[1] if link else None


def test_changes_come_in_pages_and_are_what_the_lock_lacks(service, anna, bob, door, lock):
    for number in range(40):
        give(anna, door, f"guest{number}@example.org")
    share = give(anna, door, bob.email)["id"]
    for day in range(2, 190):
        until = {"terms": {"until": f"2027-{day % 12 + 1:02}-{day % 28 + 1:02}T12:00Z"}}
        ok(anna.patch(f"{API}/shares/{share}", json=until))
    told = list(pages(service, lock))
    assert len(told) > 1
    assert {lock.lock.accept(token) for page in told for token in page} == {reasons.ALLOWED}
    assert lock.applied == ok(anna.get(f"{API}/devices/{door}"))["sequence"]
    assert lock.lock.grants.find(short(PHONE)).version > 180


def test_a_thousand_shares_are_told_in_at_most_25_batches(one_service, tmp_path):
    anna = one_service.person("anna@example.org")
    door = add_lock(anna)
    lock = DeskLock(tmp_path / "flash", enrol(anna, door), NOW)
    with one_service.transaction() as context:
        device = context.session.query(Device).one()
        owner = one_service.who(context, anna)
        for number in range(1000):
            guest = people.expected(context, f"guest{number}@example.org", "Guest")
            guest.confirmed_at = context.now
            key = PrivateKey.from_scalar(8 + number).public
            phones.add(context, guest, "phone", key.x + key.y)
            rules = ["mon-fri 08:00-16:00", "sat 09:00-12:00", "deny sun"][: number % 4]
            sharing.create(context, owner, device, guest.email, write(rules=rules))
    told = [token for page in pages(one_service, lock) for token in page]
    assert len(told) <= 25
    with one_service.transaction() as context:
        device = context.session.query(Device).one()
        assert issuing.changes_after(context, device, 0, len(told)) == told
    assert {lock.lock.accept(token) for token in told} == {reasons.ALLOWED}
    assert (lock.applied, lock.lock.grants.count()) == (1000, 1000)


def test_the_time_is_told_to_everybody(service, lock):
    body = {"nonce": lock.lock.clock.ask().hex()}
    answer = service.http.post(f"/locks/{lock.id}/time", json=body)
    assert (answer.status_code, cose.parse(answer.content).typ) == (200, TIME)
    assert lock.lock.accept(answer.content) == reasons.TIME_SET
    # A lock that is not there gets an answer, too: nobody can tell which there are.
    assert service.http.post(f"/locks/{'0' * 16}/time", json=body).status_code == 200
    assert refused(service.http.post("/locks/x/time", json=body)) == (404, "not-found")
    assert refused(service.http.post(f"/locks/{lock.id}/time", json={"nonce": "0"}))[0] == 400


def test_the_log_is_taken_in_once_and_acknowledged(service, anna, bob, door, lock):
    for _ in range(100):
        lock.knock(short(PHONE), UNLOCK)
        lock.lock.log.append(entry.CLOCK, lock.lock._now, reasons.TIME_SET)
        lock.lock.log.flush()
    first = lock.export()
    assert send_log(service, lock, first) == reasons.ALLOWED
    assert lock.lock.log.acknowledged == 64
    assert send_log(service, lock, first) == reasons.ALLOWED  # the answer was lost
    while lock.lock.log.acknowledged < lock.lock.log.sequence:
        assert send_log(service, lock) == reasons.ALLOWED
        lock.lock.log.flush()
        if lock.lock.log.acknowledged > 100:
            break
    entries, deeds = told(service)
    assert [sequence for _, sequence in entries] == list(range(1, len(entries) + 1))
    assert deeds == []
    shown = ok(anna.get(f"{API}/devices/{door}/audit?limit=1000"))["items"]
    assert sum(event["type"] == "sharelock.log.clock" for event in shown) >= 100


def test_gaps_and_damage_are_told_and_keep_nothing_else_out(service, lock):
    for _ in range(30):
        lock.lock.log.append(entry.CLOCK, lock.lock._now, reasons.TIME_SET)
        lock.lock.log.flush()
    whole = lock.export(0)
    assert send_log(service, lock, whole[: HEAD_BYTES + 4 * entry.BYTES]) == reasons.ALLOWED
    later = bytearray(lock.export(10))
    later[HEAD_BYTES + 3 * entry.BYTES + 6] ^= 1  # entry 14
    assert send_log(service, lock, bytes(later)) == reasons.ALLOWED
    entries, deeds = told(service)
    numbers = [sequence for _, sequence in entries]
    assert numbers == [*range(1, 5), *range(11, 14), *range(15, numbers[-1] + 1)]
    assert deeds[0] == ("log.gap", {"after": 4, "until": 11})
    assert deeds[-1] == ("log.damaged", {"entries": 1, "after": 10})
    send_log(service, lock, bytes(later))
    assert told(service) == (entries, deeds)  # each is told once


def test_a_log_that_goes_back_begins_a_branch(service, anna, door, lock):
    def note(times):
        for _ in range(times):
            lock.wait(1)
            lock.lock.log.append(entry.CLOCK, lock.lock._now, reasons.TIME_SET)
            lock.lock.log.flush()

    note(6)
    head = lock.export(0)
    note(4)
    send_log(service, lock, lock.export(0))
    before, _ = told(service)
    # What an older image of the flash, put back, would write instead.
    count = (len(head) - HEAD_BYTES) // entry.BYTES
    image = bytearray(lock.export(0)[: len(head)])
    link = entry.link(bytes(image[-entry.BYTES :]))
    for number in range(3):
        record = bytearray(entry.BYTES)
        sequence = count + 1 + number
        entry.pack(record, sequence, entry.BOLT, lock.lock._now, 0, 0, b"", b"", 7)
        link = entry.chain(record, link)
        image += record
    answer = ask(service, lock, "POST", "events", content=bytes(image))
    assert answer.status_code == 200
    entries, deeds = told(service)
    assert entries[: len(before)] == before
    branch = [sequence for branch, sequence in entries if branch == 1]
    assert branch == list(range(1, count + 4))
    assert deeds == [("log.went-back", {"branch": 1, "after": 0})]
    ask(service, lock, "POST", "events", content=bytes(image))
    assert told(service) == (entries, deeds)
    ids = [
        event["id"] for event in ok(anna.get(f"{API}/devices/{door}/audit?limit=1000"))["items"]
    ]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("content", [b"x" * 32, bytes(HEAD_BYTES + 64)])
def test_what_is_no_log_is_refused(service, lock, content):
    assert refused(ask(service, lock, "POST", "events", content=content)) == (400, "bad-log")
    too_long = lock.export(0)[:HEAD_BYTES] + bytes(64 * 300)
    assert refused(ask(service, lock, "POST", "events", content=too_long)) == (400, "bad-log")
