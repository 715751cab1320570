"""May this be done now? The checks of a request in their fixed order, and the first that fails.

Imports only its siblings. Reads no clock, no file and no radio; what it needs is handed in and
what it finds is written into a Decision that the caller lends. `decide` allocates nothing:
functions are small because MicroPython moves a frame of more than eleven words to the heap.

A check takes the Decision under work and returns a reason, `ALLOWED` to go on. A check of time
also sets `steady_s`, the seconds from `at` during which its answer surely stays the same; that
turns every question about other times - the error of the clock, the next allowed instant - into a
walk over the same checks.
"""

from . import reasons
from .grant import ADMIN, LOCAL, LOCK, MANAGE, OPENING, OWNER, PULL, READ_LOG, REMOTE, UNLOCK
from .instant import FAR_S, Instant
from .schedule import Scan
from .zone import Wall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence

    from .grant import Grant
    from .zone import Zone

NORMAL = 0  # everybody as their grants say
VACATION = 1  # no guests
PRIVACY = 2  # owners only
NO_REMOTE = 3  # only owners remotely
PASSAGE = 4  # everybody as their grants say, and the bolt stays unlocked

UNKNOWN = 0
HOLDOVER = 1
TRUSTED = 2

ACTIONS = (UNLOCK, LOCK, PULL, READ_LOG, MANAGE)
CHANNELS = (LOCAL, REMOTE)
LONGEST_ERROR_S = 3600
REPEAT_S = 30  # opening again within this time is the same use: a jam, a pull after an unlock


class Request:
    """What somebody wants: one action, over one channel, with a key (16-byte thumbprint)."""

    def __init__(self, key: bytes, action: int, channel: int, proven: bool):
        self.key = key
        self.action = action
        self.channel = channel
        self.proven = proven


class Now:
    """What the clock says: an Instant, `error_s` either way, and how far to trust it."""

    def __init__(self, at: Instant, error_s: int = 0, trust: int = TRUSTED):
        self.at = at
        self.error_s = error_s
        self.trust = trust

    def known(self) -> bool:
        """Whether there is a time at all, with an error that is worth considering."""
        return UNKNOWN < self.trust <= TRUSTED and 0 <= self.error_s <= LONGEST_ERROR_S


class State:
    """What the lock knows beside the grant; `parent` with `parent_state` for a share passed on.

    `floor` is the lowest version still accepted. `lockout_s` and `since_use_s` (None if never, or
    before the last boot) are seconds of a monotonic clock. `uses` counts over all versions.
    """

    def __init__(self, lock: bytes):
        self.lock = lock
        self.mode = NORMAL
        self.revoked = False
        self.floor = 0
        self.lockout_s = 0
        self.uses = 0
        self.since_use_s: "int | None" = None
        self.first_use: "Instant | None" = None
        self.parent: "Grant | None" = None
        self.parent_state: "State | None" = None


class Decision:
    """The answer, and the space to work it out in; made once and lent again and again.

    `allowed` and `reason`; `parent_reason` says why the parent share does not allow it. If
    allowed: `counts` - this is a use to be counted before the bolt moves (for the parent:
    `parent.counts`); `starts` - the time after the first use begins now; `duress` - raise the
    silent alarm. `repeat_s`: for how long the answer rests on being a repeat of the last use.
    """

    def __init__(self, child: "Decision | None" = None):
        self.grant: "Any" = None
        self.request: "Any" = None
        self.now: "Any" = None
        self.zone: "Any" = None
        self.state: "Any" = None
        self.child = child
        self.at: Instant = child.at if child else Instant()
        self.wall: Wall = child.wall if child else Wall()
        self.parent: "Any" = None if child else Decision(self)
        self.scan = Scan(self.at, self.wall)
        self.steady_s = 0
        self.reason_s = 0
        self.clear()

    def clear(self) -> None:
        """Deny, until something better is found."""
        self.allowed = self.counts = self.starts = self.duress = False
        self.reason = reasons.KEY_UNPROVEN
        self.parent_reason = reasons.ALLOWED
        self.repeat_s = FAR_S
        if self.parent:
            self.parent.clear()

    def move(self, seconds: int) -> None:
        """Go on by some seconds from `at`."""
        self.at.shift(seconds)
        self.zone.local(self.at, self.wall)


