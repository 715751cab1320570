"""tedee's documentation, sentence by sentence: each test quotes the one that it holds us to.

Its samples are sent as they were printed, and then as they were meant.
"""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from firmware.policy.decision import Decision, Now, Request, State, decide
from firmware.policy.grant import LOCAL, REMOTE, UNLOCK
from firmware.policy.instant import from_unix
from firmware.policy.zone import Zone
from host_sim import scenario
from host_sim.cloud.domain import devices, sharing, terms
from host_sim.cloud.domain.model import Share
from host_sim.world import zones

PRINTED = Path(scenario.__file__).parent / "scenarios" / "tedee"
CREATE = (
    'curl -X POST "https://api.tedee.com/api/v1.30/my/deviceshare" -H "accept: application/json"'
    ' -H "Content-Type: application/json-patch+json"'
    ' -H "Authorization: Bearer <<access token>>" -d "<<body>>"'
)
CREATE_IN_22 = CREATE.replace("v1.30", "v1.22")
UPDATE = CREATE_IN_22.replace("POST", "PATCH")
LIST = (
    'curl -X GET "https://api.tedee.com/api/v1.22/my/deviceShare?deviceId=1"'
    ' -H "accept: application/json" -H "Authorization: Bearer <<access token>>"'
)
DELETE = (
    'curl -X DELETE "https://api.tedee.com/api/v1.22/my/deviceshare/15"'
    ' -H "accept: application/json" -H "Content-Type: application/json-patch+json"'
    ' -H "Authorization: Bearer <<access token>>"'
)
NO_LIMIT = dict.fromkeys(["weekDays", "dayStartTime", "dayEndTime", "startDate", "endDate"])
DONE = {"success": True, "errorMessages": []}

WARSAW = "Europe/Warsaw"
DECEMBER = int(datetime(2020, 12, 1, 7, tzinfo=UTC).timestamp())


def printed(name: str) -> str:
    return (PRINTED / f"{name}.json").read_text()


def meant(text: str, email: str) -> str:
    """A printed body with the comma that it lacks, for an address that is one."""
    return re.sub(r'"userEmail": "[^"]*"\n', f'"userEmail": "{email}",\n', text)


@pytest.fixture
def world(one_service):
    """A service in December 2020 with Anna, who owns device 1, a door in Warsaw."""
    one_service.now = DECEMBER
    one_service.anna = one_service.person("anna@example.org", "Anna")
    with one_service.transaction() as context:
        owner = one_service.who(context, one_service.anna)
        assert devices.create(context, owner, "Office", zones.posix(WARSAW)).id == 1
    return one_service


def curl(world, line, body="", who=None):
    """Do what a printed line does, with somebody's token and this body."""
    who = who or world.anna
    words = shlex.split(line.replace("<<access token>>", who.token).replace("<<body>>", "BODY"))
    assert words[:2] == ["curl", "-X"]
    headers = dict(words[at + 1].split(": ") for at, word in enumerate(words) if word == "-H")
    url = urlsplit(words[3])
    content = {"content": body} if "-d" in words else {}
    path = f"{url.path}?{url.query}" if url.query else url.path
    return world.http.request(words[2], path, headers=headers, **content)


def share(world, email, **body):
    """The number of a new share of device 1."""
    answer = curl(world, CREATE, json.dumps({**body_for(email), **body}))
    assert answer.status_code == 201, answer.text
    return answer.json()["result"]["id"]


def body_for(email, **event):
    return {"deviceId": 1, "accessLevel": 0, "userEmail": email, "repeatEvent": event}


def listed(world, who=None):
    """The shares of device 1 by address."""
    answer = curl(world, LIST, who=who)
    assert answer.status_code == 200, answer.text
    return {each["userEmail"]: each for each in answer.json()["result"]}


