"""The buckets of the grant cache together: finding a key or a share in them, and changing one.

Imports crypto and its siblings. Invariants: a change is announced in the ledger and then made
by writing one file; after a cut `settle` finds out which of the two was done. What is damaged
is reported and passed over. Only one bucket is in RAM at a time; `bucket` is the one loaded
last.
"""

from hashlib import sha256

from ..crypto.kdf import HASH_BYTES, hkdf_expand
from . import record, shares
from .bucket import NONE, SLOTS, Bucket
from .keyindex import FILE_BYTES, KeyIndex
from .ledger import DAMAGED, FRESH, NOWHERE, SUM_RANGE, SUMS, Ledger
from .record import GRANT, SLOT_BYTES
from .seal import Seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Sequence

    from .files import Files

# What a report is about: (one of these, number of a bucket or a file, slot).
SLOT = 1  # a slot is not what was written to it
BUCKET = 2  # littlefs cannot read a bucket
SETBACK = 3  # a bucket is older than it was: one of those with this number modulo SUMS
INDEX = 4  # an index file is damaged or old
LEDGER = 5

_MOST_REPORTS = 16

FOR_REVOCATIONS = 32  # slots on top of the capacity
FOR_OWNERS = 32  # and on top of those

# Who asks for room; each may have one more of the last two slots of a bucket.
GUESTS = 0
REVOCATIONS = 1
OWNERS = 2
_BEYOND = (0, FOR_REVOCATIONS, FOR_REVOCATIONS + FOR_OWNERS)


