"""What was done to a lock and what it did: deeds in the cloud, and entries of the lock's own log.

The chain of the log is checked from its first entry on, each time, as `lockctl log verify` does.
"""

from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import select
from starlette.datastructures import QueryParams

from firmware.policy.instant import Instant, to_unix
from firmware.policy.reasons import ALLOWED
from firmware.store import entry
from host_sim.cloud.domain import audit, permissions
from host_sim.cloud.domain.audit import Done, Place
from host_sim.cloud.domain.model import Device, Key, LogEntry, Person, Share
from host_sim.cloud.domain.permissions import Act
from host_sim.cloud.entries import Fault, described, faults
from host_sim.words import ACTION_NAMES, CHANNEL_NAMES, SENTENCES

from ..looking import Look, looking
from ..panes import Pane, threaded
from ..stand import Stand

_STEP = 40  # events shown, and as many more at a time


class Event(NamedTuple):
    """A line of the timeline; `at` in Unix seconds by the clock of who tells it.

    `number`, `link` (its first digits), `clock` and `fault` are of an entry of the log.
    """

    at: int
    kind: str
    what: str
    sentence: str
    who: str
    number: int | None = None
    link: str = ""
    clock: str = ""
    fault: str = ""


class Chain(NamedTuple):
    """One story that the log tells; `branch` counts from 0, for an image that was put back."""

    branch: int
    first: int
    last: int
    link: str
    faults: list[tuple[int, Fault]]  # with the number that the entry has


def view(stand: Stand, query: QueryParams) -> dict[str, Any]:
    """The newest events first."""
    with looking(stand, query) as look:
        device = look.device
        if device is None or not permissions.may(look.ctx, look.me, device, Act.READ_LOG):
            return {"me": look.me.name, "may": False}
        most = _STEP * max(1, min(_number(query.get("events", "")), 100))
        chains, bad = _chains(look, device)
        names = _Names(look, device)
        found, _ = audit.read(look.ctx, look.me, device, Place(), audit.MOST)
        events = [
            _deed(each, names) if isinstance(each, Done) else _entry(each, names, bad)
            for each in found[-most:]
        ]
        return {
            "me": look.me.name,
            "may": True,
            "device": device.name,
            "zone": look.zone,
            "chains": chains,
            "events": events[::-1],
            "more": {"events": str(most // _STEP + 1)} if len(found) > most else None,
        }


class _Names:
    """Of people and phones, by what entries and deeds have of them."""

    def __init__(self, look: Look, device: Device):
        session = look.ctx.session
        shares = select(Share).where(Share.device_id == device.id)
        self.shares = {
            each.uid: each.person.name if each.person else each.email
            for each in session.scalars(shares)
        }
        self.people = {each.uid: each.name for each in session.scalars(select(Person))}
        self.keys = {
            each.thumbprint[: entry.SUBJECT_BYTES]: each.name
            for each in session.scalars(select(Key))
        }


def _chains(look: Look, device: Device) -> tuple[list[Chain], dict[int, Fault]]:
    """All that the cloud has of the log, checked; and faults by the id of the entry's row."""
    rows = look.ctx.session.scalars(
        select(LogEntry)
        .where(LogEntry.device_id == device.id)
        .order_by(LogEntry.branch, LogEntry.sequence)
    )
    chains = []
    bad: dict[int, Fault] = {}
    for branch, group in groupby(rows, key=lambda row: row.branch):
        kept = list(group)
        # A log begins with number 1 and a link of zeros; what comes before others is not known.
        before = bytes(entry.LINK_BYTES) if kept[0].sequence == 1 else None
        found = faults([row.record for row in kept], before, (kept[0].sequence - 1) or None)
        bad |= {kept[each.place].id: each for each in found}
        chains.append(
            Chain(
                branch,
                kept[0].sequence,
                kept[-1].sequence,
                entry.link(kept[-1].record).hex(),
                [(kept[each.place].sequence, each) for each in found],
            )
        )
    return chains, bad


def _deed(done: Done, names: _Names) -> Event:
    who = names.people.get(done.person or "", "the service")
    about = names.shares.get(done.share or "", "")
    version = done.deed.details.get("version")
    details = [f"version {version}"] if version else []
    details += [
        f"{name} {value}"
        for name, value in done.deed.details.items()
        if name not in ("version", "terms")
    ]
    sentence = ", ".join([*([f"share of {about}"] if about else []), *details])
    return Event(done.deed.at, "cloud", done.deed.what, sentence, who)


def _entry(row: LogEntry, names: _Names, bad: dict[int, Fault]) -> Event:
    each = entry.Entry(row.record)
    said = described(each)
    sentence = SENTENCES.get(said["what"], "")
    if each.kind in (entry.STATEMENT, entry.SETTINGS) and each.reason == ALLOWED:
        sentence = "The lock took it in."
    if each.kind == entry.DECISION:
        action = ACTION_NAMES.get(each.action & 31, "")
        channel = CHANNEL_NAMES.get(each.action >> entry.CHANNEL_SHIFT, "")
        sentence = f"{action}, {channel}. {sentence}"
    elif each.count > 1:
        sentence = f"{sentence} ({each.count})".strip()
    share = names.shares.get(each.share.hex(), "")
    phone = names.keys.get(each.subject, "")
    fault = bad.get(row.id)
    return Event(
        to_unix(Instant(each.day, each.second)),
        said["kind"],
        said["what"],
        sentence,
        " with ".join(filter(None, (share, phone))),
        each.sequence,
        each.link.hex()[:8],
        said["clock"],
        fault.text if fault else "",
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 1


PANE = Pane("audit", "What happened", threaded(view), kinds=("log", "cloud", "mqtt"))
