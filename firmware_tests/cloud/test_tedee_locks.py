"""tedee's locks, operations, mobiles and what phones carry to a lock."""

import json
from base64 import b64decode, b64encode
from datetime import datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import select

from firmware.access import statements
from firmware.crypto import cose
from firmware.policy import reasons
from firmware_tests.cloud.tedee import refused, result
from host_sim import words
from host_sim.cloud.domain import devices, operations, sharing
from host_sim.cloud.domain.model import Device, Operation, Share, Statement

API = "/api/v1.32"
MODES = ["", "?mode=0", "?mode=2", "?mode=3"]
PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
DER = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
SHORT_POINT = (serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


# --- locks --------------------------------------------------------------------------------------


def test_locks_of_somebody(house):
    (lock,) = result(house.anna.get(f"{API}/my/lock"))
    assert (lock["id"], lock["name"], lock["accessLevel"]) == (house.door, "Door", 2)
    assert lock["shareDetails"] is None and lock["type"] == 2
    assert lock["userIdentity"].replace("-", "") == house.anna.uid
    (lock,) = result(house.john.get(f"{API}/my/lock"))
    assert lock["accessLevel"] == 0 and lock["shareDetails"]["id"] == house.share
    assert result(house.world.person("eve@example.org").get(f"{API}/my/lock")) == []


@pytest.mark.parametrize("path", ["/my/lock/", "/my/device", "/my/device/", "/MY/Lock"])
def test_other_ways_to_the_locks(shared, path):
    answer = shared.anna.get(API + path, follow_redirects=False)
    assert result(answer) == result(shared.anna.get(f"{API}/my/lock"))


def test_details_have_each_kind(house):
    details = result(house.anna.get(f"{API}/my/device/details"))
    assert [lock["id"] for lock in details.pop("locks")] == [house.door]
    assert details == dict.fromkeys(["bridges", "keypads", "gates", "dryContacts"], [])
    assert result(house.anna.get(f"{API}/my/bridge/")) == []


def test_locks_come_in_pages(house):
    second = house.build("Cellar")
    pages = [
        [lock["id"] for lock in result(house.anna.get(f"/api/v37/my/lock?{page}"))]
        for page in ("ItemsPerPage=1&Page=1", "itemsPerPage=1&page=2", "ItemsPerPage=1&Page=3")
    ]
    assert pages == [[house.door], [second], []]


def test_a_lock_that_never_said_anything(house):
    lock = result(house.anna.get(f"{API}/my/lock/{house.door}"))
    assert not lock["isConnected"] and lock["lockProperties"] is None is lock["deviceState"]


@pytest.mark.parametrize(
    ("said", "state"),
    [({"lock": 0}, 2), ({"lock": 1}, 6), ({"lock": 2}, 7), ({}, 9), ({"lock": 5}, 9)],
)
def test_what_a_lock_last_said(house, said, state):
    house.say(connected=True, battery=54, jammed=True, **said)
    lock = result(house.anna.get(f"{API}/my/lock/{house.door}"))
    assert lock["isConnected"]
    assert lock["lockProperties"] == {
        "state": state,
        "isCharging": False,
        "batteryLevel": 54,
        "doorState": 0,
        "stateChangeResult": 1,
        "lastStateChangedDate": "2026-07-02T13:46:40Z",
    }
    assert lock["deviceState"] == lock["lockProperties"]
    sync = result(house.anna.get(f"{API}/my/lock/{house.door}/sync"))
    assert sync == {name: lock[name] for name in sync}
    assert result(house.anna.get(f"{API}/my/lock/sync")) == [sync]


@pytest.mark.parametrize(("door", "state"), [("open", 2), ("closed", 3), (None, 0)])
def test_where_the_door_is(house, door, state):
    house.say(lock=0, door=door)
    for path in ("", "/sync"):
        lock = result(house.anna.get(f"{API}/my/lock/{house.door}{path}"))
        assert lock["lockProperties"]["doorState"] == state


def test_sync_of_some_locks(house):
    second = house.build("Cellar")
    syncs = result(house.anna.get(f"{API}/my/lock/sync?id={second}&id=999"))
    assert [sync["id"] for sync in syncs] == [second]


def test_auto_lock_is_a_setting(house):
    with house.world.transaction() as context:
        door, owner = (
            context.session.get_one(Device, house.door),
            house.world.who(context, house.anna),
        )
        devices.configure(context, owner, door, settings={"auto_lock_s": 30})
    lock = result(house.anna.get(f"{API}/my/lock/{house.door}"))
    settings = lock["deviceSettings"]
    assert (settings["autoLockEnabled"], settings["autoLockDelay"]) == (True, 30)
    assert lock["revision"] == 2


@pytest.mark.parametrize("path", ["lock/{}", "lock/{}/sync", "device/{}/operation/x"])
def test_a_lock_of_others_is_none(house, path):
    eve = house.world.person("eve@example.org")
    for number in (house.door, 999):
        answer = eve.get(f"{API}/my/{path.format(number)}")
        assert refused(answer, 404) == refused(eve.get(f"{API}/my/{path.format(12)}"), 404)


# --- operations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["anna", "john"])
@pytest.mark.parametrize(
    ("asked", "action", "kind"),
    [("lock", "lock", 0), *((f"unlock{mode}", "unlock", 1) for mode in MODES)]
    + [("unlock?mode=4", "pull", 2), ("pull", "pull", 2)],
)
def test_an_operation_is_taken_in_and_polled(shared, who, asked, action, kind):
    shared.say(lock=1)
    caller = getattr(shared, who)
    headers = {"Content-Type": "application/json-patch+json"}
    begun = caller.post(f"{API}/my/lock/{shared.door}/operation/{asked}", headers=headers)
    accepted = result(begun, 202)
    assert accepted["lastStateChangedDate"] == "2026-07-02T13:46:40Z"
    number = accepted["operationId"]
    path = f"{API}/my/device/operation/{number}"
    pending = {"deviceId": shared.door, "operationId": number, "type": kind}
    assert result(caller.get(path)) == {**pending, "result": None, "status": "PENDING"}
    with shared.world.transaction() as context:
        operation = operations.find(context, shared.world.who(context, caller), number)
        assert operation.action == action
        operations.finish(context, operation, 0)
    done = {**pending, "result": 0, "status": "COMPLETED"}
    assert result(caller.get(path)) == done
    assert result(caller.get(f"{API}/my/device/{shared.door}/operation/{number}")) == done


def test_what_the_lock_refused_is_told(house):
    begun = house.john.post(f"{API}/my/lock/{house.door}/operation/unlock")
    number = result(begun, 202)["operationId"]
    with house.world.transaction() as context:
        operation = context.session.scalar(select(Operation))
        operations.finish(context, operation, reasons.LOCKED_OUT)
    polled = result(house.john.get(f"{API}/my/device/operation/{number}"))
    assert (polled["status"], polled["result"]) == ("COMPLETED", reasons.LOCKED_OUT)


def test_an_operation_is_known_to_who_asked_for_it(house):
    begun = house.john.post(f"{API}/my/lock/{house.door}/operation/unlock")
    number = result(begun, 202)["operationId"]
    for who in (house.anna, house.world.person("eve@example.org")):
        assert refused(who.get(f"{API}/my/device/operation/{number}"), 404)
    assert refused(house.john.get(f"{API}/my/device/999/operation/{number}"), 404)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"channels": ["local"]}, reasons.CHANNEL_CLOSED),
        ({"rules": ["sun"]}, reasons.OUTSIDE_RULES),
        ({"rights": ["lock"]}, reasons.NO_RIGHT),
        ({"until": "2026-07-01T00:00Z"}, reasons.EXPIRED),
    ],
)
def test_what_the_lock_would_refuse_is_refused_at_once(house, terms, reason):
    jane = house.world.person("jane@example.org")
    house.give(jane.email, **terms)
    answer = jane.post(f"{API}/my/lock/{house.door}/operation/unlock")
    assert refused(answer, 403) == words.text(reason)


