"""boot.py and main.py on a board with a serial port: who gets a prompt, what follows a crash."""

import json
import os
import subprocess
import sys
import time

import pytest

from firmware.app import SAFE_AFTER
from firmware.hal.board import Board
from firmware.store import cloud as clouds
from firmware.store import identity, wifi, wipe
from firmware.store.flash import Flash
from firmware_tests.flash.port import (
    LISTENS,
    PATIENCE_S,
    UNPROVISIONED,
    Console,
    make_lock,
    restart,
    run,
)
from host_sim.runtimes import ROOT
from host_sim.serial_board import SerialBoard


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


def test_a_monitor_shows_what_a_lock_says(lock):
    keys, terminal = os.openpty()
    command = [sys.executable, "-m", "tools.monitor", lock.port]
    with subprocess.Popen(command, cwd=ROOT, stdin=terminal, stdout=subprocess.PIPE) as monitor:
        try:
            assert monitor.stdout and b"Connected" in monitor.stdout.readline()
            lock.cut()
            lock.power_on()
            while b"ready" not in monitor.stdout.readline():
                assert monitor.poll() is None
            os.write(keys, b"\x1d")  # Ctrl-]
            assert monitor.wait(PATIENCE_S) == 0
        finally:
            monitor.kill()
    os.close(keys)
    os.close(terminal)


def test_who_holds_the_button_while_it_starts_gets_the_prompt(lock):
    done = run("tools.flash", lock.port)
    assert done.returncode == 1 and "button" in done.stderr
    lock.hold(Board.pins["button"])
    restart(lock, "service", LISTENS)
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


def test_a_lock_that_was_reset_is_none_and_gets_another_key(lock):
    before = identity.read(Flash(str(lock.flash)).pair)
    lock.cut()
    wipe.begin(str(lock.flash))
    restart(lock, UNPROVISIONED, LISTENS)
    assert not (lock.flash / "wipe").exists() and not list(lock.flash.glob("log/*"))
    make_lock(lock)
    after = identity.read(Flash(str(lock.flash)).pair)
    assert before and after and after.device_key != before.device_key


def test_a_board_in_a_drawer_sleeps_until_its_button_is_pushed(board):
    with Console(board.port) as console:
        console.type(b"\x03")
        console.hear(">>> ")
        console.type(b"from firmware.hal import bare; bare.sleep_until_pushed()\r")
        console.listen(1)
        console.said = ""
        console.type(b"\r\x03")
        console.listen(1)
        assert console.said == ""
        board.hold(Board.pins["button"])
        said = console.hear(LISTENS)
        assert UNPROVISIONED in said and "service" not in said


def test_crashes_in_a_row_end_in_safe_mode(lock):
    """What ends the program does it a few times, and then statements are left alone."""
    inbox = lock.flash / "firmware/access/inbox.mpy"
    inbox.rename(inbox.with_suffix(".kept"))
    inbox.with_suffix(".py").write_text(
        "class Inbox:\n def __init__(self, *rest): pass\n"
        " def work(self): raise BaseException('mail')\n"
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
        "class Inbox:\n def __init__(self, *rest): pass\n def work(self):\n  while True: pass\n"
    )
    with SerialBoard(tmp_path, haste=15) as board, Console(board.port) as console:
        console.hear("safe mode: hangs in inbox")


NOBODY = "127.0.0.1:1"
JOIN_MS = 30_000  # of hal.wifi
AIRS = ({"lost": True}, {"slow_ms": 3_600_000}, {"networks": {"Home": "another password"}})


@pytest.mark.parametrize("air", AIRS, ids=lambda air: next(iter(air)))
def test_a_wifi_that_is_away_slow_or_refuses_keeps_nobody_from_the_door(
    lock, air, tmp_path, monkeypatch
):
    pair = Flash(str(lock.flash)).pair
    wifi.write(pair, "Home", "correct horse")
    clouds.write(pair, clouds.Cloud(NOBODY, NOBODY, NOBODY, b"", bytes(32)))
    (lock.world / "wifi").write_text(json.dumps({"networks": {}, **air}))
    trace = tmp_path / "trace"
    monkeypatch.setenv("MACHINE_TRACE", str(trace))
    restart(lock)
    opened = f"pin {Board.pins['strike']} 1"
    assert opened not in trace.read_text()
    lock.hold(Board.pins["button"])
    until = time.monotonic() + JOIN_MS / 3000  # long before the thread would give up
    while opened not in trace.read_text():
        assert time.monotonic() < until
        time.sleep(0.02)
    lock.hold()
    with Console(lock.port) as console:
        console.listen(1)
        assert not console.said.strip()  # the line of "ready" ends
