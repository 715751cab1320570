"""What is told to locks, and what is heard from them; no network in here.

A lock is told as much as a window allows, and the next thing when it answered. What is in memory
may be lost: a lock that comes says how far it is, and everything starts from there. Nothing is
told to a lock that is not there, but for the head, which the broker keeps for it.
"""

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import select

from firmware.access.remote import CHALLENGE_BYTES
from firmware.clock.clock import NONCE_BYTES
from firmware.crypto.p256 import COORDINATE_BYTES
from firmware.policy import reasons
from host_sim import words

from ..domain import credentials, devices, issuing, locks, log, operations
from ..domain.context import Context
from ..domain.errors import DomainError
from ..domain.model import Deed, Device
from . import home_assistant, topics
from .home_assistant import Publish

WINDOW = 4  # statements that a lock has not answered yet
ANSWERS_IN_S = 30  # or what was told counts as lost
RENEWALS = 16  # at most, at a time
SERIES_EVERY_S = 60

Transact = Callable[[], AbstractContextManager[Context]]

_Count = Annotated[int, Field(ge=0, le=0x3FFF_FFFF)]
# As the APIs have it; what moves or is jammed is where it was last.
_STATES = {"UNLOCKED": 0, "LOCKED": 1, "PULLED": 2, "UNKNOWN": -1}

logger = logging.getLogger(__name__)


def _hex(size: int) -> Any:
    return Field(default=None, pattern=rf"^[0-9a-f]{{{2 * size}}}$")


class Hello(BaseModel):
    """How far a lock is."""

    applied: _Count
    digest: str | None = _hex(32)
    settings: _Count
    issuer: _Count = 0
    log: _Count
    kept: _Count
    nonce: str | None = _hex(NONCE_BYTES)
    challenge: str | None = _hex(CHALLENGE_BYTES)
    key: str | None = _hex(2 * COORDINATE_BYTES)
    lost: bool = False
    page: _Count = 0
    version: Annotated[str, Field(max_length=40)] = ""
    ended: _Count = 0
    error: Annotated[str, Field(max_length=200)] = ""


class Result(BaseModel):
    """What a lock made of a statement."""

    statement: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    reason: Annotated[int, Field(ge=0, le=255)]
    applied: _Count


class Said(BaseModel):
    """The state of a lock, for people."""

    lock: Literal["UNKNOWN", "LOCKED", "UNLOCKED", "PULLED", "LOCKING", "UNLOCKING", "JAMMED"]
    battery: Annotated[int, Field(ge=0, le=100_000)] | None = None  # mV
    charge: Annotated[int, Field(ge=0, le=100)] | None = None  # percent
    door: Literal["open", "closed"] | None = None
    reason: Annotated[int, Field(ge=0, le=255)] | None = None
    share: Annotated[str, Field(pattern=r"^([0-9a-f]{2}){1,16}$")] | None = None
    at: Annotated[int, Field(ge=0, le=1 << 40)] | None = None


@dataclass
class Sent:
    """A statement that a lock has not answered yet."""

    kind: str
    number: int  # of the change, the renewal, the settings, the operation or the page
    at: int


@dataclass
class Peer:
    """What is known of a lock while this process runs."""

    hello: Hello | None = None
    is_new: bool = True  # it has not said anything since it came
    challenge: str | None = None
    used: str | None = None  # the challenge of the newest command
    nonce: str | None = None  # that was answered
    changes: int = 0  # told up to here
    renewals: int = 0
    settings: int = 0
    waiting: dict[str, Sent] = field(default_factory=dict)
    series: list[bytes] = field(default_factory=list)  # a snapshot that is being told
    pages: int = 0  # of it, told
    series_at: int = 0
    compared: tuple[str | None, int] = ("", 0)
    refused: set[tuple[str, int, int]] = field(default_factory=set)

    def waits_for(self, kind: str) -> bool:
        """Whether an answer to something of a kind is missing."""
        return any(sent.kind == kind for sent in self.waiting.values())


