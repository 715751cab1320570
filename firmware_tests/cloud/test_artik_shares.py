"""ARTIK's device sharing: a test for each sentence of its documentation that says what happens."""

import pytest

from firmware.policy.grant import GUEST
from firmware.policy.zone import Zone
from firmware_tests.cloud.artik import (
    accept,
    add_lock,
    devices,
    offer,
    ok,
    refused,
    share,
    shares,
)
from firmware_tests.cloud.world import NOW, PASSWORD
from host_sim.cloud.domain import devices as domain_devices
from host_sim.cloud.domain import issuing, membership, organisations, phones, sharing, terms
from host_sim.cloud.domain.model import Device, Share
from host_sim.cloud.keys import PrivateKey
from host_sim.cloud.terms import Terms
from host_sim.cloud.web.artik import LOCK, PRIVATE_LOCK
from host_sim.cloud.web.limits import Limit

BOB = "bob@example.org"
INVITED = "Door is to be shared with you"
ENDED = "Door is not shared with you any more"


@pytest.fixture
def door(anna):
    return add_lock(anna)


def native(service, owner, device, email, **words):
    """Share a device beside this API, with terms in words."""
    with service.transaction() as context:
        row = context.session.query(Device).filter_by(uid=device).one()
        wanted = Terms(**words)
        return sharing.create(
            context,
            service.who(context, owner),
            row,
            email,
            lambda grant: wanted.write(grant, Zone(row.zone)),
        ).uid


def told(service, email):
    """The subjects of the mails to somebody, but for that about their account."""
    subjects = [mail["Subject"] for mail in service.mails(email)]
    return [subject for subject in subjects if subject.startswith("Door")]


# --- "You can share your devices with other users ..." -------------------------------------------


def test_an_invitation_by_email_creates_a_device_share_with_pending_status(
    service, anna, bob, door
):
    made = offer(anna, door, BOB)
    expected = {
        "id": made,
        "email": BOB,
        "status": "PENDING",
        "sharedOn": NOW * 1000,
        "deviceId": door,
        "expressible": True,
    }
    answer = ok(anna.get(f"/v1.1/devices/{door}/shares"))
    assert answer == {"data": {"shares": [expected]}, "total": 1, "offset": 0, "count": 1}
    one = ok(anna.get(f"/v1.1/devices/{door}/shares/{made}"))
    assert one == {**expected, "data": expected}
    mail = service.mails(BOB)[-1]
    assert "Door is to be shared with you" in mail["Subject"]
    assert "https://cloud.example/accept#" in mail.get_content()


def test_an_invitee_must_have_an_account_to_accept(service, anna, door):
    offer(anna, door, "new@example.org")
    secret = service.secret("new@example.org")
    answer = service.http.post("/account/invitations", json={"token": secret})
    assert answer.status_code == 401
    assert shares(anna, door) == {"new@example.org": "PENDING"}


def test_who_has_no_account_is_invited_to_create_one(service, anna, door):
    offer(anna, door, "new@example.org")
    (mail,) = service.mails("new@example.org")
    assert "make one with this address at https://cloud.example/sign-up" in mail.get_content()
    secret = service.secret("new@example.org")
    new = service.person("new@example.org")
    # An account alone accepts nothing.
    assert shares(anna, door) == {"new@example.org": "PENDING"}
    assert new.post("/account/invitations", json={"token": secret}).status_code == 200
    assert shares(anna, door) == {"new@example.org": "ACCEPTED"}


def test_after_the_invitation_is_accepted_the_share_status_changes_to_accepted(
    service, anna, bob, door
):
    made = offer(anna, door, BOB)
    accept(service, bob)
    assert ok(anna.get(f"/v1.1/devices/{door}/shares/{made}"))["status"] == "ACCEPTED"


def test_an_invitation_is_for_the_address_that_it_was_sent_to(service, anna, bob, cy, door):
    offer(anna, door, BOB)
    secret = service.secret(BOB)
    assert cy.post("/account/invitations", json={"token": secret}).status_code == 404
    assert devices(cy) == [] and shares(anna, door) == {BOB: "PENDING"}


def test_an_invitation_is_good_once(service, anna, bob, door):
    made = offer(anna, door, BOB)
    secret = service.secret(BOB)
    accept(service, bob)
    assert ok(bob.delete(f"/v1.1/devices/{door}/shares/{made}"))["shareId"] == made
    assert bob.post("/account/invitations", json={"token": secret}).status_code == 410
    assert devices(bob) == []


