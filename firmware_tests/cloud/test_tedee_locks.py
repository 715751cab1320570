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
from firmware.policy.zone import Zone
from host_sim.cloud.domain import devices, operations, sharing
from host_sim.cloud.domain.model import Device, Operation, Share, Statement
from host_sim.cloud.terms import Terms
from host_sim.world import zones

API = "/api/v1.32"
MODES = ["", "?mode=0", "?mode=2", "?mode=3"]
PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
DER = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
SHORT_POINT = (serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


@pytest.fixture
def world(sqlite_service):
    """Anna has a door in Warsaw, and John is a guest."""
    world = sqlite_service
    world.anna, world.john = world.person("anna@example.org"), world.person("john@example.org")
    with world.transaction() as context:
        owner = world.who(context, world.anna)
        world.door = devices.create(context, owner, "Door", zones.posix("Europe/Warsaw")).id
    world.share = share(world, world.john.email)
    return world


def share(world, email, **terms):
    """A share of the door in our own terms."""
    with world.transaction() as context:
        door, owner = context.session.get_one(Device, world.door), world.who(context, world.anna)
        wanted, zone = Terms(**terms), Zone(door.zone)
        made = sharing.create(context, owner, door, email, lambda grant: wanted.write(grant, zone))
        return made.id


def say(world, **state):
    """What the door says about itself."""
    with world.transaction() as context:
        door = context.session.get_one(Device, world.door)
        door.state, door.state_at = state, world.now


def result(answer, status=200):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["success"] and body["errorMessages"] == [] and body["statusCode"] == status
    return body["result"]


def refused(answer, status):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert not body["success"] and body["result"] is None and body["statusCode"] == status
    return body["errorMessages"][0]


# --- locks --------------------------------------------------------------------------------------


def test_locks_of_somebody(world):
    (lock,) = result(world.anna.get(f"{API}/my/lock"))
    assert (lock["id"], lock["name"], lock["accessLevel"]) == (world.door, "Door", 2)
    assert lock["shareDetails"] is None and lock["type"] == 2
    assert lock["userIdentity"].replace("-", "") == world.anna.uid
    (lock,) = result(world.john.get(f"{API}/my/lock"))
    assert lock["accessLevel"] == 0 and lock["shareDetails"]["id"] == world.share
    assert result(world.person("eve@example.org").get(f"{API}/my/lock")) == []


@pytest.mark.parametrize("path", ["/my/lock/", "/my/device", "/my/device/", "/MY/Lock"])
def test_other_ways_to_the_locks(world, path):
    answer = world.anna.get(API + path, follow_redirects=False)
    assert result(answer) == result(world.anna.get(f"{API}/my/lock"))


def test_details_have_each_kind(world):
    details = result(world.anna.get(f"{API}/my/device/details"))
    assert [lock["id"] for lock in details.pop("locks")] == [world.door]
    assert details == dict.fromkeys(["bridges", "keypads", "gates", "dryContacts"], [])
    assert result(world.anna.get(f"{API}/my/bridge/")) == []


def test_locks_come_in_pages(world):
    with world.transaction() as context:
        owner = world.who(context, world.anna)
        second = devices.create(context, owner, "Cellar", "UTC0").id
    pages = [
        [lock["id"] for lock in result(world.anna.get(f"/api/v37/my/lock?{page}"))]
        for page in ("ItemsPerPage=1&Page=1", "itemsPerPage=1&page=2", "ItemsPerPage=1&Page=3")
    ]
    assert pages == [[world.door], [second], []]


def test_a_lock_that_never_said_anything(world):
    lock = result(world.anna.get(f"{API}/my/lock/{world.door}"))
    assert not lock["isConnected"] and lock["lockProperties"] is None is lock["deviceState"]


@pytest.mark.parametrize(
    ("said", "state"),
    [({"lock": 0}, 2), ({"lock": 1}, 6), ({"lock": 2}, 7), ({}, 9), ({"lock": 5}, 9)],
)
def test_what_a_lock_last_said(world, said, state):
    say(world, connected=True, battery=54, jammed=True, **said)
    lock = result(world.anna.get(f"{API}/my/lock/{world.door}"))
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
    sync = result(world.anna.get(f"{API}/my/lock/{world.door}/sync"))
    assert sync == {name: lock[name] for name in sync}
    assert result(world.anna.get(f"{API}/my/lock/sync")) == [sync]


def test_sync_of_some_locks(world):
    with world.transaction() as context:
        owner = world.who(context, world.anna)
        second = devices.create(context, owner, "Cellar", "UTC0").id
    syncs = result(world.anna.get(f"{API}/my/lock/sync?id={second}&id=999"))
    assert [sync["id"] for sync in syncs] == [second]


def test_auto_lock_is_a_setting(world):
    with world.transaction() as context:
        door, owner = context.session.get_one(Device, world.door), world.who(context, world.anna)
        devices.configure(context, owner, door, settings={"auto_lock_s": 30})
    lock = result(world.anna.get(f"{API}/my/lock/{world.door}"))
    settings = lock["deviceSettings"]
    assert (settings["autoLockEnabled"], settings["autoLockDelay"]) == (True, 30)
    assert lock["revision"] == 2


@pytest.mark.parametrize("path", ["lock/{}", "lock/{}/sync", "device/{}/operation/x"])
def test_a_lock_of_others_is_none(world, path):
    eve = world.person("eve@example.org")
    for number in (world.door, 999):
        answer = eve.get(f"{API}/my/{path.format(number)}")
        assert refused(answer, 404) == refused(eve.get(f"{API}/my/{path.format(12)}"), 404)


# --- operations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["anna", "john"])
@pytest.mark.parametrize(
    ("asked", "action", "kind"),
    [("lock", "lock", 0), *((f"unlock{mode}", "unlock", 1) for mode in MODES)]
    + [("unlock?mode=4", "pull", 2), ("pull", "pull", 2)],
)
def test_an_operation_is_taken_in_and_polled(world, who, asked, action, kind):
    say(world, lock=1)
    caller = getattr(world, who)
    headers = {"Content-Type": "application/json-patch+json"}
    begun = caller.post(f"{API}/my/lock/{world.door}/operation/{asked}", headers=headers)
    accepted = result(begun, 202)
    assert accepted["lastStateChangedDate"] == "2026-07-02T13:46:40Z"
    number = accepted["operationId"]
    path = f"{API}/my/device/operation/{number}"
    pending = {"deviceId": world.door, "operationId": number, "type": kind}
    assert result(caller.get(path)) == {**pending, "result": None, "status": "PENDING"}
    with world.transaction() as context:
        operation = context.session.scalar(select(Operation))
        assert operation.action == action
        operations.finish(context, operation, 0)
    done = {**pending, "result": 0, "status": "COMPLETED"}
    assert result(caller.get(path)) == done
    assert result(caller.get(f"{API}/my/device/{world.door}/operation/{number}")) == done


def test_what_the_lock_refused_is_told(world):
    begun = world.john.post(f"{API}/my/lock/{world.door}/operation/unlock")
    number = result(begun, 202)["operationId"]
    with world.transaction() as context:
        operation = context.session.scalar(select(Operation))
        operations.finish(context, operation, reasons.LOCKED_OUT)
    polled = result(world.john.get(f"{API}/my/device/operation/{number}"))
    assert (polled["status"], polled["result"]) == ("COMPLETED", reasons.LOCKED_OUT)


def test_an_operation_is_known_to_who_asked_for_it(world):
    begun = world.john.post(f"{API}/my/lock/{world.door}/operation/unlock")
    number = result(begun, 202)["operationId"]
    for who in (world.anna, world.person("eve@example.org")):
        assert refused(who.get(f"{API}/my/device/operation/{number}"), 404)
    assert refused(world.john.get(f"{API}/my/device/999/operation/{number}"), 404)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"channels": ["local"]}, reasons.CHANNEL_CLOSED),
        ({"rules": ["sun"]}, reasons.OUTSIDE_RULES),
        ({"rights": ["lock"]}, reasons.NO_RIGHT),
        ({"until": "2026-07-01T00:00Z"}, reasons.EXPIRED),
    ],
)
def test_what_the_lock_would_refuse_is_refused_at_once(world, terms, reason):
    jane = world.person("jane@example.org")
    share(world, jane.email, **terms)
    answer = jane.post(f"{API}/my/lock/{world.door}/operation/unlock")
    assert refused(answer, 403) == reasons.text(reason)


