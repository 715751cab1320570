"""`lockctl phone` with an account at a running cloud, at a lock without network: what the cloud
has for the lock goes there in a phone, and the lock's log comes back in one."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from firmware.policy import reasons
from firmware_tests.cloud.test_native_shares import ok
from firmware_tests.cloud.world import PASSWORD
from firmware_tests.e2e.scene import TEDEE, until
from firmware_tests.e2e.test_story import BOB, Town
from host_sim.runtimes import ROOT
from tools import libraries

SHARES = f"{TEDEE}/my/deviceshare"


class Laptop:
    """Somebody's, on which `lockctl` is a phone; it has an account."""

    def __init__(self, folder, url, email):
        self._environment = {
            **os.environ,
            "SHARELOCK_PHONE": str(folder / f"{email}.json"),
            "SHARELOCK_PASSWORD": PASSWORD,
            "XDG_CONFIG_HOME": str(folder / email),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "160",
        }
        self._folder = folder
        self.run("cloud", "login", email, "--url", url)
        self.run("phone", "new")
        self.run("phone", "register", "Laptop")

    def run(self, *words, status=0):
        """What it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "tools.lockctl", *words],
            cwd=self._folder, env=self._environment,
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    def told(self, *words):
        """The same, as JSON."""
        return json.loads(self.run("phone", *words, "--json"))


@pytest.fixture
def town(radio, tmp_path):
    libraries.fetch_all()
    with ExitStack() as stack:
        yield Town("embedded", tmp_path, stack)


def test_grants_go_to_a_lock_without_network_and_its_log_comes_back(town, tmp_path):
    anna = Laptop(tmp_path, town.cloud.url, "anna@example.org")
    until(lambda: anna.told("fetch"))  # the lock has said its key
    until(town.is_up_to_date)
    bob = Laptop(tmp_path, town.cloud.url, BOB)
    assert bob.told("fetch") == []
    with town.offline():
        town.pulses()
        body = {"deviceId": town.number, "userEmail": BOB, "accessLevel": 0}
        share = ok(town.anna.post(SHARES, json=body), 201)["result"]["id"]
        ((lock, name),) = [(each["lock"], each["name"]) for each in bob.told("fetch")]
        assert name == "Front door"
        assert bob.told("unlock", name)["reason"] == reasons.ALLOWED
        assert town.pulses() == 1

        # The log waits in Bob's phone for the cloud, and the cloud's word for it then goes back.
        status = bob.told("status")
        assert status["kept"] < status["log"]
        town.stop()
        assert bob.told("courier")["carries"] == 1
        town.serve()
        bob.told("fetch")
        assert [each["reason"] for each in town.audit("log.decision")] == [reasons.ALLOWED]
        ((carried, statements),) = [(at["log"], at["statements"]) for at in bob.told("list")]
        assert carried == 0 and statements > 0
        assert "allowed" in [each["name"] for each in bob.told("courier", lock)["brought"]]
        assert bob.told("status")["kept"] >= status["log"]

        # The share ends: what says so goes with Anna.
        assert town.anna.delete(f"{SHARES}/{share}").status_code == 204
        assert bob.told("explain")["reason"] == reasons.ALLOWED  # it cannot know
        assert [each["lock"] for each in anna.told("fetch")] == [lock]
        anna.run("phone", "courier")
        assert "does not know this phone" in bob.run("phone", "unlock", status=1)
        assert town.pulses() == 0
        assert not town.is_up_to_date()
    until(town.is_up_to_date)
    for amiss in ("gap", "damaged", "went-back", "shorter"):
        assert town.audit(f"log.{amiss}") == []
