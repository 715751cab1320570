"""An exported log: a head that says what came before, then the entries as they are on flash.

Imports its siblings. A lock writes it a page at a time; the tools read it.
"""

import struct

from . import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .segments import Segments

HEAD_BYTES = 32

_HEAD = ">6sBxI16s4x"  # magic, whether the link is known, number before the first entry, its link
_MAGIC = b"SLOG\x01\x40"  # format 1, entries of 64 bytes
_NO_LINK = b"\x00" * entry.LINK_BYTES


class HeadError(Exception):
    """These bytes do not begin an export."""


def read_head(head: bytes) -> "tuple[int, bytes | None]":
    """What `Reader.head` wrote: (number before the first entry, 0 if not known; its link or None).

    Raises HeadError.
    """
    if len(head) != HEAD_BYTES or head[: len(_MAGIC)] != _MAGIC:
        raise HeadError("not an export of a log, or of another format")
    _, known, after, link = struct.unpack(_HEAD, head)
    return after, link if known else None


class Reader:
    """Entries in the order of their numbers, a page at a time; made by `Log.reader`.

    `head` comes first in a file. What is appended meanwhile is read, too; what leaves the ring
    meanwhile is missing, and the chain shows it.
    """

    def __init__(
        self,
        segments: "Segments",
        first: int,
        place: int,
        after: int,
        previous: "bytes | None",
    ) -> None:
        self._segments = segments
        self._first = first
        self._place = place
        self._after = after
        self._previous = previous

    def head(self) -> bytes:
        """HEAD_BYTES that say what comes before the first entry."""
        known = self._previous is not None
        return struct.pack(_HEAD, _MAGIC, known, self._after, self._previous or _NO_LINK)

    def read_into(self, buffer: "bytearray | memoryview") -> int:
        """Fill the buffer with whole entries; how many bytes those are, 0 after the last one."""
        whole = memoryview(buffer)[: len(buffer) // entry.BYTES * entry.BYTES]
        length, self._first, self._place = self._segments.page(self._first, self._place, whole)
        return length
