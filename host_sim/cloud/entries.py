"""What an entry of a lock's audit log says, for people and for programs."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from firmware.policy.decision import HOLDOVER, TRUSTED, UNKNOWN
from firmware.policy.instant import Instant
from firmware.store import entry
from firmware.store.seal import Seal
from host_sim import words
from host_sim.words import iso, readable

_OWN_REASONS = {
    (entry.BOOT, entry.CLEAN): "boot after an orderly stop",
    (entry.BOOT, entry.CRASHED): "so many runs in a row ended with an error, or hung",
    (entry.BOOT, entry.UNCLEAN): "boot after a power cut or a crash; numbers were skipped",
    (entry.BOOT, entry.FIRST): "first boot: there was no log",
    (entry.GAP, entry.QUEUE): "events were not entered: nothing could be written for a while",
    (entry.GAP, entry.RING): "entries had to make room before they were acknowledged",
    (entry.DAMAGE, entry.RECORDS): "the lock found damaged entries",
    (entry.DAMAGE, entry.STATE): "the lock found damage to the log's state",
    (entry.DAMAGE, entry.MISSING): "entries are gone that the lock had written",
    (entry.DAMAGE, entry.SETTINGS_COPIES): "the lock found damage to its settings",
    (entry.DAMAGE, entry.FLOOR_COPIES): "the lock found damage to its clock's floor",
    (entry.DAMAGE, entry.SYNC_COPIES): "the lock found damage to the sequence of statements",
    (entry.DAMAGE, entry.ISSUER_COPIES): "the lock found damage to the issuer that it believes",
    (entry.DAMAGE, entry.ENDS_COPIES): "the lock found damage to its bolt's calibration",
}
_OF_GRANTS = 16  # reasons of damage from here on are the grant cache's
_WITH_REASON = (
    entry.DECISION,
    entry.BOLT,
    entry.STATEMENT,
    entry.CLOCK,
    entry.SETTINGS,
    entry.STRANGERS,
)
_TRUST = {UNKNOWN: "unknown", HOLDOVER: "holdover", TRUSTED: "trusted"}

_FAULTS = {
    entry.BAD_LINK: ("link", "it, or the entry before, is not what the lock chained"),
    entry.BAD_TAG: ("tag", "it is chained, but not by the holder of the key"),
    entry.BAD_SEQUENCE: ("sequence", "entries are missing before it, or it is out of order"),
}


class Fault(NamedTuple):
    """What is wrong with the entry at a place of a log, counted from 0."""

    place: int
    name: str
    text: str


def faults(
    records: Iterable[bytes], previous: bytes | None, after: int | None, seal: Seal | None = None
) -> list[Fault]:
    """What is wrong with entries that are to follow the link and the number of another one.

    None for a link or number that is not known; without the log's `seal` no tag is looked at.
    """
    chain = entry.Chain(previous, seal, after)
    found = []
    for place, record in enumerate(records):
        fault = chain.take(record)
        if fault:
            found.append(Fault(place, *_FAULTS[fault]))
    return found


def described(each: entry.Entry) -> dict[str, Any]:
    """An entry as JSON."""
    error = f"error under {1 << each.error_class} s" if each.error_class < 32 else "error unknown"
    share = each.share.rstrip(b"\x00")
    return {
        "sequence": each.sequence,
        "time": iso(Instant(each.day, each.second)),
        "clock": f"{_TRUST.get(each.trust, '?')}, {error}",
        "kind": entry.KINDS.get(each.kind, f"kind_{each.kind}"),
        "reason": each.reason,
        "action": each.action,
        "share": readable(share) if share else None,
        "subject": each.subject.hex(),
        "count": each.count,
        "what": meaning(each),
    }


def meaning(each: entry.Entry) -> str:
    """What the reason of an entry means."""
    if (each.kind, each.reason) in _OWN_REASONS:
        return _OWN_REASONS[each.kind, each.reason]
    if each.kind == entry.DAMAGE and each.reason >= _OF_GRANTS:
        return f"the lock found damage in the grant cache ({each.reason - _OF_GRANTS})"
    if each.kind in _WITH_REASON:
        return words.name(each.reason)
    return f"{entry.KINDS.get(each.kind, 'kind')} {each.reason}"
