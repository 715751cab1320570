"""A board at a serial port, over mpremote's own transport; errors in words for people.

May import mpremote and pyserial.
"""

import contextlib
import io
import json
import os
import struct
import sys
from pathlib import Path
from typing import Any

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

from firmware.hal.board import BOARDS

_ANSWER_S = 5  # a board at its prompt answers at once
_READ_S = 10  # for what it owes in the middle of an exchange
_BROKEN = (TransportError, OSError, struct.error)  # what mpremote raises when a board is gone

LEAST_VERSION = (1, 28)
_COMPUTERS = ("linux", "darwin")
PAGE = 1024  # bytes that are sent in one piece

SILENT = """\
no MicroPython prompt at {port}. Is it the right port? A lock has a prompt only if its inside
button is held while it starts: hold it, press reset, wait for the word "service", try again.
A board without MicroPython gets it by esptool; https://micropython.org/download says how."""

# By vendor and product, what boards with an ESP32 have between it and USB.
_BRIDGES = {
    (0x303A, 0x1001): "an ESP32-S3 or -C3 by its own USB",
    (0x10C4, 0xEA60): "a CP210x, as many boards have",
    (0x1A86, 0x7523): "a CH340, as many boards have",
    (0x1A86, 0x55D4): "a CH9102, as many boards have",
    (0x0403, 0x6001): "an FT232, as some boards have",
    (0x0403, 0x6010): "an FT2232, as some boards have",
}


class DeviceError(Exception):
    """What went wrong, in one sentence or two."""


def ports() -> str:
    """A line for each serial port, with what USB knows of it."""
    lines = []
    for each in sorted(list_ports.comports()):
        known = _BRIDGES.get((each.vid, each.pid))
        text = each.description if each.description not in (None, "n/a") else "not on USB"
        lines.append(f"  {each.device}  {known or text}")
    return "\n".join(lines) or "  none; is the board connected, by a cable that carries data?"


def named_port(command: str) -> str:
    """The port that a tool's command line names; else exits with 2 and says which there are."""
    if len(sys.argv) == 2 and sys.argv[1]:
        return sys.argv[1]
    print(f"Name the board's port: make {command} PORT=...\n{ports()}", file=sys.stderr)
    sys.exit(2)


def check_port(port: str) -> None:
    """Raise DeviceError for a port that is not there, or not one's own."""
    if "://" in port:
        return
    if not os.path.exists(port):
        raise DeviceError(f"there is no port {port}; there are:\n{ports()}")
    if not os.access(port, os.R_OK | os.W_OK):
        group = Path(port).group()
        raise DeviceError(f"{port} is not yours: sudo usermod -aG {group} $USER, and log in anew")


class Device:
    """The prompt of a board, with nothing running; a context manager.

    Raises DeviceError, always and everywhere, for what is wrong with the board or the port.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        check_port(port)
        try:
            self._transport: Any = SerialTransport(port, timeout=_READ_S)
        except TransportError:
            raise DeviceError(
                f"{port} cannot be opened: another program has it, perhaps make monitor?"
            ) from None
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                self._transport.enter_raw_repl(timeout_overall=_ANSWER_S)
        except _BROKEN:
            self._transport.close()
            raise DeviceError(SILENT.format(port=port)) from None

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(*_BROKEN):
            self._transport.close()

    def run(self, program: str, timeout_s: float = 30) -> str:
        """What a program prints; `timeout_s` is for the time between two words of it."""
        try:
            said, complaint = self._transport.exec_raw(program, timeout=timeout_s)
        except _BROKEN:
            raise DeviceError(f"the board at {self.port} does not answer any more") from None
        if complaint:
            raise DeviceError(f"the board says: {complaint.decode().strip().splitlines()[-1]}")
        return said.decode()

    def ask(self, program: str, timeout_s: float = 30) -> Any:
        """What a program prints, as JSON."""
        said = self.run(program, timeout_s)
        try:
            return json.loads(said)
        except ValueError:
            raise DeviceError(f"the board at {self.port} talks nonsense: {said[:60]!r}") from None

    def write(self, path: str, content: bytes) -> None:
        """Make a file."""
        try:
            self._transport.fs_writefile(path, content, PAGE)
        except TransportExecError as error:
            raise DeviceError(f"{path}: {error.error_output.strip().splitlines()[-1]}") from None
        except _BROKEN:
            raise DeviceError(f"the board at {self.port} does not answer any more") from None

    def check_version(self) -> None:
        """Refuse what is no MicroPython, and what is too old for the firmware."""
        name, version, machine = self.ask(
            "import sys, json\ni = sys.implementation\n"
            "print(json.dumps([i[0], list(i[1][:3]), getattr(i, '_machine', '')]))"
        )
        at_least = ".".join(map(str, LEAST_VERSION))
        if name != "micropython" or tuple(version[:2]) < LEAST_VERSION:
            found = f"{name} {'.'.join(map(str, version))} ({machine})"
            raise DeviceError(
                f"this board runs {found}; Sharelock needs MicroPython {at_least} or newer, "
                "from https://micropython.org/download"
            )
        chip = machine.split(" ")[-1]
        if chip not in BOARDS and machine.split(" ")[0] not in _COMPUTERS:
            known = ", ".join(BOARDS)
            raise DeviceError(f"this board is a {machine}; Sharelock knows {known}")

    def restart(self) -> None:
        """Let the board start anew; its prompt is gone."""
        with contextlib.suppress(*_BROKEN):
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")

    def interrupt(self) -> None:
        """End what it does, after Ctrl-C here, and let it start anew."""
        with contextlib.suppress(*_BROKEN):
            self._transport.serial.write(b"\r\x03\x03")
            self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_ANSWER_S)
            self.restart()
