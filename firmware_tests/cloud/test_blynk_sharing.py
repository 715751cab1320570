"""What Blynk says about sharing devices, sentence by sentence."""

import pytest

from host_sim.cloud.domain import permissions, sharing
from host_sim.cloud.domain.model import Device
from host_sim.cloud.domain.organisations import (
    CONTROL_ORGANISATION,
    CONTROL_OWN,
    VIEW_ORGANISATION,
    VIEW_OWN,
)

API = "/api/v1/organization"
ADMIN, STAFF, USER = 1, 2, 3
UNLOCK = 0


class Home:
    """Anna, who has a garage door and a beer machine, and Bea, with an account of her own."""

    def __init__(self, world):
        self.world = world
        self.anna = world.person("anna@example.org")
        self.bea = world.person("bea@example.org")
        self.garage = self.device("Garage door")
        self.beer = self.device("Beer machine")

    def device(self, name):
        made = self.anna.post(f"{API}/device/create", json={"name": name})
        assert made.status_code == 201
        return made.json()["id"]

    def invite(self, role, email="bea@example.org", **where):
        body = {"email": email, "name": "Somebody", "roleId": role, **where}
        invited = self.anna.post(f"{API}/users/invite", json=body)
        assert invited.status_code == 201, invited.text
        return invited.json()["id"]

    def role(self, *permissions, **where):
        body = {"name": "Ours", "permissions": permissions, **where}
        made = self.anna.post(f"{API}/roles", json=body)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def sub_organisation(self, name="Family"):
        made = self.anna.post(f"{API}/create", json={"name": name})
        assert made.status_code == 201
        return made.json()["id"]

    def transfer(self, device, **to):
        return self.anna.post(f"{API}/device/transfer", json={"deviceId": device, **to})

    def standing(self, client, device):
        with self.world.transaction() as context:
            row = context.session.get_one(Device, device)
            return permissions.standing(context, self.world.who(context, client), row)


def write(client, device, value=UNLOCK):
    body = {"deviceId": device, "dataStreamId": 1, "value": value}
    return client.post(f"{API}/device/datastream", json=body).status_code


def seen(client, path="/devices", **query):
    answer = client.get(f"{API}{path}", params=query)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["totalElements"] == len(page["content"])
    return {item["id"] for item in page["content"]}


@pytest.fixture
def home(service):
    return Home(service)


@pytest.fixture
def quick(one_service):
    """The same where no database does anything of its own."""
    return Home(one_service)


def test_no_anonymous_sharing_users_have_to_be_registered(quick):
    """Blynk "doesn't allow anonymous device sharing": they should be registered."""
    quick.invite(STAFF, "new@example.org")
    (pending,) = quick.anna.get(f"{API}/search/users", params={"query": "new@"}).json()["content"]
    assert pending["status"] == "Pending"
    with quick.world.transaction() as context:
        row = context.session.get_one(Device, quick.garage)
        owner = quick.world.who(context, quick.anna)
        assert [share.email for share in sharing.visible(context, owner, row)] == [owner.email]
    assert quick.world.http.get(f"{API}/devices").status_code == 401
    new = quick.world.person("new@example.org")
    assert seen(new) == {quick.garage, quick.beer}
    (active,) = quick.anna.get(f"{API}/search/users", params={"query": "new@"}).json()["content"]
    assert (active["status"], active["id"], active["roleId"]) == ("Active", pending["id"], STAFF)


@pytest.mark.parametrize("organisation_view", [False, True])
@pytest.mark.parametrize("own_view", [False, True])
@pytest.mark.parametrize("organisation_control", [False, True])
@pytest.mark.parametrize("own_control", [False, True])
def test_sharing_is_handled_with_four_permissions(
    quick, organisation_view, own_view, organisation_control, own_control
):
    """Sharing "is handled with permission View Organization Devices, Control ..." and so on."""
    wanted = {
        VIEW_ORGANISATION: organisation_view,
        VIEW_OWN: own_view,
        CONTROL_ORGANISATION: organisation_control,
        CONTROL_OWN: own_control,
    }
    given = [permission for permission, on in wanted.items() if on]
    body = {"name": "Ours", "permissions": given}
    made = quick.anna.post(f"{API}/roles", json=body)
    if organisation_control > organisation_view or own_control > own_view:
        # Whoever may control what they cannot see is a mistake, and nothing is made of it.
        assert made.status_code == 400
        return
    quick.invite(made.json()["id"])
    assert quick.transfer(quick.garage, newUserId=quick.bea.id).status_code == 204
    shown = {quick.garage, quick.beer} if organisation_view else set()
    assert seen(quick.bea) == shown | ({quick.garage} if own_view else set())
    controls_own = own_control or organisation_control
    hidden = not organisation_view and not own_view
    own = 204 if controls_own else 404 if hidden else 403
    assert write(quick.bea, quick.garage) == own
    other = 204 if organisation_control else 403 if organisation_view else 404
    assert write(quick.bea, quick.beer) == other


