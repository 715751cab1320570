"""A lock on real littlefs in MicroPython, for state machines that cut its power."""

import json
from typing import Any

from hypothesis import strategies as st

from host_sim import runtimes
from host_sim.cloud.keys import PrivateKey

ISSUER = PrivateKey.from_scalar(7)

# The power is cut at one of the next programs and erases, torn or clean, and perhaps again while
# the lock boots; or not at all.
_cut = st.tuples(st.integers(0, 40), st.booleans())
cuts: Any = st.one_of(st.just([]), st.lists(_cut, min_size=1, max_size=3))


class LockProcess:
    """firmware_tests/power/lock_child.py; `state` is what the lock said last."""

    def __init__(self) -> None:
        self._process = runtimes.start("micropython", "firmware_tests/power/lock_child.py")
        self._write((ISSUER.public.x + ISSUER.public.y).hex())
        self.state: Any = None

    def _write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def ask(self, verb: str, *arguments: Any, cuts: Any = ()) -> Any:
        """Do it: (whether the power was cut, the result if it was not)."""
        self._write(json.dumps({"do": verb, "with": arguments, "cuts": cuts}))
        assert self._process.stdin and self._process.stdout
        lines = [self._process.stdout.readline()]
        if not lines[0].startswith("{"):
            self._process.stdin.close()  # it ends, if it has not
            lines += self._process.stdout
            raise AssertionError("".join(lines))
        answer = json.loads(lines[0])
        self.state = answer["state"]
        return answer["cut"], answer.get("result")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