def test_a_share_without_remote_access_blocks_only_that_path(world):
    """remoteAccessDisabled: at the door the grant is as good as any."""
    change = {"id": world.share, "remoteAccessDisabled": True}
    assert world.anna.patch(f"{API}/my/deviceShare", json=change).status_code == 204
    answer = world.john.post(f"{API}/my/lock/{world.door}/operation/unlock")
    assert refused(answer, 403) == reasons.text(reasons.CHANNEL_CLOSED)


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
def test_a_senseless_operation_is_refused(world, method, path, status):
    assert refused(world.anna.request(method, API + path), status)


@pytest.mark.parametrize(
    ("scope", "status"), [("Lock.Operate", 202), ("Device.ReadWrite", 403), ("Device.Read", 403)]
)
def test_to_operate_is_a_scope_of_its_own(world, scope, status):
    key = world.john.post("/account/keys", json={"name": "x", "scopes": [scope]}).json()["token"]
    headers = {"Authorization": f"PersonalKey {key}"}
    path = f"{API}/my/lock/{world.door}/operation/lock"
    assert world.http.post(path, headers=headers).status_code == status


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
def test_a_mobile_is_registered_in_any_form_of_key(world, form):
    key = new_key().public_key()
    number = register(world.john, FORMS[form](key))
    mobile = result(world.john.get(f"{API}/my/mobile/{number}"))
    identity = mobile.pop("userIdentity")
    assert identity.replace("-", "") == world.john.uid
    assert mobile == {"id": number, "name": "Phone", "operatingSystem": 1}
    query = f"mobileId={number}&deviceId={world.door}"
    told = result(world.john.get(f"{API}/my/devicecertificate/getformobile?{query}"))
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
def test_what_is_no_such_key_is_refused(world, text):
    body = {"name": "Phone", "operatingSystem": 1, "publicKey": text}
    assert refused(world.john.post(f"{API}/my/mobile", json=body), 400).startswith("publicKey: ")