def test_a_share_without_remote_access_blocks_only_that_path(house):
    """remoteAccessDisabled: at the door the grant is as good as any."""
    change = {"id": house.share, "remoteAccessDisabled": True}
    assert house.anna.patch(f"{API}/my/deviceShare", json=change).status_code == 204
    answer = house.john.post(f"{API}/my/lock/{house.door}/operation/unlock")
    assert refused(answer, 403) == words.text(reasons.CHANNEL_CLOSED)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/my/lock/999/operation/unlock", 404),
        ("POST", "/my/lock/0/operation/unlock", 400),
        ("POST", "/my/lock/x/operation/unlock", 400),
        ("POST", "/my/lock/99999999999999999999/operation/unlock", 400),
        ("POST", "/my/lock/1/operation/explode", 400),
        ("POST", "/my/lock/1/operation/unlock?mode=5", 400),
        ("GET", "/my/lock/1/operation/unlock", 405),
    ],
)
def test_a_senseless_operation_is_refused(shared, method, path, status):
    assert refused(shared.anna.request(method, API + path), status)


@pytest.mark.parametrize(
    ("scope", "status"), [("Lock.Operate", 202), ("Device.ReadWrite", 403), ("Device.Read", 403)]
)
def test_to_operate_is_a_scope_of_its_own(shared, scope, status):
    key = shared.john.post("/account/keys", json={"name": "x", "scopes": [scope]}).json()["token"]
    headers = {"Authorization": f"PersonalKey {key}"}
    path = f"{API}/my/lock/{shared.door}/operation/lock"
    assert shared.world.http.post(path, headers=headers).status_code == status


