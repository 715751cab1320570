"""ARTIK's messages and actions: who may send and read them, from when on, and until when."""

import json

import pytest

from firmware.policy import reasons
from firmware_tests.cloud.artik import (
    accept,
    actions,
    add_lock,
    heard,
    offer,
    ok,
    refused,
    say,
    share,
    token,
)
from firmware_tests.cloud.world import NOW
from host_sim import words
from host_sim.cloud.domain import devices, messages, sharing
from host_sim.cloud.domain.model import Operation
from host_sim.cloud.terms import Terms
from host_sim.cloud.wallclock import UTC
from host_sim.cloud.web.artik import LOCK

LOCKED, OPEN = {"state": "locked"}, {"state": "open"}


@pytest.fixture
def door(anna):
    return add_lock(anna)


@pytest.fixture
def its(anna, door):
    """The token of the door, as headers."""
    return token(anna, door)


def limit(service, owner, made, **words):
    """Give a share other terms, beside this API."""
    wanted = Terms(**words)
    with service.transaction() as context:
        person = service.who(context, owner)
        found = sharing.find(context, person, made)
        sharing.change(context, person, found, lambda grant: wanted.write(grant, UTC))


def asked(service):
    """The actions that were asked of locks."""
    with service.transaction() as context:
        return [row.action for row in context.session.query(Operation).order_by(Operation.id)]


# --- "See data from the shared device" -----------------------------------------------------------


def test_data_messages_generated_after_the_share_is_accepted_are_read(
    service, anna, bob, door, its
):
    say(service, its, {"before": "offer"})
    offer(anna, door, bob.email)
    say(service, its, {"before": "acceptance"})
    assert refused(bob.get(f"/v1.1/messages?sdid={door}"))[0] == 404
    service.now += 10
    accept(service, bob)
    assert heard(bob, door) == []
    service.now += 10
    say(service, its, {"after": "acceptance"})
    # Said before, and on its way for a while.
    late = say(service, its, {"late": True}, ts=(NOW + 9) * 1000)
    assert heard(bob, door) == [{"after": "acceptance"}]
    assert len(heard(anna, door)) == 4
    assert refused(bob.get(f"/v1.1/messages?mid={late}")) == (404, "There is no such message.")


def test_what_is_read_of_a_message(service, anna, door, its):
    mid = say(service, its, LOCKED, ts=NOW * 1000 - 321, sdid=door)
    message = {
        "cts": NOW * 1000,
        "ts": NOW * 1000 - 321,
        "mid": mid,
        "uid": anna.uid,
        "sdid": door,
        "sdtid": LOCK,
        "mv": 1,
        "data": LOCKED,
    }
    page = {"uid": anna.uid, "startDate": 0, "endDate": 4_000_000_000_000, "order": "asc"}
    page |= {"count": 100, "size": 1, "data": [message]}
    query = {"startDate": 0, "endDate": 4_000_000_000_000}
    answer = anna.get("/v1.1/messages", params={"sdid": door, **query})
    assert ok(answer) == {**page, "sdid": door}
    assert ok(anna.get("/v1.1/messages", params={"mid": mid, **query})) == page


def test_history_from_when_to_when_forwards_and_backwards_in_pages(service, anna, door, its):
    for number in range(5):
        say(service, its, {"n": number})
        service.now += 10

    def numbers(**query):
        return [data["n"] for data in heard(anna, door, **query)]

    assert numbers() == [0, 1, 2, 3, 4]
    assert numbers(order="desc") == [4, 3, 2, 1, 0]
    assert numbers(startDate=(NOW + 10) * 1000, endDate=(NOW + 30) * 1000) == [1, 2, 3]
    assert numbers(startDate=(NOW + 10) * 1000 + 1, endDate=(NOW + 30) * 1000 - 1) == [2]
    for order, expected in ("asc", [[0, 1], [2, 3], [4]]), ("desc", [[4, 3], [2, 1], [0]]):
        query = {"sdid": door, "order": order, "count": 2}
        pages = []
        while True:
            answer = ok(anna.get("/v1.1/messages", params=query))
            pages.append([each["data"]["n"] for each in answer["data"]])
            assert answer["size"] == len(pages[-1])
            if "next" not in answer:
                break
            query["offset"] = answer["next"]
        assert pages == expected


