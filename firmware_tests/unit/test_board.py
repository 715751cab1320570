"""boot.py and main.py as a board runs them: a process in a folder that is its flash.

`machine` is that of host_sim/shims/board, which writes down what happens to pins, calendar and
power. The process is killed where a board would lose its power.
"""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from firmware.policy import reasons
from firmware.policy.grant import LOCAL, UNLOCK, Grant
from firmware.policy.instant import from_unix
from firmware.store import entry
from host_sim import runtimes
from host_sim.cloud.issuer import issue, sign, time
from host_sim.cloud.keys import short
from host_sim.story import key_of

RUNTIMES = ("cpython", "micropython")
RESET_STATUS = 3
PULSE_MS = 3000
NOW = from_unix(1_767_607_200)  # 2026-01-05T10:00:00Z
ISSUER = key_of("issuer")
PHONE = key_of("phone")
OPEN, SHUT = "pin 26 1", "pin 26 0"


class Board:
    """A provisioned board on one runtime; `on` and `off` are its power."""

    def __init__(self, runtime: str, folder: Path):
        self.runtime = runtime
        self.flash = folder / "flash"
        self.flash.mkdir()
        self._trace = folder / "trace"
        self._process: subprocess.Popen[str] | None = None

    def start(self, code: str) -> "subprocess.Popen[str]":
        environment = runtimes.environment(self.runtime, path=[runtimes.BOARD])
        environment["MACHINE_TRACE"] = str(self._trace)
        return subprocess.Popen(
            runtimes.command(self.runtime, "-c", code),
            cwd=self.flash,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> tuple[int, str]:
        """A program to its end: status and output."""
        process = self.start(code)
        output, _ = process.communicate(timeout=100)
        return process.returncode, output

    def provision(self) -> None:
        key = (ISSUER.public.x + ISSUER.public.y).hex()
        code = f"from firmware.provision import provision; provision('front-door', '{key}')"
        assert self.run(code) == (0, "")

    def on(self) -> None:
        self._process = self.start("import boot, main")
        self.hear("ready")

    def off(self) -> None:
        assert self._process
        self._process.kill()
        self._process.communicate()

    def interrupt(self) -> int:
        """Ctrl-C; the status with which it ends."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=20)
        return self._process.returncode

    def hear(self, line: str) -> None:
        assert self._process and self._process.stdout
        assert self._process.stdout.readline() == line + "\n"

    def ask(self, do: str, **members: object) -> dict:
        assert self._process and self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, **members}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def open(self) -> int:
        """The phone is at the door; the reason of the answer."""
        key = short(PHONE.public).hex()
        asked = {"key": key, "action": UNLOCK, "channel": LOCAL, "proven": True}
        return self.ask("act", **asked)["reason"]

    def leave(self, name: str, token: bytes) -> None:
        """Put a statement into the inbox, whole."""
        inbox = self.flash / "statements"
        (inbox / "unfinished").write_bytes(token)
        (inbox / "unfinished").rename(inbox / name)

    def trace(self) -> list[tuple[int, str]]:
        """What happened since the last call: (ms, what)."""
        lines = self._trace.read_text().splitlines()
        self._trace.write_text("")
        return [(int(ms), what) for ms, _, what in (line.partition(" ") for line in lines)]

    def happened(self) -> list[str]:
        return [what for _, what in self.trace()]

    def boots(self) -> list[int]:
        """The reasons of the log's entries about boots."""
        found = []
        for segment in sorted((self.flash / "log").iterdir()):
            if len(segment.name) == 8 and segment.name[0] == "0":
                content = segment.read_bytes()
                for at in range(0, len(content), entry.BYTES):
                    each = entry.Entry(content[at : at + entry.BYTES])
                    found += [each.reason] if each.kind == entry.BOOT else []
        return found


def grant(share: bytes, version: int = 1, uses: int | None = None) -> bytes:
    made = Grant(share, b"front-door", b"")
    made.version = version
    made.issued = NOW
    made.uses = uses
    return issue(made, PHONE.public, ISSUER)


@pytest.fixture(params=RUNTIMES)
def board(request, tmp_path):
    # What a shell runs in the background ignores Ctrl-C, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return Board(request.param, tmp_path)


def test_a_life_with_power_cuts(board):
    board.provision()
    board.on()
    assert board.happened() == [SHUT]

    # One use, and the power goes while the strike has current.
    board.leave("1.cose", grant(b"1", uses=1))
    board.hear("1.cose: 0")
    assert board.open() == reasons.ALLOWED
    board.off()
    assert board.happened() == [OPEN]
    board.on()
    assert board.happened() == [SHUT]
    assert board.open() == reasons.USES_SPENT
    assert board.happened() == []

    # Signed time sets the calendar.
    nonce = bytes.fromhex(board.ask("nonce")["nonce"])
    token = sign(time(b"front-door", NOW, nonce), ISSUER)
    assert board.ask("statement", token=token.hex())["reason"] == 128
    # A use without end: one pulse of the right length, and then one that Ctrl-C ends.
    board.leave("2.cose", grant(b"1", version=2))
    board.hear("2.cose: 0")
    assert board.open() == reasons.ALLOWED
    with pytest.raises(subprocess.TimeoutExpired):
        board._process.wait(PULSE_MS / 1000 + 1)
    (_, calendar), (on_ms, on), (off_ms, off) = board.trace()
    assert calendar.startswith("rtc 2026-01-05 10:00:0")
    assert (on, off) == (OPEN, SHUT)
    assert abs(off_ms - on_ms - PULSE_MS) < 500
    assert board.open() == reasons.ALLOWED
    assert board.interrupt() == RESET_STATUS
    assert board.happened() == [OPEN, SHUT, "reset"]

    board.on()
    board.off()
    assert board.boots() == [entry.FIRST, entry.UNCLEAN, entry.CLEAN]


def test_a_board_that_is_not_provisioned_says_so_and_stays_at_the_prompt(board):
    status, output = board.run("import boot, main")
    assert status == 0
    assert "provision(" in output
    assert board.happened() == [SHUT]


ENDS = ("KeyboardInterrupt()", "SystemExit(0)", "ValueError('x')", "MemoryError()", "OSError(5)")


@pytest.mark.parametrize("end", ENDS)
def test_however_main_ends_the_bolt_is_safe_and_then_the_board_starts_anew(board, end):
    code = f"""
import machine
from firmware import app
def run(hardware, flash, say):
    hardware.strike.start()
    raise {end}
app.run = run
import main
"""
    status, output = board.run(code)
    assert status == RESET_STATUS
    assert end.split("(")[0] in output
    assert board.happened() == [SHUT, OPEN, SHUT, "reset"]


def test_ctrl_c_on_the_way_out_does_not_leave_the_bolt_open(board):
    code = """
import machine
from firmware import app
pin = machine.Pin
class Interrupted:
    OUT = pin.OUT
    def __init__(self, number, mode, value):
        machine.Pin = pin
        raise KeyboardInterrupt
def run(hardware, flash, say):
    hardware.strike.start()
    machine.Pin = Interrupted
    raise ValueError
app.run = run
import main
"""
    status, _ = board.run(code)
    assert status == RESET_STATUS
    assert board.happened() == [SHUT, OPEN, SHUT, "reset"]


def test_the_bolt_is_safe_when_the_firmware_does_not_even_load(board):
    code = """
import sys, machine
machine.Pin(26, machine.Pin.OUT, value=1)
import firmware
sys.modules["firmware.app"] = firmware.app = None
import main
"""
    status, _ = board.run(code)
    assert status == RESET_STATUS
    assert board.happened() == [OPEN, SHUT, "reset"]


def test_boot_makes_the_bolt_safe_before_the_firmware_loads(board):
    board.run("import machine; machine.Pin(26, machine.Pin.OUT, value=1); import boot")
    assert board.happened() == [OPEN, SHUT]


FAULTS = {
    "no machine": "sys.modules['machine'] = None",
    "no pins": "del machine.Pin",
    "a pin that cannot be": "machine.Pin = fails(ValueError)",
    "a chip of another speed": "machine.freq = fails(ValueError)",
    "no speeds": "del machine.freq",
    "a broken driver": "machine.freq = fails(OSError)",
    "no memory": "machine.Pin = fails(MemoryError)",
    "ctrl-c": "machine.freq = fails(KeyboardInterrupt)",
    "exit": "machine.freq = fails(SystemExit)",
    "no hal": "sys.modules['firmware.hal'] = None",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_boot_cannot_raise(board, fault):
    code = f"""
import sys, machine
def fails(error):
    def function(*arguments, **keywords):
        raise error
    function.OUT = 3
    return function
{FAULTS[fault]}
import boot
print("main.py runs")
"""
    assert board.run(code) == (0, "main.py runs\n")
