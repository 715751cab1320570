"""Lines from stdin, without ever waiting for the rest of one.

Imports `select`, `sys` and `time`. When the input ends there are no more lines, and that is all.
"""

import select
import sys
import time

_LONGEST = 16_384  # bytes of a line; what comes on top is dropped


class Console:
    """Whoever sits at stdin."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        # CPython's buffer would swallow lines that `poll` then knows nothing of.
        self._input = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
        self._line = bytearray()
        self._is_open = True

    def wait(self, ms: int) -> "bytes | None":
        """The next line, None if it is not complete within so many ms."""
        if not self._is_open:
            time.sleep_ms(ms)
            return None
        while self._poll.poll(ms):
            ms = 0
            byte = self._input.read(1)
            if not byte:
                self._is_open = False
                return None
            if byte == b"\n":
                line = bytes(self._line)
                self._line = bytearray()
                return line
            if len(self._line) < _LONGEST:
                self._line += byte
        return None