def test_the_latest_messages_of_some_devices(service, anna, door, its):
    other = add_lock(anna, "Garage")
    theirs = token(anna, other)
    for number, headers in enumerate((its, theirs, its)):
        say(service, headers, {"n": number})

    def latest(devices, count):
        query = {"sdids": ",".join(devices), "count": count}
        found = ok(anna.get("/v1.1/messages/last", params=query))["data"]
        return [each["data"]["n"] for each in found]

    assert latest([door, other], 100) == [2, 1, 0]
    assert latest([door, other], 2) == [2, 1]
    assert latest([other], 1) == [1]
    many = ",".join(f"{number:032x}" for number in range(101))[:3_300]
    assert refused(anna.get("/v1.1/messages/last", params={"sdids": many}))[0] in (400, 404)


def test_no_messages_after_revocation(service, anna, bob, door, its):
    made = share(service, anna, door, bob)
    mid = say(service, its, LOCKED)
    assert heard(bob, door) == [LOCKED]
    ok(anna.delete(f"/v1.1/devices/{door}/shares/{made}"))
    for query in (f"?sdid={door}", f"?mid={mid}", f"/last?sdids={door}"):
        assert refused(bob.get(f"/v1.1/messages{query}"))[0] == 404
    # Shared again: from then on.
    service.now += 60
    share(service, anna, door, bob)
    assert heard(bob, door) == []


def test_who_is_not_allowed_in_now_reads_nothing(service, anna, bob, door, its):
    made = share(service, anna, door, bob)
    say(service, its, LOCKED)
    limit(service, anna, made, until="2026-01-01T00:00Z")
    answer = bob.get(f"/v1.1/messages?sdid={door}")
    assert refused(answer)[0] == 403


# --- messages of devices -------------------------------------------------------------------------


def test_only_the_device_speaks_for_itself(service, anna, bob, door, its):
    share(service, anna, door, bob)
    body = {"type": "message", "sdid": door, "data": LOCKED}
    for person in (anna, bob):
        assert refused(person.post("/v1.1/messages", json=body))[0] == 403
    assert refused(service.http.post("/v1.1/messages", json=body))[0] == 401
    other = add_lock(anna, "Garage")
    body["sdid"] = other
    assert refused(service.http.post("/v1.1/messages", json=body, headers=its))[0] == 404
    assert heard(anna, door) == heard(anna, other) == []


def test_a_device_can_do_nothing_else(service, anna, door, its):
    body = {"ddid": door, "type": "action", "data": actions("unlock")}
    answer = service.http.post("/v1.1/messages", json=body, headers=its)
    assert refused(answer) == (403, "A device does not send actions.")
    for path in ("users/self", f"devices/{door}", f"messages?sdid={door}"):
        assert refused(service.http.get(f"/v1.1/{path}", headers=its))[0] == 401
    assert asked(service) == []


def test_a_new_token_makes_the_old_one_void_and_so_does_its_end(service, anna, bob, door, its):
    share(service, anna, door, bob)
    assert refused(bob.put(f"/v1.1/devices/{door}/tokens"))[0] == 403
    assert refused(bob.delete(f"/v1.1/devices/{door}/tokens"))[0] == 403
    fresh = token(anna, door)
    body = {"data": LOCKED}
    assert refused(service.http.post("/v1.1/messages", json=body, headers=its))[0] == 401
    assert service.http.post("/v1.1/messages", json=body, headers=fresh).status_code == 200
    assert anna.delete(f"/v1.1/devices/{door}/tokens").status_code == 204
    assert refused(service.http.post("/v1.1/messages", json=body, headers=fresh))[0] == 401
    assert refused(anna.delete(f"/v1.1/devices/{door}/tokens")) == (404, "There is no such token.")