def test_an_invitation_runs_out_after_30_days(service, anna, bob, door):
    offer(anna, door, BOB)
    secret = service.secret(BOB)
    service.now += 30 * 86_400
    log_in = {"email": BOB, "password": PASSWORD}
    token = service.http.post("/account/log-in", json=log_in).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = service.http.post("/account/invitations", json={"token": secret}, headers=headers)
    assert answer.status_code == 410


# --- "Once a device is shared with another user ..." ---------------------------------------------


def test_a_shared_device_is_seen_in_the_device_list(service, anna, bob, door):
    made = offer(anna, door, BOB)
    assert devices(bob) == []
    assert refused(bob.get(f"/v1.1/devices/{door}")) == (404, "There is no such device.")
    accept(service, bob)
    mine = add_lock(bob, "Garage")
    assert devices(bob) == [door, mine]
    assert devices(bob, owner="SHARED") == [door]
    assert devices(bob, owner="ME") == [mine]
    assert ok(bob.get(f"/v1.1/devices/{door}"))["data"]["uid"] == anna.uid
    told = ok(bob.get(f"/v1.1/users/{bob.uid}/devices?includeShareInfo=true"))["data"]["devices"]
    assert [one.get("sharedWithMe") for one in told] == [made, None]
    assert [one.get("sharedWithOthers") for one in told] == [None, False]
    told = ok(anna.get(f"/v1.1/users/{anna.uid}/devices?includeShareInfo=true"))["data"]["devices"]
    assert [one["sharedWithOthers"] for one in told] == [True]
    told = ok(anna.get(f"/v1.1/users/{anna.uid}/devices"))["data"]["devices"]
    assert not {"sharedWithOthers", "sharedWithMe", "properties"} & told[0].keys()


def test_users_cannot_share_devices_that_have_been_shared_with_them(service, anna, bob, cy, door):
    share(service, anna, door, bob)
    answer = bob.post(f"/v1.1/devices/{door}/shares", json={"uid": cy.email})
    assert refused(answer)[0] == 403
    assert shares(anna, door) == {BOB: "ACCEPTED"} and told(service, cy.email) == []


def test_nor_can_administrators_of_another_api(service, anna, bob, cy, door):
    native(service, anna, door, BOB, level="admin")
    answer = bob.post(f"/v1.1/devices/{door}/shares", json={"uid": cy.email})
    assert refused(answer)[0] == 403
    made = offer(anna, door, cy.email)
    path = f"/v1.1/devices/{door}/shares/{made}"
    assert refused(bob.post(f"{path}/resend"))[0] == 403
    assert refused(bob.delete(path))[0] == 403
    # They see it, as everywhere.
    assert shares(bob, door) == {BOB: "ACCEPTED", cy.email: "PENDING"}


def test_a_device_that_belongs_to_a_private_device_type_cannot_be_shared(service, anna):
    door = add_lock(anna, private=True)
    answer = anna.post(f"/v1.1/devices/{door}/shares", json={"uid": BOB})
    assert refused(answer) == (403, "A device of a private type cannot be shared.")
    assert told(service, BOB) == []
    assert ok(anna.get(f"/v1.1/devices/{door}"))["data"]["dtid"] == PRIVATE_LOCK


# --- "You can revoke sharing access ..." ---------------------------------------------------------


def test_a_revoked_device_can_no_longer_be_viewed(service, anna, bob, door):
    made = share(service, anna, door, bob)
    answer = ok(anna.delete(f"/v1.1/devices/{door}/shares/{made}"))
    assert answer == {"data": {"id": made}, "shareId": made}
    assert devices(bob) == [] and shares(anna, door) == {}
    assert refused(bob.get(f"/v1.1/devices/{door}"))[0] == 404
    assert refused(bob.get(f"/v1.1/messages?sdid={door}"))[0] == 404
    assert told(service, BOB) == [INVITED, ENDED]


def test_revoking_a_pending_share_mails_its_invitee(service, anna, door):
    made = offer(anna, door, "new@example.org")
    ok(anna.delete(f"/v1.1/devices/{door}/shares/{made}"))
    assert shares(anna, door) == {}
    assert told(service, "new@example.org") == [INVITED, ENDED]


def test_deleting_the_device_ends_all_shares_and_mails_accepted_and_pending(
    service, anna, bob, cy, door
):
    share(service, anna, door, bob)
    offer(anna, door, cy.email)
    secret = service.secret(cy.email)
    assert ok(anna.delete(f"/v1.1/devices/{door}"))["data"]["id"] == door
    assert devices(anna) == devices(bob) == []
    assert refused(anna.get(f"/v1.1/devices/{door}/shares"))[0] == 404
    for email in (BOB, cy.email):
        assert told(service, email) == [INVITED, ENDED]
    # The invitation is void.
    assert cy.post("/account/invitations", json={"token": secret}).status_code == 404
    assert ok(bob.get(f"/v1.1/users/{bob.uid}/shares?filter=ALL"))["total"] == 0


