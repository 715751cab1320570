"""When next? The earliest later instant at which time alone turns a denial into a yes.

Imports only its siblings. Walks the checks of time from one change to the next; run after a denial
has been sent, or when asked.
"""

from . import reasons
from .decision import STANDING_CHECKS, decide, first_failing, time_reason
from .instant import DAY_S, FAR_S, from_unix, to_unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .decision import Decision, Now, Request, State
    from .grant import Grant
    from .instant import Instant
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
    wait_s = state.lockout_s if decision.reason == reasons.LOCKED_OUT else 1
    if decision.allowed or not now.known() or first_failing(decision, STANDING_CHECKS):
        return None
    wait_s = _walk(decision, wait_s, _horizon_s(decision))
    return None if wait_s is None else from_unix(to_unix(now.at) + wait_s)


def _horizon_s(d):
    start_s = to_unix(d.grant.start) - to_unix(d.now.at) if d.grant.start else 0
    horizon_s = max(0, start_s) + HORIZON_S
    repeat_s = min(d.repeat_s, d.parent.repeat_s)
    # FAR_S is no repeat at all, and a grant may begin later than that.
    return min(horizon_s, repeat_s - 1) if repeat_s < FAR_S else horizon_s


def _walk(d, wait_s, horizon_s):
    """Seconds from now until a yes that comes no sooner than `wait_s`, or None."""
    error_s = d.now.error_s
    at_s = since_s = wait_s - error_s  # the yes must hold all through the error of the clock
    d.move(at_s)
    for _ in range(MOST_STEPS):
        reason = time_reason(d)
        at_s += d.steady_s
        if reason:
            since_s = at_s
        if since_s + error_s > horizon_s:
            return None
        if at_s - since_s > 2 * error_s:
            return since_s + error_s
        d.move(d.steady_s)
    return None
