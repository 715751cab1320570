"""The files of the audit log: segments of 64 entries, each named by its first sequence number.

Imports its siblings. A full segment is one erase block. Knows where entries are, no more.
"""

from . import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Files

PER_SEGMENT = 64

_DIGITS = "0123456789abcdef"


class Segments:
    """The segments in a folder; `firsts` has the first number of each, oldest first."""

    def __init__(self, files: "Files") -> None:
        self._files = files
        self.firsts: "list[int]" = []

    def load(self, oldest: int) -> None:
        """List the segments; those below `oldest`, and empty ones, are what a cut left behind."""
        self.firsts.clear()
        for name in self._files.names():
            first = _number(name)
            if first is None:
                continue
            if first < oldest or self._files.size(name) <= 0:
                self._files.remove(name)
            else:
                self.firsts.append(first)
        self.firsts.sort()

    def append(self, first: int, data: memoryview) -> None:
        """Add entries to a segment, all of them or none."""
        self._files.append(_name(first), data)

    def remove(self, first: int) -> None:
        """Remove a segment."""
        self._files.remove(_name(first))
        self.firsts.remove(first)

    def count(self, first: int) -> int:
        """Entries in a segment, 0 if there is no such segment."""
        return max(self._files.size(_name(first)), 0) // entry.BYTES

    def read(self, first: int, place: int, record: bytearray) -> bool:
        """Read one entry of a segment; False if the file system cannot."""
        try:
            return self._files.read_into(_name(first), place * entry.BYTES, record) == entry.BYTES
        except OSError:  # what littlefs makes of damage to its own structures
            return False

    def find(self, sequence: int, record: bytearray) -> "tuple[int, int] | None":
        """Read an entry by its number; its segment and place there, None if it is not here."""
        for first in reversed(self.firsts):
            if first > sequence:
                continue
            # Where numbers were skipped it is nearer to the front; it is never further off.
            for place in range(min(sequence - first, PER_SEGMENT - 1), -1, -1):
                if self.read(first, place, record) and entry.sequence(record) == sequence:
                    return first, place
            break
        return None

    def page(self, first: int, place: int, buffer: memoryview) -> "tuple[int, int, int]":
        """Fill the buffer from a place on: (bytes, segment, place after them); 0 bytes at the end.

        A segment that has gone, or that the file system cannot read, is passed over.
        """
        for segment in self.firsts:
            if segment < first:
                continue
            if segment > first:
                place = 0
            try:
                length = self._files.read_into(_name(segment), place * entry.BYTES, buffer)
            except OSError:  # as in `read`
                length = 0
            if length:
                return length, segment, place + length // entry.BYTES
        return 0, first, place


def _name(first: int) -> str:
    return "%08x" % first


def _number(name: str) -> "int | None":
    """The first number of a segment by its name, None for another file."""
    if len(name) != 8:
        return None
    for char in name:
        if char not in _DIGITS:
            return None
    return int(name, 16)
