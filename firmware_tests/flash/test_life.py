"""A lock from an empty board to its second firmware, each step at the board as its owner takes it.

The real mpremote puts it into a ROM partition of MicroPython's unix port, `lockctl` makes a lock
of it, a phone opens over Bluetooth, the cloud from afar, and again after the power went, and after
an update.
"""

import subprocess
import sys

import pytest

from firmware.hal.board import Board
from firmware.policy import reasons
from firmware_tests.cloud.process import Process
from firmware_tests.cloud.test_native_shares import API, add_lock, give, ok
from firmware_tests.e2e.scene import TEDEE, until
from firmware_tests.flash.port import UNPROVISIONED, Console
from firmware_tests.radio.air import on_air
from host_sim.runtimes import ROOT
from host_sim.serial_board import SerialBoard
from tools import rom
from tools.lockctl.cloud import Login

BOB = "bob@example.org"
DOOR = "Door"
STALE = "boot.py"


class Life:
    """Anna's board and cloud, Bob's phone, and what each of them types."""

    def __init__(self, folder, board, cloud, monkeypatch):
        self.folder, self.board, self.cloud = folder, board, cloud
        self.trace = folder / "trace"
        monkeypatch.setenv("SHARELOCK_PHONE", str(folder / "phone.json"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
        self.anna = cloud.person("anna@example.org", "Anna")
        self.bob = cloud.person(BOB, "Bob")
        Login(cloud.url, self.bob.headers["Authorization"].split()[1]).save()

    def lockctl(self, *words):
        """As Bob, if it is about the cloud."""
        command = [sys.executable, "-m", "tools.lockctl", *map(str, words)]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), (words, done)
        return done.stdout

    def make_flash(self):
        """The status and all that was said."""
        command = ["make", "--no-print-directory", "flash", f"PORT={self.board.port}"]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def hear(self, text):
        with Console(self.board.port) as console:
            console.hear(text)

    def restart(self, until_it_says):
        self.board.cut()
        with Console(self.board.port) as console:
            self.board.power_on()
            console.hear(until_it_says)

    def opens_at_the_door(self):
        self.pulses()
        assert self.lockctl("phone", "unlock", DOOR) == "allowed\n"
        until(lambda: self.pulses() == 1)

    def opens_from_afar(self):
        """Bob does, by tedee's API, once the lock is in touch with its cloud."""
        (lock,) = ok(self.bob.get(f"{TEDEE}/my/lock"))["result"]
        path = f"{TEDEE}/my/lock/{lock['id']}"
        until(lambda: ok(self.bob.get(f"{path}/sync"))["result"]["isConnected"])
        asked = ok(self.bob.post(f"{path}/operation/unlock"), 202)["result"]

        def completed():
            polled = f"{TEDEE}/my/device/operation/{asked['operationId']}"
            found = ok(self.bob.get(polled))["result"]
            return found if found["status"] == "COMPLETED" else None

        assert until(completed)["result"] == reasons.ALLOWED
        until(lambda: self.pulses() == 1)

    def pulses(self):
        """How often the strike had current since it was seen last."""
        count = self.trace.read_text().splitlines()
        self.trace.write_text("")
        return sum(line.endswith(f"pin {Board.pins['strike']} 1") for line in count)


@pytest.fixture
def life(tmp_path, monkeypatch):
    monkeypatch.setenv("MACHINE_TRACE", str(tmp_path / "trace"))
    with on_air(517), SerialBoard(tmp_path, rom=rom.BYTES) as board:
        cloud = Process(tmp_path / "cloud")
        try:
            made = Life(tmp_path, board, cloud, monkeypatch)
            yield made
            made.anna.close()
            made.bob.close()
        finally:
            cloud.stop()


def test_a_board_becomes_a_lock_opens_loses_its_power_and_is_updated(life):
    status, said = life.make_flash()
    assert status == 0, said
    life.hear(UNPROVISIONED)

    door = add_lock(life.anna)
    enrolment = life.folder / "front-door.json"
    enrolment.write_text(life.anna.post(f"{API}/devices/{door}/enrolment").text)
    words = ["--port", life.board.port, "--zone", "Europe/Warsaw"]
    assert "is a lock now" in life.lockctl("provision", enrolment, *words)
    life.hear("ready")

    life.lockctl("phone", "new")
    life.lockctl("phone", "register", "Bob's")
    give(life.anna, door, BOB)
    until(lambda: DOOR in life.lockctl("phone", "fetch", "--json"))
    life.opens_at_the_door()
    life.opens_from_afar()

    life.restart("ready")
    life.opens_at_the_door()

    (life.board.flash / STALE).write_bytes(
        b"# of an older firmware\n" + (life.board.flash / STALE).read_bytes()
    )
    status, said = life.make_flash()
    assert status != 0 and "button" in said
    life.board.hold(Board.pins["button"])
    life.restart("is the prompt")
    life.board.hold()
    status, said = life.make_flash()
    assert status == 0 and said.splitlines()[0] == STALE, said
    assert said.splitlines()[1].startswith("1 of "), said
    assert "in place" in said
    life.hear("ready")
    life.opens_at_the_door()
    life.opens_from_afar()
