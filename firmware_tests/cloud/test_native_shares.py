"""The native API: shares with all their terms, changed by field, passed on and looked into."""

import json
import re

import pytest

from firmware_tests.cloud import artik
from firmware_tests.cloud.native import API, add_lock, give, ok, refused
from host_sim.cloud.keys import PrivateKey
from host_sim.runtimes import ROOT

DOCUMENT = (ROOT / "docs" / "api-native.md").read_text()
KEY = PrivateKey.from_scalar(7).public
PUBLIC = (KEY.x + KEY.y).hex()
WARSAW = "CET-1CEST,M3.5.0,M10.5.0/3"
EVERYTHING = {
    "level": "guest",
    "rights": ["unlock", "lock"],
    "channels": ["remote"],
    "from": "2026-07-01T12:00",
    "until": "2026-12-31T12:00Z",
    "rules": ["mon-fri 08:00-16:00", "deny sat,sun", "fri,sat 22:00-06:00 utc"],
    "uses": 5,
    "after_first_use": "1 d 12 h",
    "duress": True,
}
KEPT = {**EVERYTHING, "from": "2026-07-01T10:00:00Z", "until": "2026-12-31T12:00:00Z"}
NOTHING = dict.fromkeys(["from", "until", "rules", "uses", "after_first_use", "duress"])
PLAIN = {
    "level": "guest",
    "rights": ["unlock", "lock", "pull"],
    "channels": ["local", "remote"],
    **NOTHING,
}


@pytest.fixture
def door(anna):
    return add_lock(anna)


def test_a_share_keeps_all_that_it_was_given(service, anna, bob, door):
    made = give(anna, door, bob.email, EVERYTHING, lease="7 d", may_pass_on=True)
    assert made == {
        "id": made["id"],
        "device": door,
        "email": bob.email,
        "holder": {"id": bob.uid, "name": "Bob"},
        "status": "accepted",
        "origin": "invitation",
        "terms": KEPT,
        "lease": "7 d",
        "may_pass_on": True,
        "parent": None,
        "version": 1,
        "active": True,
        "created_at": "2026-07-02T13:46:40Z",
        "accepted_at": "2026-07-02T13:46:40Z",
    }
    for person in (anna, bob):
        assert ok(person.get(f"{API}/shares/{made['id']}")) == made
    assert ok(bob.get(f"{API}/shares")) == {"items": [made], "next": None}


def test_the_example_of_the_document_is_taken(anna, door):
    (text,) = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    body = json.loads(text)
    made = ok(anna.post(f"{API}/devices/{door}/shares", json=body), 201)
    assert made["terms"].keys() == body["terms"].keys() == PLAIN.keys()
    assert (made["lease"], made["terms"]["rules"]) == ("7 d", body["terms"]["rules"])


def test_every_call_is_in_the_document_and_no_other(service):
    told = set()
    for line in re.findall(r"^\| (.*?) \|", DOCUMENT, re.MULTILINE):
        told |= set(re.findall(r"/(?:devices|shares|phones)[^`?]*", line))
    paths = service.http.get("/openapi.json").json()["paths"]
    served = {path.removeprefix(API) for path in paths if path.startswith(API)}
    same = {re.sub(r"\{\w+\}", "{id}", path) for path in served}
    assert {path for path in told if path.count("/") < 3} <= same
    for path in same:
        last = path.rpartition("/")[2] if path.count("/") == 3 else path
        assert any(last in line for line in DOCUMENT.splitlines() if line.startswith("|")), path


def test_what_is_left_out_does_not_limit(anna, bob, door):
    made = give(anna, door, bob.email)
    assert made["terms"] == PLAIN and made["active"] and made["lease"] is None


def test_a_change_keeps_what_it_leaves_out_and_null_clears(anna, bob, door):
    made = give(anna, door, bob.email, EVERYTHING, lease="7 d", may_pass_on=True)
    path = f"{API}/shares/{made['id']}"
    for name in EVERYTHING:
        before = ok(anna.get(path))
        after = ok(anna.patch(path, json={"terms": {name: None}}))
        changed = {key for key in PLAIN if before["terms"][key] != after["terms"][key]}
        assert changed == ({name} if name != "level" else set())
        assert after["terms"][name] == PLAIN[name]
        assert (after["lease"], after["may_pass_on"]) == ("7 d", True)
    assert ok(anna.patch(path, json={"terms": EVERYTHING}))["terms"] == KEPT
    assert ok(anna.patch(path, json={"lease": None}))["lease"] is None
    last = ok(anna.patch(path, json={"may_pass_on": False}))
    assert last["may_pass_on"] is False and last["terms"] == KEPT
    # What changes nothing is no new version.
    same: tuple[dict, ...] = ({}, {"terms": {}}, {"terms": {"uses": 5}}, {"may_pass_on": False})
    for body in same:
        assert ok(anna.patch(path, json=body)) == last


