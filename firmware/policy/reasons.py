"""Every reason that the lock gives, with its number: the one table of all logs and documents.

Imports nothing. A number is one byte, never changes its meaning and is never used again. 0 means
yes; 1..63 are answers to somebody who wants something of the lock; 64..127 are refusals of a
statement.
"""

ALLOWED = 0
KEY_UNPROVEN = 1
UNKNOWN_SHARE = 2
REVOKED = 3
SUPERSEDED = 4
WRONG_LOCK = 5
MODE = 6
LOCKED_OUT = 7
NO_RIGHT = 8
CHANNEL_CLOSED = 9
CLOCK_UNKNOWN = 10
TOO_EARLY = 11
EXPIRED = 12
LEASE_OVER = 13
DENY_RULE = 14
OUTSIDE_RULES = 15
USES_SPENT = 16
FIRST_USE_OVER = 17
PARENT_DENIES = 18
CLOCK_UNCERTAIN = 19
NOT_COUNTED = 20

MALFORMED = 64
TOO_LARGE = 65
UNKNOWN_KIND = 66
WRONG_ALGORITHM = 67
CRITICAL_UNKNOWN = 68
UNKNOWN_ISSUER = 69
BAD_SIGNATURE = 70
OTHER_LOCK = 71
BAD_KEY = 72
BAD_LEVEL = 73
BAD_RIGHTS = 74
BAD_CHANNELS = 75
BAD_DATES = 76
TOO_MANY_RULES = 77
BAD_WEEKDAYS = 78
BAD_WINDOW = 79
EMPTY_WINDOW = 80
BAD_USES = 81
OWNER_TIMED = 82
BAD_PARENT = 83
OLD_VERSION = 84
OLD_ISSUE = 85
CHANGED_TERMS = 86
CACHE_FULL = 87
SHARE_REVOKED = 88
BAD_VERSION = 89
BAD_ID = 90
OLD_SEQUENCE = 91
SEQUENCE_GAP = 92
BAD_SEQUENCE = 93
SEQUENCE_LOST = 94
BAD_ACK = 95

TABLE = (
    (ALLOWED, "allowed", "Every check passed."),
    (KEY_UNPROVEN, "key_unproven", "The key of the grant was not proven in this session."),
    (UNKNOWN_SHARE, "unknown_share", "The lock holds no grant for this key."),
    (REVOKED, "revoked", "The share, or this key of it, was revoked."),
    (SUPERSEDED, "superseded", "The lock knows of a newer version of this share."),
    (WRONG_LOCK, "wrong_lock", "The grant is for another lock."),
    (MODE, "mode", "The lock is in a mode that keeps this holder out."),
    (LOCKED_OUT, "locked_out", "This key is locked out for a while after repeated denials."),
    (NO_RIGHT, "no_right", "The grant does not include this action."),
    (CHANNEL_CLOSED, "channel_closed", "The grant may not be used over this channel."),
    (CLOCK_UNKNOWN, "clock_unknown", "The grant depends on time, which the lock does not know."),
    (TOO_EARLY, "too_early", "The grant is not valid yet."),
    (EXPIRED, "expired", "The grant is no longer valid."),
    (LEASE_OVER, "lease_over", "The lease ran out; any phone with a network renews it."),
    (DENY_RULE, "deny_rule", "A rule of the grant forbids this time."),
    (OUTSIDE_RULES, "outside_rules", "No rule of the grant allows this time."),
    (USES_SPENT, "uses_spent", "The grant has been used as often as it may be."),
    (FIRST_USE_OVER, "first_use_over", "The time that began with the first use is over."),
    (PARENT_DENIES, "parent_denies", "The share that this one comes from does not allow it."),
    (CLOCK_UNCERTAIN, "clock_uncertain", "Allowed now, but not all through the clock's error."),
    (NOT_COUNTED, "not_counted", "The use could not be written down, so nothing was opened."),
    (MALFORMED, "malformed", "The statement is not deterministic CBOR of the expected shape."),
    (TOO_LARGE, "too_large", "The statement is larger than the lock accepts."),
    (UNKNOWN_KIND, "unknown_kind", "The statement is of a kind that the lock does not know."),
    (WRONG_ALGORITHM, "wrong_algorithm", "The statement is not signed by ES256."),
    (CRITICAL_UNKNOWN, "critical_unknown", "It has a critical part that the lock does not know."),
    (UNKNOWN_ISSUER, "unknown_issuer", "The statement names a key that is not the issuer's."),
    (BAD_SIGNATURE, "bad_signature", "The signature does not verify under the issuer's key."),
    (OTHER_LOCK, "other_lock", "The statement is addressed to another lock."),
    (BAD_KEY, "bad_key", "The holder's key is not a point of P-256."),
    (BAD_LEVEL, "bad_level", "The level is none of guest, admin, owner."),
    (BAD_RIGHTS, "bad_rights", "The rights are empty, unknown, or more than the level may have."),
    (BAD_CHANNELS, "bad_channels", "The channels are neither local, remote, nor both."),
    (BAD_DATES, "bad_dates", "A date is out of range, or an end is not after its start."),
    (TOO_MANY_RULES, "too_many_rules", "More rules than the lock keeps."),
    (BAD_WEEKDAYS, "bad_weekdays", "A weekday mask is 0 or above 127."),
    (BAD_WINDOW, "bad_window", "A window starts or ends outside the day."),
    (EMPTY_WINDOW, "empty_window", "A window starts when it ends."),
    (BAD_USES, "bad_uses", "A use count or the time after the first use is out of range."),
    (OWNER_TIMED, "owner_timed", "A condition in an owner's grant could shut the owner out."),
    (BAD_PARENT, "bad_parent", "Its parent is itself, or was itself passed on."),
    (OLD_VERSION, "old_version", "The lock has seen a newer version of this share."),
    (OLD_ISSUE, "old_issue", "The lock holds this version in a statement issued later."),
    (CHANGED_TERMS, "changed_terms", "The terms changed but the version did not."),
    (CACHE_FULL, "cache_full", "There is no room for another grant; nothing was evicted."),
    (SHARE_REVOKED, "share_revoked", "The share was revoked; its id is never used again."),
    (BAD_VERSION, "bad_version", "The version is not a number that the lock can count with."),
    (BAD_ID, "bad_id", "An id is empty, or longer than the lock keeps."),
    (OLD_SEQUENCE, "old_sequence", "The lock's batches are past it, and it renews no lease."),
    (SEQUENCE_GAP, "sequence_gap", "The batch does not continue what the lock has."),
    (BAD_SEQUENCE, "bad_sequence", "A sequence number is out of range or out of order."),
    (SEQUENCE_LOST, "sequence_lost", "The lock lost its sequence number: it needs a snapshot."),
    (BAD_ACK, "bad_ack", "No entry of the log has that number and that link."),
)  # fmt: skip

_NAMES = {number: name for number, name, _ in TABLE}
_TEXTS = {number: text for number, _, text in TABLE}


def name(reason: int) -> str:
    """The stable name of a reason, `reason_200` for a number that the table lacks."""
    return _NAMES.get(reason) or "reason_%d" % reason


def text(reason: int) -> str:
    """One sentence for people; a generic one for a number that the table lacks."""
    return _TEXTS.get(reason) or "Denied for a reason this version does not know."
