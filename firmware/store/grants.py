"""The grant cache: what the lock was told about shares, so that no power cut takes it back.

Imports policy and its siblings; docs/storage.md has the format and the reasons. Statements are
verified before they come here, once; from then on the seal of a slot stands for that.

Invariants. All about a share is in one bucket, so each change is one write of one file: old or
new. Version and revocation of a share never go back, also after its grants are gone; nothing is
evicted. What cannot be read is absent, which denies, and is reported. No key is new to a share
while a slot that may say that it was revoked cannot be read.
"""

import struct
from hashlib import sha256

from ..crypto.kdf import HASH_BYTES
from ..policy.decision import NORMAL, State
from ..policy.grant import OWNER
from ..policy.instant import Instant
from . import record, shares
from .bucket import NONE
from .ledger import SUMS
from .record import GRANT, SLOT_BYTES, STANDING, Space
from .shelves import GUESTS, OWNERS, REVOCATIONS, Shelves, fits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Sequence

    from ..policy.decision import Decision
    from ..policy.grant import Grant
    from .files import Files
    from .room import Room

BUCKETS = 300  # one erase block each, 12 600 slots
INDEX_FILES = 12
FOLDERS = 8
CAPACITY = 10_000  # slots for the grants of guests and admins and what is known of their shares

_MOST_RECENT = 8  # shares whose last use is remembered, for `policy.decision.REPEAT_S`


