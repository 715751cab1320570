"""ARTIK's own client of 2017, as it was published, against this service over a real socket."""

import json
import subprocess
from contextlib import contextmanager

import pytest
from websockets.sync.client import connect

from firmware_tests.cloud.artik import accept, token
from host_sim import runtimes
from host_sim.cloud.web.artik import LOCK

# An interpreter with PyPI `artikcloud`, whose requirements do not go together with ours.
PYTHON = runtimes.ROOT / ".venv" / "artik" / "bin" / "python"
# Makes the calls that it reads, one a line: [token, "Api.method", arguments].
PROGRAM = """
import json
import sys

import artikcloud
from artikcloud.rest import ApiException

configuration = artikcloud.Configuration()
configuration.host = sys.argv[1]
client = artikcloud.ApiClient()
for line in sys.stdin:
    configuration.access_token, name, arguments, options = json.loads(line)
    # An argument with one key is a model of that name.
    made = [
        getattr(artikcloud, next(iter(each)))(**next(iter(each.values())))
        if isinstance(each, dict) else each
        for each in arguments
    ]
    api, method = name.split(".")
    try:
        result = getattr(getattr(artikcloud, api)(client), method)(*made, **options)
        answer = client.sanitize_for_serialization(result)
    except ApiException as error:
        answer = json.loads(error.body)
    print(json.dumps(answer), flush=True)
"""


@contextmanager
def their_client(address):
    """A function that makes a call with ARTIK's client: (token, name, *arguments, **options)."""
    command = [str(PYTHON), "-c", PROGRAM, f"http://{address}/v1.1"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None

        def call(token, name, *arguments, **options):
            print(json.dumps([token, name, arguments, options]), file=stdin, flush=True)
            return json.loads(stdout.readline())

        yield call
        stdin.close()


def test_artiks_own_client_shares_a_device_and_hears_of_it(one_service):
    if not PYTHON.exists():
        pytest.skip("PyPI artikcloud is not installed: run `make env`")
    world = one_service
    anna, bob = world.person("anna@example.org"), world.person("bob@example.org")
    with world.served() as address, their_client(address) as call:
        assert call(anna.token, "UsersApi.get_self")["data"]["email"] == anna.email
        device = {"Device": {"dtid": LOCK, "name": "Door", "uid": anna.uid}}
        door = call(anna.token, "DevicesApi.add_device", device)["data"]["id"]
        offer = {"DeviceShareInfo": {"uid": bob.email}}
        made = call(anna.token, "DevicesSharesApi.create_share_for_device", door, offer)
        share = made["shareId"]
        listed = call(anna.token, "DevicesSharesApi.get_all_shares_for_device", door, count=10)
        pending = {"id": share, "email": bob.email, "status": "PENDING"}
        assert listed["data"]["shares"] == [{**pending, "sharedOn": world.now * 1000}]
        assert (listed["total"], listed["offset"], listed["count"]) == (1, 0, 1)
        assert call(bob.token, "DevicesApi.get_device", door)["error"]["code"] == 404

        accept(world, bob)
        one = call(anna.token, "DevicesSharesApi.get_sharing_for_device", door, share)
        assert (one["id"], one["status"]) == (share, "ACCEPTED")
        known = call(bob.token, "UsersApi.get_user_devices", bob.uid, include_share_info=True)
        assert [each["sharedWithMe"] for each in known["data"]["devices"]] == [share]
        mine = call(bob.token, "UsersApi.list_all_shares_for_user", bob.uid, "SHARED_WITH_ME")
        assert [each["id"] for each in mine["data"]["shares"]] == [share]

        # The client refuses to send this request: it wants a body that the API does not have.
        its = token(anna, door)["Authorization"].removeprefix("Bearer ")
        headers = {"Authorization": f"Bearer {bob.token}"}
        with connect(f"ws://{address}/v1.1/live?sdids={door}", additional_headers=headers) as live:
            said = {"Message": {"data": {"state": "locked"}, "type": "message"}}
            mid = call(its, "MessagesApi.send_message", said)["data"]["mid"]
            assert json.loads(live.recv(timeout=20))["mid"] == mid
        wanted = {"actions": [{"name": "unlock", "parameters": {}}]}
        actions = {"Actions": {"ddid": door, "type": "action", "data": wanted}}
        mid = call(bob.token, "MessagesApi.send_actions", actions)["data"]["mid"]
        dates = {"start_date": 0, "end_date": 4_000_000_000_000}
        history = call(bob.token, "MessagesApi.get_normalized_messages", sdid=door, **dates)
        assert [each["data"] for each in history["data"]] == [{"state": "locked"}]
        history = call(bob.token, "MessagesApi.get_normalized_actions", ddid=door, **dates)
        assert [(each["mid"], each["uid"]) for each in history["data"]] == [(mid, anna.uid)]
        latest = call(bob.token, "MessagesApi.get_last_normalized_messages", sdids=door, count=1)
        assert latest["size"] == 1

        ended = call(anna.token, "DevicesSharesApi.delete_sharing_for_device", door, share)
        assert ended["shareId"] == share
        assert call(bob.token, "DevicesApi.get_device", door)["error"]["code"] == 404
        assert call(anna.token, "DevicesApi.delete_device", door)["data"]["id"] == door