def test_a_key_is_registered_once(world):
    text = text_of(POINT, new_key().public_key())
    register(world.john, text)
    body = {"name": "Phone", "operatingSystem": 0, "publicKey": text}
    for who in (world.john, world.anna):
        assert refused(who.post(f"{API}/my/mobile", json=body), 409)


def test_a_person_has_so_many_phones(world):
    for _ in range(10):
        register(world.john, text_of(POINT, new_key().public_key()))
    body = {"name": "x", "operatingSystem": 0, "publicKey": text_of(PEM, new_key().public_key())}
    assert refused(world.john.post(f"{API}/my/mobile", json=body), 412)


def test_a_mobile_of_others_is_none(world):
    number = register(world.john, text_of(POINT, new_key().public_key()))
    for method in ("GET", "DELETE"):
        assert refused(world.anna.request(method, f"{API}/my/mobile/{number}"), 404)
    query = f"mobileId={number}&deviceId={world.door}"
    assert refused(world.anna.get(f"{API}/my/devicecertificate/getformobile?{query}"), 404)
    assert result(world.anna.get(f"{API}/my/mobile")) == []


def test_a_mobile_is_forgotten_and_its_grants_revoked(world):
    number = register(world.john, text_of(POINT, new_key().public_key()))
    assert [each["id"] for each in result(world.john.get(f"{API}/my/mobile"))] == [number]
    answer = world.john.delete(f"{API}/my/mobile/{number}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (204, "application/json")
    assert result(world.john.get(f"{API}/my/mobile")) == []
    with world.transaction() as context:
        last = context.session.scalar(select(Statement).order_by(Statement.id.desc()).limit(1))
        assert last.kind == statements.REVOCATION and last.share_id == world.share


# --- certificates, time, revocations ------------------------------------------------------------


def issuer_key(world):
    issuers = world.service.issuers
    return issuers.key(issuers.current).public


def verifies(world, signature, message):
    """Whether a DER signature in base64 is the issuer's, asked of PyPI cryptography."""
    point = issuer_key(world)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + point.x + point.y)
    try:
        key.verify(b64decode(signature), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def opened(world, text):
    """A token in base64, whose signature is checked."""
    message = cose.parse(b64decode(text))
    cose.verify(message, issuer_key(world))
    return message


def certificate(world, who, number):
    query = f"MobileId={number}&DeviceId={world.door}"
    return result(who.get(f"{API}/my/devicecertificate/getformobile?{query}"))


def test_a_certificate_is_the_grant_of_the_share(world):
    number = register(world.john, text_of(POINT, new_key().public_key()))
    told = certificate(world, world.john, number)
    with world.transaction() as context:
        kept = context.session.get_one(Share, world.share)
        (statement,) = context.session.scalars(
            select(Statement).where(Statement.share_id == world.share)
        )
        assert opened(world, told["certificate"]).payload == statement.payload
        assert bytes.fromhex(kept.uid) in statement.payload
    assert told["devicePublicKey"] is None
    assert told["expirationDate"] == "2026-07-12T13:46:40Z"  # ten days


def test_a_certificate_follows_the_terms(world):
    number = register(world.john, text_of(POINT, new_key().public_key()))
    first = certificate(world, world.john, number)
    change = {"id": world.share, "repeatEvent": {"endDate": "2026-07-05T00:00:00Z"}}
    assert world.anna.patch(f"{API}/my/deviceShare", json=change).status_code == 204
    second = certificate(world, world.john, number)
    assert second["certificate"] != first["certificate"]
    assert second["expirationDate"] == "2026-07-05T00:00:00Z"


def test_a_lease_is_renewed_when_half_of_it_is_over(world):
    with world.transaction() as context:
        kept, owner = context.session.get_one(Share, world.share), world.who(context, world.anna)
        sharing.change(context, owner, kept, lambda grant: None, lease_s=86_400)
    number = register(world.john, text_of(POINT, new_key().public_key()))
    begin = world.now
    ends = []
    for hours in (0, 11, 13):
        world.now = begin + hours * 3600
        told = certificate(world, world.john, number)
        ends.append(datetime.fromisoformat(told["expirationDate"]).timestamp() - begin)
    assert ends == [86_400, 86_400, 86_400 + 13 * 3600]


def test_the_owner_has_a_certificate_and_a_stranger_none(world):
    number = register(world.anna, text_of(POINT, new_key().public_key()))
    assert certificate(world, world.anna, number)
    eve = world.person("eve@example.org")
    number = register(eve, text_of(POINT, new_key().public_key()))
    query = f"mobileId={number}&deviceId={world.door}"
    assert refused(eve.get(f"{API}/my/devicecertificate/getformobile?{query}"), 404)


def test_the_time_is_signed(world):
    told = result(world.john.get(f"{API}/datetime/getsignedtime"))
    moment = b64decode(told["datetime"])
    assert int.from_bytes(moment, "big") == world.now * 1000 and len(moment) == 8
    assert verifies(world, told["signature"], moment)
    assert not verifies(world, told["signature"], moment[:7] + b"x")
    assert told["statement"] is None


@pytest.mark.parametrize("nonce", [None, bytes(range(16))])
def test_the_time_is_a_statement_for_a_lock(world, nonce):
    query = {"deviceId": world.door}
    if nonce:
        query["nonce"] = b64encode(nonce).decode()
    told = result(world.john.get(f"{API}/datetime/getsignedtime", params=query))
    message = opened(world, told["statement"])
    header, answered = statements.read_time(message.payload)
    assert answered == nonce
    with world.transaction() as context:
        assert header.lock == context.session.get_one(Device, world.door).lock_id.encode()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("nonce=AAAAAAAAAAAAAAAAAAAAAA==", 400),
        ("deviceId=1&nonce=AAAA", 400),
        ("deviceId=1&nonce=*", 400),
        ("deviceId=999", 404),
    ],
)
def test_a_senseless_time_is_refused(world, query, status):
    assert refused(world.john.get(f"{API}/datetime/getsignedtime?{query}"), status)


