"""The grant: one share of one lock for one key of its holder, as the lock keeps it.

Imports only its siblings. A `Grant` is a plain record; `fault` says what is wrong with one, and
everybody who makes grants - the lock's intake, the issuer, the tools - asks it.
"""

from . import reasons
from .instant import DAY_S, FAR_S
from .schedule import EVERY_DAY, NO_FIRST_DAY, NO_LAST_DAY, Rule, normal_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

    from .instant import Instant

GUEST = 0
ADMIN = 1
OWNER = 2

UNLOCK = 1
LOCK = 2
PULL = 4
READ_LOG = 8
MANAGE = 16
GUEST_RIGHTS = UNLOCK | LOCK | PULL
ALL_RIGHTS = GUEST_RIGHTS | READ_LOG | MANAGE
OPENING = UNLOCK | PULL  # the actions that count as a use

LOCAL = 1
REMOTE = 2
ANY_CHANNEL = LOCAL | REMOTE

MOST_ID = 16  # bytes of a share's or a lock's id
MOST_HOLDER = 32
MOST_RULES = 8
MOST_USES = 65_535
MOST_VERSION = 0x3FFF_FFFF  # fits a 31-bit small integer
FIRST_DAY = 10_957  # 2000-01-01
LAST_DAY = 84_005  # 2199-12-31

# What a version stands for, beside the rules; the lease and the time of issue may be renewed.
TERMS = (
    "share",
    "lock",
    "key",
    "holder",
    "version",
    "level",
    "rights",
    "channels",
    "start",
    "until",
    "uses",
    "after_first_use_s",
    "duress",
    "parent",
)


class Grant:
    """A verified grant. Instants are `Instant` or None; `rules` is a sequence of `Rule`.

    `share` and `parent` are share ids and `lock` is a lock id, all opaque bytes; `key` is the
    first 16 bytes of the COSE thumbprint (RFC 9679) of the holder's key. `uses` is how often it
    may open and `after_first_use_s` how long it lasts from the first opening, both None for no
    limit.
    """

    def __init__(
        self,
        share: bytes,
        lock: bytes,
        key: bytes,
        level: int = GUEST,
        rights: int = GUEST_RIGHTS,
    ):
        self.share = share
        self.lock = lock
        self.key = key
        self.holder = b""
        self.version = 1
        self.level = level
        self.rights = rights
        self.channels = ANY_CHANNEL
        self.issued: "Instant | None" = None
        self.start: "Instant | None" = None
        self.until: "Instant | None" = None
        self.lease: "Instant | None" = None
        self.rules: "Sequence[Rule]" = ()
        self.uses: "int | None" = None
        self.after_first_use_s: "int | None" = None
        self.duress = False
        self.parent: "bytes | None" = None

    def timed(self) -> bool:
        """Whether anything about it depends on the time."""
        return bool(
            self.start
            or self.until
            or self.lease
            or self.rules
            or self.after_first_use_s is not None
        )


def normalise(grant: Grant) -> None:
    """Bring the windows of a grant's rules into the form that the lock evaluates.

    A start equal to its end is left for `fault` to refuse, so that it never becomes a whole day.
    """
    for rule in grant.rules:
        if rule.start_s != rule.end_s:
            rule.end_s = normal_end(rule.end_s)


def fault(grant: Grant) -> int:
    """The reason for which no lock may accept these terms, `ALLOWED` if there is none."""
    for identity in (grant.share, grant.lock, grant.parent):
        if identity is not None and not 1 <= len(identity) <= MOST_ID:
            return reasons.BAD_ID
    if len(grant.holder) > MOST_HOLDER:
        return reasons.BAD_ID
    if not 1 <= grant.version <= MOST_VERSION:
        return reasons.BAD_VERSION
    if not GUEST <= grant.level <= OWNER:
        return reasons.BAD_LEVEL
    most = GUEST_RIGHTS if grant.level == GUEST else ALL_RIGHTS
    if grant.rights == 0 or grant.rights & ~most:
        return reasons.BAD_RIGHTS
    if not LOCAL <= grant.channels <= ANY_CHANNEL:
        return reasons.BAD_CHANNELS
    if _dates_fault(grant):
        return reasons.BAD_DATES
    if len(grant.rules) > MOST_RULES:
        return reasons.TOO_MANY_RULES
    for rule in grant.rules:
        reason = rule_fault(rule)
        if reason:
            return reason
    if grant.uses is not None and not 1 <= grant.uses <= MOST_USES:
        return reasons.BAD_USES
    if grant.after_first_use_s is not None and not 1 <= grant.after_first_use_s < FAR_S:
        return reasons.BAD_USES
    if grant.level == OWNER and (
        grant.timed() or grant.uses is not None or grant.parent is not None
    ):
        return reasons.OWNER_TIMED
    if grant.parent is not None and grant.parent == grant.share:
        return reasons.BAD_PARENT
    return reasons.ALLOWED


def same_terms(one: Grant, other: Grant) -> bool:
    """Whether two grants say the same, but for what a renewal changes: lease, time of issue."""
    for term in TERMS:
        if getattr(one, term) != getattr(other, term):
            return False
    return list(one.rules) == list(other.rules)


def rule_fault(rule: Rule) -> int:
    """The reason for which one rule is refused, `ALLOWED` if there is none."""
    if not 1 <= rule.weekdays <= EVERY_DAY:
        return reasons.BAD_WEEKDAYS
    if rule.start_s == rule.end_s:
        return reasons.EMPTY_WINDOW
    if not (0 <= rule.start_s < DAY_S and 0 <= rule.end_s <= DAY_S):
        return reasons.BAD_WINDOW
    for day, unset in ((rule.first_day, NO_FIRST_DAY), (rule.last_day, NO_LAST_DAY)):
        if day != unset and not FIRST_DAY <= day <= LAST_DAY:
            return reasons.BAD_DATES
    return reasons.BAD_DATES if rule.first_day > rule.last_day else reasons.ALLOWED


def _dates_fault(grant):
    for instant in (grant.issued, grant.start, grant.until, grant.lease):
        if instant and not FIRST_DAY <= instant.day <= LAST_DAY:
            return True
    if grant.start and grant.until and grant.start.until(grant.until) <= 0:
        return True
    return bool(grant.start and grant.lease and grant.start.until(grant.lease) <= 0)
