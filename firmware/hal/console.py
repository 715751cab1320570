"""The serial line: lines from it, without ever waiting for the rest of one, or bytes as they come.

Imports `select` and `sys`.
"""

import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST = 16_384  # bytes of a line; what comes on top is dropped


class Console:
    """Lines of whoever sits at stdin; when the input ends there are no more, and that is all.

    What there is to read from `also`, a stream, ends a wait, too.
    """

    def __init__(self, also: "Any" = None) -> None:
        self._typed = select.poll()
        self._typed.register(sys.stdin, select.POLLIN)
        self._any = select.poll()
        self._any.register(sys.stdin, select.POLLIN)
        if also is not None:
            self._any.register(also, select.POLLIN)
        self._input = _raw(sys.stdin)
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


class Line:
    """The bytes of stdin and stdout as they are, Ctrl-C among them if it is switched off."""

    def __init__(self) -> None:
        self._typed = select.poll()
        self._typed.register(sys.stdin, select.POLLIN)
        self._input = _raw(sys.stdin)
        self.write = _raw(sys.stdout).write

    def read(self, ms: int) -> "bytes | None":
        """The next byte, None if there is none within so many ms, b"" if there never will be."""
        if not self._typed.poll(ms):
            return None
        byte: bytes = self._input.read(1)
        return byte


def _raw(stream):
    """CPython's buffer would swallow bytes that `poll` then knows nothing of."""
    return getattr(stream.buffer, "raw", stream.buffer)
