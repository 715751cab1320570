"""tedee's device access (v37): flat fields, random ids, numbered errors, copies."""

import pytest

from firmware_tests.cloud.tedee import House, refused, result
from host_sim.cloud.domain.model import Share

FULL = {
    "accessLevel": 1,
    "weekDays": 10,
    "dayStartTime": "2020-12-14T08:09:57.781Z",
    "dayEndTime": "17:00:00.000Z",
    "startDate": "2020-12-14T08:09:57.781Z",
    "endDate": "2027-12-31T08:10:57.781Z",
    "remoteAccessDisabled": True,
}
TOLD = {
    **FULL,
    "dayStartTime": "2026-07-02T08:09:58.000Z",
    "dayEndTime": "2026-07-02T17:00:00.000Z",
    "startDate": "2020-12-14T08:09:58.000Z",
    "endDate": "2027-12-31T08:10:57.000Z",
}


def path(house, *more):
    return "/".join((f"/api/v37/my/device/{house.door}/access", *more))


def listed(house, who=None, **query):
    answer = (who or house.anna).get(path(house), params=query)
    return {each["userEmail"]: each for each in result(answer)}


def id_of(house, email):
    return listed(house)[email]["id"]


def error_of(answer, status):
    """The number of an error."""
    told = answer.json()
    assert (answer.status_code, told["statusCode"], told["success"]) == (status, status, False)
    assert told["errorMessages"] == [told["error"]["message"]]
    return told["error"]["code"]


# --- create and list ----------------------------------------------------------------------------


def test_an_access_is_given_without_an_envelope_and_listed_in_one(house):
    jane = house.world.person("jane@example.org", "Jane")
    answer = house.anna.post(path(house), json={**FULL, "userEmail": jane.email})
    assert answer.status_code == 201
    told = listed(house)[jane.email]
    identity = told["principalId"]
    assert answer.json() == {
        "id": told["id"],
        "principalType": 0,
        "principalId": identity,
        "userEmail": jane.email,
        "displayName": "Jane",
        "success": True,
        "error": None,
    }
    assert identity.replace("-", "") == jane.uid and told["userIdentity"] == identity
    assert {name: told[name] for name in TOLD} == TOLD
    assert told["notExpressible"] == [] and not told["isPending"]
    with house.kept(house.share) as (share, _):
        uid = share.uid
    assert id_of(house, house.john.email).replace("-", "") == uid


def test_an_access_for_an_address_without_an_account_is_pending(house):
    answer = house.anna.post(path(house), json={"accessLevel": 0, "userEmail": "new@example.org"})
    assert answer.json()["principalId"] is None
    told = listed(house)["new@example.org"]
    assert told["isPending"] and told["userDisplayName"] == "new@example.org"
    assert house.world.mails("new@example.org")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"Filters.Text": "JOHN"}, {"john@example.org"}),
        ({"filters.text": "example.org"}, {"anna@example.org", "john@example.org"}),
        ({"Filters.Text": "nobody"}, set()),
        ({"Filters.PrincipalType": 0}, {"anna@example.org", "john@example.org"}),
        ({"Filters.PrincipalType": 1}, set()),
    ],
)
def test_filters(shared, query, found):
    assert set(listed(shared, **query)) == found


def test_the_filter_by_principal(shared):
    assert set(listed(shared, **{"Filters.PrincipalId": shared.john.uid})) == {shared.john.email}


def test_a_guest_sees_the_owner_and_themselves(house):
    house.give("jane@example.org")
    assert set(listed(house, house.john)) == {house.anna.email, house.john.email}


def test_only_v37_has_it(shared):
    answer = shared.anna.get(f"/api/v1.33/my/device/{shared.door}/access")
    assert "v37" in refused(answer, 400)


# --- numbered errors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"weekDays": 0}, 400, 1000),
        ({"weekDays": "31"}, 400, 1000),
        ({"endDate": "yesterday"}, 400, 1000),
        ({"accessLevel": None}, 400, 1000),
        ({"repeatEvent": {}}, 400, 1000),
        ({"userEmail": None}, 400, 1000),
        ({"principalId": "7f8da1c1-18fb-4d79-8c19-5add0e7b92b2"}, 400, 1000),
        ({"accessLevel": 2}, 409, 1001),
        ({"userEmail": "john@example.org"}, 406, 1003),
        ({"userEmail": "new@example.org"}, 406, 1004),
        (
            {"principalType": 1, "principalId": "7f8da1c1-18fb-4d79-8c19-5add0e7b92b2"},
            400,
            1006,
        ),
        ({"userEmail": "anna@example.org"}, 409, 1008),
    ],
)
def test_errors_have_numbers(shared, body, status, code):
    if "new@example.org" not in listed(shared):
        shared.give("new@example.org")
    before = listed(shared)
    answer = shared.anna.post(
        path(shared), json={"accessLevel": 0, "userEmail": "jane@example.org", **body}
    )
    assert error_of(answer, status) == code
    assert listed(shared) == before


def test_the_owner_needs_no_access(house):
    jane = house.world.person("jane@example.org")
    house.give(jane.email, level="admin")
    answer = jane.post(path(house), json={"accessLevel": 0, "userEmail": "anna@example.org"})
    assert error_of(answer, 409) == 1002


