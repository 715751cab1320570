"""`lockctl phone` as a program, at a board over the simulated radio; and docs/phone.md."""

import json
import re
import shlex
import subprocess
import sys
import time

import pytest

from firmware.policy import reasons
from firmware.policy.instant import from_unix
from firmware_tests.board import ISSUER, Board
from firmware_tests.unit.test_lockctl_docs import examples
from host_sim.cloud.issuer import sign
from host_sim.cloud.issuer import time as statement_of_time
from host_sim.runtimes import ROOT

DOCUMENT = (ROOT / "docs" / "phone.md").read_text()
DIGITS = "c5ae9c...9c55"


@pytest.fixture
def board(radio, tmp_path):
    made = Board("micropython", tmp_path)
    made.provision()
    made.on()
    yield made
    made.off()


@pytest.fixture
def lockctl(tmp_path, monkeypatch):
    monkeypatch.setenv("SHARELOCK_PHONE", str(tmp_path / "phone.json"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("COLUMNS", "160")
    ISSUER.save(tmp_path / "issuer.pem")

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "tools.lockctl", *words],
            cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    return run


def test_the_document_shows_what_is_printed(lockctl, board):
    shown = examples(DOCUMENT)
    for command, printed in shown:
        name, *words = shlex.split(command.replace(DIGITS, board.key))
        assert name == "lockctl"
        if "status" in words:
            time.sleep(3.5)  # until the pulse is over
        done = lockctl(*words)
        output = re.sub(r"\b[0-9a-f]{64,}\b", DIGITS, done.stdout + done.stderr)
        assert [line.rstrip() for line in output.splitlines()] == printed.splitlines(), command
    assert len(shown) == 10
    assert "pin 26 1" in board.happened()


def test_what_goes_wrong_is_told_in_a_line(lockctl, board, tmp_path, monkeypatch):
    def told(status, text, *words):
        done = lockctl("phone", *words)
        assert (done.returncode, done.stdout) == (status, ""), done.stderr
        assert text in done.stderr and len(done.stderr.splitlines()) <= 4, done.stderr

    told(2, "no key yet: lockctl phone new", "unlock")
    assert lockctl("phone", "new", "--public", "phone.pub.pem").returncode == 0
    told(2, "never overwritten", "new")
    told(2, "which lock? There are: none", "unlock")
    told(2, "Log in first", "register", "Laptop")
    words = ["--issuer", "issuer.pem", "--holder-key", "phone.pub.pem", "--holder", "a"]
    words += ["--share", "7", "--from", "2030-01-01T00:00Z", "--out", "a.grant"]
    assert lockctl("grant", "issue", "--lock", "front-door", *words).returncode == 0
    told(2, "no P-256 key", "accept", "a.grant", "--key", "00")
    assert lockctl("phone", "accept", "a.grant", "--key", board.key).returncode == 0
    told(2, "there is no lock 'side'", "unlock", "side")

    # The lock knows the time, and the phone is too early.
    nonce = bytes.fromhex(board.ask("nonce")["nonce"])
    at = from_unix(int(time.time()))
    token = sign(statement_of_time(b"front-door", at, nonce), ISSUER)
    assert board.ask("statement", token=token.hex())["reason"] == reasons.TIME_SET
    done = lockctl("phone", "unlock", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["next"].startswith("2030-01-01T00:0")
    told(1, "denied, next 2030-01-01T00:0", "unlock")

    # Another key than the lock's, and nobody's.
    other = tmp_path / "other.json"
    monkeypatch.setenv("SHARELOCK_PHONE", str(other))
    assert lockctl("phone", "new").returncode == 0
    wrong = (ISSUER.public.x + ISSUER.public.y).hex()
    assert lockctl("phone", "accept", "a.grant", "--key", wrong).returncode == 0
    told(3, "not the one", "unlock")
    assert lockctl("phone", "accept", "a.grant", "--key", board.key).returncode == 0
    told(1, "does not know this phone", "explain")

    board.off()
    told(3, "no lock front-door within reach", "unlock", "--seconds", "1")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    told(3, "no Bluetooth here", "unlock")
    board.on()
