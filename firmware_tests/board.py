"""A board as a process in a folder that is its flash, on CPython or on MicroPython.

`machine` is that of host_sim/shims/board, which writes down what happens to pins, calendar and
power. The process is killed where a board would lose its power.
"""

import json
import signal
import subprocess
from pathlib import Path

from firmware.policy.grant import LOCAL, UNLOCK
from firmware.store import entry
from host_sim import runtimes
from host_sim.cloud.keys import short
from host_sim.story import key_of

ISSUER = key_of("issuer")
PHONE = key_of("phone")
ISSUER_DIGITS = (ISSUER.public.x + ISSUER.public.y).hex()


class Board:
    """A provisioned board on one runtime; `on` and `off` are its power.

    `key` is the one by which phones know it, in hexadecimal digits.
    """

    def __init__(self, runtime: str, folder: Path):
        self.runtime = runtime
        self.flash = folder / "flash"
        self.flash.mkdir()
        self._trace = folder / "trace"
        self._process: subprocess.Popen[str] | None = None
        self.key = ""

    def start(self, code: str) -> "subprocess.Popen[str]":
        environment = runtimes.board_environment(self.runtime)
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

    def provision(
        self,
        lock: str = "front-door",
        issuer: str = ISSUER_DIGITS,
        cloud: dict[str, str] | None = None,
    ) -> None:
        said = f"{lock!r}, {issuer!r}, cloud={cloud!r}"
        code = f"from firmware.provision import provision; print(provision({said}))"
        status, output = self.run(code)
        assert status == 0
        self.key = output.strip()

    def on(self, first: str = "") -> None:
        """Power, and until the lock is ready; `first` is a statement that runs before boot.py."""
        self._process = self.start(f"{first}\nimport boot, main")
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

    def run_out(self, request: dict, times: int) -> tuple[int, list[str]]:
        """Ask the same so often, and it ends meanwhile: status, and what else it said."""
        assert self._process
        output, _ = self._process.communicate((json.dumps(request) + "\n") * times, timeout=100)
        return self._process.returncode, [line for line in output.splitlines() if line[0] != "{"]

    def open(self, action: int = UNLOCK) -> int:
        """The phone is at the door; the reason of the answer."""
        key = short(PHONE.public).hex()
        asked = {"key": key, "action": action, "channel": LOCAL, "proven": True}
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