# --- replace and delete -------------------------------------------------------------------------


def test_a_put_replaces_everything(house):
    number = id_of(house, house.john.email)
    answer = house.anna.put(path(house, number), json=FULL)
    assert (answer.status_code, answer.headers["Content-Type"]) == (204, "application/json")
    told = listed(house)[house.john.email]
    assert {name: told[name] for name in TOLD} == TOLD
    assert house.anna.put(path(house, number), json={"accessLevel": 0}).status_code == 204
    told = listed(house)[house.john.email]
    assert {name: told[name] for name in TOLD} == {
        **dict.fromkeys(TOLD),
        "accessLevel": 0,
        "remoteAccessDisabled": False,
    }


def test_a_put_keeps_what_cannot_be_said_or_is_refused(house):
    share = house.give("jane@example.org", uses=3, rules=["mon 08:00-09:00", "tue"])
    number = id_of(house, "jane@example.org")
    shown = {"weekDays": 0, "endDate": "2027-01-01T00:00:00Z", "accessLevel": 0}
    assert house.anna.put(path(house, number), json=shown).status_code == 204
    with house.kept(share) as (_, grant):
        assert grant.uses == 3 and len(grant.rules) == 2 and grant.until
    answer = house.anna.put(path(house, number), json={"accessLevel": 0})
    assert error_of(answer, 409) == 1000


def test_an_access_ends(house):
    number = id_of(house, house.john.email)
    answer = house.anna.delete(path(house, number))
    assert (answer.status_code, answer.headers["Content-Type"]) == (204, "application/json")
    assert refused(house.anna.delete(path(house, number)), 404)
    assert refused(house.john.get(path(house)), 404)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_access_of_another_device_or_of_nobody_is_none(house, method):
    cellar = house.build("Cellar")
    body = {"json": {"accessLevel": 0}} if method == "PUT" else {}
    number = id_of(house, house.john.email)
    for device, access in [
        (cellar, number),
        (house.door, "7f8da1c1-18fb-4d79-8c19-5add0e7b92b2"),
        (999, number),
    ]:
        where = f"/api/v37/my/device/{device}/access/{access}"
        assert refused(house.anna.request(method, where, **body), 404)
    assert refused(house.anna.request(method, path(house, "15"), **body), 400)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_guest_changes_nothing(shared, method):
    where = path(shared) if method == "POST" else path(shared, id_of(shared, shared.john.email))
    body = {"accessLevel": 0} | ({"userEmail": "jane@example.org"} if method == "POST" else {})
    options = {} if method == "DELETE" else {"json": body}
    before = listed(shared)
    assert refused(shared.john.request(method, where, **options), 403)
    assert listed(shared) == before


# --- copies -------------------------------------------------------------------------------------


def test_copies_are_whole_and_each_has_its_outcome(service):
    house = House(service)
    jane = house.world.person("jane@example.org", "Jane")
    terms = {"uses": 3, "rules": ["mon 08:00-09:00", "deny tue"], "rights": ["lock"]}
    source = house.give("source@example.org", **terms)
    number = id_of(house, "source@example.org")
    group = "7f8da1c1-18fb-4d79-8c19-5add0e7b92b2"
    principals = [
        {"principalType": 0, "userEmail": jane.email},
        {"principalType": 0, "userEmail": house.john.email},
        {"principalType": 1, "principalId": group},
        {"userEmail": "new@example.org"},
        {"userEmail": "nobody"},
        {},
        {"userEmail": "anna@example.org"},
    ]
    answer = house.anna.post(path(house, number, "copy-to"), json={"principals": principals})
    assert answer.status_code == 201
    told = answer.json()["principals"]
    codes = [each["error"] and each["error"]["code"] for each in told]
    assert codes == [None, 1003, 1006, None, 1000, 1000, 1008]
    assert [each["success"] for each in told] == [code is None for code in codes]
    assert told[0]["displayName"] == "Jane" and told[0]["id"] == id_of(house, jane.email)
    assert told[2]["principalId"] == group
    with house.kept(source) as (share, _):
        wanted = share.terms
    with house.world.transaction() as context:
        for email in (jane.email, "new@example.org"):
            copy = context.session.query(Share).filter_by(email=email).one()
            assert copy.terms == wanted
    assert set(listed(house)) == {
        *(f"{name}@example.org" for name in ("anna", "john", "source", "jane", "new"))
    }


def test_the_owners_access_has_no_copies(shared):
    number = id_of(shared, shared.anna.email)
    body = {"principals": [{"userEmail": "jane@example.org"}]}
    (told,) = shared.anna.post(path(shared, number, "copy-to"), json=body).json()["principals"]
    assert told["error"]["code"] == 1001


@pytest.mark.parametrize("body", [{}, {"principals": []}, {"principals": [{}] * 101}, []])
def test_copies_are_for_1_to_100(shared, body):
    number = id_of(shared, shared.john.email)
    assert error_of(shared.anna.post(path(shared, number, "copy-to"), json=body), 400) == 1000


def test_a_guest_copies_nothing(shared):
    number = id_of(shared, shared.john.email)
    body = {"principals": [{"userEmail": "jane@example.org"}]}
    assert refused(shared.john.post(path(shared, number, "copy-to"), json=body), 403)
    assert "jane@example.org" not in listed(shared)