class Exchange:
    """Between the database and locks that are reached by `publish`. For one thread."""

    def __init__(self, transaction: Transact, publish: Publish):
        self._transaction = transaction
        self._publish = publish
        self._peers: dict[str, Peer] = {}

    # --- what there is to tell ------------------------------------------------------------------

    def connected(self) -> None:
        """The broker is there, perhaps again: every lock says anew how far it is."""
        self._publish(topics.ONLINE, b"online", True)
        with self._transaction() as ctx:
            behind = select(Device.id).where(
                Device.deleted_at.is_(None), Device.applied < Device.sequence
            )
            numbers = set(ctx.session.scalars(behind))
        self.tell(numbers)

    def tell(self, numbers: set[int]) -> None:
        """There is news for the locks of devices."""
        for number in sorted(numbers):
            with self._transaction() as ctx:
                device = ctx.session.get_one(Device, number)
                home_assistant.announce(ctx, device, self._publish)
                if credentials.live(ctx.session, device.lock_id):
                    self._publish_head(device)
                    self._advance(ctx, device, self._peer(device))

    def expire(self) -> None:
        """Give up what no lock has answered."""
        with self._transaction() as ctx:
            operations.expire(ctx)

    def _publish_head(self, device: Device) -> None:
        head = {"sequence": device.sequence, "settings": device.settings_version}
        self._publish(_of(device, topics.HEAD), json.dumps(head).encode(), True)

    def _peer(self, device: Device) -> Peer:
        return self._peers.setdefault(device.lock_id, Peer())

    def _advance(self, ctx: Context, device: Device, peer: Peer) -> None:
        """Tell a lock what it lacks, as far as the window allows."""
        hello = peer.hello
        if hello is None or not device.state.get("connected"):
            return
        peer.waiting = {
            name: sent for name, sent in peer.waiting.items() if ctx.now - sent.at < ANSWERS_IN_S
        }
        self._operate(ctx, device, peer)
        room = WINDOW - len(peer.waiting)
        if peer.series:
            self._turn_pages(ctx, device, peer, room)
            return
        if not peer.waits_for("changes"):
            peer.changes = device.applied
        for batch in issuing.batches_after(ctx, device, peer.changes, max(room, 0)):
            self._send(ctx, device, peer, batch.token, "changes", batch.last)
            peer.changes = batch.last
            room -= 1
        if room > 0 and peer.changes == device.sequence:
            self._renew(ctx, device, peer)
            self._configure(ctx, device, peer)

    def _renew(self, ctx: Context, device: Device, peer: Peer) -> None:
        if peer.waits_for("renewal"):
            return
        for each in issuing.renewals_after(ctx, device, device.renewed or 0, RENEWALS):
            self._send(ctx, device, peer, issuing.token(ctx, each), "renewal", each.id)

    def _configure(self, ctx: Context, device: Device, peer: Peer) -> None:
        assert peer.hello is not None
        wanted = device.settings_version
        if wanted in (peer.hello.settings, peer.settings):
            return
        peer.settings = wanted
        token = issuing.token(ctx, issuing.settings(ctx, device))
        self._send(ctx, device, peer, token, "settings", wanted)

    def _operate(self, ctx: Context, device: Device, peer: Peer) -> None:
        """A command to a lock: one for each of its challenges."""
        if peer.challenge is None or peer.waits_for("operation"):
            return
        waiting = operations.waiting(ctx, device)
        if waiting is None:
            return
        peer.used, peer.challenge = peer.challenge, None
        challenge = bytes.fromhex(peer.used)
        action = operations.ACTIONS[waiting.action]
        token = issuing.command(ctx, device, waiting.share, action, challenge)
        self._send(ctx, device, peer, token, "operation", waiting.id)

    def _begin_series(self, ctx: Context, device: Device, peer: Peer) -> None:
        """A snapshot for a lock that cannot be told by batches; not twice within a minute."""
        hello = peer.hello
        if hello is None or device.ahead is not None or ctx.now - peer.series_at < SERIES_EVERY_S:
            return
        peer.series = issuing.snapshot(ctx, device, hello.issuer)
        peer.pages = 0
        peer.series_at = ctx.now
        _note(ctx, device, "lock.snapshot", pages=len(peer.series))

    def _turn_pages(self, ctx: Context, device: Device, peer: Peer, room: int) -> None:
        for token in peer.series[peer.pages :][: max(room, 0)]:
            peer.pages += 1
            self._send(ctx, device, peer, token, "page", peer.pages)

    def _send(
        self, ctx: Context, device: Device, peer: Peer, token: bytes, kind: str, number: int
    ) -> None:
        peer.waiting[_named(token)] = Sent(kind, number, ctx.now)
        self._publish(_of(device, topics.STATEMENT), token, False)

    # --- what is heard ---------------------------------------------------------------------------

    def heard(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message of a lock, or of Home Assistant. What makes no sense is left alone."""
        kind, _, rest = topic.partition("/")
        name, _, what = rest.partition("/")
        try:
            with self._transaction() as ctx:
                if kind == "home":
                    home_assistant.command(ctx, name, payload, retained, self._publish)
                else:
                    self._lock_said(ctx, name, what, payload, retained)
        except (ValidationError, DomainError) as error:
            logger.warning("not understood", extra={"what": what, "error": type(error).__name__})

    def _lock_said(
        self, ctx: Context, name: str, what: str, payload: bytes, retained: bool
    ) -> None:
        found = credentials.live(ctx.session, name)
        if not found or found[0].share_id is not None:
            return
        device = found[0].device
        locks.hold(ctx, device)  # before a row of it changes, as everywhere
        peer = self._peer(device)
        if what == topics.PRESENCE:
            self._presence(ctx, device, peer, payload == b"online")
        elif what == topics.STATE:
            self._state(ctx, device, Said.model_validate_json(payload))
        elif retained:  # the rest is news, or nothing
            return
        elif what == topics.HELLO:
            self._hello(ctx, device, peer, Hello.model_validate_json(payload))
        elif what == topics.RESULT:
            self._result(ctx, device, peer, Result.model_validate_json(payload))
        elif what == topics.LOG:
            entries = log.take(ctx, device, payload)
            self._acknowledge(ctx, device, peer)
            home_assistant.access(ctx, device, entries, self._publish)

    def _presence(self, ctx: Context, device: Device, peer: Peer, is_there: bool) -> None:
        if is_there:
            peer.is_new = True
            peer.waiting.clear()
        else:
            peer.hello = None
            peer.challenge = None
        device.state = {**device.state, "connected": is_there}
        home_assistant.tell(ctx, device, self._publish)

    def _state(self, ctx: Context, device: Device, said: Said) -> None:
        state = {
            "connected": device.state.get("connected", False),
            "lock": _STATES.get(said.lock, device.state.get("lock", -1)),
            "moving": said.lock if said.lock in ("LOCKING", "UNLOCKING") else None,
            "jammed": said.lock == "JAMMED",
            "battery": said.charge,
            "battery_mv": said.battery,
            "door": said.door,
            "reason": said.reason,
            "share": said.share,
            "at": said.at,
        }
        if state != device.state:
            device.state = state
            device.state_at = ctx.now
            home_assistant.tell(ctx, device, self._publish)

    def _hello(self, ctx: Context, device: Device, peer: Peer, hello: Hello) -> None:
        peer.hello = hello
        peer.challenge = None if hello.challenge == peer.used else hello.challenge
        if not device.state.get("connected"):
            self._presence(ctx, device, peer, True)
        if hello.key is not None:
            devices.know_key(ctx, device, bytes.fromhex(hello.key))
        self._applied(ctx, device, hello.applied)
        if hello.nonce and hello.nonce != peer.nonce:
            peer.nonce = hello.nonce
            token = issuing.time(ctx, device, bytes.fromhex(hello.nonce))
            self._send(ctx, device, peer, token, "time", 0)
        if peer.is_new:
            peer.is_new = False
            peer.settings = 0
            about = {"lock": device.lock_id, "ended": hello.ended, "error": hello.error}
            logger.info("lock came", extra=about)
            self._catch_up_log(ctx, device, peer, hello)
        if hello.lost and peer.series and hello.page:
            if not peer.waits_for("page"):
                peer.pages = hello.page - 1
        elif hello.lost or self._is_other(ctx, device, peer, hello):
            self._begin_series(ctx, device, peer)
        self._advance(ctx, device, peer)

    def _applied(self, ctx: Context, device: Device, applied: int) -> None:
        if applied > device.sequence:
            devices.fall_behind(ctx, device, applied)
        if applied != device.applied:
            device.applied = applied

    def _catch_up_log(self, ctx: Context, device: Device, peer: Peer, hello: Hello) -> None:
        last = log.newest(ctx, device)
        if last is None:
            return
        if hello.log < last.sequence:
            _note(ctx, device, "log.shorter", known=last.sequence, said=hello.log)
        elif hello.kept < last.sequence:
            self._acknowledge(ctx, device, peer)

    def _is_other(self, ctx: Context, device: Device, peer: Peer, hello: Hello) -> bool:
        """Whether a lock that has applied everything holds something else."""
        if hello.digest is None or hello.applied != device.sequence or peer.waits_for("changes"):
            return False
        compared = (hello.digest, device.sequence)
        if peer.compared == compared:
            return False
        if issuing.digest(ctx, device).hex() != hello.digest:
            return True
        peer.compared = compared
        return False

    def _result(self, ctx: Context, device: Device, peer: Peer, result: Result) -> None:
        sent = peer.waiting.pop(result.statement, None)
        self._applied(ctx, device, result.applied)
        if sent is None:
            return
        if sent.kind == "operation":
            operations.answered(ctx, sent.number, result.reason)
        elif sent.kind == "renewal":
            device.renewed = max(device.renewed or 0, sent.number)
        elif sent.kind == "page" and not result.reason and sent.number == len(peer.series):
            peer.series = []
        if result.reason and sent.kind in ("changes", "page", "settings"):
            self._refused(ctx, device, peer, sent, result.reason)
        self._advance(ctx, device, peer)

    def _refused(self, ctx: Context, device: Device, peer: Peer, sent: Sent, reason: int) -> None:
        """A lock did not take what it was told: once more from where it is, or all of it."""
        if sent.kind == "page":
            peer.series = []
        peer.waiting = {
            name: each for name, each in peer.waiting.items() if each.kind != sent.kind
        }
        if reason == reasons.SEQUENCE_GAP:
            return
        what = (sent.kind, sent.number, reason)
        if what not in peer.refused:
            peer.refused.add(what)
            _note(ctx, device, "lock.refused", kind=sent.kind, reason=words.name(reason))
        if sent.kind == "changes":
            self._begin_series(ctx, device, peer)
            if not peer.series:
                peer.hello = None  # nothing more until it says how far it is

    def _acknowledge(self, ctx: Context, device: Device, peer: Peer) -> None:
        token = log.acknowledgement(ctx, device)
        if token is not None:
            self._send(ctx, device, peer, token, "log", 0)


def _of(device: Device, what: str) -> str:
    return topics.of_lock(device.lock_id, what)


def _named(token: bytes) -> str:
    """How a lock's result names a statement."""
    return sha256(token).digest()[:8].hex()


def _note(ctx: Context, device: Device, what: str, **details: Any) -> None:
    ctx.session.add(Deed(device_id=device.id, what=what, details=details, at=ctx.now))