def test_invite_the_user_to_your_organization(home):
    """To share, "you just need to invite this user to your organization"."""
    home.invite(STAFF)
    assert seen(home.bea) == {home.garage, home.beer}
    assert write(home.bea, home.garage) == 204
    assert home.standing(home.bea, home.garage) is permissions.Standing.GUEST


@pytest.mark.parametrize(("number", "name"), [(ADMIN, "Admin"), (STAFF, "Staff"), (USER, "User")])
def test_admin_staff_or_user_roles_during_the_invitation(quick, number, name):
    """One "can select Admin, Staff, or User roles": 1, 2 and 3 as in Blynk's own API."""
    assert quick.invite(number) == quick.bea.id
    mail = quick.world.mails("bea@example.org")[-1]
    assert f"as {name}" in mail.get_content()
    shown = quick.anna.get(f"{API}/user", params={"userId": quick.bea.id}).json()
    assert shown["roleId"] == number
    roles = {role["id"]: role["name"] for role in quick.anna.get(f"{API}/roles").json()}
    assert roles == {ADMIN: "Admin", STAFF: "Staff", USER: "User"}


def test_view_organization_devices_permission_in_order_to_see(quick):
    """Blynk: "Users should have a role with View Organization Devices" to see their devices."""
    quick.invite(quick.role(VIEW_ORGANISATION))
    assert seen(quick.bea) == {quick.garage, quick.beer}
    assert quick.bea.get(f"{API}/device", params={"deviceId": quick.beer}).status_code == 200
    assert write(quick.bea, quick.beer) == 403


def test_the_default_user_role_has_no_permissions(quick):
    """Blynk: "The default User role doesn't have any permissions": an empty screen."""
    quick.invite(USER)
    (role,) = [role for role in quick.anna.get(f"{API}/roles").json() if role["id"] == USER]
    assert role["permissions"] == []
    assert seen(quick.bea) == set()
    assert seen(quick.bea, "/search/devices", query="") == set()
    assert quick.bea.get(f"{API}/device", params={"deviceId": quick.garage}).status_code == 404
    assert write(quick.bea, quick.garage) == 404
    assert quick.transfer(quick.garage, newUserId=quick.bea.id).status_code == 204
    assert seen(quick.bea) == set()


def test_you_need_to_set_the_required_permissions(home):
    """Blynk: "You need to set the required permissions for this and other roles"."""
    home.invite(USER)
    body = {"permissions": [VIEW_ORGANISATION, CONTROL_ORGANISATION]}
    changed = home.anna.put(f"{API}/roles", params={"roleId": USER}, json=body)
    assert changed.json() == {"id": USER, "name": "User", **body}
    assert seen(home.bea) == {home.garage, home.beer}
    assert write(home.bea, home.beer) == 204
    home.anna.put(f"{API}/roles", params={"roleId": USER}, json={"permissions": []})
    assert seen(home.bea) == set()
    assert home.standing(home.bea, home.beer) is permissions.Standing.STRANGER


def test_the_user_should_be_invited_to_the_organization_of_a_transfer(quick):
    """You can transfer ownership "to the user you want to share the device with within"."""
    refused = quick.transfer(quick.garage, newUserEmail="bea@example.org")
    assert refused.status_code == 400
    assert refused.json() == {
        "error": {"message": "The new owner is no member of the organization."}
    }
    # Whether there is an account makes no difference.
    assert quick.transfer(quick.garage, newUserEmail="no@example.org").text == refused.text
    quick.invite(USER, "new@example.org")
    assert quick.transfer(quick.garage, newUserEmail="new@example.org").text == refused.text
    quick.invite(USER)
    assert quick.transfer(quick.garage, newUserEmail="bea@example.org").status_code == 204
    assert quick.standing(quick.bea, quick.garage) is permissions.Standing.OWNER