def test_only_the_owner_deletes_a_device(service, anna, bob, door):
    share(service, anna, door, bob)
    assert refused(bob.delete(f"/v1.1/devices/{door}"))[0] == 403
    assert devices(anna) == [door]


def test_a_holder_drops_a_share_and_an_invitee_declines_one(service, anna, bob, cy, door):
    for holder in (bob, cy):
        made = offer(anna, door, holder.email)
        if holder is bob:
            accept(service, bob)
        path = f"/v1.1/devices/{door}/shares/{made}"
        assert ok(holder.delete(path))["shareId"] == made
        assert refused(holder.get(path)) == (404, "There is no such share.")
    assert shares(anna, door) == {}
    # It was their own doing: there is nothing to tell them.
    assert told(service, BOB) == told(service, cy.email) == [INVITED]


def test_the_lock_is_told_of_acceptance_and_revocation(service, anna, bob, door):
    def statements():
        with service.transaction() as context:
            row = context.session.query(Device).filter_by(uid=door).one()
            return row.sequence, len(issuing.changes_after(context, row, 0))

    with service.transaction() as context:
        public = PrivateKey.new().public
        phones.add(context, service.who(context, bob), "phone", public.x + public.y)
    made = offer(anna, door, BOB)
    assert statements() == (0, 0)
    accept(service, bob)
    assert statements() == (1, 1)
    ok(anna.delete(f"/v1.1/devices/{door}/shares/{made}"))
    assert statements()[0] == 2


# --- "You can also resend pending invitations and manage your existing device shares" ------------


def test_a_pending_invitation_is_resent_and_the_earlier_link_is_void(service, anna, bob, door):
    made = offer(anna, door, BOB)
    first = service.secret(BOB)
    path = f"/v1.1/devices/{door}/shares/{made}/resend"
    assert ok(anna.post(path))["shareId"] == made
    assert told(service, BOB) == [INVITED, INVITED]
    assert bob.post("/account/invitations", json={"token": first}).status_code == 410
    accept(service, bob)
    assert shares(anna, door) == {BOB: "ACCEPTED"}
    assert refused(anna.post(path)) == (409, "This share was accepted already.")
    assert told(service, BOB) == [INVITED, INVITED]


def test_an_invitee_cannot_resend(service, anna, bob, door):
    made = offer(anna, door, BOB)
    path = f"/v1.1/devices/{door}/shares/{made}/resend"
    assert refused(bob.post(path))[0] == 404  # does not know of the device yet
    accept(service, bob)
    assert refused(bob.post(path))[0] == 403


def test_one_share_per_user_and_device(service, anna, bob, door):
    made = offer(anna, door, BOB)
    body = {"uid": " BOB@Example.org "}
    path = f"/v1.1/devices/{door}/shares"
    assert refused(anna.post(path, json=body)) == (409, "This person was invited to the device.")
    accept(service, bob)
    assert refused(anna.post(path, json=body)) == (409, "This person has a share of the device.")
    ok(anna.delete(f"{path}/{made}"))
    assert offer(anna, door, BOB) != made


def test_not_with_oneself(anna, door):
    answer = anna.post(f"/v1.1/devices/{door}/shares", json={"uid": anna.email})
    assert refused(answer) == (409, "You cannot share a device with yourself.")


# --- lists ---------------------------------------------------------------------------------------


def test_shares_of_a_user_by_direction_and_in_pages(service, anna, bob, door):
    mine = add_lock(bob, "Garage")
    given = [offer(bob, mine, f"guest{number}@example.org") for number in range(3)]
    got = share(service, anna, door, bob)

    def listed(**query):
        answer = ok(bob.get(f"/v1.1/users/{bob.uid}/shares", params=query))
        found = [each["id"] for each in answer["data"]["shares"]]
        assert answer["count"] == len(found)
        return found, answer["total"], answer["offset"]

    assert listed() == ([*given, got], 4, 0)
    assert listed(filter="SHARED_BY_ME") == (given, 3, 0)
    assert listed(filter="SHARED_WITH_ME") == ([got], 1, 0)
    assert listed(filter="ALL", count=2, offset=1) == (given[1:], 4, 1)
    assert listed(offset=9) == ([], 4, 9)