class Grants:
    """The grants of one lock (`lock`, its id), sealed under keys made from the `device_key`.

    `folders` take the buckets and the index, `apart` the ledger: another one, because littlefs may
    lose the last changes of a whole folder to one damaged bit. They are several, because littlefs
    reads through all of a folder to find a file. `mode` goes into each State.
    """

    def __init__(
        self,
        folders: "Sequence[Files]",
        apart: "Files",
        device_key: bytes,
        lock: bytes,
        buckets: int = BUCKETS,
        index_files: int = INDEX_FILES,
        capacity: int = CAPACITY,
    ) -> None:
        self.mode = NORMAL
        self.capacity = capacity
        self._lock = lock
        self._shelves = Shelves(folders, apart, device_key, buckets, index_files)
        self._bucket = self._shelves.bucket
        self._own = Space(lock)
        self._other = Space(lock)
        self._state = State(lock)
        self._other_state = State(lock)
        self._first_use = Instant()
        self._other_first_use = Instant()
        self._recent: "list[tuple[bytes, int]]" = []

    # --- the door -------------------------------------------------------------------------------

    def find(self, key: bytes) -> "Grant | None":
        """The grant for a key (16-byte thumbprint), or None; lent until the next `find`."""
        slot = self._shelves.find_key(key) if len(key) == record.KEY_BYTES else NONE
        if slot == NONE:
            return None
        return self._own.decode(self._bucket.view, slot * SLOT_BYTES, key)

    def state_at(self, grant: "Grant | None", time_s: int) -> State:
        """The State that a decision about a grant that was found (or about None) needs.

        `time_s` is of a monotonic clock. It is lent, with the parent's grant in it, until the next
        call of this or of `holding`.
        """
        state = self._state
        self._clear(state)
        if grant is None:
            return state
        self._fill(state, grant, self._first_use, time_s)
        if grant.parent is not None:
            state.parent = self.holding(grant.parent)
        if state.parent is not None:
            state.parent_state = self._other_state
            self._clear(self._other_state)
            self._fill(self._other_state, state.parent, self._other_first_use, time_s)
        return state

    def record(self, decision: "Decision", at: Instant, time_s: int) -> bool:
        """Write what an allowed decision says is to be counted; before the bolt moves.

        `at` is the time now, `time_s` that of the monotonic clock. False if there is nothing to
        count in: then nothing may be opened. OSError passes through, and means the same.
        """
        grant = decision.grant
        if grant is not None and grant.parent is not None and decision.parent is not None:
            if not self._record(decision.parent, at, time_s):
                return False
        return self._record(decision, at, time_s)

    def count_use(self, share: bytes, used: bool, first_use: "Instant | None") -> bool:
        """One more use of a share, if `used`; its first use, unless it has one. False: it has no
        grants, or none that are counted.
        """
        self._shelves.settle()
        bucket = self._bucket
        if self._shelves.find_share(share) == NONE or shares.newest(bucket, share) == NONE:
            return False
        slot = shares.seek(bucket, share, STANDING, 0)
        if slot == NONE:
            return False
        bucket.check()
        record.count(bucket.page, slot * SLOT_BYTES, used, first_use)
        self._shelves.commit()
        return True

    def confirm(self) -> None:
        """Write down that the last change was made; within a second or so, after the bolt moved.

        Until then, losing that change to a damaged bit looks like a power cut just before it.
        """
        self._shelves.confirm()

    def _record(self, decision: "Decision", at: Instant, time_s: int) -> bool:
        if decision.grant is None or not (decision.counts or decision.starts):
            return decision.grant is not None
        share = decision.grant.share
        if not self.count_use(share, decision.counts, at if decision.starts else None):
            return False
        if decision.counts:
            recent = [entry for entry in self._recent if entry[0] != share]
            self._recent = recent[1 - _MOST_RECENT :] + [(share, time_s)]
        return True

    def _clear(self, state: State) -> None:
        state.mode = self.mode
        state.revoked = False
        state.floor = state.uses = state.lockout_s = 0
        state.since_use_s = state.first_use = state.parent = state.parent_state = None

    def _fill(self, state: State, grant: "Grant", spare: Instant, time_s: int) -> None:
        """Take over what is known of the share of a grant; where nothing is, it is revoked."""
        if self._shelves.find_share(grant.share) == NONE:
            state.revoked = True
            return
        shares.fill(self._bucket, grant.share, grant.key, state, spare)
        if self._bucket.number % SUMS in self._shelves.setbacks:
            # A use may have been given back, or a right; but somebody must be left to mend it.
            if record.is_counted(grant) or grant.level != OWNER:
                state.revoked = True
        for share, used_s in self._recent:
            if share == grant.share:
                state.since_use_s = time_s - used_s

    # --- intake ---------------------------------------------------------------------------------

    def holding(self, share: bytes) -> "Grant | None":
        """A grant of a share, the one with the highest version, or None; lent."""
        if self._shelves.find_share(share) == NONE:
            return None
        slot = shares.newest(self._bucket, share)
        return None if slot == NONE else self._decode(self._other, slot)

    def _decode(self, space: Space, slot: int) -> "Grant":
        at = slot * SLOT_BYTES
        return space.decode(self._bucket.view, at, record.key_of(self._bucket.view, at))

    def state(self, share: bytes, key: "bytes | None" = None) -> State:
        """The State of a share, and of this key of it; a fresh one for a share never seen.

        The revocation of a key is a floor above the versions it is for. While something that may
        be a revocation cannot be read, the share is revoked for every key that has no grant. Scans
        all buckets, unless that is done.
        """
        self._shelves.count_all()
        return self._state_of(share, key, self._shelves.find_share(share))

    def is_in_doubt(self, share: bytes, key: "bytes | None" = None) -> bool:
        """Whether what cannot be read may be a revocation of this share, or of this key of it."""
        return self._is_in_doubt(share, key, self._shelves.find_share(share))

    def _state_of(self, share: bytes, key: "bytes | None", home: int) -> State:
        """The same, of a share whose bucket is loaded, or that has none."""
        state = State(self._lock)
        if home != NONE:
            shares.fill(self._bucket, share, key, state, Instant())
        if self._is_in_doubt(share, key, home):
            state.revoked = True
        return state

    def _is_in_doubt(self, share: bytes, key: "bytes | None", home: int) -> bool:
        if home == NONE:
            first, second = self._shelves.candidates(share)
            return self._shelves.is_suspect(second) or self._shelves.is_suspect(first)
        if home % SUMS in self._shelves.setbacks:
            return True
        if key is None:
            slot = shares.newest(self._bucket, share)
        else:
            slot = shares.of_key(self._bucket, share, GRANT, key)
        # A revocation would have taken the place of the grant.
        return slot == NONE and self._shelves.is_suspect(home)

    def put(self, grant: "Grant") -> bool:
        """Keep a verified grant in place of any other of its key; False if there is no room.

        From now on its share has at least this version. Raises ValueError, and changes nothing, if
        `state` does not admit it: revoked, or the lock has a newer version.
        """
        slots = record.encode(grant)
        share, key, version = grant.share, grant.key, grant.version
        counted = record.is_counted(grant)
        self._shelves.prepare()
        home = self._shelves.find_share(share)
        state = self._state_of(share, key, home)
        if state.revoked or version < state.floor:
            raise ValueError("revoked, or older than what the lock has")
        before = NONE if self._shelves.find_key(key) == NONE else self._bucket.number
        home = self._shelves.home_of(share) if home == NONE else home
        self._shelves.load(home)
        new = len(slots) // SLOT_BYTES - shares.slots(self._bucket, share, key)
        if counted and shares.seek(self._bucket, share, STANDING, 0) == NONE:
            new += 1
        if not self._has_room(new, OWNERS if grant.level == OWNER else GUESTS):
            return False
        self._place(share, key, version, counted, slots)
        if before in (NONE, home):
            self._shelves.commit(key if before == NONE else None)
        else:
            self._shelves.commit_move(key, before)
        return True

    def _has_room(self, new: int, who: int) -> bool:
        """Whether `new` slots more fit into the loaded bucket and the cache."""
        used = self._shelves.slots_in[self._bucket.number]
        return fits(new, who, used, self._shelves.slots, self.capacity)

    def room(self) -> "Room":
        """A plan of several changes, to know whether all of them have room before the first."""
        from .room import Room  # only batches and revocations need it

        return Room(self._shelves, self.capacity)

    def _place(
        self, share: bytes, key: bytes, version: int, counted: bool, slots: bytearray
    ) -> None:
        """Put the slots of a grant into the loaded bucket in place of what they replace."""
        bucket = self._bucket
        bucket.check()
        shares.drop(bucket, share, key)
        other = shares.seek_key(bucket, key)
        if other != NONE:
            shares.take_out(bucket, other)
        shares.outdate(bucket, share, version)
        if counted and shares.seek(bucket, share, STANDING, 0) == NONE:
            stands = bucket.add(record.standing(share, version))
            if self._shelves.ledger.uncounted:
                record.spend(bucket.page, stands * SLOT_BYTES)
        bucket.add(slots)

    def revoke(self, share: bytes, key: "bytes | None", version: int) -> bool:
        """End a share, or one key of it up to a version, for good; False if there is no room.

        It need not be known: then the revocation is there before the grant is. A key that has a
        newer version keeps it.
        """
        self._shelves.prepare()
        bucket = self._bucket
        if self._shelves.find_share(share) == NONE:
            self._shelves.load(self._shelves.home_of(share))
        if key is None:
            slot = shares.revocation(bucket, share, version)
        elif shares.outlives(bucket, share, key, version):
            return True
        else:
            slot = shares.withdrawal(bucket, share, key, version)
        if not self._has_room(1 - shares.slots(bucket, share, key), REVOCATIONS):
            return False
        bucket.check()
        shares.drop(bucket, share, key)
        bucket.add(slot)
        self._shelves.commit()
        return True

    def forget(self, share: bytes, key: "bytes | None" = None) -> bool:
        """Drop the revocation of a share, or of one key of it; whether there was something.

        For the intake alone, once it accepts no statement any more that is as old as this. What
        else is known of a share goes with its last record, unless uses of it were counted.
        """
        self._shelves.settle()
        bucket = self._bucket
        if self._shelves.find_share(share) == NONE:
            return False
        bucket.check()
        if not shares.forget(bucket, share, key):
            return False
        self._shelves.commit()
        return True

    def erase(self, share: bytes, key: bytes, is_over: bool) -> None:
        """Take out the grant of a key of a share, without a trace if the share is over.

        For a snapshot alone, after which nothing so old is accepted any more.
        """
        self._shelves.settle()
        bucket = self._bucket
        if self._shelves.find_share(share) == NONE:
            return
        bucket.check()
        if shares.erase(bucket, share, key, is_over):
            self._shelves.commit()

    # --- all of it ------------------------------------------------------------------------------

    def grants(self) -> "Iterator[Grant]":
        """All grants, one at a time and lent; others may be looked up in between, none changed."""
        space = Space(self._lock)
        for number in range(self._shelves.count):
            for slot in self._shelves.grants_of(number):
                yield self._decode(space, slot)

    def digest(self) -> bytes:
        """32 bytes about all grants in whatever order: the sum of `digest_of`, modulo 2**256."""
        total = 0
        for grant in self.grants():
            total += digest_of(grant)
        return (total % (1 << 8 * HASH_BYTES)).to_bytes(HASH_BYTES, "big")

    def count(self) -> int:
        """How many grants there are."""
        self._shelves.count_all()
        return sum(self._shelves.grants_in)

    def slots(self) -> int:
        """How many slots are taken, of `capacity` and the reserves."""
        self._shelves.count_all()
        return self._shelves.slots

    def scan(self) -> "Iterator[None]":
        """Look at every slot and report damage; one step for each bucket.

        To be run to its end after boot, in the background. What has to know how much room there is
        and comes before does the same in one go.
        """
        return self._shelves.scan()

    def take_reports(self) -> "list[tuple[int, int, int]]":
        """Damage that was met since the last call, for the log: (what, number, slot)."""
        reports = self._shelves.reports
        self._shelves.reports = []
        return reports

    def reindex(self) -> "Iterator[None]":
        """Make the key index and the ledger again from the buckets; one step for each index file.

        What to do about INDEX and LEDGER in a report. Takes 4 KB of heap.
        """
        from . import repair

        return repair.reindex(self._shelves)

    def mend(self) -> int:
        """Drop what cannot be read and reindex the rest; returns how many slots were dropped.

        Only before a snapshot of the cloud puts everything back, revocations included: what was
        dropped keeps nobody out any more. How often a share was used that lost its count nobody
        knows, so it has nothing left; nor has a counted share that is new from now on, because it
        may be such a one that is put back, until the snapshot is `restored`.
        """
        from . import repair

        return repair.mend(self._shelves)

    def changes(self) -> int:
        """How often something was written since boot."""
        return self._shelves.changes

    def is_hurt(self) -> bool:
        """Whether there is something that cannot be read or is older than it was, for `mend`."""
        self._shelves.count_all()
        return self._shelves.is_hurt

    def is_complete(self) -> bool:
        """Whether no count was lost since the last snapshot."""
        return not self._shelves.ledger.uncounted

    def restored(self) -> None:
        """Everything that was dropped has been put back: what is new from now on is new."""
        if self.is_complete():
            return
        self._shelves.settle()
        self._shelves.ledger.uncounted = False
        self._shelves.ledger.confirm()


def digest_of(grant: "Grant") -> int:
    """What one grant adds to the digest of all; the cloud adds up the same over its list.

    SHA-256, as a number, of: length of the share id (1 byte), share id, key (16), version (4).
    """
    said = bytes([len(grant.share)]) + grant.share + grant.key + struct.pack(">I", grant.version)
    return int.from_bytes(sha256(said).digest(), "big")
