"""Names and sentences for the numbers by which the lock answers, refuses and logs.

Imports policy. The lock itself has no words: whatever people read is made here, by everything
around it. Runs on MicroPython, too, where the simulator's lock may live.
"""

from firmware.policy import reasons
from firmware.policy.decision import HOLDOVER, TRUSTED
from firmware.policy.grant import (
    ADMIN,
    GUEST,
    LOCAL,
    LOCK,
    MANAGE,
    OWNER,
    PULL,
    READ_LOG,
    REMOTE,
    UNLOCK,
)
from firmware.policy.instant import date_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.policy.instant import Instant

ACTION_NAMES = {
    UNLOCK: "unlock",
    LOCK: "lock",
    PULL: "pull",
    READ_LOG: "read-log",
    MANAGE: "manage",
}
CHANNEL_NAMES = {LOCAL: "local", REMOTE: "remote"}
LEVEL_NAMES = {GUEST: "guest", ADMIN: "admin", OWNER: "owner"}
MODE_NAMES = ("normal", "vacation", "privacy", "no-remote", "passage")
TRUST_NAMES = {TRUSTED: "trusted", HOLDOVER: "holdover"}

# A constant of `firmware.policy.reasons`, in small letters, and what it says to people.
SENTENCES = {
    "allowed": "Every check passed.",
    "key_unproven": "The key of the grant was not proven in this session.",
    "unknown_share": "The lock holds no grant for this key.",
    "revoked": "The share, or this key of it, was revoked.",
    "superseded": "The lock knows of a newer version of this share.",
    "wrong_lock": "The grant is for another lock.",
    "mode": "The lock is in a mode that keeps this holder out.",
    "locked_out": "This key is locked out for a while after repeated denials.",
    "no_right": "The grant does not include this action.",
    "channel_closed": "The grant may not be used over this channel.",
    "clock_unknown": "The grant depends on time, which the lock does not know.",
    "too_early": "The grant is not valid yet.",
    "expired": "The grant is no longer valid.",
    "lease_over": "The lease ran out; any phone with a network renews it.",
    "deny_rule": "A rule of the grant forbids this time.",
    "outside_rules": "No rule of the grant allows this time.",
    "uses_spent": "The grant has been used as often as it may be.",
    "first_use_over": "The time that began with the first use is over.",
    "parent_denies": "The share that this one comes from does not allow it.",
    "clock_uncertain": "Allowed now, but not all through the clock's error.",
    "not_counted": "The use could not be written down, so nothing was opened.",
    "malformed": "The statement is not deterministic CBOR of the expected shape.",
    "too_large": "The statement is larger than the lock accepts.",
    "unknown_kind": "The statement is of a kind that the lock does not know.",
    "wrong_algorithm": "The statement is not signed by ES256.",
    "critical_unknown": "It has a critical part that the lock does not know.",
    "unknown_issuer": "The statement names a key that is not the issuer's.",
    "bad_signature": "The signature does not verify under the issuer's key.",
    "other_lock": "The statement is addressed to another lock.",
    "bad_key": "The holder's key is not a point of P-256.",
    "bad_level": "The level is none of guest, admin, owner.",
    "bad_rights": "The rights are empty, unknown, or more than the level may have.",
    "bad_channels": "The channels are neither local, remote, nor both.",
    "bad_dates": "A date is out of range, or an end is not after its start.",
    "too_many_rules": "More rules than the lock keeps.",
    "bad_weekdays": "A weekday mask is 0 or above 127.",
    "bad_window": "A window starts or ends outside the day.",
    "empty_window": "A window starts when it ends.",
    "bad_uses": "A use count or the time after the first use is out of range.",
    "owner_timed": "A condition in an owner's grant could shut the owner out.",
    "bad_parent": "Its parent is itself, or was itself passed on.",
    "old_version": "The lock has seen a newer version of this share.",
    "old_issue": "The lock holds this version in a statement issued later.",
    "changed_terms": "The terms changed but the version did not.",
    "cache_full": "There is no room for another grant; nothing was evicted.",
    "share_revoked": "The share was revoked; its id is never used again.",
    "bad_version": "The version is not a number that the lock can count with.",
    "bad_id": "An id is empty, or longer than the lock keeps.",
    "old_sequence": "The lock's batches are past it, and it renews no lease.",
    "sequence_gap": "The batch does not continue what the lock has.",
    "bad_sequence": "A sequence number is out of range or out of order.",
    "sequence_lost": "The lock lost its sequence number: it needs a snapshot.",
    "bad_ack": "No entry of the log has that number and that link.",
    "bad_settings": "A setting is out of range, or a zone cannot be read.",
    "cache_damaged": "What the lock has of this share may be unreadable.",
    "old_epoch": "The root has named a later issuer than this one.",
    "old_challenge": "The command is for a challenge that is not the lock's now.",
    "challenge_used": "The command before this one was for the same challenge.",
    "bad_action": "The command asks for something else than the bolt.",
    "retained": "A broker had kept it: what it keeps is not looked at.",
    "time_set": "A signed answer to the lock's nonce set the time.",
    "time_jumped": "The same; it is later than the lock held possible.",
    "time_turned_back": "The same; it is earlier than the lock held possible.",
    "bound_raised": "A signed instant without nonce: it is not earlier than that.",
    "bounds_crossed": "A signed instant is later than possible: time unknown.",
    "time_old": "A signed instant without nonce tells the lock nothing new.",
    "nonce_unknown": "The time answers a nonce that is not the lock's last.",
    "nonce_expired": "The time answers a nonce of more than 60 seconds ago.",
    "nonce_used": "The time answers a nonce that was answered before.",
    "bad_instant": "The time is outside the years 2000 to 2199.",
    "ntp_taken": "Network time moved the clock within what signed time allows.",
    "ntp_outside": "Network time is outside of what signed time allows.",
    "ntp_alone": "Network time alone does not tell a lock the time.",
    "rtc_read": "The clock chip told the time.",
    "rtc_set": "The clock chip was set.",
    "rtc_absent": "This lock has no clock chip.",
    "rtc_stopped": "The clock chip's oscillator stopped: it lost the time.",
    "rtc_unreadable": "The clock chip does not answer, or not with a time.",
    "rtc_unmarked": "The clock chip does not say when this lock set it.",
    "rtc_behind": "The clock chip is behind a time that has certainly passed.",
    "rtc_ahead": "The clock chip is ahead of what the lock holds possible.",
    "ticks_lost": "The count of milliseconds is broken: it ran backwards.",
    "now_trusted": "The time is known to within seconds, from a signed answer.",
    "now_holdover": "The time is known with a larger error.",
    "now_unknown": "The error is above the limit, or there is no time at all.",
    "bolt_locked": "The drive locked the bolt, and its sensor says so; count: attempts.",
    "bolt_unlocked": "The drive unlocked the bolt, and its sensor says so; count: attempts.",
    "latch_pulled": "The drive drew the latch back, and its sensor says so; count: attempts.",
    "bolt_jammed": "The bolt did not arrive, and the drive has given up.",
    "bolt_slow": "The last attempt: it took longer than a throw may take.",
    "bolt_stalled": "The last attempt: the bolt stood still under current.",
    "bolt_wrong_way": "The last attempt: the bolt moved the other way.",
    "bolt_bounced": "The last attempt: the bolt arrived and did not stay.",
    "bolt_lost": "Nobody can see where the bolt is: sensor, wire or calibration.",
    "bolt_between": "The bolt stands between its ends, where the drive did not leave it.",
    "turned_locked": "The bolt was locked by hand.",
    "turned_unlocked": "The bolt was unlocked by hand.",
    "turned_pulled": "The latch was drawn back by hand.",
    "auto_lock": "The time after which the bolt locks by itself was over.",
    "lock_waits": "The door is open: the bolt locks when it is closed.",
    "door_opened": "The door was opened.",
    "door_closed": "The door was closed.",
    "door_forced": "The door was opened while the bolt was locked.",
    "button_pushed": "The inside button opened.",
    "held_open": "The bolt stays unlocked until the mode ends.",
    "hold_over": "The bolt no longer stays unlocked.",
    "tampered": "The lock's cover was opened.",
    "tamper_over": "The lock's cover was closed.",
    "battery_good": "The battery is good again; count: millivolts.",
    "battery_low": "The battery is low; count: millivolts.",
    "battery_critical": "The battery is nearly empty; count: millivolts.",
    "reset_asked": "The button inside was held for 10 s; pushed again now, the lock forgets all.",
}

