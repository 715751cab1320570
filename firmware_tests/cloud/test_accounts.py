"""Accounts: sign-up, confirmation, log-in, passwords, personal keys."""

import re

import pytest
from sqlalchemy import event

from firmware_tests.cloud.world import NOW, PASSWORD
from host_sim.cloud.domain import people
from host_sim.cloud.domain.model import Person, Token
from host_sim.runtimes import ROOT

ANNA = "anna@example.org"
DAY_S = 86_400


def sign_up(service, email=ANNA, name="Anna"):
    return service.http.post("/account", json={"email": email, "name": name})


def confirm(service, secret, password=PASSWORD):
    return service.http.post("/account/confirm", json={"token": secret, "password": password})


def log_in(service, email=ANNA, password=PASSWORD):
    return service.http.post("/account/log-in", json={"email": email, "password": password})


def code(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


def test_from_sign_up_to_log_out(service):
    assert sign_up(service, " Anna@Example.ORG ").status_code == 202
    made = confirm(service, service.secret("Anna@Example.ORG"))
    assert made.status_code == 201
    assert (made.json()["email"], made.json()["name"]) == ("Anna@Example.ORG", "Anna")
    token = log_in(service, "ANNA@example.org").json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert service.http.get("/account", headers=headers).json() == made.json()
    assert service.http.post("/account/log-out", headers=headers).status_code == 204
    assert code(service.http.get("/account", headers=headers)) == (401, "no-token")


def test_without_confirmation_there_is_no_log_in(service):
    sign_up(service)
    assert code(log_in(service)) == (401, "bad-log-in")
    assert code(log_in(service, password="")) == (401, "bad-log-in")


def test_a_link_is_good_once_and_for_a_week(service):
    sign_up(service)
    secret = service.secret(ANNA)
    service.now += 7 * DAY_S
    assert code(confirm(service, secret)) == (410, "link")
    sign_up(service)
    secret = service.secret(ANNA)
    assert confirm(service, secret).status_code == 201
    assert code(confirm(service, secret)) == (410, "link")


def test_only_the_latest_link_is_good(service):
    sign_up(service)
    first = service.secret(ANNA)
    sign_up(service)
    assert code(confirm(service, first)) == (410, "link")
    assert confirm(service, service.secret(ANNA)).status_code == 201


def test_a_link_to_confirm_sets_no_password_and_the_other_way_round(service):
    sign_up(service)
    body = {"token": service.secret(ANNA), "password": PASSWORD}
    assert code(service.http.post("/account/password", json=body)) == (410, "link")


def test_a_second_sign_up_tells_nothing_but_the_owner_of_the_address(service):
    service.person(ANNA)
    answer = sign_up(service, name="Mallory")
    new = sign_up(service, "new@example.org")
    assert (answer.status_code, answer.json()) == (new.status_code, new.json())
    mail = service.mails(ANNA)[-1]
    assert mail["Subject"] == "You have an account already"
    assert "#" not in mail.get_content()
    assert log_in(service).status_code == 201
    with service.transaction() as context:
        assert context.session.query(Person).filter_by(email_key=ANNA).one().name == "Anna"


def test_a_forgotten_password(service):
    anna = service.person(ANNA)
    new = "another good one"
    body = {"email": ANNA}
    assert service.http.post("/account/forgotten-password", json=body).status_code == 202
    secret = service.secret(ANNA)
    body = {"token": secret, "password": new}
    assert service.http.post("/account/password", json=body).status_code == 204
    assert code(anna.get("/account")) == (401, "no-token")
    assert code(log_in(service)) == (401, "bad-log-in")
    assert log_in(service, password=new).status_code == 201
    assert code(service.http.post("/account/password", json=body)) == (410, "link")


def test_a_link_for_a_password_is_good_for_an_hour(service):
    service.person(ANNA)
    service.http.post("/account/forgotten-password", json={"email": ANNA})
    body = {"token": service.secret(ANNA), "password": PASSWORD}
    service.now += 3600
    assert code(service.http.post("/account/password", json=body)) == (410, "link")


def test_nobody_is_mailed_who_has_no_account(service):
    sign_up(service, "new@example.org")
    before = len(service.mails())
    for email in ("nobody@example.org", "new@example.org"):
        answer = service.http.post("/account/forgotten-password", json={"email": email})
        assert answer.status_code == 202
    assert len(service.mails()) == before


def test_an_unknown_address_costs_as_many_hashes_as_a_wrong_password(one_service, monkeypatch):
    service = one_service
    service.person(ANNA)
    sign_up(service, "new@example.org")
    hashes = []
    verify = people._HASHER.verify

    def counted(password, kept):
        hashes.append(kept.rsplit("$", 2)[0])  # with all parameters
        return verify(password, kept)

    monkeypatch.setattr(people._HASHER, "verify", counted)
    answers = []
    for email in (ANNA, "nobody@example.org", "new@example.org", "no address"):
        answer = log_in(service, email, "wrong password")
        answers.append((answer.status_code, answer.json()))
    assert len(hashes) == 4 and len(set(hashes)) == 1
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("path", ["/account", "/account/forgotten-password"])
def test_an_unknown_address_costs_as_much_of_the_database_as_a_known_one(service, path):
    service.person(ANNA)
    sign_up(service, "waits@example.org", "Somebody")
    done: list[str] = []

    def note(connection, cursor, statement, *rest):
        done.append(" ".join(statement.split()[:3]))

    event.listen(service.service.engine, "before_cursor_execute", note)
    costs, answers = [], []
    for email in (ANNA, "waits@example.org", "nobody@example.org"):
        done.clear()
        body = {"email": email} | ({"name": "Somebody"} if path == "/account" else {})
        answers.append(service.http.post(path, json=body).json())
        costs.append([kind.split()[0] for kind in done if not kind.startswith(("ROLL", "REL"))])
    event.remove(service.service.engine, "before_cursor_execute", note)
    assert costs[0] == costs[1] == costs[2] and costs[0].count("INSERT") >= 2
    assert answers[0] == answers[1] == answers[2]


def test_a_log_in_ends_after_a_month(service):
    anna = service.person(ANNA)
    service.now += people.LOGIN_S - 1
    assert anna.get("/account").status_code == 200
    service.now += 1
    assert code(anna.get("/account")) == (401, "no-token")


def test_secrets_are_kept_as_hashes_only(service):
    anna = service.person(ANNA)
    with service.transaction() as context:
        token = context.session.query(Token).one()
        person = context.session.get_one(Person, anna.id)
        assert anna.token not in (token.digest, token.uid)
        assert person.password.startswith("$argon2id$") and PASSWORD not in person.password


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("", "Anna"),
        ("anna", "Anna"),
        ("anna@@example.org", "Anna"),
        ("a b@example.org", "Anna"),
        ("anna@example.org\r\nBcc: x@example.org", "Anna"),
        ("an\u202ena@example.org", "Anna"),
        ("x" * 250 + "@example.org", "Anna"),
        (ANNA, ""),
        (ANNA, "  "),
        (ANNA, "x" * 101),
        (ANNA, "Anna\r\nBcc: x@example.org"),
        (ANNA, "Anna\u0000"),
        (ANNA, "Anna\u202egnp.exe"),
        (ANNA, "An\u2028na"),
    ],
)
def test_odd_addresses_and_names_are_refused(one_service, email, name):
    answer = sign_up(one_service, email, name)
    assert answer.status_code == 400, answer.text
    assert code(answer)[1] in ("bad-email", "bad-name", "invalid")
    assert one_service.mails() == []


