"""Blynk's Platform API: requests and answers as its documentation has them, and every refusal."""

import pytest

from firmware.policy import reasons
from firmware_tests.cloud.realm import write
from host_sim import words
from host_sim.cloud.domain import sharing
from host_sim.cloud.domain.model import Device, Operation

API = "/api/v1/organization"


@pytest.fixture
def anna(one_service):
    return one_service.person("anna@example.org")


def ask(client, method, path, status, **options):
    answer = client.request(method, API + path, **options)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def refused(client, method, path, status, **options):
    body = ask(client, method, path, status, **options)
    assert set(body) == {"error"} and set(body["error"]) == {"message"}
    return body["error"]["message"]


def lock(client, name="Front door", **more):
    return ask(client, "POST", "/device/create", 201, json={"name": name, **more})["id"]


def test_an_organization(anna):
    shown = ask(anna, "GET", "/profile", 200)
    assert shown == {
        "id": shown["id"],
        "name": "Anna",
        "parentOrganizationId": None,
        "isActive": True,
        "lastModifiedTs": 1_783_000_000_000,
    }
    assert ask(anna, "GET", f"?orgId={shown['id']}", 200) == shown
    below = ask(anna, "POST", "/create", 201, json={"name": "Shop", "type": "BUSINESS"})
    assert below["parentOrganizationId"] == shown["id"]
    deeper = {"name": "Cellar", "parentId": below["id"]}
    assert ask(anna, "POST", "/create", 201, json=deeper)["parentOrganizationId"] == below["id"]


def test_organizations_that_are_not_there(anna):
    missing = "Organization is not found or you don't have access to it."
    assert refused(anna, "GET", "?orgId=999", 404) == missing
    assert refused(anna, "GET", "/devices?orgId=999", 404) == missing
    parent = {"name": "Shop", "parentId": 999}
    assert refused(anna, "POST", "/create", 404, json=parent) == f"Parent o{missing[1:]}"
    device = lock(anna)
    to = {"deviceId": device, "newOrgId": 999}
    answer = refused(anna, "POST", "/device/transfer", 404, json=to)
    assert answer == f"Destination o{missing[1:]}"


def test_a_device(anna, one_service):
    device = lock(anna, tz="Europe/Berlin", templateId="TMPL84aMXD6vd")
    shown = ask(anna, "GET", f"/device?deviceId={device}", 200)
    assert shown == {
        "id": device,
        "templateId": 1,
        "orgId": ask(anna, "GET", "/profile", 200)["id"],
        "name": "Front door",
        "activatedAt": 1_783_000_000_000,
        "ownerUserId": anna.id,
        "dataStreamValues": [],
        "metaFieldValues": [
            {"id": 1, "name": "Shares beyond roles", "value": {"type": "Text", "value": "0"}}
        ],
    }
    with one_service.transaction() as context:
        row = context.session.get_one(Device, device)
        assert row.zone == "CET-1CEST,M3.5.0,M10.5.0/3"
        owner = one_service.who(context, anna)
        sharing.create(context, owner, row, "bob@example.org", write(uses=1))
        row.state, row.state_at = {"lock": 1, "battery": 54}, 1_783_000_100
    shown = ask(anna, "GET", f"/device?deviceId={device}", 200)
    assert shown["metaFieldValues"][0]["value"]["value"] == "1"
    at = 1_783_000_100_000
    assert [
        (each["pin"], each["dataStreamLabel"], each["value"], each["updatedAt"])
        for each in shown["dataStreamValues"]
    ] == [("v1", "Lock", 1, at), ("v2", "Battery", 54, at)]
    renamed = ask(anna, "PUT", f"/device?deviceId={device}", 200, json={"name": "Back door"})
    assert renamed["name"] == "Back door"
    ask(anna, "DELETE", f"/device?deviceId={device}", 204)
    missing = f"Device with identifier {device} is not found or belong to another organization."
    assert refused(anna, "GET", f"/device?deviceId={device}", 404) == missing
    assert refused(anna, "DELETE", f"/device?deviceId={device}", 404) == missing


