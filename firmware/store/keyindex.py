"""In which bucket the grant of a key is: hints, which a look into the bucket confirms.

Imports `ledger`. A share chooses the bucket, so that all about it changes together; this leads
from a key to it. A hint is never the only record of anything: one too many costs a look, and
all of them can be made again from the buckets. They are three bytes - nine bits for the bucket,
14 of a keyed hash of the key - in groups of 41, 32 groups to a file of one erase block. What
does not fit a group is in the next one of the file, and the group says so. Each group also has
the generation of its file, which the ledger knows: so an index file that is not the latest is
noticed, too.
"""

import struct
from binascii import crc32

from .ledger import MOST_HINTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Sequence

    from .files import Files
    from .ledger import Ledger

FILE_BYTES = 4096
MOST_BUCKETS = 510

_GROUP_BYTES = 128
_GROUPS = FILE_BYTES // _GROUP_BYTES
_CELLS = 41
_CELL_BYTES = 3
_REACH = 8  # groups that a hint may be away from its own
_MARK = _CELLS * _CELL_BYTES  # one bit: go on with the next group; seven: generation
_GO_ON = 0x80
_GENERATION = 0x7F
_GENERATIONS = 127  # they go from 1 to this, and from there to 1
_CRC = _MARK + 1
_EMPTY = 0xFFFFFF
_BUCKET_BITS = 9
_BUCKET_MASK = (1 << _BUCKET_BITS) - 1
_WORDS = 8  # of 16 bits, of a key
_PRIME = 16_381  # the largest of 14 bits: 65_535 times less than it is a small integer


