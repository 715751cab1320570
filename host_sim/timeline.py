"""What time alone says about a grant, span after span.

Imports policy. Walks the checks of time from one change to the next, as the lock does to find the
next allowed instant. Runs on MicroPython, too.
"""

from firmware.policy.decision import Now, Request, decide, time_reason
from firmware.policy.grant import LOCAL, UNLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

    from firmware.policy.decision import Decision, State
    from firmware.policy.grant import Grant
    from firmware.policy.instant import Instant
    from firmware.policy.zone import Zone


def timeline(
    grant: "Grant",
    at: "Instant",
    zone: "Zone",
    state: "State",
    seconds: int,
    decision: "Decision",
) -> "Iterator[tuple[int, int, int]]":
    """Yield (offset_s, length_s, reason) of the checks of time alone, for `seconds` from `at` on.

    Neighbours differ in reason. Whether the key, the rights, the channel or the uses would do is
    not asked.
    """
    decide(grant, Request(grant.key, UNLOCK, LOCAL, True), Now(at), zone, state, decision)
    decision.at.set(at)
    decision.move(0)
    offset_s = since_s = 0
    last = -1
    while offset_s < seconds:
        reason = time_reason(decision)
        if reason != last:
            if offset_s:
                yield since_s, offset_s - since_s, last
            since_s = offset_s
            last = reason
        offset_s += decision.reason_s
        decision.move(decision.reason_s)
    if last >= 0:
        yield since_s, seconds - since_s, last
