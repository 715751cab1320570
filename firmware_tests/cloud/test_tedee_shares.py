"""tedee's deviceShare beyond its documentation: errors, filters, several at once, other APIs."""

import json
from typing import Any

import pytest

from firmware.policy.grant import UNLOCK
from firmware.policy.schedule import Rule
from firmware_tests.cloud.tedee import House, refused, result
from host_sim.cloud.domain import membership, organisations, sharing
from host_sim.cloud.domain.model import Device
from host_sim.cloud.web import tedee

PATH = "/api/v1.33/my/deviceshare"
TYPES = ["application/json", "application/json-patch+json", "application/json; charset=utf-8"]


def listed(house, who=None, **query):
    """The shares that somebody sees, by address."""
    answer = (who or house.anna).get(PATH, params={"deviceId": house.door, **query})
    return {share["userEmail"]: share for share in result(answer)}


def create(house, who=None, **body):
    body = {"deviceId": house.door, "accessLevel": 0, "userEmail": "jane@example.org", **body}
    return (who or house.anna).post(PATH, json=body)


# --- versions, paths, types ---------------------------------------------------------------------


@pytest.mark.parametrize("version", [*tedee.SHARE_VERSIONS, "V1.30"])
def test_each_version(shared, version):
    answer = shared.anna.get(f"/api/{version}/my/deviceshare?deviceId={shared.door}")
    assert len(result(answer)) == 2


@pytest.mark.parametrize(
    "path", ["my/deviceShare?deviceId", "My/DeviceShare?DeviceId", "MY/DEVICESHARE?DEVICEID"]
)
def test_any_letter_case(shared, path):
    answer = shared.anna.get(f"/api/v1.22/{path}={shared.door}")
    assert len(result(answer)) == 2
    assert answer.headers["API-Supported-Versions"].split(", ")[0] == "1.22"


@pytest.mark.parametrize("version", ["v1.21", "v1.34", "v1.220", "v1.2x", "v2", "v36", "v37"])
def test_other_versions_are_told_which_there_are(shared, version):
    answer = shared.anna.get(f"/api/{version}/my/deviceshare?deviceId={shared.door}")
    assert "v1.22, v1.23" in refused(answer, 400)
    supported = ", ".join(version[1:] for version in tedee.VERSIONS)
    assert answer.headers["API-Supported-Versions"] == supported


@pytest.mark.parametrize("kind", TYPES)
def test_a_plain_object_under_each_type(house, kind):
    body = {"deviceId": house.door, "accessLevel": 0, "userEmail": "jane@example.org"}
    headers = {"Content-Type": kind}
    made = house.anna.post(PATH, content=json.dumps(body), headers=headers)
    change = json.dumps({"id": result(made, 201)["id"], "accessLevel": 1})
    assert house.anna.patch(PATH, content=change, headers=headers).status_code == 204
    assert listed(house)["jane@example.org"]["accessLevel"] == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_another_type_is_refused(shared, kind, method):
    answer = shared.anna.request(method, PATH, content="{}", headers={"Content-Type": kind})
    assert "application/json" in refused(answer, 415)


def test_operations_of_json_patch_are_no_plain_object(shared):
    change = [{"op": "replace", "path": "/accessLevel", "value": 1}]
    assert refused(shared.anna.patch(PATH, json=change), 400).startswith("body: ")


# --- who may what -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "?deviceId=1"), ("POST", ""), ("POST", "/bulk"), ("PATCH", ""), ("DELETE", "/1")],
)
@pytest.mark.parametrize("token", [None, "Bearer x", "PersonalKey x", "Basic eDp4"])
def test_nobody_without_a_token(shared, method, path, token):
    headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
    # A broken body: who may not ask does not hear what is wrong with it.
    options = {} if method == "GET" else {"content": "{"}
    answer = shared.world.http.request(method, PATH + path, headers=headers, **options)
    assert "Log in" in refused(answer, 401)
    assert answer.headers["WWW-Authenticate"]


def test_a_device_of_others_an_unknown_and_a_guessed_one_are_the_same(house):
    eve = house.world.person("eve@example.org")
    answers = [eve.get(PATH, params={"deviceId": number}) for number in (house.door, 999)]
    answers += [create(house, eve, deviceId=number) for number in (house.door, 999)]
    assert {refused(answer, 404) for answer in answers} == {"There is no such device."}
    answers = [eve.delete(f"{PATH}/{number}") for number in (house.share, 999)]
    answers += [eve.patch(PATH, json={"id": number}) for number in (house.share, 999)]
    assert {refused(answer, 404) for answer in answers} == {"There is no such share."}


