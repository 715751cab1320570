"""`make flash` over the real mpremote: what it copies, and what is left when it is interrupted."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport
from serial.tools.list_ports_common import ListPortInfo

from firmware_tests.flash.port import UNPROVISIONED, Console, mpremote, run
from host_sim.runtimes import ROOT
from host_sim.serial_board import SerialBoard
from tools import device, flash
from tools.device import Device, DeviceError

PATHS = ("firmware/app.mpy", "firmware/store/log.mpy", "boot.py", "lib/umqtt/simple.mpy")


def contents(folder: Path) -> dict[str, str]:
    """Path and digest of each file of the firmware."""
    found = [*folder.glob("*.*"), *folder.glob("firmware/**/*.*"), *folder.glob("lib/**/*.*")]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
        if path.is_file()
    }


def make_older(folder: Path) -> None:
    """As if the firmware on it were another one: files that differ, that are gone, and a stray."""
    (folder / PATHS[0]).write_bytes(b"another")
    (folder / PATHS[1]).unlink()
    (folder / PATHS[2]).write_text((folder / PATHS[2]).read_text() + "# older\n")
    (folder / PATHS[3]).write_bytes(b"another")
    (folder / "firmware/gone.py").write_text("")


def test_what_is_on_the_flash_is_what_was_built_and_the_manifest_says_so(flashed):
    wanted = flash.with_manifest(flash.contents())
    built = {path: flash.digest(content) for path, content in wanted.items()}
    assert contents(flashed) == built
    check = ["sha256sum", "--check", "--strict", "--quiet", flash.MANIFEST]
    assert subprocess.run(check, cwd=flashed, check=False).returncode == 0
    assert len((flashed / flash.MANIFEST).read_text().splitlines()) == len(built) - 1


def test_a_second_time_only_what_differs_is_copied(board, flashed):
    done = run("tools.flash", board.port)
    assert done.stdout.splitlines()[-1].startswith("0 of "), done
    with Console(board.port) as console:
        console.hear(UNPROVISIONED)
    make_older(board.flash)
    done = run("tools.flash", board.port)
    assert sorted(done.stdout.splitlines()[:-1]) == sorted([*PATHS, "firmware/gone.py"])
    assert contents(board.flash) == contents(flashed)
    assert list((board.flash / "update").iterdir()) == []
    with Console(board.port) as console:
        console.hear(UNPROVISIONED)


def test_the_power_may_go_at_every_exchange(flashed, tmp_path, monkeypatch):
    """After each, the board starts, with the old firmware or with all of the new one."""
    wanted = flash.contents()
    new = contents(flashed)
    older = tmp_path / "older"
    shutil.copytree(flashed, older)
    # What the board needs to say that it is there stays the same.
    shutil.copy(older / "firmware/selftest.mpy", older / "firmware/gone.mpy")
    (older / "main.py").write_text((older / "main.py").read_text() + "# older\n")
    (older / "firmware/provision.mpy").write_bytes(b"another")
    (older / PATHS[3]).unlink()
    old = contents(older)

    real, left = SerialTransport.exec_raw_no_follow, [0]
    board = SerialBoard(tmp_path)

    def exec_raw_no_follow(self, command):
        left[0] -= 1
        if left[0] < 0:
            board.cut()
            raise OSError("the power is gone")
        return real(self, command)

    monkeypatch.setattr(SerialTransport, "exec_raw_no_follow", exec_raw_no_follow)
    seen, cuts = [], 0
    while True:
        shutil.rmtree(board.flash)
        shutil.copytree(older, board.flash)
        left[0] = cuts
        board.power_on()
        try:
            with Device(board.port) as at_port:
                flash.put(at_port, wanted)
            break
        except DeviceError:
            cuts += 1
        board.power_on()
        with Console(board.port) as console:
            console.hear(UNPROVISIONED)
        board.cut()
        seen.append(contents(board.flash))
        assert seen[-1] in (old, new), cuts
    board.close()
    assert contents(board.flash) == new
    assert cuts > 12 and seen.count(old) > 10 and new in seen


def test_ctrl_c_leaves_a_board_that_starts(board):
    # What a shell runs in the background ignores Ctrl-C, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for path in (board.flash / "firmware/link").glob("*"):
        path.write_bytes(b"another")
    before = contents(board.flash)
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.flash", board.port],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list((board.flash / "update").glob("3")):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Interrupted" in said and "Traceback" not in said
    with Console(board.port) as console:
        console.hear(UNPROVISIONED)
    assert contents(board.flash) == before


def test_erase_asks_and_then_nothing_is_left(board):
    assert run("tools.erase", board.port, stdin="\n").returncode == 1
    assert (board.flash / "main.py").exists()
    done = run("tools.erase", board.port, stdin="y\n")
    assert done.returncode == 0, done
    assert list(board.flash.iterdir()) == []
    assert mpremote(board.port, "exec", "print(6 * 7)").strip() == "42"


# --- what can be wrong --------------------------------------------------------------------------


def refused(port: str, wanted: dict[str, bytes]) -> str:
    with pytest.raises(DeviceError) as refusal, Device(port) as at_port:
        flash.put(at_port, wanted)
    return str(refusal.value)


def test_a_port_that_is_not_there():
    said = refused("/dev/nowhere", {})
    assert "no port /dev/nowhere; there are:\n  " in said
    for module in ("tools.flash", "tools.monitor"):
        done = run(module, "/dev/nowhere")
        assert (done.returncode, done.stderr) == (1, f"Error: {said}\n")
    for module in ("tools.flash", "tools.monitor", "tools.erase"):
        done = run(module, "")
        assert done.returncode == 2
        assert "PORT=" in done.stderr and done.stderr.endswith(f"{device.ports()}\n")


def test_ports_are_named_with_what_is_behind_them(monkeypatch):
    found = []
    for name, vid, pid, text in (
        ("/dev/ttyUSB0", 0x10C4, 0xEA60, "CP2102 USB to UART Bridge"),
        ("/dev/ttyACM0", 0x303A, 0x1001, "USB JTAG/serial debug unit"),
        ("/dev/ttyACM1", 0x2341, 0x0043, "Arduino Uno"),
        ("/dev/ttyS0", None, None, "n/a"),
    ):
        each = ListPortInfo(name)
        each.vid, each.pid, each.description = vid, pid, text
        found.append(each)
    monkeypatch.setattr(device.list_ports, "comports", lambda: found)
    assert device.ports().splitlines() == [
        "  /dev/ttyACM0  an ESP32-S3 or -C3 by its own USB",
        "  /dev/ttyACM1  Arduino Uno",
        "  /dev/ttyS0  not on USB",
        "  /dev/ttyUSB0  a CP210x, as many boards have",
    ]
    found.clear()
    assert "is the board connected" in device.ports()


def test_a_port_of_somebody_else(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "usermod -aG" in refused(str(tmp_path), {})


def test_a_port_with_nobody_behind_it(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "_ANSWER_S", 1)
    board = SerialBoard(tmp_path)
    said = refused(board.port, {})
    board.close()
    assert "no MicroPython prompt" in said and "button" in said


def test_a_port_that_somebody_else_has(board):
    with Device(board.port):
        assert "another program has it" in refused(board.port, {})


def test_a_micropython_that_is_too_old(board, monkeypatch):
    monkeypatch.setattr(device, "LEAST_VERSION", (9, 0))
    said = refused(board.port, {"x": b""})
    assert "runs micropython 1.29.0 (linux" in said and "needs MicroPython 9.0 or newer" in said


def test_a_chip_that_nobody_has_tried(board, monkeypatch):
    monkeypatch.setattr(device, "_COMPUTERS", ())
    said = refused(board.port, {"x": b""})
    assert "this board is a linux" in said and "knows ESP32, ESP32S3, ESP32C3" in said


def test_a_flash_that_is_full(board, monkeypatch):
    monkeypatch.setattr(flash, "_SPARE", 1 << 60)
    assert "do not fit" in refused(board.port, {"x": b"1"})
    assert not (board.flash / "x").exists()


def test_what_arrives_otherwise_than_it_was_sent_is_not_put(board, monkeypatch):
    def write(self, path, content):
        real(self, path, content[:-1])

    real = Device.write
    monkeypatch.setattr(Device, "write", write)
    assert "not all of it arrived" in refused(board.port, {"x": b"12"})
    assert not (board.flash / "x").exists()


def test_whose_copy_breaks_off_is_told_what_the_board_has(board, monkeypatch):
    def write(self, path, content):
        raise DeviceError("the cable is gone")

    monkeypatch.setattr(Device, "write", write)
    monkeypatch.setattr(sys, "argv", ["flash", board.port])
    (board.flash / "main.py").write_text("# older\n" + (board.flash / "main.py").read_text())
    with pytest.raises(SystemExit) as end:
        flash.main()
    assert str(end.value).startswith("Error: the cable is gone\nWhat the board has is whole")
