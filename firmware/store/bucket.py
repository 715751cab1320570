"""One file of the grant cache in RAM: up to 42 slots, each under its own seal.

Imports `record` and `seal`. A seal covers the file's number, the slot's, how many there are,
the generation and the content. Every write raises the generation and seals all slots anew, so a
slot that was edited, moved, taken out or put back from earlier is noticed, and it alone: the
others keep their seals. What is not readable is never sealed again; it stays where it is until
it is dropped.
"""

from . import record
from .record import GENERATION, MORE, PARTS, SEAL, SLOT_BYTES, VACANT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

    from .files import Files
    from .seal import Seal

SLOTS = 42  # in an erase block of 4096 bytes
NONE = -1  # no bucket, no slot

_UNSEEN = 0
_GOOD = 1
_BAD = 2


class Bucket:
    """The bucket that was loaded last, in the lent `page` of at least SLOTS slots, of which
    `view` is a view.

    `number` of the file; `count` of its slots; `generation` as of its last write, 0 before the
    first; `lost`: littlefs itself cannot read the file, so nothing may be written to it.
    """

    def __init__(self, folders: "Sequence[Files]", seal: "Seal", page: bytearray) -> None:
        self.page = page
        self.view = memoryview(page)
        self.number = NONE
        self.count = 0
        self.generation = 0
        self.lost = False
        self._folders = folders
        self._seal = seal
        self._space = self.view[: SLOTS * SLOT_BYTES]
        self._marks = bytearray(SLOTS)
        self._place = bytearray(4)

    def load(self, number: int) -> None:
        """Read a bucket, unless it is the one that is here."""
        if number == self.number:
            return
        self.forget()
        self.lost = False
        try:
            length = self._files(number).read_into(_name(number), 0, self._space)
        except OSError:
            self.lost = True
            length = 0
        self.count = length // SLOT_BYTES
        for slot in range(SLOTS):
            self._marks[slot] = _UNSEEN
        self.number = number
        self._find_generation()

    def _files(self, number: int) -> "Files":
        return self._folders[number % len(self._folders)]

    def forget(self) -> None:
        """The page is used for something else, or cannot be relied on."""
        self.number = NONE

    def _find_generation(self) -> None:
        """That of the slots, where they agree; else the latest under a good seal."""
        self.generation = record.number(self.page, GENERATION) if self.count else 0
        for slot in range(1, self.count):
            if not self._same_generation(slot * SLOT_BYTES + GENERATION):
                self._settle_generation()
                return

    def _same_generation(self, at: int) -> bool:
        for i in range(4):
            if self.page[at + i] != self.page[GENERATION + i]:
                return False
        return True

    def _settle_generation(self) -> None:
        self.generation = 0
        for slot in range(self.count):
            if self._sealed(slot):
                written = record.number(self.page, slot * SLOT_BYTES + GENERATION)
                self.generation = max(self.generation, written)

    # --- looking --------------------------------------------------------------------------------

    def good(self, slot: int) -> bool:
        """Whether a slot is what was written to it last."""
        mark = self._marks[slot]
        if mark == _UNSEEN:
            written = record.number(self.page, slot * SLOT_BYTES + GENERATION)
            mark = _GOOD if written == self.generation and self._sealed(slot) else _BAD
            self._marks[slot] = mark
        return mark == _GOOD

    def whole(self, slot: int) -> bool:
        """Whether all slots of the record that begins at `slot` are good and belong together."""
        if not self.good(slot):
            return False
        parts = record.parts(self.page, slot * SLOT_BYTES)
        for part in range(1, parts):
            at = (slot + part) * SLOT_BYTES
            if slot + part >= self.count or not self.good(slot + part):
                return False
            if record.kind(self.page, at) != MORE or self.page[at + PARTS] != part:
                return False
        return True

    def first_bad(self) -> int:
        """The first slot that is not good, NONE if all are."""
        for slot in range(self.count):
            if not self.good(slot):
                return slot
        return NONE

    def seek(self, offset: int, value: bytes, start: int) -> int:
        """The first slot from `start` on that has `value` at `offset`, NONE if there is none."""
        at = start * SLOT_BYTES
        end = self.count * SLOT_BYTES
        while True:
            at = self.page.find(value, at, end)
            if at < 0:
                return NONE
            if at % SLOT_BYTES == offset:
                return at // SLOT_BYTES
            at += 1

    def next_head(self, slot: int) -> int:
        """The first slot from `slot` on that begins a record with a good seal, NONE at the end."""
        while slot < self.count:
            kind = record.kind(self.page, slot * SLOT_BYTES)
            if kind not in (VACANT, MORE) and self.good(slot):
                return slot
            slot += 1
        return NONE

    def used(self) -> int:
        """How many slots are taken, also by what is not readable."""
        return 0 if self._is_vacant() else self.count

    def _is_vacant(self) -> bool:
        return self.count == 1 and self.page[0] == VACANT and self.good(0)

    def _sealed(self, slot: int) -> bool:
        at = slot * SLOT_BYTES
        place = self._place_of(slot)
        return self._seal.fits(place, self.view[at : at + SEAL], self.page, at + SEAL)

    def _place_of(self, slot: int) -> bytearray:
        place = self._place
        place[0] = self.number >> 8
        place[1] = self.number & 0xFF
        place[2] = slot
        place[3] = self.count
        return place

    # --- changing; nothing is written before `save` ---------------------------------------------

    def check(self) -> None:
        """Look at every slot; before the first change, while the seals still tell."""
        for slot in range(self.count):
            self.good(slot)

    def add(self, slots: "bytes | bytearray") -> int:
        """Put a record behind the others, where there must be room; returns its first slot."""
        if self._is_vacant():
            self.count = 0
        slot = self.count
        at = slot * SLOT_BYTES
        self.page[at : at + len(slots)] = slots
        self.count += len(slots) // SLOT_BYTES
        for place in range(slot, self.count):
            self._marks[place] = _GOOD
        return slot

    def drop(self, slot: int, parts: int) -> None:
        """Take slots out; those behind move up."""
        for place in range(slot, self.count - parts):
            at, behind = place * SLOT_BYTES, (place + parts) * SLOT_BYTES
            self.view[at : at + SLOT_BYTES] = self.view[behind : behind + SLOT_BYTES]
            self._marks[place] = self._marks[place + parts]
        self.count -= parts

    def save(self) -> None:
        """Write the bucket as its next generation. After an OSError it is forgotten."""
        number = self.number
        if self.count == 0:
            self.add(record.vacant())
        self.generation += 1
        for slot in range(self.count):
            if self._marks[slot] == _GOOD:
                at = slot * SLOT_BYTES
                record.put_number(self.page, at + GENERATION, self.generation)
                seal = self._seal.of(self._place_of(slot), self.view[at : at + SEAL])
                self.view[at + SEAL : at + SLOT_BYTES] = seal
        self.forget()
        self._files(number).replace(_name(number), self.view[: self.count * SLOT_BYTES])
        self.number = number

    def remove(self, number: int) -> None:
        """Remove the file of a bucket."""
        self.forget()
        self._files(number).remove(_name(number))


def _name(number: int) -> str:
    return "g%03d" % number