# --- mobiles ------------------------------------------------------------------------------------


def text_of(form, key):
    """A public key as clients write it."""
    data = key.public_bytes(*form)
    return data.decode() if form == PEM else b64encode(data).decode()


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def register(who, text, status=201):
    body = {"name": "Phone", "operatingSystem": 1, "publicKey": text}
    return result(who.post(f"{API}/my/mobile", json=body), status)["id"]


FORMS = {
    "pem": lambda key: text_of(PEM, key),
    "indented pem": lambda key: text_of(PEM, key).replace("\n", "\n    "),
    "pem in one line": lambda key: text_of(PEM, key).replace("\n", ""),
    "der": lambda key: text_of(DER, key),
    "point": lambda key: text_of(POINT, key),
    "compressed point": lambda key: text_of(SHORT_POINT, key),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_mobile_is_registered_in_any_form_of_key(shared, form):
    key = new_key().public_key()
    number = register(shared.john, FORMS[form](key))
    mobile = result(shared.john.get(f"{API}/my/mobile/{number}"))
    identity = mobile.pop("userIdentity")
    assert identity.replace("-", "") == shared.john.uid
    assert mobile == {"id": number, "name": "Phone", "operatingSystem": 1}
    query = f"mobileId={number}&deviceId={shared.door}"
    told = result(shared.john.get(f"{API}/my/devicecertificate/getformobile?{query}"))
    assert told["mobilePublicKey"] == text_of(POINT, key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "AAAA",
        b64encode(b"\4" + bytes(64)).decode(),
        b64encode(b"\4" + b"\xff" * 64).decode(),
        text_of(PEM, rsa.generate_private_key(65_537, 1024).public_key()),
        text_of(DER, ec.generate_private_key(ec.SECP384R1()).public_key()),
        "é" * 20,
    ],
)
def test_what_is_no_such_key_is_refused(shared, text):
    body = {"name": "Phone", "operatingSystem": 1, "publicKey": text}
    assert refused(shared.john.post(f"{API}/my/mobile", json=body), 400).startswith("publicKey: ")


def test_a_key_is_registered_once(house):
    text = text_of(POINT, new_key().public_key())
    register(house.john, text)
    body = {"name": "Phone", "operatingSystem": 0, "publicKey": text}
    for who in (house.john, house.anna):
        assert refused(who.post(f"{API}/my/mobile", json=body), 409)


