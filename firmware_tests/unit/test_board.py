"""boot.py and main.py as a board runs them, see firmware_tests/board.py."""

import signal
import subprocess

import pytest

from firmware.hal.board import Desk
from firmware.policy import reasons
from firmware.policy.grant import Grant
from firmware.policy.instant import from_unix
from firmware.store import entry
from firmware_tests.board import ISSUER, PHONE, Board
from host_sim.cloud.issuer import issue, sign, time

RUNTIMES = ("cpython", "micropython")
RESET_STATUS = 3
PULSE_MS = Desk.pulse_ms
MOTOR_MS = Desk.limit_ms
NOW = from_unix(1_767_607_200)  # 2026-01-05T10:00:00Z
OPEN, SHUT = "pin 26 1", "pin 26 0"


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


MOTOR = """
from firmware.hal.board import Desk
Desk.fitted = ("motor", "end_stops", "button")
import boot, main
"""


def test_a_motor_stops_at_its_limit_and_however_main_ends(board):
    board.provision()
    board._process = board.start(MOTOR)
    board.hear("ready")
    board.leave("1.cose", grant(b"1"))
    board.hear("1.cose: 0")
    assert sorted(board.happened()) == ["pin 25 0", "pin 27 0"]
    assert board.open() == reasons.ALLOWED
    with pytest.raises(subprocess.TimeoutExpired):
        board._process.wait(MOTOR_MS / 1000 + 1)
    (on_ms, on), (off_ms, off), (_, again) = board.trace()[:3]
    assert (on, off, again) == ("pin 27 1", "pin 27 0", "pin 27 1")
    assert abs(off_ms - on_ms - MOTOR_MS) < 500
    assert board.interrupt() == RESET_STATUS
    assert board.happened()[:2] == ["pin 27 0", "reset"]


HANGS = """
from firmware import app
from firmware.hal.board import Desk
Desk.fitted = %r
step = app.Lock.step
def hang(lock):
    while lock.door.answers:
        pass
    return step(lock)
app.Lock.step = hang
import boot, main
"""


@pytest.mark.parametrize(
    ("fitted", "pin"), [(("strike", "button"), 26), (("motor", "end_stops", "button"), 27)]
)
def test_what_has_current_loses_it_when_the_loop_hangs(board, fitted, pin):
    board.provision()
    board._process = board.start(HANGS % (fitted,))
    board.hear("ready")
    board.leave("1.cose", grant(b"1"))
    board.hear("1.cose: 0")
    board.happened()
    assert board.open() == reasons.ALLOWED
    with pytest.raises(subprocess.TimeoutExpired):
        board._process.wait(MOTOR_MS / 1000 + 1)
    (on_ms, on), (off_ms, off) = board.trace()
    assert (on, off) == (f"pin {pin} 1", f"pin {pin} 0")
    assert abs(off_ms - on_ms - MOTOR_MS) < 500
    board.off()


def test_a_board_that_is_not_provisioned_says_so_and_stays_at_the_prompt(board):
    status, output = board.run("import boot, main")
    assert status == 0
    assert "not provisioned" in output
    assert board.happened() == [SHUT]


ORDERLY = ("KeyboardInterrupt()", "SystemExit(0)")
ENDS = (*ORDERLY, "ValueError('x')", "MemoryError()", "OSError(5)")


@pytest.mark.parametrize("end", ENDS)
def test_however_main_ends_the_bolt_is_safe_and_then_the_board_starts_anew(board, end):
    code = f"""
import machine
from firmware import app
def run(hardware, flash, say, crash):
    hardware.parts["strike"].start()
    raise {end}
app.run = run
import main
"""
    status, output = board.run(code)
    assert status == RESET_STATUS
    assert end.split("(")[0] in output
    assert board.happened() == [SHUT, OPEN, SHUT, "reset"]
    assert (board.flash / "crash").exists() == (end not in ORDERLY)


@pytest.mark.parametrize("end", ["return", "raise KeyboardInterrupt", "raise ValueError"])
def test_whoever_gets_the_prompt_finds_a_safe_bolt(board, end):
    code = f"""
from firmware import service
def run(hardware, *others):
    hardware.parts["strike"].start()
    {end}
service.run = run
import main
"""
    status, _ = board.run(code)
    assert (status, board.happened()) == (0, [SHUT, OPEN, SHUT])


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
def run(hardware, flash, say, crash):
    hardware.parts["strike"].start()
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


def test_boot_makes_the_chip_fast(board):
    assert board.run("import boot, machine; print(machine.freq())") == (0, "240000000\n")


@pytest.mark.parametrize("is_c3", [False, True])
def test_nothing_has_current_while_the_board_sleeps(board, is_c3):
    code = f"""
import esp32, machine
machine.Pin(26, machine.Pin.OUT, value=1)
if {is_c3}:
    esp32.wake_on_gpio = lambda pins, level: print("wakes", len(pins), pins[0].number, level)
    del esp32.wake_on_ext0
from firmware.hal import bare
bare.sleep_until_pushed()
"""
    _, output = board.run(code)
    assert board.happened() == [OPEN, SHUT, "deepsleep"]
    assert output == ("wakes 1 4 False\n" if is_c3 else "")


@pytest.mark.parametrize(
    "cause, kept, task", [(3, b"scan", "scan"), (3, b"", "start"), (1, b"scan", "")]
)
def test_what_hung_is_known_after_the_watchdog_bit(board, cause, kept, task):
    code = f"""
import machine
machine.reset_cause = lambda: {cause}
machine.RTC.memory = lambda rtc: {kept}
from firmware.hal import bare
print(bare.hanging_task())
"""
    assert board.run(code) == (0, task + "\n")


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
    "no update": "from firmware.hal import update; update.finish = fails(OSError)",
    "no wipe": "from firmware.store import wipe; wipe.finish = fails(MemoryError)",
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