def test_what_makes_no_device(anna):
    zone = {"name": "Door", "tz": "Atlantis/Capital"}
    assert "Atlantis/Capital" in refused(anna, "POST", "/device/create", 400, json=zone)
    owner = {"name": "Door", "ownerId": 999}
    assert "User with identifier 999" in refused(anna, "POST", "/device/create", 404, json=owner)
    assert "name" in refused(anna, "POST", "/device/create", 400, json={"name": ""})


def test_a_manager_adds_a_device_of_a_user(anna, one_service):
    bea = one_service.person("bea@example.org")
    ask(anna, "POST", "/users/invite", 201, json=_invitation("bea@example.org", 2))
    ask(anna, "POST", "/users/invite", 201, json=_invitation("new@example.org", 2))
    made = ask(anna, "POST", "/device/create", 201, json={"name": "Hers", "ownerId": bea.id})
    assert made["ownerUserId"] == bea.id
    (new,) = ask(anna, "GET", "/search/users?query=new@", 200)["content"]
    body = {"name": "Hers", "ownerId": new["id"]}
    answer = refused(anna, "POST", "/device/create", 404, json=body)
    assert answer == "User is not found or you don't have access to him."
    home = ask(anna, "GET", "/profile", 200)["id"]
    body = {"name": "His", "ownerId": anna.id, "orgId": home}
    refused(bea, "POST", "/device/create", 403, json=body)


def test_pages_and_orders(anna):
    for name in ("B door", "A door", "C gate"):
        lock(anna, name)
    first = ask(anna, "GET", "/devices?size=2", 200)
    second = ask(anna, "GET", "/devices?size=2&page=1", 200)
    assert [each["name"] for each in first["content"] + second["content"]] == [
        "B door", "A door", "C gate",
    ]  # fmt: skip
    assert first["totalElements"] == second["totalElements"] == 3
    found = ask(anna, "GET", "/search/devices?query=DOOR&sortBy=Name", 200)
    assert [each["name"] for each in found["content"]] == ["A door", "B door"]
    found = ask(anna, "GET", "/search/devices?query=&sortBy=Name&sortOrder=DESC&size=1", 200)
    assert [each["name"] for each in found["content"]] == ["C gate"]
    assert ask(anna, "GET", "/search/devices?query=%25", 200)["totalElements"] == 0
    for wrong in ("size=0", "size=101", "page=-1"):
        refused(anna, "GET", f"/devices?{wrong}", 400)
    refused(anna, "GET", "/search/devices?query=a&sortBy=Auth%20Token", 400)


def test_users(anna, one_service):
    bea = one_service.person("bea@example.org")
    ask(anna, "POST", "/users/invite", 201, json=_invitation("bea@example.org", 3))
    shown = ask(anna, "GET", "/users", 200)["content"]
    assert shown[1] == {
        "id": bea.id,
        "name": "Bea",
        "email": "bea@example.org",
        "roleId": 3,
        "orgId": ask(anna, "GET", "/profile", 200)["id"],
        "status": "Active",
        "registeredAt": 1_783_000_000_000,
        "isDev": False,
    }
    changed = ask(anna, "PUT", f"/users/role?userId={bea.id}&roleId=1", 200)
    assert changed == {**shown[1], "roleId": 1}
    found = ask(anna, "GET", "/search/users?query=a&sortBy=Email&sortOrder=DESC", 200)
    assert [each["name"] for each in found["content"]] == ["Bea", "Anna"]
    ask(anna, "DELETE", f"/user?userId={bea.id}", 204)
    missing = f"User with identifier {bea.id} is not found or belong to another organization."
    assert refused(anna, "GET", f"/user?userId={bea.id}", 404) == missing
    assert refused(anna, "PUT", f"/users/role?userId={bea.id}&roleId=1", 404) == missing