def revocations(world, who, version):
    query = f"deviceId={world.door}&version={version}"
    return who.get(f"{API}/my/devicecertificate/getrevokedformobile?{query}")


def test_who_has_the_newest_revocations_gets_204(world):
    answer = revocations(world, world.john, 0)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Content-Type"] == "application/json"


def test_revocations_are_told_signed_and_carried(world):
    jane = world.person("jane@example.org")
    register(jane, text_of(POINT, new_key().public_key()))
    number = share(world, jane.email, until="2026-08-01T00:00Z")
    world.now += 60
    assert world.anna.delete(f"{API}/my/deviceShare/{number}").status_code == 204
    told = result(revocations(world, world.john, 0))
    (token,) = told.pop("statements")
    signature = told.pop("signature")
    text = json.dumps(told, separators=(",", ":"), sort_keys=True)
    assert verifies(world, signature, text.encode())
    ends = {"certificateId": number, "expirationDate": "2026-08-01T00:00:00Z"}
    assert told["revokedCertificates"] == [ends]
    assert (told["deviceId"], told["lastUpdated"]) == (world.door, world.now)
    assert opened(world, token).typ == statements.REVOCATION
    assert revocations(world, world.john, told["version"]).status_code == 204
    # And again from there on.
    number = share(world, jane.email)
    assert world.anna.delete(f"{API}/my/deviceShare/{number}").status_code == 204
    again = result(revocations(world, world.john, told["version"]))
    assert [each["certificateId"] for each in again["revokedCertificates"]] == [number]


def test_revocations_say_nothing_of_others_grants(world):
    jane = world.person("jane@example.org")
    register(jane, text_of(POINT, new_key().public_key()))
    number = share(world, jane.email)
    world.anna.delete(f"{API}/my/deviceShare/{number}")
    told = result(revocations(world, world.john, 0))
    assert jane.uid not in json.dumps(told)
    assert all(jane.uid.encode() not in b64decode(each) for each in told["statements"])
