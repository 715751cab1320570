"""May this be done at this moment? Every check in its order, and time by asking about each second.

Windows are looked up as dates and times of the wall clock, one day's window after the other.
"""

from datetime import date, datetime, time, timedelta

from . import model, zones

ACTIONS = {"unlock": 1, "lock": 2, "pull": 4, "read_log": 8, "manage": 16}
CHANNELS = {"local": 1, "remote": 2}
OPENS = ("unlock", "pull")
OWNER = 2
LONGEST_ERROR_S = 3600
REPEAT_S = 30


def verdict(scenario: dict, moment: dict) -> dict:
    """`reason`, and where they apply `counts`, `starts`, `duress` and `parent`, why that denies.

    `parent_counts` and `parent_starts` say the same of the parent share's uses.

    A scenario has `grant` (None if the lock has none), `request`, `state` and `zone`.
    """
    terms = scenario.get("grant", {})
    case = _Case(
        None if terms is None else model.grant(terms),
        model.request(scenario.get("request", {})),
        model.state(scenario.get("state", {})),
        zones.clock(scenario.get("zone", model.ZONE)),
        model.moment(moment),
    )
    return case.verdict()


class _Case:
    def __init__(self, grant, request, state, clock, moment):
        self.grant = grant
        self.request = request
        self.state = state
        self.clock = clock
        self.moment = moment
        self.parent = self._parent_case()

    def _parent_case(self):
        held = self.state["parent"]
        if not self.grant or self.grant["parent"] is None or not held or held["state"] is None:
            return None
        if held["grant"]["share"] != self.grant["parent"]:
            return None
        return _Case(held["grant"], self.request, held["state"], self.clock, self.moment)

    def verdict(self):
        reason = _first(self._checks())
        if reason == "parent_denies":
            return {"reason": reason, "parent": self._parent_reason()}
        if reason != "allowed":
            return {"reason": reason}
        found = {
            "counts": self._counts(),
            "starts": self._starts(),
            "duress": self.grant["duress"],
        }
        if self.parent:
            found["parent_counts"] = self.parent._counts()
            found["parent_starts"] = self.parent._starts()
        return {"reason": reason} | {name: True for name, value in found.items() if value}

    def _checks(self):
        yield "key_unproven", self.request["proven"] is not True
        yield "unknown_share", self.grant is None or self.grant["key"] != self.request["key"]
        yield from self._record()
        owner = self.grant["level"] == OWNER
        yield "mode", not owner and not self._mode_admits()
        yield "locked_out", not owner and self.state["lockout_s"] > 0
        yield from self._what()
        yield from self._clock()
        if self.known():
            yield from self.time(self.moment["at"])
        yield from self._how_often()
        yield "parent_denies", self._parent_reason() != "allowed"
        yield "clock_uncertain", self._uncertain()

    def _parent_checks(self):
        yield from self._record()
        yield from self._what()
        yield from self._clock()
        if self.known():
            yield from self.time(self.moment["at"])
        yield from self._how_often()

    def _record(self):
        yield "revoked", self.state["revoked"]
        yield "superseded", self.grant["version"] < self.state["floor"]
        yield "wrong_lock", self.grant["lock"] != self.state["lock"]

    def _mode_admits(self):
        level, local = self.grant["level"], self.request["channel"] == "local"
        admits = {
            "normal": True,
            "vacation": level == 1,
            "privacy": False,
            "no_remote": local,
            "passage": True,
        }
        return admits[self.state["mode"]]

    def _what(self):
        yield "no_right", not self.grant["rights"] & ACTIONS.get(self.request["action"], 0)
        yield (
            "channel_closed",
            not self.grant["channels"] & CHANNELS.get(self.request["channel"], 0),
        )

    def _clock(self):
        yield "clock_unknown", self.timed() and not self.known()

    def timed(self):
        terms = ("from", "until", "lease", "after_first_use_s")
        return bool(self.grant["rules"]) or any(self.grant[term] is not None for term in terms)

    def known(self):
        sure = self.moment["trust"] in ("trusted", "holdover")
        return sure and 0 <= self.moment["error_s"] <= LONGEST_ERROR_S

    def time(self, at):
        """What depends on the time only, in the order of the reasons."""
        terms = self.grant
        yield "too_early", terms["from"] is not None and at < terms["from"]
        yield "expired", terms["until"] is not None and at >= terms["until"]
        yield "lease_over", terms["lease"] is not None and at >= terms["lease"]
        allow = [rule for rule in terms["rules"] if rule["allow"]]
        deny = [rule for rule in terms["rules"] if not rule["allow"]]
        yield "deny_rule", any(self._holds(rule, at) for rule in deny)
        yield "outside_rules", bool(allow) and not any(self._holds(rule, at) for rule in allow)

    def _holds(self, rule, at):
        return holds(
            rule,
            datetime(1970, 1, 1) + timedelta(seconds=at) if rule["utc"] else self.clock.wall(at),
        )

    def first_use_over(self, at):
        lasts, began = self.grant["after_first_use_s"], self.state["first_use"]
        return lasts is not None and began is not None and at >= began + lasts

    def _how_often(self):
        spent = self.grant["uses"] is not None and self.state["uses"] >= self.grant["uses"]
        yield "uses_spent", spent and self._opens() and not self._repeats()
        yield "first_use_over", self.known() and self.first_use_over(self.moment["at"])

    def _opens(self):
        return self.request["action"] in OPENS

    def _repeats(self):
        since = self.state["since_use_s"]
        return since is not None and 0 <= since < REPEAT_S

    def _counts(self):
        return self._opens() and self.grant["uses"] is not None and not self._repeats()

    def _starts(self):
        timed = self.grant["after_first_use_s"] is not None
        return self._opens() and timed and self.state["first_use"] is None

    def _parent_reason(self):
        if self.grant["parent"] is None:
            return "allowed"
        if self.parent is None:
            return "unknown_share"
        if self.parent.grant["parent"] is not None:
            return "parent_denies"
        return _first(self.parent._parent_checks())

    def _uncertain(self):
        error_s = self.moment["error_s"] if self.known() else 0
        around = range(self.moment["at"] - error_s, self.moment["at"] + error_s + 1)
        return self.known() and not all(self.time_allows(at) for at in around)

    def time_allows(self, at):
        """Whether no condition of time, the parent's included, speaks against this second."""
        if _first(self.time(at)) != "allowed" or self.first_use_over(at):
            return False
        return self.grant["parent"] is None or self.parent.time_allows(at)


def _first(checks):
    return next((reason for reason, fails in checks if fails), "allowed")


def holds(rule: dict, wall: datetime) -> bool:
    """Whether a rule's window, of today or yesterday, is open when its clock shows `wall`."""
    return any(begin <= wall < end for begin, end in _windows(rule, wall.date()))


def _windows(rule, today):
    for day in (today - timedelta(1), today):
        window = window_of(rule, day)
        if window:
            yield window


def window_of(rule: dict, day: date) -> tuple[datetime, datetime] | None:
    """The window that starts on a day, if one does, as two readings of the wall clock."""
    if not rule["weekdays"] & 2 ** day.weekday():
        return None
    if rule["first_date"] and day < date.fromisoformat(rule["first_date"]):
        return None
    if rule["last_date"] and day > date.fromisoformat(rule["last_date"]):
        return None
    midnight = datetime.combine(day, time())
    overnight = rule["start_s"] > rule["end_s"]
    end = timedelta(days=1 if overnight else 0, seconds=rule["end_s"])
    return midnight + timedelta(seconds=rule["start_s"]), midnight + end