def test_view_own_devices_sees_only_devices_where_he_is_the_owner(quick):
    """With View Own Devices one "will see only devices where he is the owner"."""
    quick.invite(quick.role(VIEW_OWN))
    assert seen(quick.bea) == set()
    quick.transfer(quick.garage, newUserId=quick.bea.id)
    assert seen(quick.bea) == {quick.garage}
    assert seen(quick.bea, "/search/devices", query="machine") == set()


def test_owners_see_theirs_only_if_they_have_view_own_devices(quick):
    """They see devices "where they are owners and only if they have View Own Devices"."""
    quick.invite(USER)
    quick.transfer(quick.garage, newUserId=quick.bea.id)
    assert seen(quick.bea) == set()
    quick.anna.put(f"{API}/roles", params={"roleId": USER}, json={"permissions": [VIEW_OWN]})
    assert seen(quick.bea) == {quick.garage}


def test_view_organization_devices_sees_all_within_the_organization(quick):
    """They "can see all devices within the organization they belong to", and no others."""
    quick.invite(quick.role(VIEW_ORGANISATION))
    elsewhere = quick.world.person("carl@example.org")
    elsewhere.post(f"{API}/device/create", json={"name": "Garage door"})
    assert seen(quick.bea) == {quick.garage, quick.beer}
    assert seen(quick.bea, "/search/devices", query="garage") == {quick.garage}


def test_the_garage_door_of_a_wife(home):
    """She "can view and control only the garage doors device", without Control Own Devices.

    At the door she can, because she is its owner; Blynk's API, which goes by the role, only shows
    it to her until the role has Control Own Devices, too.
    """
    role = home.role(VIEW_OWN)
    home.invite(role)
    assert home.transfer(home.garage, newUserEmail="bea@example.org").status_code == 204
    assert seen(home.bea) == {home.garage}
    assert seen(home.anna) == {home.garage, home.beer}
    assert home.standing(home.bea, home.garage) is permissions.Standing.OWNER
    assert home.standing(home.anna, home.garage) is permissions.Standing.ADMIN
    assert home.standing(home.bea, home.beer) is permissions.Standing.STRANGER
    assert write(home.bea, home.garage) == 403
    body = {"permissions": [VIEW_OWN, CONTROL_OWN]}
    home.anna.put(f"{API}/roles", params={"roleId": role}, json=body)
    assert write(home.bea, home.garage) == 204
    assert write(home.bea, home.beer) == 404


def test_a_user_can_provision_a_device_himself_after_he_is_invited(quick):
    """He "could provision the device by himself after he is invited to the org or suborg"."""
    family = quick.sub_organisation()
    own = quick.anna.get(f"{API}/profile").json()["id"]
    body = {"name": "Hers", "orgId": family}
    assert quick.bea.post(f"{API}/device/create", json=body).status_code == 404
    quick.invite(STAFF, orgId=family)
    made = quick.bea.post(f"{API}/device/create", json=body)
    assert made.status_code == 201
    assert made.json()["ownerUserId"] == quick.bea.id
    assert made.json()["orgId"] == family
    assert seen(quick.bea, orgId=family) == {made.json()["id"]}
    upwards = quick.bea.post(f"{API}/device/create", json={"name": "Hers", "orgId": own})
    assert upwards.status_code == 404


def test_sharing_via_a_sub_organization(home):
    """Create the sub-organization, "invite multiple users", transfer the device to one of them.

    "The device transfer could be done only by the user email": it goes where that user is.
    """
    family = home.sub_organisation()
    carl = home.world.person("carl@example.org")
    for email in ("bea@example.org", "carl@example.org"):
        home.invite(STAFF, email, orgId=family)
    assert home.transfer(home.garage, newUserEmail="carl@example.org").status_code == 204
    info = home.anna.get(f"{API}/device", params={"deviceId": home.garage}).json()
    assert (info["orgId"], info["ownerUserId"]) == (family, carl.id)
    for client in (home.bea, carl):
        assert seen(client) == {home.garage}
        assert write(client, home.garage) == 204
        assert write(client, home.beer) == 404


def test_without_view_organization_devices_only_the_owner_sees_it(quick):
    """Blynk: "Otherwise, the device will be visible only to the owner of the device"."""
    family = quick.sub_organisation()
    role = quick.role(VIEW_OWN, orgId=family)
    carl = quick.world.person("carl@example.org")
    for email in ("bea@example.org", "carl@example.org"):
        quick.invite(role, email, orgId=family)
    quick.transfer(quick.garage, newUserEmail="carl@example.org")
    assert seen(carl) == {quick.garage}
    assert seen(quick.bea) == set()


