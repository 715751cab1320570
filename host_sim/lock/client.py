"""A simulated lock in a process of its own, on any runtime that has pipes. For CPython."""

import json
import tempfile
from types import TracebackType
from typing import Any

from firmware.crypto.p256 import PublicKey
from host_sim import runtimes

RUNTIMES = ("cpython", "micropython")


class LockCrashed(Exception):
    """The lock's process ended; what it said on stderr is above."""


class LockProcess:
    """A lock that was just provisioned, as a context manager; `ask` it.

    Its flash is a folder that goes away with it.
    """

    def __init__(self, runtime: str, lock: str, issuer: PublicKey, at_s: int):
        self._flash = tempfile.TemporaryDirectory(prefix="sharelock-")
        # Ctrl-C is for who started this, and ends the lock.
        self._process = runtimes.start(runtime, "host_sim/lock/serve.py", start_new_session=True)
        key = (issuer.x + issuer.y).hex()
        self._send({"folder": self._flash.name, "lock": lock, "issuer": key, "t": at_s})

    def ask(self, do: str, at_s: int, **members: Any) -> Any:
        """Have the lock do something at a time (Unix seconds). Raises LockCrashed."""
        return self._send({"do": do, "t": at_s, **members})

    def _send(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise LockCrashed(f"the lock's process ended with status {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise LockCrashed(f"the lock did not understand {request}: {answer['error']}")
        return answer

    def __enter__(self) -> "LockProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.kill()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._flash.cleanup()