def test_a_person_has_so_many_phones(house):
    for _ in range(10):
        register(house.john, text_of(POINT, new_key().public_key()))
    body = {"name": "x", "operatingSystem": 0, "publicKey": text_of(PEM, new_key().public_key())}
    assert refused(house.john.post(f"{API}/my/mobile", json=body), 412)


def test_a_mobile_of_others_is_none(house):
    number = register(house.john, text_of(POINT, new_key().public_key()))
    for method in ("GET", "DELETE"):
        assert refused(house.anna.request(method, f"{API}/my/mobile/{number}"), 404)
    query = f"mobileId={number}&deviceId={house.door}"
    assert refused(house.anna.get(f"{API}/my/devicecertificate/getformobile?{query}"), 404)
    assert result(house.anna.get(f"{API}/my/mobile")) == []


def test_a_mobile_is_forgotten_and_its_grants_revoked(house):
    number = register(house.john, text_of(POINT, new_key().public_key()))
    assert [each["id"] for each in result(house.john.get(f"{API}/my/mobile"))] == [number]
    answer = house.john.delete(f"{API}/my/mobile/{number}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (204, "application/json")
    assert result(house.john.get(f"{API}/my/mobile")) == []
    with house.world.transaction() as context:
        last = context.session.scalar(select(Statement).order_by(Statement.id.desc()).limit(1))
        assert last.kind == statements.REVOCATION and last.share_id == house.share


# --- certificates, time, revocations ------------------------------------------------------------


def issuer_key(house):
    issuers = house.world.service.issuers
    return issuers.key(issuers.current).public


def verifies(house, signature, message):
    """Whether a DER signature in base64 is the issuer's, asked of PyPI cryptography."""
    point = issuer_key(house)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + point.x + point.y)
    try:
        key.verify(b64decode(signature), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def opened(house, text):
    """A token in base64, whose signature is checked."""
    message = cose.parse(b64decode(text))
    cose.verify(message, issuer_key(house))
    return message


def certificate(house, who, number):
    query = f"MobileId={number}&DeviceId={house.door}"
    return result(who.get(f"{API}/my/devicecertificate/getformobile?{query}"))


def test_a_certificate_is_the_grant_of_the_share(house):
    number = register(house.john, text_of(POINT, new_key().public_key()))
    told = certificate(house, house.john, number)
    with house.world.transaction() as context:
        kept = context.session.get_one(Share, house.share)
        (statement,) = context.session.scalars(
            select(Statement).where(Statement.share_id == house.share)
        )
        assert opened(house, told["certificate"]).payload == statement.payload
        assert bytes.fromhex(kept.uid) in statement.payload
    assert told["devicePublicKey"] is None
    assert told["expirationDate"] == "2026-07-12T13:46:40Z"  # ten days


def test_a_certificate_follows_the_terms(house):
    number = register(house.john, text_of(POINT, new_key().public_key()))
    first = certificate(house, house.john, number)
    change = {"id": house.share, "repeatEvent": {"endDate": "2026-07-05T00:00:00Z"}}
    assert house.anna.patch(f"{API}/my/deviceShare", json=change).status_code == 204
    second = certificate(house, house.john, number)
    assert second["certificate"] != first["certificate"]
    assert second["expirationDate"] == "2026-07-05T00:00:00Z"


def test_a_lease_is_renewed_when_half_of_it_is_over(house):
    with house.world.transaction() as context:
        kept, owner = (
            context.session.get_one(Share, house.share),
            house.world.who(context, house.anna),
        )
        sharing.change(context, owner, kept, lambda grant: None, lease_s=86_400)
    number = register(house.john, text_of(POINT, new_key().public_key()))
    begin = house.world.now
    ends = []
    for hours in (0, 11, 13):
        house.world.now = begin + hours * 3600
        told = certificate(house, house.john, number)
        ends.append(datetime.fromisoformat(told["expirationDate"]).timestamp() - begin)
    assert ends == [86_400, 86_400, 86_400 + 13 * 3600]


def test_the_owner_has_a_certificate_and_a_stranger_none(house):
    number = register(house.anna, text_of(POINT, new_key().public_key()))
    assert certificate(house, house.anna, number)
    eve = house.world.person("eve@example.org")
    number = register(eve, text_of(POINT, new_key().public_key()))
    query = f"mobileId={number}&deviceId={house.door}"
    assert refused(eve.get(f"{API}/my/devicecertificate/getformobile?{query}"), 404)


def test_the_time_is_signed(shared):
    told = result(shared.john.get(f"{API}/datetime/getsignedtime"))
    moment = b64decode(told["datetime"])
    assert int.from_bytes(moment, "big") == shared.world.now * 1000 and len(moment) == 8
    assert verifies(shared, told["signature"], moment)
    assert not verifies(shared, told["signature"], moment[:7] + b"x")
    assert told["statement"] is None


@pytest.mark.parametrize("nonce", [None, bytes(range(16))])
def test_the_time_is_a_statement_for_a_lock(shared, nonce):
    query = {"deviceId": shared.door}
    if nonce:
        query["nonce"] = b64encode(nonce).decode()
    told = result(shared.john.get(f"{API}/datetime/getsignedtime", params=query))
    message = opened(shared, told["statement"])
    header, answered = statements.read_time(message.payload)
    assert answered == nonce
    with shared.world.transaction() as context:
        assert header.lock == context.session.get_one(Device, shared.door).lock_id.encode()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("nonce=AAAAAAAAAAAAAAAAAAAAAA==", 400),
        ("deviceId=1&nonce=AAAA", 400),
        ("deviceId=1&nonce=*", 400),
        ("deviceId=999", 404),
    ],
)
def test_a_senseless_time_is_refused(shared, query, status):
    assert refused(shared.john.get(f"{API}/datetime/getsignedtime?{query}"), status)