def test_a_new_version_is_told_to_the_lock_and_the_same_is_not(service, anna, bob, door):
    key = {"name": "phone", "key": PUBLIC}
    ok(bob.post(f"{API}/phones", json=key), 201)
    made = give(anna, door, bob.email)
    path = f"{API}/shares/{made['id']}"
    ok(anna.patch(path, json={"terms": {"uses": 3}}))
    ok(anna.patch(path, json={"terms": {"uses": 3}}))
    assert ok(anna.get(path))["version"] == 2
    assert ok(anna.get(f"{API}/devices/{door}"))["sequence"] == 2
    assert anna.delete(path).status_code == 204
    assert ok(anna.get(f"{API}/devices/{door}"))["sequence"] == 3


@pytest.mark.parametrize(
    "words, code",
    [
        ({"level": "king"}, (400, "invalid")),
        ({"rights": []}, (400, "bad_rights")),
        ({"rights": ["manage"]}, (400, "bad_rights")),
        ({"rights": ["fly"]}, (400, "invalid")),
        ({"channels": []}, (400, "bad_channels")),
        ({"from": "yesterday"}, (400, "bad-terms")),
        ({"from": "2026-03-29T02:30"}, (400, "bad-terms")),
        ({"from": "2026-08-01T00:00Z", "until": "2026-08-01T00:00Z"}, (400, "bad_dates")),
        ({"until": "1999-01-01T00:00Z"}, (400, "bad_dates")),
        ({"rules": ["someday"]}, (400, "bad-terms")),
        ({"rules": ["mon 08:00-08:00"]}, (400, "empty_window")),
        ({"rules": ["daily"] * 9}, (400, "invalid")),
        ({"uses": 0}, (400, "invalid")),
        ({"uses": 65_536}, (400, "invalid")),
        ({"uses": "3"}, (400, "invalid")),
        ({"uses": True}, (400, "invalid")),
        ({"after_first_use": "soon"}, (400, "bad-terms")),
        ({"duress": 1}, (400, "invalid")),
        ({"untill": "2026-08-01T00:00Z"}, (400, "invalid")),
        ({"lease": "2026-08-01T00:00Z"}, (400, "invalid")),
        ({"parent": "x"}, (400, "invalid")),
    ],
)
def test_terms_that_no_lock_takes_are_refused_new_and_changed(one_service, words, code):
    anna = one_service.person("anna@example.org")
    door = add_lock(anna)
    body = {"email": "bob@example.org", "terms": words}
    assert refused(anna.post(f"{API}/devices/{door}/shares", json=body)) == code
    made = give(anna, door, "bob@example.org", {"uses": 2})
    assert refused(anna.patch(f"{API}/shares/{made['id']}", json={"terms": words})) == code
    assert ok(anna.get(f"{API}/shares/{made['id']}")) == made


@pytest.mark.parametrize("lease", ["", "soon", "59 s", "3651 d", 7])
def test_a_lease_lasts_a_minute_at_least(one_service, lease):
    anna = one_service.person("anna@example.org")
    body = {"email": "bob@example.org", "lease": lease}
    answer = anna.post(f"{API}/devices/{add_lock(anna)}/shares", json=body)
    assert refused(answer) in ((400, "bad-lease"), (400, "invalid"))


def test_nobody_becomes_the_owner_by_a_share(anna, bob, door):
    body = {"email": bob.email, "terms": {"level": "owner"}}
    assert refused(anna.post(f"{API}/devices/{door}/shares", json=body)) == (409, "level")