def test_a_deleted_device_says_nothing_more(service, anna, door, its):
    mid = say(service, its, LOCKED)
    ok(anna.delete(f"/v1.1/devices/{door}"))
    answer = service.http.post("/v1.1/messages", json={"data": LOCKED}, headers=its)
    assert refused(answer)[0] == 401
    assert refused(anna.get(f"/v1.1/messages?sdid={door}"))[0] == 404
    assert refused(anna.get(f"/v1.1/messages?mid={mid}"))[0] == 404


DEEP: dict = {"a": 1}
for _ in range(messages.MOST_LEVELS):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    "body, status",
    [
        ({"data": {"text": "x" * (messages.MOST_BYTES - len('{"text": ""}'))}}, 200),
        ({"data": {"text": "x" * (messages.MOST_BYTES - len('{"text": ""}') + 1)}}, 400),
        ({"data": {"text": "\u0e01" * 340}}, 400),  # of three bytes each
        ({"data": DEEP["a"]}, 200),
        ({"data": DEEP}, 400),
        ({"data": {"text": "\ud800"}}, 400),
        ({"data": {"number": float("nan")}}, 400),
        ({"data": "locked"}, 400),
        ({}, 400),
        ({"data": LOCKED, "ts": NOW * 1000 + messages.AHEAD_MS}, 200),
        ({"data": LOCKED, "ts": NOW * 1000 + messages.AHEAD_MS + 1}, 400),
        ({"data": LOCKED, "ts": -1}, 400),
        ({"data": LOCKED, "type": "shout"}, 400),
        ({"data": LOCKED, "type": ["message"]}, 400),
        ({"data": LOCKED, "ddid": "0" * 32}, 400),
        (["message"], 400),
    ],
)
def test_what_a_device_can_say(one_service, body, status):
    anna = one_service.person("anna@example.org")
    door = add_lock(anna)
    headers = {**token(anna, door), "Content-Type": "application/json"}
    content = json.dumps(body).encode()
    answer = one_service.http.post("/v1.1/messages", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    if status == 200:
        assert heard(anna, door) == [body["data"]]
    else:
        refused(answer)
        assert heard(anna, door) == []


# --- "Send Actions to the shared device" ---------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1.1/actions", "/v1.1/messages"])
def test_an_action_payload_includes_the_user_id_of_the_devices_owner(
    service, anna, bob, door, path
):
    share(service, anna, door, bob)
    body = {"ddid": door, "type": "action", "data": actions("unlock")}
    mid = ok(bob.post(path, json=body))["data"]["mid"]
    action = {
        "cts": NOW * 1000,
        "ts": NOW * 1000,
        "mid": mid,
        "uid": anna.uid,
        "ddid": door,
        "ddtid": LOCK,
        "mv": 1,
        "data": actions("unlock"),
    }
    for reader in (anna, bob):
        assert ok(reader.get(f"/v1.1/actions?ddid={door}"))["data"] == [action]
        assert ok(reader.get(f"/v1.1/actions?mid={mid}"))["data"] == [action]
    assert heard(anna, door) == []
    assert refused(anna.get(f"/v1.1/messages?mid={mid}"))[0] == 404
    assert asked(service) == ["unlock"]


@pytest.mark.parametrize(
    "terms, names, reason",
    [
        ({"rights": ["lock"]}, ["unlock"], reasons.NO_RIGHT),
        ({"rights": ["lock"]}, ["lock", "unlock"], reasons.NO_RIGHT),
        ({"channels": ["local"]}, ["unlock"], reasons.CHANNEL_CLOSED),
        ({"from": "2027-01-01T00:00Z"}, ["lock"], reasons.TOO_EARLY),
        ({"rules": ["mon 08:00-08:01 utc"]}, ["pull"], reasons.OUTSIDE_RULES),
    ],
)
def test_an_action_obeys_the_rules_of_the_share(one_service, terms, names, reason):
    service = one_service
    anna, bob = service.person("anna@example.org"), service.person("bob@example.org")
    door = add_lock(anna)
    made = share(service, anna, door, bob)
    limit(service, anna, made, **terms)
    body = {"ddid": door, "data": actions(*names)}
    assert refused(bob.post("/v1.1/actions", json=body)) == (403, words.text(reason))
    # None is sent unless all may be.
    assert asked(service) == [] and ok(anna.get(f"/v1.1/actions?ddid={door}"))["data"] == []
    ok(anna.post("/v1.1/actions", json=body))
    assert asked(service) == names


def test_an_application_uses_a_shared_device_with_the_token_of_its_user(
    service, anna, bob, door, its
):
    share(service, anna, door, bob)
    say(service, its, LOCKED)
    seen = []
    for scopes in (["Device.Read"], ["Device.Read", "Lock.Operate"], ["Account.Read"]):
        wanted = {"name": "application", "scopes": scopes}
        key = bob.post("/account/keys", json=wanted).json()["token"]
        headers = {"Authorization": f"PersonalKey {key}"}
        read = service.http.get(f"/v1.1/messages?sdid={door}", headers=headers)
        body = {"ddid": door, "data": actions("lock")}
        sent = service.http.post("/v1.1/actions", headers=headers, json=body)
        seen.append((read.status_code, sent.status_code))
    assert seen == [(200, 403), (200, 200), (403, 403)]
    assert asked(service) == ["lock"]


def test_strangers_send_nothing(service, anna, bob, door):
    body = {"ddid": door, "data": actions("unlock")}
    assert refused(bob.post("/v1.1/actions", json=body)) == (404, "There is no such device.")
    offer(anna, door, bob.email)
    assert refused(bob.post("/v1.1/actions", json=body))[0] == 404
    assert refused(service.http.post("/v1.1/actions", json=body))[0] == 401
    assert asked(service) == []


@pytest.mark.parametrize(
    "change",
    [
        {"data": actions()},
        {"data": actions("explode")},
        {"data": actions(*["lock"] * 11)},
        {"data": {}},
        {"type": "message"},
        {"data": {"actions": [{"name": "lock", "parameters": {"x": "y" * 1_024}}]}},
    ],
)
def test_an_action_that_makes_no_sense_is_refused(one_service, change):
    anna = one_service.person("anna@example.org")
    body = {"ddid": add_lock(anna), "type": "action", "data": actions("lock"), **change}
    assert refused(anna.post("/v1.1/actions", json=body))[0] == 400
    assert asked(one_service) == []


def test_what_is_asked_for_must_be_named(one_service):
    anna = one_service.person("anna@example.org")
    door = add_lock(anna)
    for path in ("messages", "actions"):
        assert refused(anna.get(f"/v1.1/{path}"))[0] == 400
        other = {"uid": "0" * 32, "sdid": door, "ddid": door}
        answer = anna.get(f"/v1.1/{path}", params=other)
        assert refused(answer) == (404, "There is no such user.")
        for bad in ({"count": 0}, {"count": 101}, {"order": "up"}, {"offset": "x"}):
            query = {"sdid": door, "ddid": door, **bad}
            assert refused(anna.get(f"/v1.1/{path}", params=query))[0] == 400


# --- what others may read while transactions overtake each other ---------------------------------


def test_a_message_that_was_overtaken_is_news_too(one_service):
    service = one_service
    anna = service.person("anna@example.org")
    headers = token(anna, add_lock(anna))
    for number in range(3):
        say(service, headers, {"n": number})
    with service.transaction() as context:
        ids = [message.id for message in messages.since(context, 0, ())]
        assert messages.newest(context) == ids[-1]
        # The second was not there yet when the third was told.
        late = messages.since(context, ids[2], {ids[0], ids[2]})
        assert [message.id for message in late] == [ids[1]]
        assert list(messages.since(context, ids[2], set(ids))) == []
        assert devices.with_token(context, "nobody's") is None
