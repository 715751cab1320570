"""Is there room for several changes of the grant cache, one after the other? Nothing is written.

Imports policy and its siblings. The first change must not be made if a later one finds no room,
so the slots of each bucket are counted on, as `Grants.put` and `revoke` would leave them. Where it
is not sure how many those will be, the most are counted, and the bucket is `vague`: a new share
that might go there is counted in both of its buckets.
"""

from ..policy.grant import OWNER
from . import record, shares
from .bucket import NONE
from .record import SLOT_BYTES, STANDING
from .shelves import GUESTS, OWNERS, REVOCATIONS, fits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..policy.grant import Grant
    from .shelves import Shelves


class Room:
    """A plan: revocations first, then at most one grant for each key."""

    def __init__(self, shelves: "Shelves", capacity: int) -> None:
        shelves.settle()
        shelves.count_all()
        self._shelves = shelves
        self._bucket = shelves.bucket
        self._capacity = capacity
        self._slots = shelves.slots
        self._slots_in = bytearray(shelves.slots_in)
        self._vague: "set[int]" = set()
        self._homes: "dict[bytes, tuple[int, ...]]" = {}  # of shares that are or may become new
        self._ended: "dict[bytes, set[bytes | None]]" = {}  # keys by share; None: all of them
        self._freed: "dict[bytes, int]" = {}  # slots, by what ended
        self._counting: "set[bytes]" = set()

    def revoke(self, share: bytes, key: "bytes | None", version: int) -> bool:
        """Plan the end of a share, or of one key of it; False if there is no room."""
        ended = self._ended.setdefault(share, set())
        homes = self._homes_of(share)
        if key in ended or None in ended:
            return True
        if key is not None and shares.outlives(self._bucket, share, key, version):
            return True
        new = 1 - shares.slots(self._bucket, share, key)
        if key is None:
            new += self._freed.get(share, 0)
        ended.add(key)
        self._freed[share] = self._freed.get(share, 0) - new
        return self._add(homes, new, REVOCATIONS)

    def is_ended(self, share: bytes, key: bytes) -> bool:
        """Whether the plan ends this key of a share."""
        ended = self._ended.get(share, ())
        return key in ended or None in ended

    def put(self, grant: "Grant") -> bool:
        """Plan a grant that `Grants.put` would take, or leave out; False if there is no room."""
        share, key = grant.share, grant.key
        new = len(record.encode(grant)) // SLOT_BYTES
        homes = self._homes_of(share)
        if self.is_ended(share, key):
            new -= 1  # for the revocation that it replaces
        else:
            new -= shares.slots(self._bucket, share, key)
        if record.is_counted(grant) and share not in self._counting:
            self._counting.add(share)
            if shares.seek(self._bucket, share, STANDING, 0) == NONE:
                new += 1
        if share in self._ended:
            self._vague.update(homes)  # the revocation of another key may have overtaken it
        if not self._add(homes, new, OWNERS if grant.level == OWNER else GUESTS):
            return False
        self._take_out(key, share)
        return True

    def _homes_of(self, share: bytes) -> "tuple[int, ...]":
        """The buckets that a share is in or may go to; loads the one that it is in now."""
        home = self._shelves.find_share(share)
        if share in self._homes:
            return self._homes[share]
        if home != NONE:
            return (home,)
        homes: "tuple[int, ...]" = self._shelves.candidates(share)
        first, second = homes
        if first in self._vague or second in self._vague:
            self._vague.update(homes)
        elif self._slots_in[first] <= self._slots_in[second]:
            homes = (first,)
        else:
            homes = (second,)
        self._homes[share] = homes
        return homes

    def _add(self, homes: "tuple[int, ...]", new: int, who: int) -> bool:
        for home in homes:
            if not fits(new, who, self._slots_in[home], self._slots, self._capacity):
                return False
        for home in homes:
            self._slots_in[home] += new if len(homes) == 1 else max(new, 0)
        self._slots += new
        return True

    def _take_out(self, key: bytes, taker: bytes) -> None:
        """A key leaves the share that it has now; what is known of that may take a slot."""
        slot = self._shelves.find_key(key)
        if slot == NONE:
            return
        at = slot * SLOT_BYTES
        share = record.share_of(self._bucket.page, at)
        if share == taker or self.is_ended(share, key):
            return
        number = self._bucket.number
        freed = record.parts(self._bucket.page, at) - 1
        self._slots_in[number] -= freed
        self._slots -= freed
        self._homes[share] = self._shelves.candidates(share)
        self._vague.update(self._homes[share])
