"""ARTIK's live messages: told as they come, to whom may read them at that moment."""

import pytest
from sqlalchemy.exc import DBAPIError
from starlette.websockets import WebSocketDisconnect

from firmware_tests.cloud.artik import accept, actions, add_lock, offer, ok, say, share, token
from host_sim.cloud.domain import people
from host_sim.cloud.domain.model import Person
from host_sim.cloud.web import artik_messages
from host_sim.cloud.web.artik import LOCK


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    monkeypatch.setattr(artik_messages, "LOOK_S", 0.01)


@pytest.fixture
def door(anna):
    return add_lock(anna)


@pytest.fixture
def its(anna, door):
    return token(anna, door)


def listen(service, person, **query):
    """An open connection of somebody."""
    headers = {"Authorization": f"Bearer {person.token}"}
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return service.http.websocket_connect(f"/v1.1/live?{text}", headers=headers)


def data(connection):
    """What the next message says."""
    return connection.receive_json()["data"]


def end(connection):
    """Why it was closed."""
    error = connection.receive_json()["error"]
    with pytest.raises(WebSocketDisconnect) as closed:
        connection.receive_json()
    assert closed.value.code == 1008
    return error["code"], error["message"]


def test_messages_and_actions_are_told_as_they_come(service, anna, bob, door, its):
    share(service, anna, door, bob)
    service.now += 1
    say(service, its, {"n": 0})
    with listen(service, bob, sdids=door) as connection:
        mid = say(service, its, {"n": 1}, ts=service.now * 1000 - 7)
        assert connection.receive_json() == {
            "type": "message",
            "cts": service.now * 1000,
            "ts": service.now * 1000 - 7,
            "mid": mid,
            "uid": anna.uid,
            "sdid": door,
            "sdtid": LOCK,
            "mv": 1,
            "data": {"n": 1},
        }
        body = {"ddid": door, "data": actions("lock")}
        mid = ok(anna.post("/v1.1/actions", json=body))["data"]["mid"]
        action = connection.receive_json()
        assert (action["type"], action["mid"], action["uid"]) == ("action", mid, anna.uid)
        assert action["data"] == actions("lock")


def test_who_is_told_of_which_devices(service, anna, bob, door, its):
    mine = add_lock(bob, "Garage")
    headers = token(bob, mine)
    share(service, anna, door, bob)
    with (
        listen(service, bob, sdids=f"{door},{mine}") as both,
        listen(service, bob, uid=bob.uid) as own,
        listen(service, bob, uid=bob.uid, includeSharedDevices="true") as everything,
    ):
        say(service, its, {"from": "door"})
        say(service, headers, {"from": "garage"})
        assert data(own) == {"from": "garage"}
        for connection in (both, everything):
            assert [data(connection), data(connection)] == [{"from": "door"}, {"from": "garage"}]


def test_nothing_before_acceptance_and_nothing_after_revocation(service, anna, bob, door, its):
    other = add_lock(bob, "Garage")
    marker = token(bob, other)
    with listen(service, bob, uid=bob.uid, includeSharedDevices="true") as connection:
        made = offer(anna, door, bob.email)
        say(service, its, {"n": "before"})
        say(service, marker, {"n": "offered"})
        assert data(connection) == {"n": "offered"}
        service.now += 1
        accept(service, bob)
        say(service, its, {"n": "accepted"})
        assert data(connection) == {"n": "accepted"}
        ok(anna.delete(f"/v1.1/devices/{door}/shares/{made}"))
        say(service, its, {"n": "after"})
        say(service, marker, {"n": "revoked"})
        assert data(connection) == {"n": "revoked"}


def test_a_ping_while_nothing_happens(service, anna, door, monkeypatch):
    monkeypatch.setattr(artik_messages, "PING_S", 0.02)
    with listen(service, anna, sdids=door) as connection:
        assert [connection.receive_json() for _ in range(2)] == [{"type": "ping"}] * 2


def test_a_log_out_ends_it(service, anna, door):
    with listen(service, anna, sdids=door) as connection:
        assert anna.post("/account/log-out").status_code == 204
        assert end(connection) == (401, "The token is not good any more.")


def test_who_may_not_listen_is_told_so(service, anna, bob, door):
    query = {"sdids": door}
    with service.http.websocket_connect(f"/v1.1/live?sdids={door}") as connection:
        assert end(connection)[0] == 401
    for uid in (door, "0" * 32):
        with listen(service, bob, sdids=uid) as connection:
            assert end(connection) == (404, "There is no such device.")
    with listen(service, bob, uid=anna.uid) as connection:
        assert end(connection) == (404, "There is no such user.")
    with listen(service, anna) as connection:
        assert end(connection)[0] == 400
    with listen(service, anna, sdids=",".join(map(str, range(101)))) as connection:
        assert end(connection)[0] == 400
    with service.transaction() as context:
        who = service.who(context, anna)
        _, key = people.new_key(context, who, "shares only", ["DeviceShare.Read"], None)
    headers = {"Authorization": f"PersonalKey {key}"}
    with service.http.websocket_connect(f"/v1.1/live?{query}", headers=headers) as connection:
        assert end(connection) == (403, "This takes the scope Device.Read.")


def test_so_many_connections_and_no_more(service, anna, bob, door, monkeypatch):
    monkeypatch.setattr(artik_messages, "MOST_LIVE", 1)
    share(service, anna, door, bob)
    with listen(service, anna, sdids=door):
        with listen(service, anna, sdids=door) as connection:
            assert end(connection) == (429, "Close another connection first.")
        with listen(service, bob, sdids=door):
            pass
    with listen(service, anna, sdids=door) as connection:
        say(service, token(anna, door), {"n": 1})
        assert data(connection) == {"n": 1}


def test_who_listens_and_who_reads_does_not_wait_for_who_writes(service, anna, door, its):
    mid = say(service, its, {"n": 1})
    with service.transaction() as context:  # has the write lock of SQLite
        context.session.get_one(Person, anna.id).name = "Anna II"
        context.session.flush()
        with listen(service, anna, sdids=door) as connection:
            found = ok(anna.get(f"/v1.1/messages?sdid={door}"))["data"]
            assert [each["mid"] for each in found] == [mid]
            connection.close()


def test_who_reads_cannot_write(service, anna):
    with pytest.raises(DBAPIError), service.service.transaction(reads=True) as context:
        context.session.get_one(Person, anna.id).name = "Anna II"
    with service.service.transaction() as context:
        person = context.session.get_one(Person, anna.id)
        assert person.name == "Anna"
        person.name = "Anna III"  # on the same connection