def decide(
    grant: "Grant | None",
    request: Request,
    now: Now,
    zone: "Zone",
    state: State,
    decision: Decision,
) -> None:
    """Fill `decision`: may `request` be carried out under `grant` (None if there is none)?"""
    decision.grant = grant
    decision.request = request
    decision.now = now
    decision.zone = zone
    decision.state = state
    _answer(decision)


def time_reason(d: Decision) -> int:
    """The reason that the checks of time give at `d.at`.

    Sets `d.steady_s`, at least 1: for so many seconds the answer stays yes, or stays no. And
    `d.reason_s`: for so many it stays no for the same reason, until an earlier check begins to
    fail.
    """
    d.reason_s = FAR_S
    for check in TIME_CHECKS:
        reason = check(d)
        d.reason_s = min(d.reason_s, d.steady_s)
        if reason:
            return reason
    d.steady_s = d.reason_s
    return reasons.ALLOWED


def _answer(d):
    d.clear()
    d.reason = first_failing(d, CHECKS) or certain(d)
    if d.reason == reasons.ALLOWED:
        _conclude(d)


def first_failing(d: Decision, checks: "Sequence[Callable[[Decision], int]]") -> int:
    """The reason of the first check that fails, `ALLOWED` if none does."""
    for check in checks:
        reason = check(d)
        if reason:
            return reason
    return reasons.ALLOWED


def _conclude(d):
    _note_use(d)
    if d.grant.parent is not None:
        _note_use(d.parent)
    d.duress = d.grant.duress
    d.allowed = True


def _note_use(d):
    opens = d.request.action & OPENING
    d.counts = bool(opens and d.grant.uses is not None and not _repeats(d))
    d.starts = bool(opens and d.grant.after_first_use_s is not None and not d.state.first_use)


def certain(d: Decision) -> int:
    """Whether time would allow it at every second of the error of the clock."""
    if not d.now.error_s or not _anything_timed(d):
        return reasons.ALLOWED
    d.move(-d.now.error_s)
    left_s = 2 * d.now.error_s + 1
    while left_s > 0:
        if time_reason(d):
            return reasons.CLOCK_UNCERTAIN
        left_s -= d.steady_s
        d.move(d.steady_s)
    return reasons.ALLOWED


def _anything_timed(d):
    if d.grant.timed():
        return True
    return d.grant.parent is not None and d.state.parent.timed()


# --- who, what, and how ---


def _key(d):
    return reasons.ALLOWED if d.request.proven is True else reasons.KEY_UNPROVEN


def _share(d):
    if d.grant is None or d.grant.key != d.request.key:
        return reasons.UNKNOWN_SHARE
    return reasons.ALLOWED


def _revocation(d):
    return reasons.REVOKED if d.state.revoked else reasons.ALLOWED


def _version(d):
    return reasons.SUPERSEDED if d.grant.version < d.state.floor else reasons.ALLOWED


def _lock(d):
    return reasons.ALLOWED if d.grant.lock == d.state.lock else reasons.WRONG_LOCK


def _mode(d):
    mode = d.state.mode
    if mode == NORMAL or mode == PASSAGE or d.grant.level == OWNER:
        return reasons.ALLOWED
    if mode == VACATION and d.grant.level == ADMIN:
        return reasons.ALLOWED
    if mode == NO_REMOTE and d.request.channel == LOCAL:
        return reasons.ALLOWED
    return reasons.MODE


def _lockout(d):
    if d.state.lockout_s > 0 and d.grant.level != OWNER:
        return reasons.LOCKED_OUT
    return reasons.ALLOWED


def _right(d):
    action = d.request.action
    if action in ACTIONS and action & d.grant.rights:
        return reasons.ALLOWED
    return reasons.NO_RIGHT


def _channel(d):
    channel = d.request.channel
    if channel in CHANNELS and channel & d.grant.channels:
        return reasons.ALLOWED
    return reasons.CHANNEL_CLOSED


# --- when ---


def _clock(d):
    if not d.now.known():
        return reasons.CLOCK_UNKNOWN if d.grant.timed() else reasons.ALLOWED
    if not d.child:
        d.at.set(d.now.at)
        d.move(0)
    return reasons.ALLOWED