def revocations(house, who, version):
    query = f"deviceId={house.door}&version={version}"
    return who.get(f"{API}/my/devicecertificate/getrevokedformobile?{query}")


def test_who_has_the_newest_revocations_gets_204(house):
    answer = revocations(house, house.john, 0)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Content-Type"] == "application/json"


def test_revocations_are_told_signed_and_carried(house):
    jane = house.world.person("jane@example.org")
    register(jane, text_of(POINT, new_key().public_key()))
    number = house.give(jane.email, until="2026-08-01T00:00Z")
    house.world.now += 60
    assert house.anna.delete(f"{API}/my/deviceShare/{number}").status_code == 204
    told = result(revocations(house, house.john, 0))
    (token,) = told.pop("statements")
    signature = told.pop("signature")
    assert told.pop("issuerStatement") is None
    text = json.dumps(told, separators=(",", ":"), sort_keys=True)
    assert verifies(house, signature, text.encode())
    ends = {"certificateId": number, "expirationDate": "2026-08-01T00:00:00Z"}
    assert told["revokedCertificates"] == [ends]
    assert (told["deviceId"], told["lastUpdated"]) == (house.door, house.world.now)
    assert opened(house, token).typ == statements.REVOCATION
    assert revocations(house, house.john, told["version"]).status_code == 204
    # And again from there on.
    number = house.give(jane.email)
    assert house.anna.delete(f"{API}/my/deviceShare/{number}").status_code == 204
    again = result(revocations(house, house.john, told["version"]))
    assert [each["certificateId"] for each in again["revokedCertificates"]] == [number]


def test_revocations_say_nothing_of_others_grants(house):
    jane = house.world.person("jane@example.org")
    register(jane, text_of(POINT, new_key().public_key()))
    number = house.give(jane.email)
    house.anna.delete(f"{API}/my/deviceShare/{number}")
    told = result(revocations(house, house.john, 0))
    assert jane.uid not in json.dumps(told)
    assert all(jane.uid.encode() not in b64decode(each) for each in told["statements"])