def test_who_may_share_and_what(service, anna, bob, cy, door):
    give(anna, door, bob.email, {"level": "admin"})
    made = give(bob, door, cy.email, {"uses": 1})
    body = {"email": "dora@example.org"}
    assert refused(cy.post(f"{API}/devices/{door}/shares", json=body)) == (403, "not-allowed")
    assert (
        refused(cy.patch(f"{API}/shares/{made['id']}", json={"terms": {"uses": None}}))[0] == 403
    )
    listed = ok(anna.get(f"{API}/devices/{door}/shares"))["items"]
    assert [each["email"] for each in listed] == [anna.email, bob.email, cy.email]
    own = listed[0]["id"]
    assert refused(anna.patch(f"{API}/shares/{own}", json={"terms": {"uses": 1}}))[0] == 409
    assert refused(anna.delete(f"{API}/shares/{own}")) == (409, "ownership-share")
    listed = ok(cy.get(f"{API}/devices/{door}/shares"))["items"]
    assert [each["email"] for each in listed] == [anna.email, cy.email]
    assert cy.delete(f"{API}/shares/{made['id']}").status_code == 204
    assert refused(cy.get(f"{API}/shares/{made['id']}")) == (404, "not-found")


def test_by_link_it_waits_for_the_link_and_can_be_sent_again(service, anna, bob, door):
    made = give(anna, door, bob.email, by_link=True)
    assert (made["status"], made["active"], made["holder"]) == ("pending", False, None)
    assert anna.post(f"{API}/shares/{made['id']}/resend").status_code == 204
    artik.accept(service, bob)
    assert ok(anna.get(f"{API}/shares/{made['id']}"))["status"] == "accepted"
    assert refused(anna.post(f"{API}/shares/{made['id']}/resend")) == (409, "not-pending")


def test_passed_on_where_the_owner_allows_it_and_never_wider(service, anna, bob, cy, door):
    words = {"rights": ["unlock", "lock"], "channels": ["local"], "rules": ["daily 08:00-20:00"]}
    made = give(anna, door, bob.email, words)
    path = f"{API}/shares/{made['id']}"
    body = {"email": cy.email, "terms": {"rights": ["unlock"], "channels": ["local"]}}
    assert refused(bob.post(f"{path}/pass-on", json=body)) == (403, "not-to-pass-on")
    ok(anna.patch(path, json={"may_pass_on": True}))
    for wider in ({}, {"rights": ["pull"]}, {"channels": ["local", "remote"]}, {"level": "admin"}):
        wide = {"email": cy.email, "terms": {**body["terms"], **wider}}
        if wider:
            assert refused(bob.post(f"{path}/pass-on", json=wide)) == (400, "wider")
    child = ok(bob.post(f"{path}/pass-on", json=body), 201)
    assert (child["parent"], child["origin"]) == (made["id"], "passed on")
    # Its parent's hours are its own.
    night = {"at": "2026-07-03T22:00", "channel": "local"}
    seen = ok(cy.post(f"{API}/shares/{child['id']}/explain", json=night))
    assert (seen["allowed"], seen["reason"]) == (False, "parent_denies")
    assert seen["next"] == "2026-07-04T08:00:00+02:00"
    deeper = {"email": "dora@example.org", "terms": body["terms"]}
    answer = cy.post(f"{API}/shares/{child['id']}/pass-on", json=deeper)
    assert refused(answer) == (403, "not-to-pass-on")
    assert anna.delete(path).status_code == 204
    assert refused(cy.get(f"{API}/shares/{child['id']}"))[0] == 404


def test_preview_before_and_after_saving(anna, bob, door):
    words = {"rules": ["fri 22:00-06:00"]}
    query = {"from": "2026-03-27T12:00", "days": 4}
    answer = ok(anna.post(f"{API}/devices/{door}/preview", json={"terms": words, **query}))
    assert answer == {
        "zone": WARSAW,
        "from": "2026-03-27T12:00:00+01:00",
        "to": "2026-03-31T13:00:00+02:00",
        "spans": [
            {
                "start": "2026-03-27T22:00:00+01:00",
                "end": "2026-03-28T06:00:00+01:00",
                "seconds": 28_800,
            }
        ],
        "more": False,
    }
    made = give(anna, door, bob.email, words)
    assert ok(bob.get(f"{API}/shares/{made['id']}/preview", params=query)) == answer
    always = ok(anna.post(f"{API}/devices/{door}/preview", json={"terms": {}, **query}))
    assert [span["end"] for span in always["spans"]] == [None]


def test_a_preview_is_not_endless(anna, door):
    rules = [f"daily {hour:02}:00-{hour:02}:01" for hour in range(8)]
    body = {"terms": {"rules": rules}, "days": 400}
    answer = ok(anna.post(f"{API}/devices/{door}/preview", json=body))
    assert len(answer["spans"]) == 1_000 and answer["more"]