def door(world, share_id):
    """Whether the lock would open for a share at a Unix second, asked of its own checks."""
    with world.transaction() as context:
        kept = context.session.get_one(Share, share_id)
        grant, zone = terms.grant(kept), Zone(kept.device.zone)

    def opens(at, channel=LOCAL):
        decision = Decision()
        request = Request(grant.key, UNLOCK, channel, True)
        decide(grant, request, Now(from_unix(at)), zone, State(grant.lock), decision)
        return decision.allowed

    return opens


def unix(year, month, day, hour=0, minute=0, second=0):
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


# --- the samples --------------------------------------------------------------------------------

CREATED = {
    "create-permanent-administrator": CREATE,
    "create-guest-time-restricted": CREATE,
    "create-guest-custom": CREATE,
    "manage-add-access": CREATE_IN_22,
}


@pytest.mark.parametrize(("name", "line"), CREATED.items(), ids=CREATED)
def test_a_printed_sample_lacks_a_comma_and_is_told_where(world, name, line):
    answer = curl(world, line, printed(name))
    place = "line 5, column 5: expecting ',' delimiter"
    refused = {"success": False, "errorMessages": [place], "statusCode": 400}
    assert (answer.status_code, answer.json()) == (400, {"result": None, **refused})
    assert list(listed(world)) == ["anna@example.org"]


@pytest.mark.parametrize(("name", "line"), CREATED.items(), ids=CREATED)
def test_a_sample_as_it_was_meant_has_the_documented_response(world, name, line):
    john = world.person("john.doe@email.com", "John Doe")
    answer = curl(world, line, meant(printed(name), john.email))
    number = answer.json()["result"]["id"]
    result = {"id": number, "sharedUserDisplayName": "John Doe"}
    assert answer.json() == {"result": result, **DONE, "statusCode": 201}
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    sent = json.loads(meant(printed(name), john.email))
    kept = listed(world)[john.email]
    assert kept["accessLevel"] == sent["accessLevel"]
    assert kept["repeatEvent"]["weekDays"] == sent["repeatEvent"]["weekDays"]
    for field in ("dayStartTime", "dayEndTime", "startDate", "endDate"):
        assert_nearly(kept["repeatEvent"][field], sent["repeatEvent"][field])


def assert_nearly(told, asked):
    """The same time; a fraction of a second was rounded inwards."""
    assert (told is None) == (asked is None)
    if asked:
        # The date of a time of day means nothing.
        first, second = (datetime.fromisoformat(text) for text in (told, asked))
        seconds = abs((first - second).total_seconds()) % 86_400
        assert min(seconds, 86_400 - seconds) < 1


def test_the_sample_of_an_update(world):
    number = share(world, "john.doe@email.com")
    sample = printed("manage-update-access")
    # As it was printed it is about share 1, which is the owner's.
    assert curl(world, UPDATE, sample).status_code == 409
    answer = curl(world, UPDATE, sample.replace('"id": 1', f'"id": {number}'))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Content-Type"] == "application/json"
    event = listed(world)["john.doe@email.com"]["repeatEvent"]
    assert event["weekDays"] == 10
    assert event["dayStartTime"].endswith("T08:09:58.000Z")
    assert event["dayEndTime"].endswith("T08:10:57.000Z")


