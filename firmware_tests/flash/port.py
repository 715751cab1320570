"""Somebody at a board's serial port, and the tools as they are called."""

import os
import select
import subprocess
import sys
import time
from typing import Any

from host_sim.runtimes import ROOT
from host_sim.serial_board import SerialBoard
from host_sim.story import key_of

PATIENCE_S = 60
UNPROVISIONED = "not provisioned"
LISTENS = "Ctrl-C is the prompt"
KEY = key_of("issuer").public


class Console:
    """What a board says at its port; a context manager, left before a tool takes the port."""

    def __init__(self, port: str):
        self._line = os.open(port, os.O_RDWR | os.O_NOCTTY)
        self.said = ""

    def __enter__(self) -> "Console":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._line)

    def type(self, text: bytes) -> None:
        os.write(self._line, text)

    def listen(self, seconds: float) -> bytes:
        """What comes within this time."""
        until, came = time.monotonic() + seconds, b""
        while (left := until - time.monotonic()) > 0:
            if select.select([self._line], [], [], left)[0]:
                came += os.read(self._line, 4096)
        self.said += came.decode("utf-8", "replace")
        return came

    def hear(self, text: str) -> str:
        """All that was said, once this is among it."""
        until = time.monotonic() + PATIENCE_S
        while text not in self.said:
            assert time.monotonic() < until, self.said
            self.listen(0.05)
        return self.said


def run(module: str, *arguments: Any, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """A tool to its end."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 3,
        check=False,
    )


def mpremote(port: str, *arguments: str) -> str:
    """What mpremote itself prints."""
    done = run("mpremote", "connect", port, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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


def make_lock(board: SerialBoard) -> None:
    """Provision it, at its prompt."""
    key = (KEY.x + KEY.y).hex()
    code = f"from firmware.provision import provision; provision('front-door', '{key}')"
    mpremote(board.port, "exec", code)