class Shelves:
    """`count` buckets and `index_files` of hints in `folders`, and their ledger `apart`.

    `reports` lists damage that was met, until somebody clears it. `slots_in[n]` and `grants_in[n]`
    tell what bucket n holds and `slots` their sum, once `counted`. `setbacks`: buckets n with
    n % SUMS in it may be older than they were. `is_hurt`: something of a bucket could not be read,
    or was older. `changes` counts writes. `ledger` and `index` are for `repair`.
    """

    def __init__(
        self,
        folders: "Sequence[Files]",
        apart: "Files",
        device_key: bytes,
        count: int,
        index_files: int,
    ) -> None:
        self.count = count
        self.reports: "list[tuple[int, int, int]]" = []
        self.slots_in = bytearray(count)
        self.grants_in = bytearray(count)
        self.slots = 0
        self.setbacks: "set[int]" = set()
        self.is_hurt = False
        self._folders = folders
        self._secret = hkdf_expand(device_key, b"grants place", HASH_BYTES)
        seal = Seal(hkdf_expand(device_key, b"grants seal", HASH_BYTES))
        self._page = bytearray(FILE_BYTES)
        self.bucket = Bucket(folders, seal, self._page)
        self.ledger = Ledger(apart, seal)
        self.index = KeyIndex(folders, self.ledger, self._secret, index_files)
        self.counted = False
        self.changes = 0
        self._settled = False
        self._boot()

    # --- finding --------------------------------------------------------------------------------

    def load(self, number: int) -> None:
        """Bring a bucket into RAM."""
        self.bucket.load(number)
        if self.bucket.lost:
            self._report(BUCKET, number, 0)

    def find_key(self, key: bytes) -> int:
        """Load the bucket with the grant of a key; returns its slot, or NONE."""
        if self.bucket.number != NONE:
            slot = shares.seek_key(self.bucket, key)
            if slot != NONE:
                return slot
        for number in self.index.buckets(key):
            slot = self._key_in(number, key)
            if slot != NONE:
                return slot
        return self._find_key_anywhere(key) if self.index.is_doubtful() else NONE

    def _find_key_anywhere(self, key: bytes) -> int:
        """The same without the index."""
        for number in self.index.doubtful:
            self._report(INDEX, number, 0)
        for number in range(self.count):
            slot = self._key_in(number, key)
            if slot != NONE:
                return slot
        return NONE

    def _key_in(self, number: int, key: bytes) -> int:
        if number >= self.count:
            return NONE
        self.load(number)
        slot = shares.seek_key(self.bucket, key)
        if slot == NONE:
            self.is_damaged()
        return slot

    def candidates(self, share: bytes) -> "tuple[int, int]":
        """The two buckets that a share may be in; nobody without the key can choose them."""
        hashed = sha256(self._secret)
        hashed.update(b"share")
        hashed.update(share)
        digest = hashed.digest()
        first = (digest[0] << 8 | digest[1]) % self.count
        step = (digest[2] << 8 | digest[3]) % (self.count - 1)
        return first, (first + 1 + step) % self.count

    def find_share(self, share: bytes) -> int:
        """Load the bucket that a share is in; returns its number, or NONE."""
        if self.bucket.number != NONE and self._is_here(share):
            return self.bucket.number
        for number in self.candidates(share):
            self.load(number)
            if self._is_here(share):
                return number
        return NONE

    def _is_here(self, share: bytes) -> bool:
        return shares.seek(self.bucket, share, shares.ANY, 0) != NONE

    def home_of(self, share: bytes) -> int:
        """The emptier of the two buckets that a share may be in, for one that is in none."""
        first, second = self.candidates(share)
        return first if self.slots_in[first] <= self.slots_in[second] else second

    def grants_of(self, number: int) -> "Iterator[int]":
        """The slots in which grants begin in a bucket, which is loaded again after every one."""
        slot = 0
        self.load(number)
        while slot < self.bucket.count:
            if record.kind(self._page, slot * SLOT_BYTES) == GRANT and self.bucket.whole(slot):
                yield slot
                self.load(number)
            slot += 1

    def is_damaged(self) -> bool:
        """Whether the loaded bucket has something that cannot be read; it is reported."""
        slot = self.bucket.first_bad()
        if slot != NONE:
            self._report(SLOT, self.bucket.number, slot)
        return self.bucket.lost or slot != NONE

    def is_suspect(self, number: int) -> bool:
        """Load a bucket; whether it may lack something that was written to it."""
        self.load(number)
        return self.is_damaged() or number % SUMS in self.setbacks

    def _report(self, what: int, number: int, slot: int) -> None:
        self.is_hurt = self.is_hurt or what in (SLOT, BUCKET, SETBACK)
        report = (what, number, slot)
        if report not in self.reports and len(self.reports) < _MOST_REPORTS:
            self.reports.append(report)

    # --- changing -------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Before a change that takes room: nothing is unfinished, and all slots are counted."""
        self.settle()
        self.count_all()
        if not self.index.has_room():
            self._move_hints()

    def _move_hints(self) -> None:
        number = self.index.fullest()
        self.bucket.forget()  # its page is used
        if not self.index.make_room(self._page):
            if self.index.doubtful:
                self._report(INDEX, number, 0)
            self.index.rebuilt(number, self.keys())

    def commit(self, key: "bytes | None" = None) -> None:
        """Write the loaded bucket, in which `key` may be new: before this it is old, then new."""
        if key is not None:
            self.index.add(key, self.bucket.number)
        self.write()

    def commit_move(self, key: bytes, moved_from: int) -> None:
        """The same, and then take the grant of `key` out of the bucket where it was."""
        moved_to = self.bucket.number
        self.index.add(key, moved_to)
        self.write(moved_from, moved_to)
        self._take_out([key], moved_from, moved_to)

    def _take_out(self, keys: "list[bytes]", moved_from: int, moved_to: int) -> None:
        self.load(moved_from)
        self.bucket.check()
        found = False
        for key in keys:
            slot = shares.seek_key(self.bucket, key)
            if slot != NONE:
                shares.take_out(self.bucket, slot)
                found = True
        if found:
            self.write(moved_from, moved_to)

    def write(self, moved_from: int = NOWHERE, moved_to: int = NOWHERE) -> None:
        """Write the loaded bucket, announced in the ledger; perhaps a step of a key's move."""
        bucket = self.bucket
        number = bucket.number
        self._settled = False
        self.changes += 1
        bucket.forget()  # so that an error on the way leaves nothing here that is not on flash
        self.ledger.announce(number, bucket.generation + 1, moved_from, moved_to)
        bucket.number = number
        bucket.save()
        self._settled = True
        self.slots -= self.slots_in[number]
        self._take_stock()
        self.slots += self.slots_in[number]

    def confirm(self) -> None:
        """Write to the ledger that the last change was made."""
        self.settle()
        if self.ledger.last != NOWHERE:
            self.ledger.confirm()

    def keys(self) -> "Iterator[tuple[bytes, int]]":
        """(key, bucket) of all grants."""
        for number in range(self.count):
            for slot in self.grants_of(number):
                yield record.key_of(self.bucket.view, slot * SLOT_BYTES), number

    # --- counting -------------------------------------------------------------------------------

    def count_all(self) -> None:
        """All of `scan` in one go, unless it is done."""
        for _ in self.scan():
            pass

    def scan(self) -> "Iterator[None]":
        """Look at every slot, count, and report damage; one step for each bucket."""
        while not self.counted:
            self.settle()
            changes = self.changes
            sums = [0] * SUMS
            for number in range(self.count):
                self.load(number)
                self._take_stock()
                place = number % SUMS
                sums[place] = (sums[place] + self.bucket.generation) % SUM_RANGE
                yield
            if changes == self.changes:
                self.counted = True
                self.slots = sum(self.slots_in)
                self._compare(sums)

    def _take_stock(self) -> None:
        number = self.bucket.number
        grants = 0
        for _ in self.grants_of(number):
            grants += 1
        self.grants_in[number] = grants
        self.slots_in[number] = SLOTS if self.bucket.lost else self.bucket.used()
        self.is_damaged()

    def _compare(self, sums: "list[int]") -> None:
        """Find out which buckets are older than the ledger knows, or whether the ledger is."""
        ledger = self.ledger
        for i in range(SUMS):
            missing = (ledger.sums[i] - sums[i]) % SUM_RANGE
            if missing >= SUM_RANGE // 2:
                self.doubt_ledger()
        if ledger.doubtful:
            ledger.sums = sums
            return
        for i in range(SUMS):
            if sums[i] != ledger.sums[i]:
                self.setbacks.add(i)
                self._report(SETBACK, i, 0)

    # --- after a cut, and after damage ----------------------------------------------------------

    def _boot(self) -> None:
        found = self.ledger.read()
        used = [folder for folder in self._folders if found == FRESH and folder.names()]
        if found == DAMAGED or used or self.ledger.doubtful:
            self.doubt_ledger()
        self.settle()

    def doubt_ledger(self) -> None:
        """It lacks something: then hints may be missing, and its sums mean nothing."""
        self.ledger.doubtful = True
        self._report(LEDGER, 0, 0)
        for number in range(self.index.file_count):
            self.index.doubtful.add(number)

    def settle(self) -> None:
        """Find out whether the change that was announced last was made, and finish it."""
        if self._settled:
            return
        ledger = self.ledger
        self.counted = False
        self.bucket.forget()
        if ledger.last != NOWHERE:
            self.load(ledger.last)
            if not self.bucket.lost:
                ledger.settle(self.bucket.generation)
        if ledger.moved_from != NOWHERE:
            keys = [
                record.key_of(self.bucket.view, slot * SLOT_BYTES)
                for slot in self.grants_of(ledger.moved_to)
            ]
            self._take_out(keys, ledger.moved_from, ledger.moved_to)
        self._settled = True


def fits(new: int, who: int, used: int, slots: int, capacity: int) -> bool:
    """Whether `new` slots more fit a bucket with `used` ones, and a cache with `slots`."""
    if new <= 0:
        return True
    return used + new <= SLOTS - 2 + who and slots + new <= capacity + _BEYOND[who]
