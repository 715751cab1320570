"""What a lock and its cloud say to each other; docs/protocol.md tells it from both sides.

Imports clock, crypto, policy, store and its siblings; the lock and the Post are handed in. Works
in the loop, a piece at a time, and waits for nothing: what the network does is the carrier's
business. Nothing that comes is believed but what `accept` lets in; hints only make it ask.
"""

import json
from binascii import hexlify
from hashlib import sha256

from ..clock.clock import NONCE_LIFE_S
from ..crypto import cbor
from ..policy import reasons
from ..policy.decision import TRUSTED, UNKNOWN, Now
from ..policy.instant import Instant, to_unix
from ..store import entry
from ..store.export import HEAD_BYTES
from ..store.grants import digest_of
from . import post

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from .post import Post

TIME_AGAIN_S = 21_600  # so old may an answer to a nonce be
PAGES_AFTER_S = 20  # what the cloud has and does not bring is fetched
LOG_AGAIN_S = 60
_LOG_ENTRIES = 32  # in one piece
_DIGEST_GRANTS = 8  # in one piece of work
_ID_BYTES = 8
_MOST_RESULTS = 32
# By the numbers of `lock.states`.
BOLT_NAMES = ("UNKNOWN", "LOCKED", "UNLOCKED", "PULLED", "LOCKING", "UNLOCKING", "JAMMED")
DOOR_NAMES = (None, "open", "closed")
_ANSWERS = (reasons.TIME_SET, reasons.TIME_JUMPED, reasons.TIME_TURNED_BACK)