def test_who_left_has_no_access(anna, one_service):
    bea = one_service.person("bea@example.org")
    device = lock(anna)
    home = ask(anna, "GET", "/profile", 200)["id"]
    ask(anna, "POST", "/users/invite", 201, json=_invitation("bea@example.org", 2))
    ask(bea, "POST", "/device/datastream", 204, json=_write(device, 0))
    ask(bea, "DELETE", f"/user?userId={bea.id}&orgId={home}", 204)
    refused(bea, "POST", "/device/datastream", 404, json=_write(device, 0))
    last = refused(anna, "DELETE", f"/user?userId={anna.id}", 400)
    assert last == "Nobody would be left to manage the organization."


def test_invitations_that_are_refused(anna):
    ask(anna, "POST", "/users/invite", 201, json=_invitation("new@example.org", 3))
    again = refused(anna, "POST", "/users/invite", 400, json=_invitation("NEW@example.org", 3))
    assert again == "NEW@example.org is in this organization already."
    role = refused(anna, "POST", "/users/invite", 404, json=_invitation("x@example.org", 9))
    assert role == "Role is not found."
    refused(anna, "POST", "/users/invite", 400, json=_invitation("nobody", 3))
    refused(anna, "POST", "/users/invite", 404, json=_invitation("x@example.org", 3, orgId=999))


def test_roles_that_are_refused(anna):
    role = {"name": "Clerk", "permissions": []}
    assert ask(anna, "POST", "/roles", 201, json=role)["id"] == 4
    assert "already" in refused(anna, "POST", "/roles", 400, json=role)
    role = {"name": "Odd", "permissions": ["Open Sesame"]}
    assert "Open Sesame" in refused(anna, "POST", "/roles", 400, json=role)
    refused(anna, "PUT", "/roles?roleId=9", 404, json={"permissions": []})
    refused(anna, "PUT", "/roles?roleId=1", 400, json={"permissions": []})


def test_values_become_operations(anna, one_service):
    device = lock(anna)
    for value in (0, 1, 2):
        ask(anna, "POST", "/device/datastream", 204, json=_write(device, value))
    with one_service.transaction() as context:
        asked = context.session.query(Operation).order_by(Operation.id).all()
        assert [each.action for each in asked] == ["unlock", "lock", "pull"]
    refused(anna, "POST", "/device/datastream", 400, json=_write(device, 3))
    body = {**_write(device, 0), "dataStreamId": 2}
    answer = refused(anna, "POST", "/device/datastream", 404, json=body)
    assert answer == "Data stream with identifier 2 is not found!"


def test_the_rules_of_a_share_go_before_the_role(anna, one_service):
    """Whoever has a share of their own is held to it, also through this API."""
    bea = one_service.person("bea@example.org")
    device = lock(anna)
    ask(anna, "POST", "/users/invite", 201, json=_invitation("bea@example.org", 2))
    with one_service.transaction() as context:
        row = context.session.get_one(Device, device)
        owner = one_service.who(context, anna)
        sharing.create(context, owner, row, bea.email, write(rules=["daily 01:00-02:00"]))
    answer = refused(bea, "POST", "/device/datastream", 403, json=_write(device, 0))
    assert answer == words.text(reasons.OUTSIDE_RULES)
    one_service.now = 1_783_040_400  # 01:00 UTC
    ask(bea, "POST", "/device/datastream", 204, json=_write(device, 0))


def test_a_transfer_names_somebody(anna):
    device = lock(anna)
    refused(anna, "POST", "/device/transfer", 400, json={"deviceId": device})
    same = {"deviceId": device, "newUserId": anna.id}
    assert "already" in refused(anna, "POST", "/device/transfer", 400, json=same)


def _invitation(email, role, **more):
    return {"email": email, "name": "Somebody", "roleId": role, **more}


def _write(device, value):
    return {"deviceId": device, "dataStreamId": 1, "value": value}
