"""The native API: devices, phones, what phones carry to a lock, and who did what."""

import json
from base64 import urlsafe_b64decode

import pytest

from firmware.access import claims
from firmware.access import statements as kinds
from firmware.crypto import cbor, cose, cwt
from firmware.policy import reasons
from firmware.policy.decision import TRUSTED, Now
from firmware.policy.grant import UNLOCK
from firmware.policy.instant import from_unix
from firmware.store import entry
from firmware_tests.cloud.native import API, add_lock, give, ok, refused
from firmware_tests.cloud.test_native_shares import PUBLIC
from firmware_tests.cloud.world import NOW
from host_sim.cloud.domain.model import Device, LogEntry
from host_sim.cloud.keys import PrivateKey


@pytest.fixture
def door(anna):
    return add_lock(anna)


def read(service, token):
    """Kind and members of a statement, whose signature is the issuer's."""
    raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    message = cose.parse(raw)
    key = service.service.issuers.key(service.service.issuers.current).public
    return message.typ, cbor.decode(cose.verify(message, key))


def phone(person, scalar=7):
    """A phone's id."""
    public = PrivateKey.from_scalar(scalar).public
    body = {"name": "phone", "key": (public.x + public.y).hex()}
    return ok(person.post(f"{API}/phones", json=body), 201)["id"]


# --- devices -------------------------------------------------------------------------------------


def test_a_device_is_added_changed_and_deleted(service, anna):
    door = add_lock(anna)
    path = f"{API}/devices/{door}"
    made = {
        "id": door,
        "name": "Door",
        "zone": "CET-1CEST,M3.5.0,M10.5.0/3",
        "settings": {"auto_lock_s": None, "mode": None, "most_error_s": None},
        "private_type": False,
        "owner": "Anna",
        "standing": "owner",
        "sequence": 0,
        "applied": 0,
        "created_at": "2026-07-02T13:46:40Z",
    }
    assert ok(anna.get(path)) == made
    assert ok(anna.get(f"{API}/devices")) == {"items": [made], "next": None}
    settings = {"auto_lock_s": 30, "mode": "vacation"}
    changed = ok(anna.patch(path, json={"settings": settings}))
    assert changed == {**made, "settings": {**settings, "most_error_s": None}}
    changed = ok(anna.patch(path, json={"name": " Gate ", "settings": {"mode": None}}))
    assert (changed["name"], changed["zone"]) == ("Gate", made["zone"])
    assert changed["settings"] == {"auto_lock_s": 30, "mode": None, "most_error_s": None}
    assert ok(anna.patch(path, json={"zone": "UTC0"}))["zone"] == "UTC0"
    kind, members = read(service, ok(anna.get(f"{path}/settings"))["token"])
    told = members[claims.TERMS]
    assert kind == kinds.SETTINGS
    assert (told[kinds.VERSION], told[kinds.ZONE], told[kinds.AUTO_LOCK_S]) == (4, "UTC0", 30)
    assert anna.delete(path).status_code == 204
    assert refused(anna.get(path)) == (404, "not-found")
    assert ok(anna.get(f"{API}/devices"))["items"] == []


def test_what_changes_nothing_is_no_new_version(service, anna, door):
    path = f"{API}/devices/{door}"
    same: tuple[dict, ...] = ({}, {"name": "Gate"}, {"settings": {}}, {"zone": "Europe/Berlin"})
    for body in same:
        ok(anna.patch(path, json=body))
    _, members = read(service, ok(anna.get(f"{path}/settings"))["token"])
    assert members[claims.TERMS][kinds.VERSION] == 1