@pytest.mark.parametrize(
    ("terms", "sees_all"),
    [
        ({"level": "admin"}, True),
        ({"level": "admin", "rules": ["daily utc"]}, True),
        ({"level": "guest"}, False),
        # NOW is a Thursday.
        ({"level": "admin", "rules": ["sun utc"]}, False),
        ({"level": "admin", "from": "2026-08-01T00:00Z"}, False),
        ({"level": "admin", "until": "2026-06-01T00:00Z"}, False),
    ],
)
def test_whose_share_is_not_active_now_sees_the_owner_and_themselves(house, terms, sees_all):
    jane = house.world.person("jane@example.org")
    house.give(jane.email, **terms)
    seen = {house.anna.email, jane.email}
    assert set(listed(house, jane)) == (seen | {house.john.email} if sees_all else seen)
    status = 201 if sees_all else 403
    assert create(house, jane, userEmail="new@example.org").status_code == status


def test_an_administrator_sees_less_when_their_window_closes(house):
    jane = house.world.person("jane@example.org")
    house.give(jane.email, level="admin", until="2026-07-02T14:00Z")
    assert len(listed(house, jane)) == 3
    house.world.now += 3600
    assert len(listed(house, jane)) == 2


def test_filters(house):
    house.give("jane@example.org")
    one = {house.john.email}
    assert set(listed(house, **{"Filters.Email": " John@Example.org"})) == one
    assert set(listed(house, **{"filters.useridentity": house.john.uid})) == one
    both = {"Filters.Email": "john@example.org", "Filters.UserIdentity": house.anna.uid}
    assert listed(house, **both) == {}
    assert listed(house, house.john, **{"Filters.Email": "jane@example.org"}) == {}


def test_a_guest_cannot_end_their_share_or_the_owners(shared):
    for share in (shared.share, listed(shared)[shared.anna.email]["id"]):
        assert refused(shared.john.delete(f"{PATH}/{share}"), 403)


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"userEmail": "anna@example.org"}, 409, "yourself"),
        ({"userEmail": "John@example.org"}, 406, "has a share"),
        ({"accessLevel": 2}, 409, "owner"),
        ({"accessLevel": 3}, 400, "accessLevel: "),
        ({"accessLevel": None}, 400, "accessLevel: "),
        ({"userEmail": "jane"}, 400, "userEmail: "),
        ({"userEmail": "ja\u200bne@example.org"}, 400, "invisible"),
        ({"userEmail": "a" * 250 + "@example.org"}, 400, "userEmail: "),
        ({"userEmail": "a\u0000b@example.org"}, 400, ""),
        ({"userEmail": "' OR 1=1;--@example.org"}, 400, "userEmail: "),
        ({"deviceId": 1 << 70}, 400, "deviceId: "),
        ({"repeatEvent": {"weekDays": 0}}, 400, "weekday mask"),
        ({"repeatEvent": {"weekDays": 128}}, 400, "weekday mask"),
        ({"repeatEvent": {"startDate": "2026-02-30T00:00:00Z"}}, 400, "repeatEvent.startDate: "),
        (
            {
                "repeatEvent": {
                    "startDate": "2026-02-02T00:00:00Z",
                    "endDate": "2026-02-01T00:00:00Z",
                }
            },
            400,
            "date",
        ),
        ({"repeatEvent": {"enddate": None}}, 400, "repeatEvent.enddate: "),
        ({"accessType": 0}, 400, "accessType: "),
    ],
)
def test_what_makes_no_share(shared, body, status, told):
    before = listed(shared)
    assert told in refused(create(shared, **body), status)
    assert listed(shared) == before


def test_everything_that_is_wrong_is_told(shared):
    answer = create(shared, accessLevel=9, repeatEvent={"weekDays": "x", "endDate": 1})
    places = [text.partition(": ")[0] for text in answer.json()["errorMessages"]]
    assert places == ["accessLevel", "repeatEvent.weekDays", "repeatEvent.endDate"]