def test_sub_organizations_never_see_upwards(quick):
    """They "never can see any data from the upper organization hierarchy"."""
    family = quick.sub_organisation()
    quick.invite(ADMIN, orgId=family)
    above = quick.anna.get(f"{API}/profile").json()
    assert seen(quick.bea) == set()
    assert seen(quick.bea, "/search", query="") == {family, _own(quick.bea)}
    shown = quick.bea.get(API, params={"orgId": family}).json()
    assert (shown["name"], shown["parentOrganizationId"]) == ("Family", None)
    unknown = quick.bea.get(API, params={"orgId": 999_999})
    for path, params in (
        ("", {"orgId": above["id"]}),
        ("/users", {"orgId": above["id"]}),
        ("/roles", {"orgId": above["id"]}),
        ("/devices", {"orgId": above["id"]}),
        ("/user", {"orgId": above["id"], "userId": quick.anna.id}),
    ):
        answer = quick.bea.get(f"{API}{path}", params=params)
        assert (answer.status_code, answer.text) == (404, unknown.text)
    assert quick.bea.get(f"{API}/device", params={"deviceId": quick.garage}).status_code == 404
    assert seen(quick.bea, "/device/by-user-org", userEmail="anna@example.org") == set()
    assert seen(quick.bea, "/device/by-owner", ownerEmail="anna@example.org") == set()
    assert seen(quick.bea, "/search/users", query="") == {quick.bea.id}


def test_devices_of_sub_organizations_in_the_search_and_via_the_switch(quick):
    """You can "see this device in the search or via the organization switch"."""
    family = quick.sub_organisation()
    assert quick.transfer(quick.garage, newOrgId=family).status_code == 204
    assert seen(quick.anna, "/search/devices", query="garage") == {quick.garage}
    assert seen(quick.anna, orgId=family) == {quick.garage}
    assert seen(quick.anna) == {quick.beer}
    assert seen(quick.anna, includeSubOrgDevices=True) == {quick.garage, quick.beer}
    # What one sees there one does not control; the door is its owner's.
    quick.invite(STAFF)
    assert seen(quick.bea, orgId=family) == {quick.garage}
    assert write(quick.bea, quick.garage) == 403
    assert quick.standing(quick.bea, quick.garage) is permissions.Standing.VIEWER


def test_the_device_can_have_only_one_owner(home):
    """Blynk: "The device can have only one owner"."""
    home.invite(STAFF)
    home.transfer(home.garage, newUserId=home.bea.id)
    again = home.transfer(home.garage, newUserId=home.bea.id)
    assert again.status_code == 400
    assert seen(home.bea, "/device/by-owner", ownerEmail="bea@example.org") == {home.garage}
    assert seen(home.anna, "/device/by-owner", ownerEmail="ANNA@example.org") == {home.beer}
    with home.world.transaction() as context:
        row = context.session.get_one(Device, home.garage)
        shares = sharing.visible(context, home.world.who(context, home.bea), row)
        origins = sorted((share.origin, share.email) for share in shares)
    assert origins == [("ownership", "bea@example.org"), ("role", "anna@example.org")]


def test_other_devices_of_the_organization_are_seen_too(quick):
    """Blynk: "In that case, your family will see other devices within your organization"."""
    quick.invite(quick.role(VIEW_ORGANISATION))
    assert quick.beer in seen(quick.bea)


def test_a_sub_organization_with_one_device_shows_only_it(quick):
    """Blynk: "Sub-organization has only one device, so your family will see only it"."""
    family = quick.sub_organisation()
    quick.invite(quick.role(VIEW_ORGANISATION, orgId=family), orgId=family)
    quick.transfer(quick.garage, newOrgId=family)
    assert seen(quick.bea) == {quick.garage}


def test_every_user_is_a_member_of_an_organization(quick):
    """Blynk: "Every user that has an account on Blynk is a member of an Organization"."""
    assert quick.bea.get(f"{API}/profile").json()["name"] == "Bea"


def test_a_role_is_a_set_of_permissions(quick):
    """Every user has a role, "which is defined by a set of permissions"."""
    made = quick.role(VIEW_OWN, CONTROL_OWN)
    assert quick.anna.get(f"{API}/roles").json()[-1] == {
        "id": made,
        "name": "Ours",
        "permissions": [VIEW_OWN, CONTROL_OWN],
    }


def _own(client):
    return client.get(f"{API}/profile").json()["id"]