def test_a_holder_sees_only_their_own_share(service, anna, bob, cy, door):
    share(service, anna, door, bob)
    other = share(service, anna, door, cy)
    assert shares(anna, door) == {BOB: "ACCEPTED", cy.email: "ACCEPTED"}
    assert shares(bob, door) == {BOB: "ACCEPTED"}
    assert refused(bob.get(f"/v1.1/devices/{door}/shares/{other}"))[0] == 404
    assert refused(bob.delete(f"/v1.1/devices/{door}/shares/{other}"))[0] == 404


def test_the_owners_own_share_is_none_here(service, anna, door):
    with service.transaction() as context:
        uid = context.session.query(Share).one().uid
    assert shares(anna, door) == {}
    assert refused(anna.delete(f"/v1.1/devices/{door}/shares/{uid}"))[0] == 404


def test_a_share_that_this_api_cannot_say_is_marked(service, anna, bob, door):
    cases: dict[str, dict] = {
        "plain": {},
        "hours": {"rules": ["mon-fri 08:00-16:00"]},
        "end": {"until": "2027-01-01T00:00Z"},
        "uses": {"uses": 3},
        "narrow": {"rights": ["lock"]},
        "near": {"channels": ["local"]},
        "duress": {"duress": True},
        "visit": {"after_first_use": "2 h"},
        "admin": {"level": "admin"},
    }
    for name, words in cases.items():
        native(service, anna, door, f"{name}@example.org", **words)
    with service.transaction() as context:
        owner = service.who(context, anna)
        row = domain_devices.find(context, owner, door)
        plain = terms.plain(GUEST)
        sharing.create(context, owner, row, "on@example.org", plain, may_pass_on=True)
    listed = ok(anna.get(f"/v1.1/devices/{door}/shares"))["data"]["shares"]
    assert [one["email"] for one in listed if one["expressible"]] == ["plain@example.org"]
    assert len(listed) == len(cases) + 1


def test_what_a_role_gives_is_not_ended_here(service, anna, bob, door):
    with service.transaction() as context:
        owner = service.who(context, anna)
        row = domain_devices.find(context, owner, door)
        home = row.organisation
        staff = organisations.role_named(home, organisations.STAFF)
        membership.invite(context, owner, home, BOB, "Bob", staff)
    (one,) = ok(anna.get(f"/v1.1/devices/{door}/shares"))["data"]["shares"]
    path = f"/v1.1/devices/{door}/shares/{one['id']}"
    assert refused(anna.delete(path)) == (409, "This share comes from a role in an organization.")
    assert refused(bob.delete(path))[0] == 409


# --- devices and users ---------------------------------------------------------------------------


def test_the_profile(service, anna):
    expected = {
        "id": anna.uid,
        "name": "Anna",
        "email": anna.email,
        "fullName": "Anna",
        "createdOn": NOW * 1000,
        "modifiedOn": NOW * 1000,
    }
    assert ok(anna.get("/v1.1/users/self")) == {"data": expected}


def test_a_device_is_added_with_a_zone_and_renamed(service, anna):
    body = {"uid": anna.uid, "dtid": LOCK, "name": " Door ", "properties": {"zone": "Asia/Tokyo"}}
    made = ok(anna.post("/v1.1/devices", json=body))["data"]
    assert made == {
        "id": made["id"],
        "uid": anna.uid,
        "dtid": LOCK,
        "name": "Door",
        "manifestVersion": 1,
        "manifestVersionPolicy": "LATEST",
        "needProviderAuth": False,
        "createdOn": NOW * 1000,
    }
    path = f"/v1.1/devices/{made['id']}"
    assert ok(anna.put(path, json={"name": "Gate"}))["data"]["name"] == "Gate"
    query = {"includeProperties": True, "dtid": LOCK}
    answer = ok(anna.get(f"/v1.1/users/{anna.uid}/devices", params=query))
    assert answer["data"]["devices"][0]["properties"] == {"zone": "JST-9"}
    assert devices(anna, dtid=PRIVATE_LOCK) == []


def test_devices_come_in_pages(anna):
    added = [add_lock(anna, f"Door {number}") for number in range(3)]
    path = f"/v1.1/users/{anna.uid}/devices"
    answer = ok(anna.get(path, params={"count": 2, "offset": 1}))
    assert [one["id"] for one in answer["data"]["devices"]] == added[1:]
    assert (answer["total"], answer["offset"], answer["count"]) == (3, 1, 2)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"dtid": "dt0"}, "there is no such type of device"),
        ({"properties": {"zone": "Mars/Crater"}}, "is no zone of the tz database"),
        ({"name": ""}, "a name has 1 to 100 characters"),
        ({"name": "x" * 101}, "body.name"),
        ({"name": "a\u202eb"}, "U+202E"),
        ({"owner": "me"}, "body.owner"),
        ({"manifestVersion": 2}, "body.manifestVersion"),
    ],
)
def test_a_device_that_makes_no_sense_is_refused(one_service, change, message):
    anna = one_service.person("anna@example.org")
    body = {"dtid": LOCK, "name": "Door", **change}
    status, text = refused(anna.post("/v1.1/devices", json=body))
    assert status == 400 and message in text
    assert devices(anna) == []


