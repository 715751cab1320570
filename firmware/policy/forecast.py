"""When next? The earliest later instant at which time alone turns a denial into a yes.

Imports only its siblings. Walks the checks of time from one change to the next, all at once or
some steps at a time.
"""

from . import reasons
from .decision import STANDING_CHECKS, decide, first_failing, time_reason
from .instant import DAY_S, FAR_S, Instant, from_unix, to_unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .decision import Decision, Now, Request, State
    from .grant import Grant
    from .zone import Zone

HORIZON_S = 400 * DAY_S
MOST_STEPS = 2000


def next_allowed(
    grant: "Grant | None",
    request: "Request",
    now: "Now",
    zone: "Zone",
    state: "State",
    decision: "Decision",
) -> "Instant | None":
    """An Instant, or None: allowed already, never by time alone, or not within 400 days.

    The 400 days begin now, or when the grant does if that is later. The error of the clock is
    taken to stay what it is, and a lock-out to run its course. None as well after 2 000 steps
    without an answer, which takes rules that exclude each other many times a day for most of a
    year.
    """
    decide(grant, request, now, zone, state, decision)
    search = Search(decision)
    while search.go_on(MOST_STEPS):
        pass
    return search.found


class Search:
    """Looks for it in steps; `found` is the Instant, None before and if there is none.

    The decision is one that was just made. It may be used for others between two `go_on`, if it is
    made again before the second.
    """

    def __init__(self, decision: "Decision"):
        self._decision = decision
        self._from = Instant(decision.now.at.day, decision.now.at.second)
        self._error_s = decision.now.error_s
        self._horizon_s = self._at_s = self._since_s = 0
        self._steps_left = 0
        self.found: "Instant | None" = None
        if _waiting_helps(decision):
            wait_s = decision.state.lockout_s if decision.reason == reasons.LOCKED_OUT else 1
            # The yes must hold all through the error of the clock.
            self._at_s = self._since_s = wait_s - self._error_s
            self._horizon_s = _horizon_s(decision)
            self._steps_left = MOST_STEPS

    def go_on(self, steps: int) -> bool:
        """So many steps; False at the end."""
        d = self._decision
        d.at.set(self._from)
        d.move(self._at_s)
        for _ in range(min(steps, self._steps_left)):
            self._steps_left -= 1
            reason = time_reason(d)
            self._at_s += d.steady_s
            if reason:
                self._since_s = self._at_s
            wait_s = self._since_s + self._error_s
            if wait_s > self._horizon_s:
                return False
            if self._at_s - self._since_s > 2 * self._error_s:
                self.found = from_unix(to_unix(self._from) + wait_s)
                return False
            d.move(d.steady_s)
        return self._steps_left > 0


def _waiting_helps(d):
    return not (d.allowed or not d.now.known() or first_failing(d, STANDING_CHECKS))


def _horizon_s(d):
    start_s = to_unix(d.grant.start) - to_unix(d.now.at) if d.grant.start else 0
    horizon_s = max(0, start_s) + HORIZON_S
    repeat_s = min(d.repeat_s, d.parent.repeat_s)
    # FAR_S is no repeat at all, and a grant may begin later than that.
    return min(horizon_s, repeat_s - 1) if repeat_s < FAR_S else horizon_s