class Clerk:
    """Speaks for an `app.Lock` through a Post; `version` is the firmware's."""

    def __init__(self, lock: "Any", post: "Post", version: str) -> None:
        self._lock = lock
        self._post = post
        self._version = version
        self._now = Now(Instant(), 0, UNKNOWN)
        self._second = 0
        self._online = False
        self._ended = 0  # sessions, and tries to have one
        self._error = ""  # with which the last of them did
        self._door_is_busy = False
        self._results: "list[bytes]" = []  # that have not gone out
        self._tokens: "list[bytes]" = []
        self._job: "Iterator[None] | None" = None  # the statement at hand
        self._has_second = False
        self._hello: "Any" = None  # what was said last
        self._state: "Any" = None
        self._nonce: "bytes | None" = None
        self._asked_s = -TIME_AGAIN_S
        self._head = 0
        self._moved_s = 0  # when the sequence last did, or the session began
        self._log_s = -LOG_AGAIN_S
        self._log_kept = 0
        self._log_quiet = 0
        self._digest: "bytes | None" = None
        self._grants: "Any" = None
        self._total = 0
        self._changes = -1

    # --- the loop's side ------------------------------------------------------------------------

    def note_door(self, is_busy: bool) -> None:
        """Tell the carrier whether somebody is at the door."""
        if is_busy != self._door_is_busy:
            self._door_is_busy = is_busy
            self._post.set_busy(is_busy)

    def tick(self) -> None:
        """Once a second."""
        self._second += 1
        self._has_second = True
        self._lock.clock.read(self._now)
        old = self._second - self._asked_s
        if old >= (TIME_AGAIN_S if self._now.trust == TRUSTED else NONCE_LIFE_S):
            if self._online or self._now.trust == UNKNOWN:
                self._ask_time()
        if self._online:
            self._say_state()  # also while the bolt moves

    def _ask_time(self):
        self._asked_s = self._second
        self._nonce = hexlify(self._lock.clock.ask())
        if not self._online:  # no session without a date, and no date without an answer
            self._post.send(post.TIME, b"", self._nonce)

    def work(self) -> bool:
        """One slice of work; False if there is none."""
        if self._results and self._post.send(post.PUBLISH, b"up/result", self._results[0]):
            self._results.pop(0)
        if self._job is None and self._tokens:
            self._job = self._accept(self._tokens.pop(0))
        if self._job is not None:
            if next(self._job, True):
                self._job = None
            return True
        item = self._post.receive()
        if item is not None:
            self._take(item[0], item[2])
            return True
        if not self._online:
            return False
        if self._has_second:
            self._has_second = False
            self._say_hello()
            self._send_log()
            self._fetch()
            return True
        return self._add_up()

    # --- what comes -----------------------------------------------------------------------------

    def _take(self, kind, what):
        if kind == post.STATEMENT:
            self._job = self._accept(what)
        elif kind == post.PAGE:
            self._tokens = _tokens(what)
        elif kind == post.HEAD:
            self._head = _number(what, "sequence")
            if self._head > self._lock.sync.applied:
                self._hello = None
        elif kind == post.RETAINED:
            self._lock.strangers.note(reasons.RETAINED)
        else:
            self._online = kind == post.ONLINE
            if not self._online:
                self._ended += 1
                self._error = what.decode()
            self._hello = self._state = None
            self._tokens = []
            self._results = []
            self._moved_s = self._second
            self._log_s = self._second - LOG_AGAIN_S

    def _accept(self, token):
        lock = self._lock
        applied = lock.sync.applied
        reason = yield from lock.accepting(token)
        if lock.sync.applied != applied:
            self._moved_s = self._second
        if reason in _ANSWERS:
            self._nonce = None
        if lock.log.acknowledged != self._log_kept:
            self._log_kept = lock.log.acknowledged
            self._log_s = self._second - LOG_AGAIN_S
            if lock.log.sequence == self._log_kept + 1:
                self._log_quiet = lock.log.sequence  # that the cloud said so need not be told
        said = {
            "statement": hexlify(sha256(token).digest()[:_ID_BYTES]).decode(),
            "reason": reason,
            "applied": lock.sync.applied,
        }
        # In a flood the oldest are lost: to wait for a carrier that waits itself would never end.
        self._results = self._results[1 - _MOST_RESULTS :] + [json.dumps(said).encode()]

    # --- what is said ---------------------------------------------------------------------------

    def _say_hello(self):
        lock = self._lock
        sync = lock.sync
        news = (
            sync.applied,
            self._digest if self._changes == lock.grants.changes() else None,
            lock.settings.current.version,
            lock.root.epoch if lock.root else 0,
            self._nonce,
            lock.remote.challenge,
            sync.needs_snapshot() or not lock.grants.is_complete(),
            sync.series.done + 1 if sync.series.done < sync.series.pages else 0,
            lock.key(),
        )
        if news == self._hello:
            return
        said = {
            "applied": news[0],
            "digest": _text(news[1]),
            "settings": news[2],
            "issuer": news[3],
            "nonce": news[4].decode() if news[4] else None,
            "challenge": _text(news[5]),
            "lost": news[6],
            "page": news[7],
            "key": _text(news[8] or None),
            "log": lock.log.sequence,
            "kept": lock.log.acknowledged,
            "version": self._version,
            "ended": self._ended,
            "error": self._error,
        }
        if self._post.send(post.PUBLISH, b"up/hello", json.dumps(said).encode()):
            self._hello = news

    def _say_state(self):
        door = self._lock.door
        doorway = self._lock.doorway
        battery = doorway.battery
        news = (doorway.state, doorway.door, battery and battery.mv, door.answers)
        if news == self._state:
            return
        known = self._now.trust != UNKNOWN
        said = {
            "lock": BOLT_NAMES[news[0]],
            "battery": news[2],
            "charge": battery and battery.percent(),
            "door": DOOR_NAMES[news[1]],
            "reason": door.last_reason,
            "share": _text(door.last_share),
            "at": to_unix(self._now.at) if known and door.answers else None,
        }
        if self._post.send(post.RETAIN, b"state", json.dumps(said).encode()):
            self._state = news

    def _send_log(self):
        log = self._lock.log
        if log.sequence in (log.acknowledged, self._log_quiet):
            return
        if self._second - self._log_s < LOG_AGAIN_S:
            return
        reader = log.reader(log.acknowledged)
        piece = bytearray(HEAD_BYTES + _LOG_ENTRIES * entry.BYTES)
        piece[:HEAD_BYTES] = reader.head()
        length = reader.read_into(memoryview(piece)[HEAD_BYTES:])
        if length and self._post.send(
            post.PUBLISH, b"up/log", bytes(piece[: HEAD_BYTES + length])
        ):
            self._log_s = self._second

    def _fetch(self):
        if self._head > self._lock.sync.applied and not self._lock.sync.needs_snapshot():
            if self._second - self._moved_s >= PAGES_AFTER_S:
                self._moved_s = self._second
                self._post.send(post.CHANGES, b"", b"%d" % self._lock.sync.applied)

    # --- the digest -----------------------------------------------------------------------------

    def _add_up(self):
        """A few grants more of the digest, which begins anew when the cache changes."""
        grants = self._lock.grants
        if self._changes != grants.changes():
            self._changes = grants.changes()
            self._grants = grants.grants()
            self._total = 0
            self._digest = None
        if self._grants is None:
            return False
        for _ in range(_DIGEST_GRANTS):
            grant = next(self._grants, None)
            if grant is None:
                self._grants = None
                self._digest = (self._total % (1 << 256)).to_bytes(32, "big")
                return False
            self._total += digest_of(grant)
        return True


def _text(content: "bytes | None") -> "str | None":
    return None if content is None else hexlify(content).decode()


def _number(text: bytes, member: str) -> int:
    """A number of a JSON object, 0 if there is none that counts."""
    try:
        number = json.loads(text)[member]
    except (ValueError, KeyError, TypeError):
        return 0
    return number if isinstance(number, int) else 0


def _tokens(page: bytes) -> "list[bytes]":
    """The byte strings of a CBOR array, none if it is anything else."""
    try:
        found = cbor.decode(page, max_bytes=post.MOST_BYTES)
    except cbor.CborError:
        return []
    return [token for token in found if type(token) is bytes] if type(found) is list else []