class KeyIndex:
    """Hints in `folders`, the youngest of them in the ledger; `secret` (32 bytes) keys the hash.

    `doubtful` lists the files (by number) whose hints are not all there.
    """

    def __init__(
        self, folders: "Sequence[Files]", ledger: "Ledger", secret: bytes, count: int
    ) -> None:
        self.doubtful: "set[int]" = set()
        self.file_count = count
        self._folders = folders
        self._ledger = ledger
        self._factors = [
            (secret[2 * i] << 8 | secret[2 * i + 1]) % (_PRIME - 1) + 1 for i in range(2 * _WORDS)
        ]
        self._group = bytearray(_GROUP_BYTES)
        self._crc = bytearray(4)
        self._home = 0
        self._print = 0
        self._found: "list[int]" = []

    def _locate(self, key: bytes) -> None:
        """Universal hashing (Carter and Wegman, 1979): keeps to small integers, takes no heap."""
        factors = self._factors
        home = mark = 0
        for i in range(_WORDS):
            word = key[2 * i] << 8 | key[2 * i + 1]
            home = (home + word * factors[i]) % _PRIME
            mark = (mark + word * factors[_WORDS + i]) % _PRIME
        self._home = home % (self.file_count * _GROUPS)
        self._print = mark

    def buckets(self, key: bytes) -> "list[int]":
        """The buckets where the grant of a key may be, the latest hint first; lent."""
        self._locate(key)
        found = self._found
        found.clear()
        for hint in self._ledger.hints:
            if hint[0] == self._home and hint[1] >> _BUCKET_BITS == self._print:
                found.insert(0, hint[1] & _BUCKET_MASK)
        for step in range(_REACH):
            if not self._look((self._home + step) % _GROUPS):
                break
        return found

    def is_doubtful(self) -> bool:
        """Whether hints may be missing for the key that was asked for last."""
        return self._home // _GROUPS in self.doubtful

    def _look(self, group: int) -> bool:
        """Take over what a group of the file says; whether to go on with the next one."""
        number = self._home // _GROUPS
        length = self._length(number, group * _GROUP_BYTES, self._group)
        if length == 0 and not self._ledger.index[number]:
            return False  # the file was never written
        if length != _GROUP_BYTES or not self._is_good(self._group, 0, number, group):
            self.doubtful.add(number)
            return False
        self._collect()
        return bool(self._group[_MARK] & _GO_ON)

    def _collect(self) -> None:
        group = self._group
        high, low = self._print >> 7, (self._print & 0x7F) << 1
        for at in range(0, _MARK, _CELL_BYTES):
            if group[at] == high and group[at + 1] & 0xFE == low:
                bucket = (group[at + 1] & 1) << 8 | group[at + 2]
                if bucket not in self._found and bucket < MOST_BUCKETS:
                    self._found.append(bucket)

    def _files(self, number: int) -> "Files":
        return self._folders[number % len(self._folders)]

    def _length(self, number: int, offset: int, view: "bytearray | memoryview") -> int:
        """Read from a file; how many bytes there were, -1 if littlefs cannot read it."""
        try:
            return self._files(number).read_into(_name(number), offset, view)
        except OSError:
            return -1

    def _is_good(self, page: bytearray, begin: int, number: int, group: int) -> bool:
        struct.pack_into(">I", self._crc, 0, _crc(page, begin, number, group))
        for i in range(4):
            if page[begin + _CRC + i] != self._crc[i]:
                return False
        return self._is_latest(number, page[begin + _MARK] & _GENERATION)

    def _is_latest(self, number: int, generation: int) -> bool:
        """Not behind the ledger; ahead of it is what was cut off before the ledger was written."""
        return (generation - self._ledger.index[number]) % _GENERATIONS < _GENERATIONS // 2

    def has_room(self) -> bool:
        """Whether one more hint fits the ledger."""
        return len(self._ledger.hints) < MOST_HINTS

    def add(self, key: bytes, bucket: int) -> None:
        """Take a hint into the ledger, which has room; it is written with the next change."""
        self._locate(key)
        hint = (self._home, self._print << _BUCKET_BITS | bucket)
        if hint not in self._ledger.hints:
            self._ledger.hints.append(hint)

    def make_room(self, page: bytearray) -> bool:
        """Move the ledger's hints for one file there, that with the most, using `page`.

        False if there is no room left, which only hints of grants long gone can take, or if the
        file's own are not all readable; then it has to be `rebuilt`. The ledger is not written:
        until it is, the hints are in both places.
        """
        number = self.fullest()
        length = self._length(number, 0, memoryview(page)[:FILE_BYTES])
        if length == 0 and not self._ledger.index[number]:
            _clear(page)
        elif length != FILE_BYTES or not self._all_good(page, number):
            self.doubtful.add(number)
            return False
        for group, cell in self._ledger.hints:
            if group // _GROUPS == number and not _insert(page, group % _GROUPS, cell):
                return False
        self._write(number, page)
        return True

    def fullest(self) -> int:
        """The file that most of the ledger's hints are for."""
        numbers = [group // _GROUPS for group, _ in self._ledger.hints]
        return max(numbers, key=numbers.count)

    def _all_good(self, page: bytearray, number: int) -> bool:
        for group in range(_GROUPS):
            if not self._is_good(page, group * _GROUP_BYTES, number, group):
                return False
        return True

    def _write(self, number: int, page: bytearray) -> None:
        generation = (page[_MARK] & _GENERATION) % _GENERATIONS + 1
        for group in range(_GROUPS):
            begin = group * _GROUP_BYTES
            page[begin + _MARK] = page[begin + _MARK] & _GO_ON | generation
            struct.pack_into(">I", page, begin + _CRC, _crc(page, begin, number, group))
        self._ledger.index[number] = generation
        self._files(number).replace(_name(number), memoryview(page)[:FILE_BYTES])
        self._ledger.hints = [hint for hint in self._ledger.hints if hint[0] // _GROUPS != number]

    def rebuilt(self, number: int, pairs: "Iterable[tuple[bytes, int]]") -> None:
        """Write a file anew from (key, bucket) of all grants. Takes 4 KB of heap meanwhile."""
        page = bytearray(FILE_BYTES)
        _clear(page)
        page[_MARK] = self._ledger.index[number]
        self.doubtful.discard(number)
        for key, bucket in pairs:
            self._locate(key)
            if self._home // _GROUPS == number:
                cell = self._print << _BUCKET_BITS | bucket
                if not _insert(page, self._home % _GROUPS, cell):
                    self.doubtful.add(number)
        self._write(number, page)


def _clear(page: bytearray) -> None:
    for at in range(FILE_BYTES):
        page[at] = 0xFF if at % _GROUP_BYTES < _MARK else 0


def _insert(page: bytearray, group: int, cell: int) -> bool:
    """Put a cell into its group or the next with room; False if there is none within reach."""
    for _ in range(_REACH):
        begin = group * _GROUP_BYTES
        for at in range(begin, begin + _MARK, _CELL_BYTES):
            there = page[at] << 16 | page[at + 1] << 8 | page[at + 2]
            if there == cell:
                return True
            if there == _EMPTY:
                page[at] = cell >> 16
                page[at + 1] = cell >> 8 & 0xFF
                page[at + 2] = cell & 0xFF
                return True
        page[begin + _MARK] |= _GO_ON
        group = (group + 1) % _GROUPS
    return False


def _crc(page: bytearray, begin: int, number: int, group: int) -> int:
    return crc32(memoryview(page)[begin : begin + _CRC], number * _GROUPS + group + 1)


def _name(number: int) -> str:
    return "k%02d" % number
