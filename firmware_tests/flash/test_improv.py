"""Wi-Fi over the serial line, as a browser does it: the SDK of Improv's makers, in Node.js."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile

import pytest

from firmware.hal.board import Board
from firmware.store import wifi
from firmware.store.flash import Flash
from firmware_tests.flash.port import LISTENS, Console, mpremote, restart
from host_sim.runtimes import ROOT

SDK = "improv-wifi-serial-sdk"
VERSION = "2.8.1"
SHA512 = "KU2D7bNbdUDUX0JK2nQGTGTuxJNH+loXyMR6DXBIzAh4/2dwiR2cxK0igvl+dLWjf4wRv43iUn/eQuUClw5V3g=="
CLIENT = ROOT / "firmware_tests" / "flash" / "improv_client.mjs"
AUTHORIZED, PROVISIONED = 2, 4
AIR = {"networks": {"Home": "correct horse", "Caf\u00e9": ""}}


@pytest.fixture(scope="module")
def sdk(tmp_path_factory):
    """The module that talks to a port, as published; only its imports want a bundler."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: apt-get install npm")
    folder = tmp_path_factory.mktemp("sdk")
    command = ["npm", "pack", "--silent", f"{SDK}@{VERSION}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    archive = folder / f"{SDK}-{VERSION}.tgz"
    assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == SHA512
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    for each in (folder / "package" / "dist").rglob("*.js"):
        each.write_text(re.sub(r'from "(\./[^"]+?)(\.js)?"', r'from "\1.js"', each.read_text()))
    (folder / "package" / "package.json").write_text('{"type": "module"}')
    return folder / "package" / "dist" / "serial.js"


@pytest.fixture
def improv(sdk, board):
    """What the SDK's methods return, one after the other."""

    def talk(*steps):
        done = subprocess.run(
            ["node", CLIENT, sdk, board.port, json.dumps(steps)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done
        return json.loads(done.stdout)

    return talk


def hear_air(board, **changes):
    (board.world / "wifi").write_text(json.dumps({**AIR, **changes}))


def test_a_browser_finds_a_board_and_gives_it_a_wifi(board, improv):
    hear_air(board)
    found = improv(
        ["initialize", 10_000],
        ["scan"],
        ["provision", "Home", "wrong horse"],
        ["setHostname", "-no-"],
        ["setHostname", "front-door"],
        ["getDeviceName"],
        ["provision", "Home", "correct horse"],
        ["requestCurrentState"],
    )
    said = [each.get("said", each.get("refused")) for each in found]
    assert said[0] == {
        "firmware": "Sharelock",
        "version": "0.1.0",
        "chipFamily": "ESP32",
        "name": "sharelock",
        "osName": None,
        "osVersion": None,
    }
    names = [(each["name"], each["rssi"], each["secured"]) for each in said[1]]
    assert names == [("Caf\u00e9", -60, False), ("Home", -60, True)]
    assert said[2:4] == ["UNABLE_TO_CONNECT", "BAD_HOSTNAME"]
    assert said[4:] == ["front-door", "front-door", None, None]
    assert [each["state"] for each in found] == [AUTHORIZED] * 6 + [PROVISIONED] * 2
    pair = Flash(str(board.flash)).pair
    assert wifi.read(pair) == ("Home", "correct horse")
    assert wifi.read_host(pair) == "front-door"
    # The line is the prompt's again when somebody wants it.
    assert mpremote(board.port, "exec", "print(6 * 7)").strip() == "42"


def test_a_lock_takes_a_wifi_only_with_its_button_held(lock, improv):
    hear_air(lock)
    (found,) = improv(["initialize", 2000])
    assert "not detected" in found["refused"]
    lock.hold(Board.pins["button"])
    restart(lock, LISTENS)
    found = improv(["initialize", 10_000], ["provision", "Home", "correct horse"])
    assert [each["state"] for each in found] == [AUTHORIZED, PROVISIONED]
    lock.hold()
    restart(lock, "ready")
    assert wifi.read(Flash(str(lock.flash)).pair) == ("Home", "correct horse")


def test_half_a_packet_does_not_keep_anybody_from_the_prompt(board):
    with Console(board.port) as console:
        console.type(b"IMPROV\x01\x03\x40\x01")
        console.listen(1.5)
        console.type(b"\x03")
        console.hear(">>> ")