@pytest.mark.parametrize(
    "name", ["Ånna", "李小龍", "نیلوفر\u200cپور", "👩\u200d🚒", "O'Hara; DROP TABLE"]
)
def test_names_of_people_are_kept(service, name):
    sign_up(service, name=name)
    assert confirm(service, service.secret(ANNA)).json()["name"] == name


def test_a_lone_surrogate_is_refused(one_service):
    body = b'{"email": "anna@example.org", "name": "\\ud800"}'
    headers = {"Content-Type": "application/json"}
    answer = one_service.http.post("/account", content=body, headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_a_password_has_ten_to_256_characters(one_service, password):
    sign_up(one_service)
    secret = one_service.secret(ANNA)
    assert code(confirm(one_service, secret, password)) == (400, "invalid")
    assert confirm(one_service, secret, "x" * 256).status_code == 201


def test_a_personal_key_reaches_as_far_as_its_scopes(service):
    anna = service.person(ANNA)
    body = {"name": "Script", "scopes": ["Device.ReadWrite", "Account.Read"]}
    made = anna.post("/account/keys", json=body)
    assert made.status_code == 201
    key = {"Authorization": f"PersonalKey {made.json()['token']}"}
    assert service.http.get("/account", headers=key).json()["uid"] == anna.uid
    for method, path in (("GET", "/account/tokens"), ("POST", "/account/log-out")):
        assert code(service.http.request(method, path, headers=key)) == (403, "scope")
    body = {"name": "More", "scopes": ["Account.Read"]}
    assert code(service.http.post("/account/keys", json=body, headers=key)) == (403, "scope")
    body = {"name": "Narrow", "scopes": ["Device.Read"]}
    narrow = {
        "Authorization": f"PersonalKey {anna.post('/account/keys', json=body).json()['token']}"
    }
    assert code(service.http.get("/account", headers=narrow)) == (403, "scope")


@pytest.mark.parametrize(
    ("scopes", "scope", "allowed"),
    [
        (None, "Device.Read", True),
        (None, None, True),
        ([], "Device.Read", False),
        (["Device.Read"], "Device.Read", True),
        (["Device.Read"], "Device.ReadWrite", False),
        (["Device.ReadWrite"], "Device.Read", True),
        (["Device.ReadWrite"], "DeviceShare.Read", False),
        (["Device.ReadWrite"], None, False),
    ],
)
def test_write_includes_read_and_nothing_else(scopes, scope, allowed):
    assert people.allows(Token(scopes=scopes), scope) is allowed


def test_a_key_is_shown_as_such_and_a_log_in_as_such(service):
    anna = service.person(ANNA)
    key = anna.post("/account/keys", json={"name": "K", "scopes": ["Account.Read"]}).json()[
        "token"
    ]
    for wrong in (
        f"Bearer {key}",
        f"PersonalKey {anna.token}",
        f"Basic {anna.token}",
        anna.token,
        "Bearer",
        "Bearer ",
        "Bearer  x",
    ):
        answer = service.http.get("/account", headers={"Authorization": wrong})
        assert code(answer) == (401, "no-token"), wrong
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_keys_are_listed_expire_and_are_revoked(service):
    anna, berta = service.person(ANNA), service.person("berta@example.org")
    body = {"name": "K", "scopes": ["Account.Read"], "expires_at": "2026-07-03T00:00:00+02:00"}
    made = anna.post("/account/keys", json=body).json()
    assert made["expires_at"] == "2026-07-02T22:00:00Z"
    listed = anna.get("/account/tokens").json()
    assert [item["name"] for item in listed] == ["log-in", "K"]
    assert all("token" not in item for item in listed)
    key = {"Authorization": f"PersonalKey {made['token']}"}
    assert code(berta.delete(f"/account/tokens/{made['uid']}")) == (404, "not-found")
    assert code(anna.delete("/account/tokens/unknown")) == (404, "not-found")
    assert service.http.get("/account", headers=key).status_code == 200
    assert anna.delete(f"/account/tokens/{made['uid']}").status_code == 204
    assert service.http.get("/account", headers=key).status_code == 401
    again = anna.post("/account/keys", json=body).json()["token"]
    service.now = NOW + DAY_S
    key = {"Authorization": f"PersonalKey {again}"}
    assert service.http.get("/account", headers=key).status_code == 401
    assert len(anna.get("/account/tokens").json()) == 1


@pytest.mark.parametrize(
    "change",
    [{"scopes": []}, {"scopes": ["Everything"]}, {"expires_at": "2020-01-01T00:00:00Z"}, {"x": 1}],
)
def test_a_key_that_makes_no_sense_is_refused(one_service, change):
    anna = one_service.person(ANNA)
    body = {"name": "K", "scopes": ["Account.Read"], **change}
    assert anna.post("/account/keys", json=body).status_code == 400


def test_the_pages_carry_a_policy_that_fits_what_is_in_them(one_service):
    for path in ("/sign-up", "/confirm", "/forgot", "/password", "/accept"):
        answer = one_service.http.get(path)
        assert answer.status_code == 200
        policy = answer.headers["Content-Security-Policy"]
        assert len(re.findall("'sha256-", policy)) == 2 and "unsafe" not in policy
        assert f'"{path}": [' in answer.text


def test_the_documentation_lists_all_scopes():
    page = (ROOT / "docs" / "cloud.md").read_text()
    (block,) = re.findall("<!-- scopes -->(.*?)<!-- /scopes -->", page, re.DOTALL)
    assert re.findall("`(.+?)`", block) == sorted(people.SCOPES)
