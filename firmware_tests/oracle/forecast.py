"""When next? By painting every second of 400 days and looking for the first that will do."""

from . import model
from .line import line
from .verdict import REPEAT_S, verdict

HORIZON_S = 400 * 86_400


def next_allowed(scenario: dict, moment: dict) -> int | None:
    """The earliest later Unix second at which time alone turns a denial into a yes, or None."""
    moment = model.moment(moment)
    at, error_s = moment["at"], moment["error_s"]
    if not _time_may_mend(scenario, moment):
        return None
    grant, state = model.grant(scenario["grant"]), model.state(scenario.get("state", {}))
    opening = scenario.get("request", {}).get("action", "unlock") in ("unlock", "pull")
    last = max(at, at if grant["from"] is None else grant["from"]) + HORIZON_S
    if opening:
        last = min(last, at + _repeat_left_s(grant, state))
        if grant["parent"] is not None:
            parent = state["parent"]
            last = min(last, at + _repeat_left_s(parent["grant"], parent["state"]))
    begin = at + max(1, state["lockout_s"] if grant["level"] != 2 else 0)
    if grant["from"] is not None:
        begin = max(
            begin, grant["from"] + error_s
        )  # nothing to paint before that, and it may be far
    if last < begin:
        return None
    painted = line(scenario, begin - error_s, last + error_s + 1)
    found = painted.find(bytes(2 * error_s + 1))
    return None if found < 0 else begin + found


def _time_may_mend(scenario, moment):
    """Whether it is denied now, and all that is not about time is in order."""
    if verdict(scenario, moment)["reason"] == "allowed" or not _known(moment):
        return False
    return verdict(_timeless(scenario), moment)["reason"] == "allowed"


def _known(moment):
    return moment["trust"] != "unknown" and 0 <= moment["error_s"] <= 3600


def _timeless(scenario):
    """The same scenario without any condition of time, and with the lock-out over."""
    if scenario.get("grant", {}) is None:
        return scenario
    state = dict(scenario.get("state", {}), lockout_s=0)
    if state.get("parent"):
        state["parent"] = dict(state["parent"], grant=_untimed(state["parent"]["grant"]))
    return dict(scenario, grant=_untimed(scenario.get("grant", {})), state=state)


def _untimed(grant):
    timed = ("from", "until", "lease", "rules", "after_first_use_s")
    return {term: value for term, value in grant.items() if term not in timed}


def _repeat_left_s(grant, state):
    """For how long a grant whose uses are spent still opens, as a repeat of the last one."""
    if grant["uses"] is None or state["uses"] < grant["uses"]:
        return HORIZON_S * 100
    return REPEAT_S - 1 - state["since_use_s"]


def later(scenario: dict, wait_s: int) -> dict:
    """The same scenario after `wait_s` seconds in which nothing happens."""
    state = dict(scenario.get("state", {}))
    state["lockout_s"] = max(0, state.get("lockout_s", 0) - wait_s)
    if state.get("since_use_s") is not None:
        state["since_use_s"] += wait_s
    if state.get("parent"):
        parent = state["parent"]
        state["parent"] = dict(
            parent, state=later({"state": parent.get("state", {})}, wait_s)["state"]
        )
    return dict(scenario, state=state)
