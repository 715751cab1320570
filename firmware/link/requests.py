"""What a phone asks for inside a visit, and what the lock answers; docs/protocol.md has the bytes.

Imports clock, crypto, policy, store and its siblings; the lock is handed in. A frame is items one
after the other - what, length (2 bytes), content - and its answer has one item for each. Nothing
here believes the phone: it proved a key, and the door decides what that is worth.
"""

from ..clock.clock import NONCE_LIFE_S
from ..crypto.ccm import NONCE_BYTES
from ..policy import reasons
from ..policy.decision import TRUSTED, UNKNOWN, Now, Request, decide
from ..policy.forecast import Search
from ..policy.grant import LOCAL, READ_LOG, UNLOCK
from ..policy.instant import Instant, to_unix
from ..store import entry
from ..store.export import HEAD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator

ACT = 1  # content: the action; answer: the reason and, after a no, when it would be a yes
EXPLAIN = 2  # the same, and nothing happens
PUT = 3  # content: a statement; answer: what became of it
NONCE = 4  # answer: the nonce for a signed time, nothing if the lock knows the time
STATUS = 5  # answer: see _status
LOG = 6  # content: a number (4 bytes); answer: the log after it, as an export
CARRY = 7  # answer: the log that the cloud lacks, for the cloud's eyes

HEAD = 3  # bytes before the content of an item
MOST_ANSWER = 3 * 1024
MOST_FORGED = 3  # statements in one visit that cost a signature check for nothing
_TIME_BYTES = 5  # of Unix seconds
_STEPS = 8  # of a search in one slice; the longest takes as long as 12 field multiplications
_LOG_ENTRIES = 32


class Desk:
    """What all visits share; `lock` is the app's and `ticks` its monotonic clock.

    `carry(export, nonce)` seals a piece of the log for the cloud, or is None until it can.
    """

    def __init__(self, lock: "Any", ticks: "Any", random: "Callable[[int], bytes]") -> None:
        self.lock = lock
        self.random = random
        self.carry: "Callable[[bytes, bytes], bytes] | None" = None
        self._ticks = ticks
        self._nonce = b""
        self._asked_s = -NONCE_LIFE_S
        self._now = Now(Instant(), 0, UNKNOWN)

    def nonce(self) -> bytes:
        """The lock's nonce: one for all phones, so that none can make another's worthless."""
        self.lock.clock.read(self._now)
        if self._now.trust == TRUSTED:
            return b""
        if self._ticks.second - self._asked_s >= NONCE_LIFE_S // 2:
            self._asked_s = self._ticks.second
            self._nonce = self.lock.clock.ask()
        return self._nonce

    def trust(self) -> int:
        """How far the lock trusts its clock now."""
        self.lock.clock.read(self._now)
        return self._now.trust


class Requests:
    """The requests of one visit, of somebody who has proven the key with this thumbprint.

    `belongs`: whether the key had a grant when a decision was last asked for, None before.
    """

    def __init__(self, desk: Desk, key: bytes) -> None:
        self._desk = desk
        self._lock = desk.lock
        self.key = key
        self._request = Request(key, UNLOCK, LOCAL, True)
        self._may_read = False
        self._denied = False  # the item at hand, to somebody with a grant
        self._forged = 0
        self.belongs: "bool | None" = None
        self.answer = bytearray()

    def serve(self, frame: bytes) -> "Iterator[None]":
        """Do what a frame asks for, in slices; what to say is in `answer` at the end.

        Raises ValueError for a frame out of shape, after the items before.
        """
        self.answer = bytearray()
        at = 0
        while at < len(frame):
            start = at + HEAD
            if start > len(frame):
                raise ValueError("a piece of a head")
            end = start + (frame[at + 1] << 8 | frame[at + 2])
            if end > len(frame) or len(self.answer) > MOST_ANSWER:
                raise ValueError("too long")
            if frame[at] == PUT:
                said = yield from self._put(frame[start:end])
            else:
                said = self._item(frame[at], frame[start:end])
                if self._denied:
                    said += yield from self._when()
            self.answer.append(frame[at])
            self.answer += len(said).to_bytes(2, "big")
            self.answer += said
            at = end
            if at < len(frame):
                yield

    def _item(self, what, content):
        self._denied = False
        if what == ACT and len(content) == 1:
            return self._act(content[0])
        if what == EXPLAIN and len(content) == 1:
            return self._explain(content[0])
        if what == NONCE and not content:
            return self._desk.nonce()
        if what == STATUS and not content:
            return self._status()
        if what == LOG and len(content) == 4:
            return self._log(int.from_bytes(content, "big"))
        if what == CARRY and not content:
            return self._carry()
        raise ValueError("no such request")

    def _put(self, token):
        reason = yield from self._lock.accepting(token)
        if reason == reasons.BAD_SIGNATURE:
            self._forged += 1
            if self._forged > MOST_FORGED:
                raise ValueError("that is no courier")
        return bytes([reason])

    def _act(self, action):
        self._request.action = action
        reason = self._lock.door.ask(self._request)
        self.belongs = self._lock.door.decision.grant is not None
        return self._verdict(reason)

    def _explain(self, action):
        self._request.action = action
        self._decide()
        return self._verdict(self._lock.door.decision.reason)

    def _decide(self):
        """What the door would say; whether the key has a grant."""
        decide(*self._lock.door.question(self._request))
        self.belongs = self._lock.door.decision.grant is not None
        return self.belongs

    def _verdict(self, reason):
        """For somebody with a grant; a stranger learns nothing."""
        if not self.belongs:
            return b""
        self._denied = reason != reasons.ALLOWED
        return bytes([reason])

    def _when(self):
        """When it would be a yes, for a request that was denied just now."""
        door = self._lock.door
        self._decide()
        search = Search(door.decision)
        while search.go_on(_STEPS):
            asked = door.questions
            yield
            if door.questions != asked and not self._decide():
                return b""
        return b"" if search.found is None else to_unix(search.found).to_bytes(_TIME_BYTES, "big")

    def _status(self):
        """Bolt, door, trust of the clock; applied, last entry of the log, last kept."""
        if not self._decide():
            return b""
        lock = self._lock
        said = bytes([lock.doorway.state, lock.doorway.door, self._desk.trust()])
        for number in (lock.sync.applied, lock.log.sequence, lock.log.acknowledged):
            said += number.to_bytes(4, "big")
        return said

    def _log(self, after):
        """Asked for once a visit, so that reading the log does not fill it."""
        if not self._may_read:
            verdict = self._act(READ_LOG)
            self._may_read = verdict == b"\x00"
            if not self._may_read:
                return verdict
        return self._piece(min(after, entry.MOST_SEQUENCE))

    def _carry(self):
        if self._desk.carry is None:
            return b""
        nonce = self._desk.random(NONCE_BYTES)
        return self._desk.carry(self._piece(self._lock.log.acknowledged), nonce)

    def _piece(self, after):
        reader = self._lock.log.reader(after)
        piece = bytearray(HEAD_BYTES + _LOG_ENTRIES * entry.BYTES)
        piece[:HEAD_BYTES] = reader.head()
        length = reader.read_into(memoryview(piece)[HEAD_BYTES:])
        return bytes(piece[: HEAD_BYTES + length])
