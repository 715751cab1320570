"""Why? The checks of a decision in their order, with what each saw and what it said.

Imports only its siblings. Runs the very checks that decide; only the descriptions live here.
Allocates freely, so it runs after the answer has been given.
"""

from . import reasons
from .decision import CHECKS, HOLDOVER, REPEAT_S, TRUSTED, certain, decide
from .grant import ADMIN, GUEST, LOCAL, LOCK, MANAGE, OWNER, PULL, READ_LOG, REMOTE, UNLOCK
from .instant import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .decision import Decision, Now, Request, State
    from .grant import Grant
    from .zone import Zone

ACTION_NAMES = {
    UNLOCK: "unlock",
    LOCK: "lock",
    PULL: "pull",
    READ_LOG: "read-log",
    MANAGE: "manage",
}
CHANNEL_NAMES = {LOCAL: "local", REMOTE: "remote"}
LEVEL_NAMES = {GUEST: "guest", ADMIN: "admin", OWNER: "owner"}
MODE_NAMES = ("normal", "vacation", "privacy", "no-remote")
TRUST_NAMES = {TRUSTED: "trusted", HOLDOVER: "holdover"}


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
    for step, check, (_, describe) in zip(steps, CHECKS + (certain,), _DESCRIPTIONS):
        step.reason = check(decision)
        step.seen = describe(decision)
        if step.reason:
            break
    decide(grant, request, now, zone, state, decision)
    return steps


def names(mask: int, table: "dict[int, str]") -> str:
    """The names of the bits of a mask, in the order of the bits."""
    return ", ".join([table[bit] for bit in sorted(table) if mask & bit]) or "none"


def duration(seconds: int) -> str:
    """Seconds in the largest units that divide them, `2 h 30 min`."""
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size:
            parts.append("%d %s" % (seconds // size, unit))
            seconds %= size
    return " ".join(parts) or "0 s"


def _key(d):
    return "proven" if d.request.proven is True else "not proven"


def _share(d):
    if d.grant is None:
        return "none for this key"
    level = LEVEL_NAMES.get(d.grant.level, "level %s" % d.grant.level)
    return "%s, %s" % (readable(d.grant.share), level)


def readable(opaque: bytes) -> str:
    """An opaque id as people know it: text if it is printable ASCII, hexadecimal if not."""
    if opaque and all(32 < byte < 127 for byte in opaque):
        return bytes(opaque).decode()
    return "".join(["%02x" % byte for byte in opaque])


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
    return "%s: %s" % (readable(d.grant.parent), reasons.name(d.parent_reason))


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