def test_the_sample_of_a_deletion(world):
    number = share(world, "john.doe@email.com")
    unknown = curl(world, DELETE)  # share 15, as printed
    assert (unknown.status_code, unknown.json()["success"]) == (404, False)
    answer = curl(world, DELETE.replace("/15", f"/{number}"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Content-Type"] == "application/json"
    assert list(listed(world)) == ["anna@example.org"]


def test_the_sample_of_a_list(world):
    john = world.person("john.doe@email.com", "John Doe")
    number = share(world, john.email, remoteAccessDisabled=True)
    answer = curl(world, LIST)
    assert (answer.status_code, answer.json() | {"result": 0}) == (
        200,
        {"result": 0, **DONE, "statusCode": 200},
    )
    kept = listed(world)[john.email]
    assert kept.pop("userIdentity").replace("-", "") == john.uid
    assert kept == {
        "id": number,
        "userId": john.id,
        "userEmail": "john.doe@email.com",
        "userDisplayName": "John Doe",
        "deviceId": 1,
        "accessLevel": 0,
        "isPending": False,
        "remoteAccessDisabled": True,
        "repeatEvent": {"id": number, **NO_LIMIT},
        "notExpressible": [],
    }


# --- Create -------------------------------------------------------------------------------------


def test_grants_access_to_the_device_for_new_user(world):
    """Grants access to the device for new user."""
    john = world.person("john@example.org")
    assert curl(world, LIST, who=john).status_code == 404
    opens = door(world, share(world, john.email))
    assert set(listed(world, john)) == {"anna@example.org", john.email}
    assert opens(world.now)


@pytest.mark.parametrize(
    ("level", "status"), [(1, 201), (0, 403), (None, 404)], ids=["administrator", "guest", "none"]
)
def test_only_owner_or_administrator_may(world, level, status):
    """... can be used by owner or administrator of the device."""
    john = world.person("john@example.org")
    if level is not None:
        share(world, john.email, accessLevel=level)
    body = json.dumps(body_for("new@example.org"))
    assert curl(world, CREATE, body, john).status_code == status
    assert ("new@example.org" in listed(world)) == (status == 201)


def test_one_active_share_to_the_device_at_the_time(world):
    """User can have only one active share ..."""
    number = share(world, "john@example.org")
    again = curl(world, CREATE, json.dumps(body_for("John@Example.org")))
    assert (again.status_code, again.json()["result"]) == (406, None)
    assert curl(world, DELETE.replace("15", str(number))).status_code == 204
    assert share(world, "john@example.org") != number


def test_of_two_devices_each_has_its_share(world):
    """... to the device at the time."""
    with world.transaction() as context:
        owner = world.who(context, world.anna)
        other = devices.create(context, owner, "Cellar", zones.posix(WARSAW)).id
    share(world, "john@example.org")
    assert share(world, "john@example.org", deviceId=other)


def test_remote_access_is_disabled(world):
    """represents if remote access is disabled"""
    opens = door(world, share(world, "john@example.org", remoteAccessDisabled=True))
    assert opens(world.now, LOCAL)
    assert not opens(world.now, REMOTE)
    assert door(world, share(world, "jane@example.org"))(world.now, REMOTE)


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [
        ("DeviceShare.ReadWrite", 200, 201),
        ("DeviceShare.Read", 200, 403),
        ("Device.ReadWrite", 403, 403),
    ],
)
def test_a_scope_lets_read_and_write_shares(world, scope, reads, writes):
    """... possibility to read and write data connected with device shares"""
    wanted = {"name": "script", "scopes": [scope]}
    key = world.anna.post("/account/keys", json=wanted).json()["token"]
    body = json.dumps(body_for("john@example.org"))
    with_key = {"Authorization": f"PersonalKey {key}", "Content-Type": "application/json"}
    path = "/api/v1.30/my/deviceshare"
    assert world.http.get(f"{path}?deviceId=1", headers=with_key).status_code == reads
    assert world.http.post(path, content=body, headers=with_key).status_code == writes


# --- How to manage device shares ----------------------------------------------------------------


def test_a_list_needs_the_device(world):
    """... you will need deviceId ..."""
    answer = curl(world, LIST.replace("?deviceId=1", ""))
    assert answer.status_code == 400
    assert answer.json()["errorMessages"] == ["query.deviceId: Field required"]


def test_all_shares_of_the_device_are_returned(world):
    """This endpoint will return all shares ..."""
    emails = {f"guest{n}@example.org" for n in range(5)}
    for email in emails:
        share(world, email)
    assert set(listed(world)) == emails | {"anna@example.org"}


@pytest.mark.parametrize("event", [{}, NO_LIMIT], ids=["empty", "nulls"])
def test_an_empty_event_is_permanent(world, event):
    """... permanent access ... empty repeatEvent object."""
    opens = door(world, share(world, "john@example.org", repeatEvent=event))
    assert all(opens(at) for at in (0, world.now, unix(2199, 12, 30)))


@pytest.mark.parametrize(
    ("event", "before", "within", "after"),
    [
        ({"startDate": "2020-12-14T08:00:00Z"}, False, True, True),
        ({"endDate": "2020-12-31T08:00:00Z"}, True, True, False),
        (
            {"startDate": "2020-12-14T08:00:00Z", "endDate": "2020-12-31T08:00:00Z"},
            False,
            True,
            False,
        ),
    ],
    ids=["start", "end", "both"],
)
def test_dates_mark_the_period(world, event, before, within, after):
    """... mark the period when share ... will be active."""
    opens = door(world, share(world, "john@example.org", repeatEvent=event))
    moments = (unix(2020, 12, 14, 7, 59, 59), unix(2020, 12, 14, 8), unix(2020, 12, 31, 8))
    assert [opens(at) for at in moments] == [before, within, after]


def test_hours_of_the_day_restrict_access(world):
    """... restrict user access to specific hours of the day ..."""
    event = {"dayStartTime": "2020-12-01T08:00:00Z", "dayEndTime": "2020-12-31T16:00:00Z"}
    opens = door(world, share(world, "john@example.org", repeatEvent=event))
    for day in (2, 20, 31):
        assert [opens(unix(2021, 1, day, hour)) for hour in (7, 8, 15, 16)] == [
            False,
            True,
            True,
            False,
        ]


@pytest.mark.parametrize("mask", [1, 2, 4, 8, 16, 32, 64, 31, 48, 10, 7, 127])
def test_days_customise_it_further(world, mask):
    """User can further customize this by selecting days."""
    opens = door(world, share(world, "john@example.org", repeatEvent={"weekDays": mask}))
    monday = unix(2021, 3, 1, 12)
    days = [opens(monday + 86_400 * day) for day in range(7)]
    assert days == [bool(mask >> day & 1) for day in range(7)]


SENTENCES = [
    (
        "manage-14-to-31-december",
        "from 14 december to 31 december",
        lambda at: (
            datetime(2020, 12, 14, 8, 9, 57, 781_000, UTC)
            <= at
            < datetime(2020, 12, 31, 8, 10, 57, 781_000, UTC)
        ),
    ),
    (
        "manage-friday-saturday",
        "only on friday and saturday between 15:00 and 18:00",
        lambda at: (
            at.weekday() in (4, 5)
            and 15 <= at.hour < 18
            and datetime(2020, 12, 1, 8, tzinfo=UTC) <= at < datetime(2020, 12, 31, 20, tzinfo=UTC)
        ),
    ),
    (
        "manage-monday-to-friday",
        "only from monday to friday between 8:00 and 16:00",
        lambda at: at.weekday() < 5 and 8 <= at.hour < 16,
    ),
    ("manage-permanent", "permanent access to the device", lambda at: True),
]


@pytest.mark.parametrize(("name", "sentence", "expected"), SENTENCES)
def test_a_sample_event_means_what_its_sentence_says_in_utc(world, name, sentence, expected):
    event = json.loads("{%s}" % printed(name).strip().rstrip(","))
    opens = door(world, share(world, "john@example.org", **event))
    at = datetime(2020, 11, 29, tzinfo=UTC)
    while at < datetime(2021, 1, 5, tzinfo=UTC):
        # A whole second, for which the end of a fraction is over.
        assert opens(int(at.timestamp())) == expected(at), at
        at += timedelta(minutes=97)


def test_utc_hours_drift_on_the_wall_clock_as_the_zone_does(world):
    """In Warsaw 8:00 UTC is 9:00 in winter and 10:00 in summer."""
    event = {"weekDays": 31, "dayStartTime": "08:00:00Z", "dayEndTime": "16:00:00Z"}
    opens = door(world, share(world, "john@example.org", repeatEvent=event))
    wall = ZoneInfo(WARSAW)
    for month, first in ((1, 9), (3, 9), (4, 10), (7, 10), (10, 10), (11, 9)):
        monday = next(day for day in range(1, 8) if datetime(2021, month, day).weekday() == 0)
        clock = [datetime(2021, month, monday, hour, tzinfo=wall) for hour in range(24)]
        hours = [at.hour for at in clock if opens(int(at.timestamp()))]
        assert hours == list(range(first, first + 8)), month


def test_weekdays_are_utc_too(world):
    """A UTC Monday begins in Tokyo at nine, and ends there on Tuesday."""
    with world.transaction() as context:
        owner = world.who(context, world.anna)
        tokyo = devices.create(context, owner, "Tokyo", zones.posix("Asia/Tokyo")).id
    monday = {"deviceId": tokyo, "repeatEvent": {"weekDays": 1}}
    opens = door(world, share(world, "john@example.org", **monday))
    wall = ZoneInfo("Asia/Tokyo")
    clock = [datetime(2021, 3, day, hour, tzinfo=wall) for day in (1, 2) for hour in range(24)]
    assert [(at.day, at.hour) for at in clock if opens(int(at.timestamp()))] == [
        *((1, hour) for hour in range(9, 24)),
        *((2, hour) for hour in range(9)),
    ]


def test_who_has_an_account_is_notified(world):
    """... already have Tedee account he will be notified ..."""
    john = world.person("john@example.org")
    mails = len(world.mails(john.email))
    share(world, john.email)
    (mail,) = world.mails(john.email)[mails:]
    assert mail["Subject"] == "Office was shared with you"
    assert not listed(world)[john.email]["isPending"]


def test_who_has_none_is_invited_by_mail(world):
    """If not the email with invitaion will be sent."""
    number = share(world, "john@example.org")
    (mail,) = world.mails("john@example.org")
    assert "/sign-up" in mail.get_content()
    pending = listed(world)["john@example.org"]
    assert pending["isPending"] and pending["userId"] is None and pending["userIdentity"] is None
    assert pending["userDisplayName"] == "john@example.org"
    john = world.person("john@example.org", "John")
    now = listed(world, john)["john@example.org"]
    assert (now["id"], now["isPending"], now["userDisplayName"]) == (number, False, "John")


def test_an_update_gives_admin_permissions(world):
    """... give some of them admin permissions ..."""
    john = world.person("john@example.org")
    number = share(world, john.email)
    assert set(listed(world, john)) == {"anna@example.org", john.email}
    answer = curl(world, UPDATE, json.dumps({"id": number, "accessLevel": 1}))
    assert answer.status_code == 204
    share(world, "jane@example.org")
    assert "jane@example.org" in listed(world, john)


def test_the_id_of_a_share_comes_from_creating_and_from_the_list(world):
    """... get when creating share with success or ... get all share ..."""
    number = share(world, "john@example.org")
    assert listed(world)["john@example.org"]["id"] == number


def test_deleting_a_share_takes_the_access_away(world):
    """... remove employee's access to the devices ..."""
    john = world.person("john@example.org")
    number = share(world, john.email)
    assert curl(world, DELETE.replace("15", str(number))).status_code == 204
    assert curl(world, LIST, who=john).status_code == 404
    with world.transaction() as context:
        kept = context.session.get_one(Share, number)
        assert kept.ended_at == world.now and kept.status == "ended"
        assert kept not in sharing.visible(context, kept.device.owner, kept.device)


def test_the_id_of_the_share_is_needed_to_delete_it(world):
    """... you need to have share id you want to delete."""
    assert curl(world, DELETE.replace("/15", "")).status_code == 405
