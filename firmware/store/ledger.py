"""What the buckets should be, kept apart from them: 128 bytes, rewritten before every change.

Imports `files` and `seal`. Buckets are rewritten one at a time; if littlefs loses the last
changes of their folder to a damaged bit, or somebody puts an old file back, each of them still
looks well. So the ledger, in a folder of its own, adds up their generations. It says which
bucket is written next, so that a cut between the two is told from a loss; and it holds the
youngest hints of the key index, so that not every new key costs another erase: at 128 bytes
littlefs keeps a file beside its name, and some twenty changes of it cost one erase.
"""

import struct

from .seal import SEAL_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Files
    from .seal import Seal

NAME = "ledger"
BYTES = 128
SUMS = 8
SUM_RANGE = 1 << 24
MOST_HINTS = 13
MOST_INDEX_FILES = 15
NOWHERE = 0xFFFF

# What reading it found.
FRESH = 0
GOOD = 1
DAMAGED = 2

_DOUBTFUL = 0x80  # beside the number of hints
_UNCOUNTED = 0x40
_COUNT = 0x3F
_FORMAT = 1
_PLACE = b"ledger\x00\x01"
_HEAD = ">BBHIHH"
_SUMS = 12
_SUM_BYTES = 3
_INDEX = _SUMS + SUMS * _SUM_BYTES
_HINTS = _INDEX + MOST_INDEX_FILES
_HINT_BYTES = 5
_SEAL = BYTES - SEAL_BYTES


class Ledger:
    """`sums[i]` adds up the generations of the buckets b with b % SUMS == i, modulo 2**24.

    `last` is the bucket that was to become `last_generation`; a key was on its way from bucket
    `moved_from` to `moved_to`, if they are not NOWHERE. `hints` are (group, cell) of the key
    index, and `index[i]` is the generation of its file i. `doubtful`: an earlier ledger was lost,
    and with it perhaps hints. `uncounted`: counts of uses were lost.
    """

    def __init__(self, files: "Files", seal: "Seal") -> None:
        self._files = files
        self._seal = seal
        self._bytes = bytearray(BYTES)
        self.clear()

    def clear(self) -> None:
        """Nothing is known."""
        self.sums = [0] * SUMS
        self.index = bytearray(MOST_INDEX_FILES)
        self.doubtful = self.uncounted = False
        self.hints: "list[tuple[int, int]]" = []
        self.last = self.moved_from = self.moved_to = NOWHERE
        self.last_generation = 0

    def read(self) -> int:
        """Read it: FRESH if there is none, GOOD, or DAMAGED."""
        self.clear()
        try:
            length = self._files.read_into(NAME, 0, self._bytes)
        except OSError:
            return DAMAGED
        if length == 0:
            return FRESH
        content = self._bytes
        if length != BYTES or self._seal.of(_PLACE, content[:_SEAL]) != content[_SEAL:]:
            return DAMAGED
        _, count, self.last, self.last_generation, self.moved_from, self.moved_to = struct.unpack(
            _HEAD, content[:_SUMS]
        )
        self.doubtful = bool(count & _DOUBTFUL)
        self.uncounted = bool(count & _UNCOUNTED)
        self.index[:] = content[_INDEX:_HINTS]
        for i in range(SUMS):
            self.sums[i] = _read(content, _SUMS + i * _SUM_BYTES)
        for i in range(count & _COUNT):
            at = _HINTS + i * _HINT_BYTES
            self.hints.append((content[at] << 8 | content[at + 1], _read(content, at + 2)))
        return GOOD

    def write(self) -> None:
        """Write it as it is now."""
        content = self._bytes
        flags = (_DOUBTFUL if self.doubtful else 0) | (_UNCOUNTED if self.uncounted else 0)
        struct.pack_into(
            _HEAD, content, 0,
            _FORMAT, len(self.hints) | flags,
            self.last, self.last_generation, self.moved_from, self.moved_to,
        )  # fmt: skip
        content[_INDEX:_HINTS] = self.index
        for i in range(SUMS):
            _write(content, _SUMS + i * _SUM_BYTES, self.sums[i])
        for i in range(MOST_HINTS):
            group, cell = self.hints[i] if i < len(self.hints) else (0, 0)
            at = _HINTS + i * _HINT_BYTES
            content[at] = group >> 8
            content[at + 1] = group & 0xFF
            _write(content, at + 2, cell)
        content[_SEAL:] = self._seal.of(_PLACE, content[:_SEAL])
        self._files.replace(NAME, content)

    def announce(self, bucket: int, generation: int, moved_from: int, moved_to: int) -> None:
        """Write that a bucket is about to become a generation."""
        self.last = bucket
        self.last_generation = generation
        self.moved_from = moved_from
        self.moved_to = moved_to
        self._shift(bucket, 1)
        self.write()

    def confirm(self) -> None:
        """Write that what was announced is done: nothing is under way."""
        self.last = self.moved_from = self.moved_to = NOWHERE
        self.write()

    def settle(self, generation: int) -> None:
        """The bucket `last` has this generation: was what was announced done?"""
        if generation == self.last_generation - 1:
            self._shift(self.last, -1)
            self.last_generation = generation

    def _shift(self, bucket: int, by: int) -> None:
        place = bucket % SUMS
        self.sums[place] = (self.sums[place] + by) % SUM_RANGE


def _read(content: bytearray, at: int) -> int:
    return content[at] << 16 | content[at + 1] << 8 | content[at + 2]


def _write(content: bytearray, at: int, value: int) -> None:
    content[at] = value >> 16
    content[at + 1] = value >> 8 & 0xFF
    content[at + 2] = value & 0xFF
