"""Lines from stdin, without ever waiting for the rest of one.

Imports `select` and `sys`. When the input ends there are no more lines, and that is all.
"""

import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST = 16_384  # bytes of a line; what comes on top is dropped


class Console:
    """Whoever sits at stdin. What there is to read from `also`, a stream, ends a wait, too."""

    def __init__(self, also: "Any" = None) -> None:
        self._typed = select.poll()
        self._typed.register(sys.stdin, select.POLLIN)
        self._any = select.poll()
        self._any.register(sys.stdin, select.POLLIN)
        if also is not None:
            self._any.register(also, select.POLLIN)
        # CPython's buffer would swallow lines that `poll` then knows nothing of.
        self._input = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
        self._line = bytearray()
        self._is_open = True

    def wait(self, ms: int) -> "bytes | None":
        """The next line, None if it is not complete within so many ms."""
        if not self._any.poll(ms):
            return None
        while self._is_open and self._typed.poll(0):
            byte = self._input.read(1)
            if not byte:
                self._is_open = False
                self._any.unregister(sys.stdin)
            elif byte == b"\n":
                line = bytes(self._line)
                self._line = bytearray()
                return line
            elif len(self._line) < _LONGEST:
                self._line += byte
        return None
