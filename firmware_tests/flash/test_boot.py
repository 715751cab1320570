"""boot.py and main.py on a board with a serial port: who gets a prompt, what follows a crash."""

import pytest

from firmware.app import SAFE_AFTER
from firmware.hal.board import Board
from firmware_tests.flash.port import Console, mpremote, run
from host_sim.serial_board import SerialBoard
from host_sim.story import key_of

KEY = key_of("issuer").public


@pytest.fixture
def lock(board):
    """A provisioned lock that runs."""
    key = (KEY.x + KEY.y).hex()
    code = f"from firmware.provision import provision; provision('front-door', '{key}')"
    mpremote(board.port, "exec", code)
    restart(board)
    return board


def restart(board: SerialBoard, *until: str) -> str:
    """The power goes and comes back; what the board says until it is ready."""
    board.cut()
    with Console(board.port) as console:
        console.listen(0.1)
        console.said = ""
        board.power_on()
        for text in until or ("ready",):
            console.hear(text)
        return console.said


@pytest.mark.parametrize("typed", [b"\x03", b"\r\x03\x03\r\x01\x04" * 20, b"\x04", b"\x02"])
def test_nobody_at_the_serial_line_gets_past_a_lock(lock, typed):
    with Console(lock.port) as console:
        console.type(typed)
        console.listen(2)
        assert console.said == ""
    lock.cut()
    with Console(lock.port) as console:  # nor while it starts
        lock.power_on()
        for _ in range(20):
            console.type(typed)
            console.listen(0.1)
        console.hear("ready")
        assert ">>>" not in console.said and "raw REPL" not in console.said


def test_who_holds_the_button_while_it_starts_gets_the_prompt(lock):
    done = run("tools.flash", lock.port)
    assert done.returncode == 1 and "button" in done.stderr
    lock.hold(Board.pins["button"])
    restart(lock, "service", ">>>")
    lock.hold()
    (lock.flash / "firmware/selftest.mpy").write_bytes(b"another")
    done = run("tools.flash", lock.port)
    assert done.stdout.splitlines()[0] == "firmware/selftest.mpy", done
    with Console(lock.port) as console:
        console.hear("ready")
        console.type(b"\x03")
        console.listen(1)
        assert ">>>" not in console.said


def test_firmware_that_does_not_load_can_be_replaced(lock):
    (lock.flash / "firmware/app.mpy").write_bytes(b"garbage")
    lock.hold(Board.pins["button"])
    assert "Last crash: none" in restart(lock, "service", ">>>")
    lock.hold()
    restart(lock, "Sharelock ends: ValueError")
    lock.hold(Board.pins["button"])
    assert "Last crash: ValueError" in restart(lock, "service", ">>>")
    lock.hold()
    assert run("tools.flash", lock.port).returncode == 0
    with Console(lock.port) as console:
        console.hear("ready")


def test_crashes_in_a_row_end_in_safe_mode(lock):
    """What ends the program does it a few times, and then statements are left alone."""
    inbox = lock.flash / "firmware/access/inbox.mpy"
    inbox.rename(inbox.with_suffix(".kept"))
    inbox.with_suffix(".py").write_text(
        "class Inbox:\n def __init__(self, *rest): pass\n"
        " def take(self): raise BaseException('mail')\n"
    )
    said = restart(lock, "safe mode: BaseException('mail',)\nready")
    assert said.count("Sharelock ends: BaseException") == SAFE_AFTER
    with Console(lock.port) as console:
        console.listen(2)
        assert "ends" not in console.said


def test_a_task_that_hangs_is_named_after_the_watchdog_bit(lock, tmp_path):
    lock.cut()
    inbox = lock.flash / "firmware/access/inbox.mpy"
    inbox.unlink()
    inbox.with_suffix(".py").write_text(
        "class Inbox:\n def __init__(self, *rest): pass\n def take(self):\n  while True: pass\n"
    )
    with SerialBoard(tmp_path, haste=15) as board, Console(board.port) as console:
        console.hear("safe mode: hangs in inbox")