def test_lint_before_and_after_saving(anna, bob, door):
    words = {"uses": 1, "after_first_use": "2 h"}
    found = ok(anna.post(f"{API}/devices/{door}/lint", json={"terms": words}))
    assert [(each["code"], each["rule"]) for each in found] == [("first-use-idle", None)]
    made = give(anna, door, bob.email, words)
    assert ok(anna.get(f"{API}/shares/{made['id']}/lint")) == found
    # What is to be refused is told, too.
    found = ok(anna.post(f"{API}/devices/{door}/lint", json={"terms": {"rights": []}}))
    assert [each["code"] for each in found] == ["refused"]


def test_explain_before_and_after_saving(anna, bob, door):
    words = {"rules": ["mon-fri 08:00-16:00"], "channels": ["local"], "uses": 2}
    asked = {"at": "2026-07-03T17:00", "action": "unlock", "channel": "local"}
    path = f"{API}/devices/{door}/explain"
    answer = ok(anna.post(path, json={"terms": words, **asked}))
    assert (answer["allowed"], answer["reason"]) == (False, "outside_rules")
    assert answer["next"] == "2026-07-06T08:00:00+02:00"
    assert [step["check"] for step in answer["checks"] if step["reason"] is None] != []
    made = give(anna, door, bob.email, words)
    saved = ok(bob.post(f"{API}/shares/{made['id']}/explain", json=asked))
    assert {**saved, "checks": 0} == {**answer, "checks": 0}
    asked["at"] = "2026-07-03T15:00"
    for change, reason in (
        ({}, "allowed"),
        ({"channel": "remote"}, "channel_closed"),
        ({"action": "manage"}, "no_right"),
        ({"uses": 2}, "uses_spent"),
    ):
        seen = ok(bob.post(f"{API}/shares/{made['id']}/explain", json={**asked, **change}))
        assert seen["reason"] == reason


@pytest.mark.parametrize(
    "body",
    [
        {"from": "soon"},
        {"from": "1850-01-01T00:00Z"},
        {"from": "2199-01-01T00:00Z"},
        {"days": 0},
        {"days": 401},
        {"terms": {"rights": []}},
        {"terms": {"rules": ["x"]}},
        {"terms": None},
    ],
)
def test_a_preview_that_makes_no_sense_is_refused(one_service, body):
    anna = one_service.person("anna@example.org")
    body = {"terms": {}, **body}
    assert refused(anna.post(f"{API}/devices/{add_lock(anna)}/preview", json=body))[0] == 400


def test_shares_come_in_pages(anna, door):
    for number in range(4):
        give(anna, door, f"guest{number}@example.org")
    path = f"{API}/devices/{door}/shares"
    found: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = ok(anna.get(path, params={"limit": 2, **cursor}))
        found.append([each["email"] for each in answer["items"]])
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert [len(page) for page in found] == [2, 2, 1]
    assert [email for page in found for email in page][1:] == [
        f"guest{number}@example.org" for number in range(4)
    ]


def test_strangers_learn_nothing(anna, cy, door):
    made = give(anna, door, "bob@example.org")["id"]
    for device, share in ((door, made), ("0" * 32, "1" * 32)):
        calls: list[tuple[str, str, dict | None]] = [
            ("GET", f"shares/{share}", None),
            ("PATCH", f"shares/{share}", {"terms": {"uses": 1}}),
            ("DELETE", f"shares/{share}", None),
            ("POST", f"shares/{share}/resend", None),
            ("POST", f"shares/{share}/pass-on", {"email": "d@example.org"}),
            ("GET", f"shares/{share}/preview", None),
            ("GET", f"shares/{share}/lint", None),
            ("POST", f"shares/{share}/explain", {}),
            ("GET", f"devices/{device}/shares", None),
            ("POST", f"devices/{device}/shares", {"email": "d@example.org"}),
            ("POST", f"devices/{device}/preview", {"terms": {}}),
            ("POST", f"devices/{device}/lint", {"terms": {}}),
            ("POST", f"devices/{device}/explain", {"terms": {}}),
        ]
        for method, path, body in calls:
            answer = cy.request(method, f"{API}/{path}", json=body)
            assert refused(answer) == (404, "not-found"), path
