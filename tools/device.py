"""A board at a serial port, over mpremote's own transport; errors in words for people.

May import mpremote and pyserial.
"""

import contextlib
import io
import json
import os
import struct
from typing import Any

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

_ANSWER_S = 5  # a board at its prompt answers at once
_READ_S = 10  # for what it owes in the middle of an exchange
_BROKEN = (TransportError, OSError, struct.error)  # what mpremote raises when a board is gone

LEAST_VERSION = (1, 28)
PAGE = 1024  # bytes that are sent in one piece

SILENT = """\
no MicroPython prompt at {port}. Is it the right port? A lock has a prompt only if its inside
button is held while it starts: hold it, press reset, wait for the word "service", try again."""


class DeviceError(Exception):
    """What went wrong, in one sentence or two."""


class Device:
    """The prompt of a board, with nothing running; a context manager.

    Raises DeviceError, always and everywhere, for what is wrong with the board or the port.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        if not os.path.exists(port) and "://" not in port:
            others = ", ".join(each.device for each in list_ports.comports()) or "none"
            raise DeviceError(f"there is no port {port}; there are: {others}")
        try:
            self._transport: Any = SerialTransport(port, timeout=_READ_S)
        except TransportError:
            raise DeviceError(f"{port} cannot be opened: busy, or not yours") from None
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
            raise DeviceError(f"this board runs {found}; Sharelock needs MicroPython {at_least}")

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