@pytest.mark.parametrize(
    "change, code",
    [
        ({"name": ""}, "invalid"),
        ({"name": "a\u202eb"}, "bad-name"),
        ({"name": None}, "invalid"),
        ({"zone": "Mars/Crater"}, "bad-zone"),
        ({"zone": ""}, "bad-zone"),
        ({"settings": {"mode": "party"}}, "invalid"),
        ({"settings": {"auto_lock_s": 3_601}}, "invalid"),
        ({"settings": {"most_error_s": 59}}, "invalid"),
        ({"settings": {"colour": "red"}}, "invalid"),
        ({"settings": None}, "invalid"),
        ({"owner": "bob"}, "invalid"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(one_service, change, code):
    anna = one_service.person("anna@example.org")
    path = f"{API}/devices/{add_lock(anna)}"
    before = ok(anna.get(path))
    assert refused(anna.patch(path, json=change)) == (400, code)
    assert ok(anna.get(path)) == before


def test_a_device_is_given_away(service, anna, bob, door):
    path = f"{API}/devices/{door}"
    give(anna, door, "guest@example.org")
    body = {"email": "nobody@example.org"}
    assert refused(anna.post(f"{path}/transfer", json=body)) == (409, "no-account")
    assert refused(anna.post(f"{path}/transfer", json={"email": anna.email})) == (409, "owner")
    kept = {"email": bob.email, "keep_shares": True}
    assert anna.post(f"{path}/transfer", json=kept).status_code == 204
    assert refused(anna.get(path)) == (404, "not-found")
    assert ok(bob.get(path))["standing"] == "owner"
    listed = ok(bob.get(f"{path}/shares"))["items"]
    assert {(each["email"], each["origin"]) for each in listed} == {
        ("guest@example.org", "invitation"),
        (bob.email, "ownership"),
    }
    assert bob.post(f"{path}/transfer", json={"email": anna.email}).status_code == 204
    assert len(ok(anna.get(f"{path}/shares"))["items"]) == 1


def test_who_may_change_a_device(anna, bob, door):
    path = f"{API}/devices/{door}"
    assert refused(bob.patch(path, json={"name": "Mine"})) == (404, "not-found")
    share = give(anna, door, bob.email)["id"]
    assert refused(bob.patch(path, json={"name": "Mine"})) == (403, "not-allowed")
    ok(anna.patch(f"{API}/shares/{share}", json={"terms": {"level": "admin"}}))
    assert ok(bob.patch(path, json={"name": "Ours"}))["standing"] == "admin"
    for answer in (bob.delete(path), bob.post(f"{path}/transfer", json={"email": bob.email})):
        assert refused(answer) == (403, "not-allowed")


# --- phones and what they carry ------------------------------------------------------------------


def test_phones_are_added_and_forgotten(anna):
    body = {"name": "Pixel", "key": PUBLIC}
    made = ok(anna.post(f"{API}/phones", json=body), 201)
    assert made["name"] == "Pixel" and made["key"] == PUBLIC and len(made["thumbprint"]) == 32
    assert ok(anna.get(f"{API}/phones")) == [made]
    assert refused(anna.post(f"{API}/phones", json=body)) == (409, "known-key")
    for key, code in (("00" * 64, "bad-key"), ("00", "invalid"), ("zz" * 64, "invalid")):
        assert refused(anna.post(f"{API}/phones", json={**body, "key": key})) == (400, code)
    assert anna.delete(f"{API}/phones/{made['id']}").status_code == 204
    assert refused(anna.delete(f"{API}/phones/{made['id']}")) == (404, "not-found")
    assert ok(anna.get(f"{API}/phones")) == []


def test_a_phone_fetches_its_owners_grant(service, anna, bob, door):
    path = f"{API}/devices/{door}/grant"
    mine, theirs = phone(bob, 7), phone(anna, 8)
    assert refused(bob.get(path, params={"phone": mine})) == (404, "not-found")
    share = give(anna, door, bob.email, {"uses": 3}, lease="7 d")
    answer = ok(bob.get(path, params={"phone": mine}))
    assert answer["share"] == share["id"] and answer["lease"] == "2026-07-09T13:46:40Z"
    kind, members = read(service, answer["token"])
    assert kind == kinds.GRANT and members[cwt.CTI] == bytes.fromhex(share["id"])
    assert (answer["lock"], answer["key"]) == (members[cwt.AUD], None)
    assert members[claims.TERMS][claims.USES] == 3
    service.now += 4 * 86_400
    assert ok(bob.get(path, params={"phone": mine}))["lease"] == "2026-07-13T13:46:40Z"
    assert refused(bob.get(path, params={"phone": theirs})) == (404, "not-found")
    assert ok(anna.get(path, params={"phone": theirs}))["lease"] is None


def test_changes_are_carried_by_who_sees_all_shares(service, anna, bob, door):
    path = f"{API}/devices/{door}/changes"
    phone(bob)
    assert ok(anna.get(path)) == {"issuer": None, "sequence": 0, "batches": []}
    share = give(anna, door, bob.email)["id"]
    ok(anna.patch(f"{API}/shares/{share}", json={"terms": {"uses": 1}}))
    answer = ok(anna.get(path, params={"after": 1}))
    kind, members = read(service, answer["batches"][0])
    told = members[claims.TERMS]
    assert (kind, told[kinds.FIRST], told[kinds.LAST], answer["sequence"]) == (
        kinds.BATCH,
        2,
        2,
        2,
    )
    assert refused(bob.get(path)) == (403, "not-allowed")
    assert refused(anna.get(path, params={"after": -1})) == (400, "invalid")


def test_the_time_for_a_lock_answers_its_nonce(service, anna, bob, door):
    path = f"{API}/devices/{door}/time"
    with service.transaction() as context:
        lock = context.session.query(Device).one().lock_id
    kind, members = read(service, ok(anna.post(path, json={"nonce": "0f" * 16}))["token"])
    assert (kind, members[cwt.AUD], members[cwt.IAT]) == (kinds.TIME, lock, NOW)
    assert members[claims.TERMS] == {kinds.NONCE: b"\x0f" * 16}
    _, members = read(service, ok(anna.post(path, json={}))["token"])
    assert members[claims.TERMS] == {}
    assert refused(anna.post(path, json={"nonce": "0f"})) == (400, "invalid")
    assert refused(bob.post(path, json={})) == (404, "not-found")


# --- who did what --------------------------------------------------------------------------------


def write_log(service, door, *numbers):
    """Entries of the lock's own log."""
    with service.transaction() as context:
        device = context.session.query(Device).filter_by(uid=door).one()
        for number in numbers:
            record = bytearray(entry.BYTES)
            now = Now(from_unix(NOW - 60), 0, TRUSTED)
            entry.pack(
                record, number, entry.DECISION, now, reasons.EXPIRED, UNLOCK, b"share", b"", 1
            )
            row = LogEntry(
                device_id=device.id,
                sequence=number,
                record=bytes(record),
                received_at=service.now,
            )
            context.session.add(row)


def test_deeds_and_the_locks_own_log_in_one_list(service, anna, bob, door):
    path = f"{API}/devices/{door}/audit"
    service.now += 10
    write_log(service, door, 1, 2)
    service.now += 10
    share = give(anna, door, bob.email)["id"]
    events = ok(anna.get(path))
    assert [event["type"] for event in events["items"]] == [
        "sharelock.device.created",
        "sharelock.log.decision",
        "sharelock.log.decision",
        "sharelock.share.created",
        "sharelock.share.accepted",
    ]
    created = events["items"][3]
    assert created == {
        "specversion": "1.0",
        "id": created["id"],
        "source": f"https://cloud.example{path.removesuffix('/audit')}",
        "type": "sharelock.share.created",
        "time": "2026-07-02T13:47:00Z",
        "subject": share,
        "datacontenttype": "application/json",
        "data": {**created["data"], "person": anna.uid, "version": 1},
    }
    decision = events["items"][1]
    assert (decision["id"], decision["subject"], decision["time"]) == (
        "log-1",
        "share",
        "2026-07-02T13:45:40Z",
    )
    assert decision["data"]["what"] == "expired"
    assert len({event["id"] for event in events["items"]}) == 5


def test_the_list_goes_on_where_it_ended(service, anna, bob, door):
    path = f"{API}/devices/{door}/audit"
    whole, cursor = [], "0.0"
    for number in range(1, 6):
        write_log(service, door, number)
        give(anna, door, f"guest{number}@example.org")
        service.now += number % 2
        answer = ok(anna.get(path, params={"cursor": cursor, "limit": 2}))
        whole += [event["id"] for event in answer["items"]]
        cursor = answer["next"]
    while True:
        answer = ok(anna.get(path, params={"cursor": cursor, "limit": 2}))
        if not answer["items"]:
            break
        whole += [event["id"] for event in answer["items"]]
        cursor = answer["next"]
    assert answer["next"] == cursor
    assert len(whole) == len(set(whole)) == 1 + 5 + 5
    assert set(whole) == {event["id"] for event in ok(anna.get(path))["items"]}
    assert refused(anna.get(path, params={"cursor": "7"})) == (400, "invalid")


def test_the_export_is_a_cloudevent_a_line(service, anna, door):
    path = f"{API}/devices/{door}/audit.ndjson"
    give(anna, door, "guest@example.org")
    answer = anna.get(path, params={"limit": 1})
    assert answer.headers["content-type"] == "application/x-ndjson"
    (line,) = answer.text.splitlines()
    (url,) = [part[1:-1] for part in answer.headers["link"].split(";")][:1]
    later = anna.get(url.replace("limit=1", "limit=9"))
    lines = [line, *later.text.splitlines()]
    required = {"specversion", "id", "source", "type"}  # CloudEvents 1.0 section 3.1
    for each in map(json.loads, lines):
        assert required <= each.keys() and None not in each.values()
    listed = ok(anna.get(path.removesuffix(".ndjson")))["items"]
    assert [json.loads(each)["id"] for each in lines] == [event["id"] for event in listed]


def test_who_may_read_who_did_what(service, anna, bob, door):
    for path in (f"{API}/devices/{door}/audit", f"{API}/devices/{door}/audit.ndjson"):
        assert refused(bob.get(path)) == (404, "not-found")
    give(anna, door, bob.email)
    for path in (f"{API}/devices/{door}/audit", f"{API}/devices/{door}/audit.ndjson"):
        assert refused(bob.get(path)) == (403, "not-allowed")
        assert refused(service.http.get(path)) == (401, "no-token")


def test_nothing_in_the_audit_tells_an_address_or_a_secret(service, anna, bob, door):
    give(anna, door, bob.email, by_link=True)
    text = anna.get(f"{API}/devices/{door}/audit.ndjson").text
    assert service.secret(bob.email) not in text and bob.email not in text


# --- scopes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scope, allowed",
    [
        ("Device.Read", {"device"}),
        ("Device.ReadWrite", {"device", "rename"}),
        ("DeviceShare.Read", {"shares"}),
        ("DeviceShare.ReadWrite", {"shares", "share"}),
        ("Mobile.ReadWrite", {"phones"}),
        ("DeviceCertificate.Operate", {"changes"}),
        ("Log.Read", {"audit"}),
        ("Organization.ReadWrite", set()),
    ],
)
def test_a_personal_key_reaches_as_far_as_its_scopes(one_service, scope, allowed):
    anna = one_service.person("anna@example.org")
    one = f"{API}/devices/{add_lock(anna)}"
    key = anna.post("/account/keys", json={"name": "key", "scopes": [scope]}).json()["token"]
    headers = {"Authorization": f"PersonalKey {key}"}
    calls = {
        "device": ("GET", one, None),
        "rename": ("PATCH", one, {"name": "Gate"}),
        "shares": ("GET", f"{one}/shares", None),
        "share": ("POST", f"{one}/shares", {"email": "bob@example.org"}),
        "phones": ("GET", f"{API}/phones", None),
        "changes": ("GET", f"{one}/changes", None),
        "audit": ("GET", f"{one}/audit", None),
    }
    for name, (method, path, body) in calls.items():
        answer = one_service.http.request(method, path, json=body, headers=headers)
        if name in allowed:
            assert answer.is_success, name
        else:
            assert refused(answer) == (403, "scope"), name
