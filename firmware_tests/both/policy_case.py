"""From the plain dicts of the published vectors to the objects of `firmware.policy`.

Used by the tests on every runtime and by the property tests. Imports only `firmware.policy`. What
the entries mean: firmware_tests/vectors/README.md.
"""

from firmware.policy import decision, grant, reasons
from firmware.policy.decision import Decision, Now, Request, State
from firmware.policy.grant import Grant
from firmware.policy.instant import day_number, from_unix, to_unix
from firmware.policy.schedule import Rule
from firmware.policy.zone import Zone
from host_sim import words

ACTIONS = {
    "unlock": grant.UNLOCK,
    "lock": grant.LOCK,
    "pull": grant.PULL,
    "read_log": grant.READ_LOG,
    "manage": grant.MANAGE,
}
CHANNELS = {"local": grant.LOCAL, "remote": grant.REMOTE}
MODES = {
    "normal": decision.NORMAL,
    "vacation": decision.VACATION,
    "privacy": decision.PRIVACY,
    "no_remote": decision.NO_REMOTE,
    "passage": decision.PASSAGE,
}
TRUSTS = {
    "unknown": decision.UNKNOWN,
    "holdover": decision.HOLDOVER,
    "trusted": decision.TRUSTED,
}


def instant_of(value):
    """An Instant from Unix seconds, or from a pair of them and text; None stays None."""
    if value is None:
        return None
    return from_unix(value if isinstance(value, int) else value[0])


def day_of(text):
    """A day number from `2026-03-29`; None stays None."""
    return None if text is None else day_number(*[int(part) for part in text.split("-")])


def rule_of(given):
    """A Rule; entries that are not given have the defaults of the vectors."""
    return Rule(
        given.get("weekdays", 127),
        given.get("start_s", 0),
        given.get("end_s", 86400),
        given.get("allow", True),
        given.get("utc", False),
        day_of(given.get("first_date")),
        day_of(given.get("last_date")),
    )


def grant_of(given):
    """A Grant, or None."""
    if given is None:
        return None
    made = Grant(
        given.get("share", "share-1").encode(),
        given.get("lock", "lock-1").encode(),
        given.get("key", "phone-1").encode(),
        given.get("level", 0),
        given.get("rights", 7),
    )
    made.version = given.get("version", 1)
    made.channels = given.get("channels", 3)
    made.start = instant_of(given.get("from"))
    made.until = instant_of(given.get("until"))
    made.lease = instant_of(given.get("lease"))
    made.rules = tuple([rule_of(rule) for rule in given.get("rules", ())])
    made.uses = given.get("uses")
    made.after_first_use_s = given.get("after_first_use_s")
    made.duress = given.get("duress", False)
    parent = given.get("parent")
    made.parent = None if parent is None else parent.encode()
    return made


def state_of(given):
    """A State, with that of the parent."""
    made = State(given.get("lock", "lock-1").encode())
    made.mode = MODES[given.get("mode", "normal")]
    made.revoked = given.get("revoked", False)
    made.floor = given.get("floor", 0)
    made.lockout_s = given.get("lockout_s", 0)
    made.uses = given.get("uses", 0)
    made.since_use_s = given.get("since_use_s")
    made.first_use = instant_of(given.get("first_use"))
    parent = given.get("parent")
    if parent:
        made.parent = grant_of(parent["grant"])
        held = parent.get("state", {})
        made.parent_state = None if held is None else state_of(held)
    return made


def request_of(given):
    """A Request; a word that the lock does not know becomes a bit that nobody has."""
    return Request(
        given.get("key", "phone-1").encode(),
        ACTIONS.get(given.get("action", "unlock"), 1 << 7),
        CHANNELS.get(given.get("channel", "local"), 1 << 7),
        given.get("proven", True),
    )


def zone_of(given):
    """A Zone, with its successor if it has one."""
    later = given.get("next")
    if later is None:
        return Zone(given["tz"])
    return Zone(given["tz"], zone_of(later), instant_of(later["from"]))


def now_of(moment):
    """A Now."""
    return Now(
        instant_of(moment["at"]),
        moment.get("error_s", 0),
        TRUSTS[moment.get("trust", "trusted")],
    )


class Case:
    """The arguments of `decide` for one scenario; the moment is handed to each call."""

    def __init__(self, scenario):
        self.grant = grant_of(scenario.get("grant", {}))
        self.request = request_of(scenario.get("request", {}))
        self.state = state_of(scenario.get("state", {}))
        self.zone = zone_of(scenario.get("zone", {"tz": "UTC0"}))
        self.decision = Decision()

    def ask(self, function, moment):
        """What `decide`, `next_allowed` or `explain` returns; `self.decision` is filled."""
        return function(
            self.grant, self.request, now_of(moment), self.zone, self.state, self.decision
        )


def outcome(filled):
    """A filled Decision in the form of the vectors' expectations."""
    found: "dict[str, str | bool]" = {"reason": words.name(filled.reason)}
    if filled.reason == reasons.PARENT_DENIES:
        found["parent"] = words.name(filled.parent_reason)
    for name in ("counts", "starts", "duress"):
        if getattr(filled, name):
            found[name] = True
    for name in ("counts", "starts"):
        if getattr(filled.parent, name):
            found["parent_" + name] = True
    return found


def unix_of(instant):
    """Unix seconds of an Instant; None stays None."""
    return None if instant is None else to_unix(instant)
