"""The topics, and who may read and write which: one table for every broker.

Imports nothing. A user is a lock, by its id, or Home Assistant for one share, by the share's uid;
`%u` stands for it. Who is not named here is the service itself, which may do everything.
"""

CLOUD = "cloud"  # the service's own name

ONLINE = "cloud/online"  # retained; the service's last will says offline

# Below locks/ID/
STATEMENT = "down/statement"
HEAD = "head"  # retained
HELLO = "up/hello"
RESULT = "up/result"
LOG = "up/log"
STATE = "state"  # retained
PRESENCE = "online"  # retained; the lock's last will says offline

# Below home/UID/
HOME_STATE = "state"  # retained
HOME_PRESENCE = "online"  # retained
HOME_EVENT = "event"
COMMAND = "command"

HOME_STATUS = "homeassistant/status"  # where it says by itself that it came and went

READ = (
    f"locks/%u/{STATEMENT}",
    f"locks/%u/{HEAD}",
    "homeassistant/+/%u/+/config",
    f"home/%u/{HOME_STATE}",
    f"home/%u/{HOME_PRESENCE}",
    f"home/%u/{HOME_EVENT}",
    ONLINE,
)
WRITE = (
    f"locks/%u/{HELLO}",
    f"locks/%u/{RESULT}",
    f"locks/%u/{LOG}",
    f"locks/%u/{STATE}",
    f"locks/%u/{PRESENCE}",
    f"home/%u/{COMMAND}",
    HOME_STATUS,  # or its last will would be refused, and so would it; nobody reads this
)
HEARD = (
    *(f"locks/+/{what}" for what in (HELLO, RESULT, LOG, STATE, PRESENCE)),
    f"home/+/{COMMAND}",
)  # what the service subscribes to


def of_lock(lock: str, what: str) -> str:
    """A topic of a lock."""
    return f"locks/{lock}/{what}"


def of_home(uid: str, what: str) -> str:
    """A topic of Home Assistant for a share."""
    return f"home/{uid}/{what}"


def may_read(user: str, topic: str) -> bool:
    """Whether a user gets what is published there; to subscribe is open to all."""
    return user == CLOUD or any(_fits(topic, pattern, user) for pattern in READ)


def may_write(user: str, topic: str) -> bool:
    """Whether a user may publish there, as a last will too."""
    return user == CLOUD or any(_fits(topic, pattern, user) for pattern in WRITE)


def _fits(topic: str, pattern: str, user: str) -> bool:
    levels, wanted = topic.split("/"), pattern.split("/")
    return len(levels) == len(wanted) and all(
        want in ("+", level) or (want == "%u" and level == user)
        for level, want in zip(levels, wanted, strict=True)
    )