# (number, name, sentence), by number.
TABLE = tuple(
    sorted((getattr(reasons, name.upper()), name, text) for name, text in SENTENCES.items())
)

_NAMES = {number: name for number, name, _ in TABLE}


def name(reason: int) -> str:
    """The stable name of a number, `reason_200` for one that the table lacks."""
    return _NAMES.get(reason) or "reason_%d" % reason


def text(reason: int) -> str:
    """One sentence for people; a generic one for a number that the table lacks."""
    return SENTENCES.get(name(reason)) or "Denied for a reason this version does not know."


def duration(seconds: int) -> str:
    """Seconds in the largest units that divide them, `2 h 30 min`."""
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size:
            parts.append("%d %s" % (seconds // size, unit))
            seconds %= size
    return " ".join(parts) or "0 s"


def readable(opaque: bytes) -> str:
    """An opaque id as people know it: text if it is printable ASCII, hexadecimal if not."""
    if opaque and all(32 < byte < 127 for byte in opaque):
        return bytes(opaque).decode()
    return "".join(["%02x" % byte for byte in opaque])


def iso(instant: "Instant") -> str:
    """The instant as text, `2020-12-14T08:00:00Z`."""
    year, month, day = date_of(instant.day)
    second = instant.second
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % (
        year, month, day, second // 3600, second // 60 % 60, second % 60,
    )  # fmt: skip
