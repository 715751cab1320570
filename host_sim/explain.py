"""Why? The checks of a decision in their order, with what each saw and what it said.

Imports policy and the words for its numbers. Runs the very checks that decide; only the
descriptions live here. Runs wherever the simulator's lock does; a lock at a door answers with
numbers and leaves this to whoever asks.
"""

from firmware.policy.decision import CHECKS, REPEAT_S, certain, decide

from . import words
from .words import (
    ACTION_NAMES,
    CHANNEL_NAMES,
    LEVEL_NAMES,
    MODE_NAMES,
    TRUST_NAMES,
    duration,
    iso,
    readable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.policy.decision import Decision, Now, Request, State
    from firmware.policy.grant import Grant
    from firmware.policy.zone import Zone


class Step:
    """One check: its `name`, the `reason` it gave (None if it was not reached) and what it saw."""

    def __init__(self, name: str, reason: "int | None" = None, seen: str = ""):
        self.name = name
        self.reason = reason
        self.seen = seen


def explain(
    grant: "Grant | None",
    request: "Request",
    now: "Now",
    zone: "Zone",
    state: "State",
    decision: "Decision",
) -> "list[Step]":
    """All the checks as a list of Step, in order; fills `decision` as `decide` does."""
    decide(grant, request, now, zone, state, decision)
    decision.clear()
    steps = [Step(name) for name, _ in _DESCRIPTIONS]
    for place, check in enumerate(CHECKS + (certain,)):
        step = steps[place]
        step.reason = check(decision)
        step.seen = _DESCRIPTIONS[place][1](decision)
        if step.reason:
            break
    decide(grant, request, now, zone, state, decision)
    return steps


def names(mask: int, table: "dict[int, str]") -> str:
    """The names of the bits of a mask, in the order of the bits."""
    return ", ".join([table[bit] for bit in sorted(table) if mask & bit]) or "none"


def _key(d):
    return "proven" if d.request.proven is True else "not proven"


def _share(d):
    if d.grant is None:
        return "none for this key"
    level = LEVEL_NAMES.get(d.grant.level, "level %s" % d.grant.level)
    return "%s, %s" % (readable(d.grant.share), level)


def _revocation(d):
    return "revoked" if d.state.revoked else "live"


def _version(d):
    return "%d, at least %d" % (d.grant.version, d.state.floor)


def _lock(d):
    return readable(d.grant.lock)


def _mode(d):
    mode = d.state.mode
    return MODE_NAMES[mode] if mode in range(len(MODE_NAMES)) else "unknown mode"


def _lockout(d):
    return "for %s" % duration(d.state.lockout_s) if d.state.lockout_s else "none"


def _right(d):
    asked = ACTION_NAMES.get(d.request.action, "an unknown action")
    return "%s of %s" % (asked, names(d.grant.rights, ACTION_NAMES))


def _channel(d):
    asked = CHANNEL_NAMES.get(d.request.channel, "an unknown channel")
    return "%s of %s" % (asked, names(d.grant.channels, CHANNEL_NAMES))


def _clock(d):
    if not d.now.known():
        return "unknown"
    return "%s, %s" % (TRUST_NAMES[d.now.trust], iso(d.at))


def _start(d):
    return "from %s" % iso(d.grant.start) if d.grant.start else "from any time"


def _until(d):
    return "until %s" % iso(d.grant.until) if d.grant.until else "without end"


def _lease(d):
    return "until %s" % iso(d.grant.lease) if d.grant.lease else "none"


def _rules(d):
    if not d.scan.count:
        return "none"
    if not d.scan.held_s:
        return "none of %d holds" % d.scan.count
    return "one of %d holds" % d.scan.count


def _uses(d):
    if d.grant.uses is None:
        return "no limit"
    seen = "%d of %d" % (d.state.uses, d.grant.uses)
    return seen if d.repeat_s > REPEAT_S else seen + ", a repeat of the last one"


def _first_use(d):
    if d.grant.after_first_use_s is None:
        return "no limit"
    lasts = duration(d.grant.after_first_use_s)
    if not d.state.first_use:
        return "lasts %s from the first use" % lasts
    return "lasts %s from %s" % (lasts, iso(d.state.first_use))


def _parent(d):
    if d.grant.parent is None:
        return "not passed on"
    return "%s: %s" % (readable(d.grant.parent), words.name(d.parent_reason))


def _certain(d):
    return "%s either way" % duration(d.now.error_s) if d.now.known() else "no time needed"


_DESCRIPTIONS = (
    ("key", _key),
    ("share", _share),
    ("revocation", _revocation),
    ("version", _version),
    ("lock", _lock),
    ("mode", _mode),
    ("lock-out", _lockout),
    ("right", _right),
    ("channel", _channel),
    ("clock", _clock),
    ("from", _start),
    ("until", _until),
    ("lease", _lease),
    ("deny rules", _rules),
    ("allow rules", _rules),
    ("uses", _uses),
    ("first use", _first_use),
    ("parent", _parent),
    ("clock error", _certain),
)