def _start(d):
    wait_s = d.at.until(d.grant.start) if d.grant.start else 0
    d.steady_s = wait_s if wait_s > 0 else FAR_S
    return reasons.TOO_EARLY if wait_s > 0 else reasons.ALLOWED


def _until(d):
    return _before(d, d.grant.until, reasons.EXPIRED)


def _lease(d):
    return _before(d, d.grant.lease, reasons.LEASE_OVER)


def _before(d, end, reason):
    d.steady_s = d.at.until(end) if end else FAR_S
    if d.steady_s > 0:
        return reasons.ALLOWED
    d.steady_s = FAR_S
    return reason


def _deny_rules(d):
    d.scan.run(d.grant.rules, False)
    d.steady_s = d.scan.held_s or d.scan.wait_s
    return reasons.DENY_RULE if d.scan.held_s else reasons.ALLOWED


def _allow_rules(d):
    d.scan.run(d.grant.rules, True)
    d.steady_s = d.scan.held_s or d.scan.wait_s
    return reasons.OUTSIDE_RULES if d.scan.count and not d.scan.held_s else reasons.ALLOWED


def _first_use(d):
    d.steady_s = FAR_S
    if d.grant.after_first_use_s is None or not d.state.first_use:
        return reasons.ALLOWED
    left_s = d.grant.after_first_use_s - d.state.first_use.until(d.at)
    if left_s <= 0:
        return reasons.FIRST_USE_OVER
    d.steady_s = left_s
    return reasons.ALLOWED


# --- how often, and on whose behalf ---


def _uses(d):
    if d.grant.uses is None or d.state.uses < d.grant.uses or not d.request.action & OPENING:
        return reasons.ALLOWED
    if not _repeats(d):
        return reasons.USES_SPENT
    d.repeat_s = REPEAT_S - d.state.since_use_s
    return reasons.ALLOWED


def _repeats(d):
    since_s = d.state.since_use_s
    return since_s is not None and 0 <= since_s < REPEAT_S


def _parent(d):
    """Ask the parent share everything but what is about the person at the door."""
    if d.grant.parent is None:
        return reasons.ALLOWED
    d.parent_reason = _parent_fault(d) or first_failing(d.parent, PARENT_CHECKS)
    return reasons.PARENT_DENIES if d.parent_reason else reasons.ALLOWED


def _parent_fault(d):
    parent = d.state.parent
    if parent is None or parent.share != d.grant.parent or d.state.parent_state is None:
        return reasons.UNKNOWN_SHARE
    if parent.parent is not None:
        return reasons.PARENT_DENIES  # a share can be passed on once
    d.parent.grant = parent
    d.parent.request = d.request
    d.parent.now = d.now
    d.parent.zone = d.zone
    d.parent.state = d.state.parent_state
    return reasons.ALLOWED


def _parent_time(d):
    d.steady_s = FAR_S
    if d.grant.parent is None:
        return reasons.ALLOWED
    reason = _parent_fault(d)
    if not reason:
        reason = time_reason(d.parent)
        d.steady_s = d.parent.steady_s
    return reasons.PARENT_DENIES if reason else reasons.ALLOWED


def _parent_standing(d):
    if d.grant.parent is None:
        return reasons.ALLOWED
    return _parent_fault(d) or first_failing(d.parent, _PARENT_STANDING)


_RECORD = (_revocation, _version, _lock)
_TIME = (_start, _until, _lease, _deny_rules, _allow_rules)
CHECKS = (
    (_key, _share)
    + _RECORD
    + (_mode, _lockout, _right, _channel, _clock)
    + _TIME
    + (_uses, _first_use, _parent)
)
# Not asked of the parent share: what is about the person at the door and the key in that hand.
PARENT_CHECKS = _RECORD + (_right, _channel, _clock) + _TIME + (_uses, _first_use)
TIME_CHECKS = _TIME + (_first_use, _parent_time)
# What waiting cannot mend.
STANDING_CHECKS = (
    (_key, _share) + _RECORD + (_mode, _right, _channel, _clock, _uses, _parent_standing)
)
_PARENT_STANDING = _RECORD + (_right, _channel, _clock, _uses)
