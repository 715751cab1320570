"""The plain dicts that stand for a grant, a request and a state, and what is left out of them.

The shape is that of the published vectors; `firmware_tests/vectors/README.md` is its description.
Instants are Unix seconds here, dates are ISO text; `written` gives instants the second, readable
form that the files have.
"""

from datetime import UTC, datetime

GRANT = {
    "share": "share-1",
    "version": 1,
    "lock": "lock-1",
    "key": "phone-1",
    "level": 0,
    "rights": 7,
    "channels": 3,
    "from": None,
    "until": None,
    "lease": None,
    "rules": [],
    "uses": None,
    "after_first_use_s": None,
    "duress": False,
    "parent": None,
}
RULE = {
    "allow": True,
    "weekdays": 127,
    "start_s": 0,
    "end_s": 86_400,
    "utc": False,
    "first_date": None,
    "last_date": None,
}
REQUEST = {"key": "phone-1", "action": "unlock", "channel": "local", "proven": True}
STATE = {
    "lock": "lock-1",
    "mode": "normal",
    "revoked": False,
    "floor": 0,
    "lockout_s": 0,
    "uses": 0,
    "since_use_s": None,
    "first_use": None,
    "parent": None,
}
MOMENT = {"at": 0, "error_s": 0, "trust": "trusted"}
ZONE = {"tz": "UTC0"}

INSTANTS = ("at", "from", "until", "lease", "first_use", "next")


def grant(terms: dict) -> dict:
    """A grant's dict with every entry."""
    return _whole(GRANT, terms) | {
        "rules": [_whole(RULE, rule) for rule in terms.get("rules", [])]
    }


def state(given: dict) -> dict:
    """A state's dict with every entry, those of a parent included."""
    whole = _whole(STATE, given)
    if whole["parent"]:
        parent = whole["parent"]
        held = parent.get("state", {})
        whole["parent"] = {
            "grant": grant(parent["grant"]),
            "state": None if held is None else state(held),
        }
    return whole


def request(given: dict) -> dict:
    """A request's dict with every entry."""
    return _whole(REQUEST, given)


def moment(given: dict) -> dict:
    """A moment's dict with every entry."""
    return _whole(MOMENT, given)


def _whole(defaults, given):
    unknown = given.keys() - defaults.keys()
    if unknown:
        raise KeyError(f"no such entry: {sorted(unknown)}")
    return defaults | given


def iso(at: int) -> str:
    """`2026-03-29T01:00:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def written(value, name=""):
    """A copy for a file: an instant becomes a pair, Unix seconds and ISO 8601 text."""
    if isinstance(value, dict):
        return {key: written(entry, key) for key, entry in value.items()}
    if isinstance(value, list):
        return [written(entry) for entry in value]
    if name in INSTANTS and value is not None:
        return [value, iso(value)]
    return value
