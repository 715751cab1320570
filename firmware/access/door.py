"""The way through the door: one function from a request to the bolt.

Imports policy, store and its siblings; the clock, the log, the grants and the bolt are handed in.
The order is fixed: decide; write down a use that counts; chain the entry in RAM; move the bolt. A
power cut in between may lose the entry, never the use. It is on flash within a second, see `tick`.
"""

from ..policy import reasons
from ..policy.decision import UNKNOWN, Decision, Now, decide
from ..policy.instant import Instant
from ..store import entry
from .lockout import Lockouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..clock.clock import Clock
    from ..clock.ticks import Ticks
    from ..policy.decision import Request
    from ..policy.zone import Zone
    from ..store.grants import Grants
    from ..store.log import Log

_GRANTS = 16  # reasons of damage above this are those of the grant cache
# What is not the holder's doing, and what is being shut out already.
_NO_FAULT = (reasons.CLOCK_UNKNOWN, reasons.CLOCK_UNCERTAIN, reasons.LOCKED_OUT)


class Door:
    """One door. `bolt.act(action)` begins to move the bolt and returns at once."""

    def __init__(
        self,
        grants: "Grants",
        log: "Log",
        strangers: "Any",
        clock: "Clock",
        ticks: "Ticks",
        zone: "Zone",
        bolt: "Any",
    ):
        self._grants = grants
        self._log = log
        self._strangers = strangers
        self._clock = clock
        self._ticks = ticks
        self.zone = zone
        self._bolt = bolt
        self._lockouts = Lockouts()
        self._now = Now(Instant(), 0, UNKNOWN)
        self.decision = Decision()
        self.questions = 0  # that were asked, about anybody
        self.answers = 0  # to keys with a grant; what the last one was
        self.last_reason: "int | None" = None
        self.last_share: "bytes | None" = None

    def ask(self, request: "Request") -> int:
        """Carry out a request, or not; the reason. More is in `decision` until the next one."""
        decide(*self.question(request))
        reason = self.decision.reason
        if reason == reasons.ALLOWED and not self._written_down():
            self.decision.clear()
            self.decision.reason = reason = reasons.NOT_COUNTED
        self._enter(request, reason)
        if reason == reasons.ALLOWED:
            self._bolt.act(request.action)
            self._lockouts.allowed(request.key)
        elif self.decision.grant is not None and reason not in _NO_FAULT:
            self._lockouts.denied(request.key, self._ticks.second)
        return reason

    def question(self, request: "Request") -> "tuple[Any, ...]":
        """What `decide` and `next_allowed` take about a request now; lent until the next call."""
        self.questions += 1
        self._clock.read(self._now)
        grant = self._grants.find(request.key) if request.proven is True else None
        state = self._grants.state_at(grant, self._ticks.second)
        state.lockout_s = self._lockouts.left_s(request.key, self._ticks.second)
        return grant, request, self._now, self.zone, state, self.decision

    def _written_down(self):
        """Whether every use that counts is on flash; what cannot be counted is not opened."""
        try:
            return self._grants.record(self.decision, self._now.at, self._ticks.second)
        except OSError:
            return False

    def _enter(self, request, reason):
        grant = self.decision.grant
        if grant is None:
            self._strangers.note(reason)
            return
        self.answers += 1
        self.last_reason = reason
        self.last_share = grant.share
        action = request.action | request.channel << entry.CHANNEL_SHIFT
        self._log.append(entry.DECISION, self._now, reason, action, grant.share, request.key)

    def tick(self) -> None:
        """Once a second: what was damaged is entered, and what was entered goes to flash."""
        try:
            self._report()
        finally:
            if self._log.flush():
                self._clock.note()
        self._grants.confirm()

    def _report(self):
        self._clock.read(self._now)
        self._strangers.tick(self._now, self._ticks.second)
        for what, number, slot in self._grants.take_reports():
            place = number.to_bytes(4, "big")
            self._log.append(entry.DAMAGE, self._now, _GRANTS + what, subject=place, count=slot)
