"""How often somebody may ask."""

from unittest.mock import Mock

import pytest

from firmware_tests.cloud.world import PASSWORD
from host_sim.cloud.web.limits import HOUR_S, Limit

NOW = 1_783_000_000


@pytest.mark.parametrize("per_hour", [1, 7, 30, 700, 7200])
def test_so_many_at_once_then_the_next_when_told(per_hour):
    limit = Limit(per_hour)
    assert [limit.take("anna", NOW) for _ in range(per_hour)] == [0] * per_hour
    wait_s = limit.take("anna", NOW)
    assert 1 <= wait_s <= HOUR_S / per_hour + 1
    assert limit.take("anna", NOW + wait_s) == 0


@pytest.mark.parametrize("per_hour", [30, 700])
def test_never_more_than_so_many_and_a_burst_in_any_time(per_hour):
    limit = Limit(per_hour)
    taken = sum(limit.take("anna", NOW + second) == 0 for second in range(3 * HOUR_S))
    assert 4 * per_hour - 1 <= taken <= 4 * per_hour


def test_a_refusal_costs_nothing():
    limit = Limit(10)
    for _ in range(10):
        limit.take("anna", NOW)
    waits = [limit.take("anna", NOW) for _ in range(5)]
    assert waits == [360] * 5


def test_one_does_not_use_up_what_another_has():
    limit = Limit(1)
    assert limit.take("anna", NOW) == 0
    assert limit.take("berta", NOW) == 0
    assert limit.take("anna", NOW) == HOUR_S


def test_701_requests_in_an_hour_are_one_too_many(one_service):
    anna, berta = (one_service.person(f"{name}@example.org") for name in ("anna", "berta"))
    for _ in range(698):
        assert one_service.service.limits.person.take(anna.uid, one_service.now) == 0
    assert anna.get("/account").status_code == 200
    # A request that makes no sense counts, too.
    assert anna.post("/account/keys", json={}).status_code == 400
    answer = anna.get("/account")
    assert answer.status_code == 429
    assert answer.json()["code"] == "too-many-requests"
    wait_s = int(answer.headers["Retry-After"])
    assert berta.get("/account").status_code == 200
    one_service.now += wait_s
    assert anna.get("/account").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/account", {}, 200),
        ("POST", "/account/log-out", {"key": True}, 403),
        ("POST", "/account/keys", {"json": {}}, 400),
        ("POST", "/account/keys", {"content": b"{"}, 400),
        ("GET", "/account/tokens/x", {}, 405),
        ("DELETE", "/account/tokens/x", {}, 404),
        ("POST", "/api/v1.32/my/deviceshare", {"content": b"x"}, 415),
        ("POST", "/api/v1.32/my/deviceshare", {"json": {}}, 400),
        ("GET", "/api/v9.99/my/lock", {}, 400),
        ("GET", "/api/v1.32/my/lock/x", {}, 400),
        ("GET", "/v1.1/devices/x/shares", {}, 404),
    ],
)
def test_each_request_counts_once_whatever_comes_of_it(
    one_service, monkeypatch, method, path, options, status
):
    anna = one_service.person("anna@example.org")
    key = anna.post("/account/keys", json={"name": "K", "scopes": ["Log.Read"]}).json()["token"]
    if options.pop("key", False):
        options = {"headers": {"Authorization": f"PersonalKey {key}"}}
    taken = Mock(wraps=one_service.service.limits.person.take)
    monkeypatch.setattr(one_service.service.limits.person, "take", taken)
    assert anna.request(method, path, **options).status_code == status
    assert taken.call_count == (status != 405)


def test_passwords_cannot_be_tried_without_end(one_service):
    http = one_service.http
    one_service.person("anna@example.org")
    for spelling in ("anna@example.org", " ANNA@example.org", "Anna@Example.Org") * 10:
        one_service.service.limits.address.take(spelling.strip().casefold(), one_service.now)
    for spelling in ("anna@example.org", "ANNA@example.org "):
        body = {"email": spelling, "password": PASSWORD}
        answer = http.post("/account/log-in", json=body)
        assert answer.status_code == 429 and int(answer.headers["Retry-After"]) == 120


def test_nor_addresses_from_one_client(one_service):
    for _ in range(300):
        one_service.service.limits.client.take("testclient", one_service.now)
    for path, body in (
        ("/account", {"email": "a@example.org", "name": "A"}),
        ("/account/log-in", {"email": "a@example.org", "password": PASSWORD}),
        ("/account/forgotten-password", {"email": "a@example.org"}),
        ("/account/confirm", {"token": "x", "password": PASSWORD}),
        ("/account/password", {"token": "x", "password": PASSWORD}),
    ):
        assert one_service.http.post(path, json=body).status_code == 429, path