@pytest.mark.parametrize(
    "email",
    ["", "bob", "bob@", "@example.org", "b b@example.org", "bob@example.org\r\nBcc: x@y.z"]
    + ["x" * 250 + "@a.b", "bo\u200bb@example.org", "bob@example.org\0"],
)
def test_what_is_no_address_gets_no_invitation(one_service, email):
    anna = one_service.person("anna@example.org")
    door = add_lock(anna)
    answer = anna.post(f"/v1.1/devices/{door}/shares", json={"uid": email})
    assert refused(answer)[0] == 400
    assert shares(anna, door) == {}


def test_somebody_elses_id_is_unknown(service, anna, bob):
    for path in ("devices", "shares"):
        answer = bob.get(f"/v1.1/users/{anna.uid}/{path}")
        assert refused(answer) == (404, "There is no such user.")
        assert refused(bob.get(f"/v1.1/users/{'0' * 32}/{path}")) == refused(answer)
    body = {"uid": anna.uid, "dtid": LOCK, "name": "Door"}
    assert refused(bob.post("/v1.1/devices", json=body)) == (404, "There is no such user.")


def _calls(device, made):
    """Every call about a device: method, path, body."""
    one = f"/v1.1/devices/{device}"
    return [
        ("GET", one, None),
        ("PUT", one, {"name": "Mine"}),
        ("DELETE", one, None),
        ("PUT", f"{one}/tokens", None),
        ("DELETE", f"{one}/tokens", None),
        ("GET", f"{one}/shares", None),
        ("POST", f"{one}/shares", {"uid": "mallory@example.org"}),
        ("GET", f"{one}/shares/{made}", None),
        ("DELETE", f"{one}/shares/{made}", None),
        ("POST", f"{one}/shares/{made}/resend", None),
    ]


def test_strangers_learn_nothing_not_even_what_exists(service, anna, cy, door):
    made = offer(anna, door, BOB)
    guessed = _calls("0" * 32, "1" * 32)
    for (method, path, body), (_, nothing, _) in zip(_calls(door, made), guessed, strict=True):
        assert refused(service.http.request(method, path, json=body))[0] == 401
        answer = refused(cy.request(method, path, json=body))
        assert answer[0] == 404, path
        assert answer == refused(cy.request(method, nothing, json=body))
    assert shares(anna, door) == {BOB: "PENDING"}


def test_a_share_is_found_under_its_own_device_only(service, anna, door):
    made = offer(anna, door, BOB)
    other = add_lock(anna, "Garage")
    path = f"/v1.1/devices/{other}/shares/{made}"
    for answer in (anna.get(path), anna.delete(path), anna.post(f"{path}/resend")):
        assert refused(answer) == (404, "There is no such share.")
    assert shares(anna, door) == {BOB: "PENDING"}


def test_a_personal_key_reaches_as_far_as_its_scopes(service, anna, door):
    body = {"name": "reader", "scopes": ["DeviceShare.Read", "Device.Read"]}
    key = anna.post("/account/keys", json=body).json()["token"]
    headers = {"Authorization": f"PersonalKey {key}"}

    def ask(method, path, **options):
        return service.http.request(method, path, headers=headers, **options)

    assert ask("GET", f"/v1.1/devices/{door}/shares").status_code == 200
    answer = ask("POST", f"/v1.1/devices/{door}/shares", json={"uid": BOB})
    assert refused(answer) == (403, "This takes the scope DeviceShare.ReadWrite.")
    assert refused(ask("DELETE", f"/v1.1/devices/{door}"))[0] == 403


def test_unknown_paths_and_methods_have_the_same_form(service, anna):
    assert refused(anna.get("/v1.1/users")) == (404, "Not Found.")
    assert refused(anna.patch("/v1.1/users/self")) == (405, "Method Not Allowed.")
    answer = anna.post("/v1.1/devices", content=b"{", headers={"Content-Type": "application/json"})
    assert refused(answer)[0] == 400


def test_too_many_requests_are_refused_with_the_time_to_wait(one_service):
    anna = one_service.person("anna@example.org")
    one_service.service.limits.person = Limit(2)
    answers = [anna.get("/v1.1/users/self") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert refused(answers[2])[0] == 429 and int(answers[2].headers["Retry-After"]) > 0
