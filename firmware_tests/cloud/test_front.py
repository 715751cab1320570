"""What all requests have in common: ids, headers, sizes, errors, logs, metrics."""

import json
import logging
import re

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from firmware_tests.cloud.world import NOW, PASSWORD
from host_sim.cloud.config import Config
from host_sim.cloud.logs import JsonLines
from host_sim.cloud.web.front import MOST_BODY, Front
from host_sim.cloud.web.problems import Style, Styles, install
from host_sim.cloud.web.service import Service

JSON = {"Content-Type": "application/json"}


def test_a_request_keeps_its_id_or_gets_one(one_service):
    http = one_service.http
    kept = http.get("/healthz", headers={"X-Correlation-ID": "abc-1.2_3"})
    assert kept.headers["X-Correlation-ID"] == "abc-1.2_3"
    for odd in ("", "a b", "x" * 65, "<script>"):
        given = http.get("/healthz", headers={"X-Correlation-ID": odd}).headers["X-Correlation-ID"]
        assert re.fullmatch("[0-9a-f]{32}", given)


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/account", "/sign-up", "/metrics"])
def test_every_answer_has_the_headers(one_service, path):
    headers = one_service.http.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused(one_service, announced):
    large = b'{"email": "' + b"x" * MOST_BODY + b'"}'
    content = large if announced else iter([large])
    answer = one_service.http.post("/account", content=content, headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "A body has at most 262144 bytes."
    fitting = b'{"email": "' + b"x" * (MOST_BODY - 13) + b'"}'
    answer = one_service.http.post("/account", content=fitting, headers=JSON)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('{"email": "a@b.example"\n "name": "A"}', "line 2, column 2"),
        ("", "body"),
        ("{", "line 1, column 2"),
        ('{\n\n  "email": nope}', "line 3, column 12"),
        ("[" * 100_000, "body"),
        (b"\xff\xfe{}", "body"),
        ('"text"', "body"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(one_service, body, where):
    answer = one_service.http.post("/account", content=body, headers=JSON)
    assert answer.status_code == 400
    assert where in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/account/tokens/%00", "/account/tokens/a%00b", "/account?a=%00"]
)
def test_a_nul_in_an_address_is_refused(service, path):
    anna = service.person("anna@example.org")
    assert anna.delete(path).status_code == 400


def test_a_stranger_does_not_hear_what_is_wrong_with_a_body(one_service):
    answer = one_service.http.post("/account/keys", json={"name": 1})
    assert answer.status_code == 401


def test_unknown_paths_and_methods(one_service):
    for method, path, status in (("GET", "/nothing", 404), ("PUT", "/account", 405)):
        answer = one_service.http.request(method, path)
        assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_health_fails_with_the_database(one_service, monkeypatch):
    assert one_service.http.get("/healthz").json() == {"status": "ok"}
    monkeypatch.setattr(one_service.service, "engine", Unreachable())
    answer = one_service.http.get("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"


class Unreachable(Engine):
    """A database that went away."""

    def __init__(self):
        pass

    def connect(self):
        raise OperationalError("SELECT secret", {}, Exception("no route"))


def test_metrics_count_routes_and_not_what_is_in_their_paths(one_service):
    anna = one_service.person("anna@example.org")
    anna.delete("/account/tokens/my-secret")
    anna.get("/my-secret")
    anna.request("BREW", "/my-secret")
    text = one_service.http.get("/metrics").text
    line = (
        'sharelock_requests_total{method="DELETE",route="/account/tokens/{uid}",status="404"} 1.0'
    )
    assert line in text
    assert 'method="other"' in text
    assert "my-secret" not in text and "anna" not in text
    assert "sharelock_mails_waiting 1.0" in text
    one_service.mails()
    text = one_service.http.get("/metrics").text
    assert "sharelock_mails_waiting 0.0" in text and "sharelock_mails_sent_total 1.0" in text


def test_no_secret_is_in_the_log(one_service, caplog):
    caplog.set_level(logging.DEBUG)
    http = one_service.http
    http.post("/account", json={"email": "anna@example.org", "name": "Anna"})
    link = one_service.secret("anna@example.org")
    http.post("/account/confirm", json={"token": link, "password": PASSWORD})
    body = {"email": "anna@example.org", "password": PASSWORD}
    token = http.post("/account/log-in", json=body).json()["token"]
    http.get(f"/account?token={token}", headers={"Authorization": f"Bearer {token}"})
    http.get(f"/{token}")
    http.post("/account/log-in", json={**body, "password": "wrong-one-here"})
    lines = [JsonLines().format(record) for record in caplog.records]
    ours = [json.loads(line) for line in lines if "host_sim" in line]
    assert len([line for line in ours if line["event"] == "request"]) == 6
    for secret in (link, token, PASSWORD, "wrong-one-here", "anna@example.org"):
        assert not any(secret in line for line in lines if "httpx" not in line), secret


def test_a_line_of_the_log_says_who_what_and_how_it_ended(one_service, caplog):
    caplog.set_level(logging.INFO, "host_sim")
    anna = one_service.person("anna@example.org")
    anna.get("/account", headers={"X-Correlation-ID": "here"})
    line = json.loads(JsonLines().format(caplog.records[-1]))
    assert line.pop("ms") > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}\+00:00", line.pop("at"))
    assert line == {
        "level": "info",
        "logger": "host_sim.cloud.web.front",
        "event": "request",
        "method": "GET",
        "route": "/account",
        "status": 200,
        "person": anna.uid,
        "correlation": "here",
    }


class Shouting(Style):
    """A style of its own, under a path in any letter case."""

    prefixes = ("/loud/",)
    any_case = True

    def error(self, refusal):
        return JSONResponse({"SHOUT": refusal.code}, refusal.status)


@pytest.fixture
def loud(tmp_path):
    """An application with routes that break, one API of which has a style of its own."""
    app = FastAPI()
    router = APIRouter()

    @router.get("/loud/thing/{name}")
    @router.get("/quiet/thing/{name}")
    def thing(name: str) -> str:
        if name == "broken":
            raise RuntimeError("secret")
        return name

    config = Config(data=tmp_path)
    styles = Styles(Shouting())
    app.add_middleware(Front, service=Service(config, Unreachable(), lambda: NOW), styles=styles)
    install(app, styles)
    app.include_router(router)
    return TestClient(app)


def test_each_api_words_errors_in_its_own_style(loud):
    assert loud.get("/loud/nothing").json() == {"SHOUT": "not-found"}
    assert loud.get("/quiet/nothing").json()["code"] == "not-found"
    assert loud.get("/loud/thing/a%00").json() == {"SHOUT": "bad-value"}


def test_letter_case_is_ignored_where_a_style_says_so(loud):
    assert loud.get("/LOUD/Thing/X").json() == "x"
    assert loud.get("/Quiet/thing/X").status_code == 404
    assert loud.get("/quiet/thing/X").json() == "X"


def test_what_is_broken_is_logged_and_not_told(loud, caplog):
    for path, told in (("/loud", {"SHOUT": "internal"}), ("/quiet", None)):
        answer = loud.get(f"{path}/thing/broken")
        assert answer.status_code == 500 and "secret" not in answer.text
        assert told in (None, answer.json())
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "RuntimeError: secret" in caplog.text


def test_the_description_names_the_errors_that_there_are(one_service):
    schema = one_service.http.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in json.dumps(schema)
    assert {"Problem", "FaultBody"} <= schema["components"]["schemas"].keys()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            statuses = operation["responses"].keys()
            assert "422" not in statuses and "400" in statuses, (method, path)
            assert ("401" in statuses) == ("security" in operation or path == "/account/log-in")


OPEN = {
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("POST", "/account"),
    ("POST", "/account/confirm"),
    ("POST", "/account/forgotten-password"),
    ("POST", "/account/log-in"),
    ("POST", "/account/password"),
    ("GET", "/api/native/v1/issuers"),
    ("POST", "/locks/{lock_id}/time"),
}


def test_every_other_route_asks_who_calls(one_service):
    schema = one_service.http.get("/openapi.json").json()
    checked = 0
    for path, operations in schema["paths"].items():
        for method in operations:
            if (method.upper(), path) in OPEN:
                continue
            filled = re.sub(r"\{\w+\}", "1", path.replace("{version}", "v1.30"))
            answer = one_service.http.request(method, filled)
            assert answer.status_code == 401, (method, path, answer.status_code)
            checked += 1
    assert checked >= 6