def test_who_waits_for_an_account_is_not_invited_again(house):
    assert create(house).status_code == 201
    assert "invited" in refused(create(house), 406)
    assert len(house.world.mails("jane@example.org")) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "line 1, column 1: expecting value"),
        ("{\n  'id': 1}", "line 2, column 3: "),
        ('{"id": 1,}', "line 1, column"),
        ('{"id": 1, "id": 2}', "id: given more than once"),
        ('{"id": NaN}', "NaN is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        (b'{"id": "\xff"}', "byte 9 is not UTF-8"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_is_no_json_is_told_where(shared, method, body, told):
    headers = {"Content-Type": "application/json"}
    answer = shared.anna.request(method, PATH, content=body, headers=headers)
    assert told in refused(answer, 400)


def test_a_full_device_says_so(house, monkeypatch):
    monkeypatch.setattr(sharing, "MOST_SHARES", 2)
    assert "at most 2" in refused(create(house), 412)


def test_too_many_requests_are_told_when_to_come_back(house):
    for _ in range(700):
        house.world.service.limits.person.take(house.john.uid, house.world.now)
    answer = house.john.get(PATH, params={"deviceId": house.door})
    assert "Too many" in refused(answer, 429)
    wait_s = int(answer.headers["Retry-After"])
    assert 0 < wait_s < 60
    house.world.now += wait_s
    assert listed(house, house.john)
    assert listed(house)  # others are not slowed down


def test_a_path_that_there_is_not(shared):
    assert refused(shared.anna.get("/api/v1.30/my/nothing"), 404)
    assert refused(shared.anna.put(PATH), 405)


# --- changes ------------------------------------------------------------------------------------


def test_a_change_keeps_what_it_leaves_out_and_clears_what_is_null(house):
    event: dict[str, Any] = {
        "weekDays": 31,
        "dayStartTime": "2026-01-01T08:00:00.000Z",
        "dayEndTime": "2026-01-01T16:00:00.000Z",
        "endDate": "2026-12-31T00:00:00.000Z",
    }
    number = result(create(house, repeatEvent=event, remoteAccessDisabled=True), 201)["id"]
    changes: list[dict[str, Any]] = [
        {"repeatEvent": {"weekDays": 1}},
        {"repeatEvent": {"endDate": None}},
        {"repeatEvent": {}},
        {"accessLevel": 1},
    ]
    for change in changes:
        assert house.anna.patch(PATH, json={"id": number, **change}).status_code == 204
        event |= change.get("repeatEvent", {})
        told = listed(house)["jane@example.org"]
        for name, value in event.items():
            shown = told["repeatEvent"][name]
            assert str(shown).partition("T")[2] == str(value).partition("T")[2], name
    assert told["remoteAccessDisabled"] and told["accessLevel"] == 1


def test_a_change_is_a_new_version_and_none_if_nothing_changes(house):
    versions = []
    for level in (1, 1, 0):
        change = {"id": house.share, "accessLevel": level}
        assert house.anna.patch(PATH, json=change).status_code == 204
        with house.kept(house.share) as (share, _):
            versions.append(share.version)
    assert versions == [2, 2, 3]


def test_the_owners_share_is_not_changed_or_ended_here(shared):
    number = listed(shared)[shared.anna.email]["id"]
    assert refused(shared.anna.patch(PATH, json={"id": number, "accessLevel": 0}), 409)
    assert refused(shared.anna.delete(f"{PATH}/{number}"), 409)


def test_an_ended_share_is_gone(house):
    assert house.anna.delete(f"{PATH}/{house.share}").status_code == 204
    assert refused(house.anna.delete(f"{PATH}/{house.share}"), 404)
    assert refused(house.anna.patch(PATH, json={"id": house.share}), 404)


# --- shares that tedee cannot say ---------------------------------------------------------------

RICH = {
    "rules": ["mon-fri 08:00-16:00", "deny wed"],
    "uses": 3,
    "rights": ["lock"],
    "duress": True,
}


def test_a_share_of_another_api_is_listed_and_not_wider(house):
    house.give("jane@example.org", **RICH)
    told = listed(house)["jane@example.org"]
    assert told["notExpressible"] == ["rights", "rules", "uses", "duress"]
    assert told["repeatEvent"]["weekDays"] == 0


def test_a_change_keeps_what_tedee_cannot_say(house):
    number = house.give("jane@example.org", **RICH)
    until = {"endDate": "2026-12-31T00:00:00.000Z"}
    change = {"id": number, "remoteAccessDisabled": True, "repeatEvent": until}
    assert house.anna.patch(PATH, json=change).status_code == 204
    with house.kept(number) as (_, grant):
        assert (grant.uses, grant.duress, len(grant.rules)) == (3, True, 2)
        assert not grant.rights & UNLOCK and grant.until is not None
    told = listed(house)["jane@example.org"]
    assert told["remoteAccessDisabled"] and told["repeatEvent"]["endDate"] == until["endDate"]


def test_a_change_of_rules_that_tedee_cannot_say_is_refused(house):
    number = house.give("jane@example.org", **RICH)
    change = {"id": number, "accessLevel": 1, "repeatEvent": {"weekDays": None}}
    assert refused(house.anna.patch(PATH, json=change), 409).startswith("repeatEvent: ")
    with house.kept(number) as (share, grant):
        assert share.version == 1 and grant.level == 0


def test_local_hours_are_marked_and_utc_hours_are_not(house):
    house.give("jane@example.org", rules=["mon-fri 08:00-16:00"])
    house.give("jack@example.org", rules=["mon-fri 08:00-16:00 utc"])
    shares = listed(house)
    assert shares["jane@example.org"]["notExpressible"] == ["rules"]
    assert shares["jack@example.org"]["notExpressible"] == []
    with house.kept(shares["jack@example.org"]["id"]) as (_, grant):
        assert grant.rules == [Rule(31, 28_800, 57_600, utc=True)]


# --- several at once ----------------------------------------------------------------------------


def test_each_of_several_is_made_whole_or_not_at_all(service):
    house = House(service)
    body = {"deviceId": house.door, "accessLevel": 0}
    several = [
        {**body, "userEmail": "jane@example.org"},
        {**body, "userEmail": "john@example.org"},
        {**body, "userEmail": "jack@example.org", "accessLevel": 7},
        {**body, "userEmail": "jane@example.org"},
        "jim",
        {**body, "userEmail": "jill@example.org", "deviceId": 999},
        {**body, "userEmail": "joan@example.org", "accessLevel": 1},
    ]
    answer = house.anna.post(f"{PATH}/bulk", json=several)
    told = answer.json()
    assert answer.status_code == told["statusCode"] == 200 and not told["success"]
    outcomes = told["result"]
    assert [each["statusCode"] for each in outcomes] == [201, 406, 400, 406, 400, 404, 201]
    assert [each["success"] for each in outcomes] == [True, *[False] * 5, True]
    assert all(bool(each["errorMessages"]) != each["success"] for each in outcomes)
    shares = listed(house)
    assert [each["result"] and each["result"]["id"] for each in outcomes if each["result"]] == [
        shares["jane@example.org"]["id"],
        shares["joan@example.org"]["id"],
    ]
    assert set(shares) == {f"{name}@example.org" for name in ("anna", "john", "jane", "joan")}
    assert len(house.world.mails("jane@example.org")) == 1
    assert house.world.mails("jill@example.org") == house.world.mails("jack@example.org") == []


def test_one_of_several_that_fails_halfway_changes_nothing(house):
    """A share by role gives way to one of its own, but not to one that is refused."""
    jane = house.world.person("jane@example.org")
    with house.world.transaction() as context:
        owner, door = house.world.who(context, house.anna), context.session.get_one(Device, 1)
        staff = organisations.role_named(door.organisation, organisations.STAFF)
        membership.invite(context, owner, door.organisation, jane.email, "Jane", staff)
    before = listed(house)
    assert jane.email in before
    body = {"deviceId": house.door, "userEmail": jane.email, "accessLevel": 0}
    several = [{**body, "repeatEvent": {"weekDays": 0}}]
    (outcome,) = house.anna.post(f"{PATH}/bulk", json=several).json()["result"]
    assert outcome["statusCode"] == 400
    assert listed(house) == before
    assert result(house.anna.post(f"{PATH}/bulk", json=[body]))
    assert listed(house)[jane.email]["id"] != before[jane.email]["id"]


@pytest.mark.parametrize("body", [[], {}, "", [{}] * 101])
def test_several_are_1_to_100(shared, body):
    assert "1 to 100" in refused(shared.anna.post(f"{PATH}/bulk", json=body), 400)


def test_all_of_several(house):
    body = {"deviceId": house.door, "accessLevel": 0}
    several = [{**body, "userEmail": f"guest{n}@example.org"} for n in range(10)]
    assert len(result(house.anna.post(f"{PATH}/bulk", json=several))) == 10
    assert len(listed(house)) == 12
