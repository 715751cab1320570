"""What people do in a house, as a story of `host_sim.scenario` that plays again as a test.

Imports the cloud and its siblings. What is signed is noticed by comparing the shares after each
transaction; whoever does something at the door tells it here.
"""

import json
from asyncio import to_thread
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from firmware.policy import reasons
from host_sim import words
from host_sim.cloud.domain.model import ACCEPTED, Device, Share

from . import people
from .phone import Came

if TYPE_CHECKING:
    from .house import House

# Switches that keep the lock from hearing of anything.
_WAYS = {"cloud", "broker", "wifi", "revoked"}
# What a bolt comes to.
RESTS = ("UNKNOWN", "LOCKED", "UNLOCKED", "JAMMED")


@dataclass
class _Known:
    """A share as the story has it."""

    version: int
    is_live: bool


class Record:
    """The story of a house since it was there."""

    def __init__(self, house: "House"):
        self._house = house
        self._start_s = house.time.now_s()
        self._now_ms = self._start_s * 1000
        self._tables: list[tuple[str, dict[str, Any]]] = []
        self._shares: dict[str, _Known] = {}
        self._holders: set[str] = set()
        self._mode = 0
        self._network = True
        self._error_s: int | None = 0

    def _add(self, table: str, **members: Any) -> dict[str, Any]:
        # Tables of several kinds keep their order only by their times.
        self._now_ms = max(self._house.time.now_ms(), self._now_ms + 1)
        at = {"at": _moment(self._now_ms / 1000)}
        self._tables.append((table, {**at, **members}))
        return self.last

    @property
    def last(self) -> dict[str, Any]:
        """What was noted last."""
        return self._tables[-1][1]

    # --- what happens ---------------------------------------------------------------------------

    def visit(self, who: str, action: str, came: Came) -> dict[str, Any]:
        """Somebody was at the door; what was noted of it."""
        if came.trouble:
            return {}
        self._note_clock()
        return self._add(
            "visit",
            who=who,
            action=action,
            expect=words.name(_reason(came)),
            next=None if came.next_s is None else _moment(came.next_s),
            brings=came.brought > 0 or None,
        )

    def bolt(self, visit: dict[str, Any], state: str) -> None:
        """Note to a visit what the bolt came to, unless there was something since."""
        if self.last is visit:
            visit["bolt"] = state.lower()

    def bring(self, who: str, what: str, reason: int | None, became: int | None) -> None:
        """An attacker brought a grant, see `attacker.Loot`, and the lock answered, or nobody."""
        if reason == reasons.OLD_SEQUENCE:
            reason = became  # what is signed in a story has no number
        if reason is not None:
            self._add("bring", who=who, what=what, expect=words.name(reason))

    def event(self, **members: Any) -> None:
        """Something happened to the lock; the members of an `[[event]]`."""
        self._add("event", **members)

    def fault(self, name: str, on: bool) -> None:
        """Something goes wrong, or no longer."""
        if name in _WAYS:
            network = not self._house.faults.on & _WAYS
            if network != self._network:
                self._network = network
                self.event(network="on" if network else "off")
        elif name == "jam":
            self.event(jam=on)
        elif name == "battery":
            self.event(battery=self._house.lock.state["battery_mv"])
        elif name == "power" and on:
            self.event(power="cut")

    def _note_clock(self) -> None:
        error_s = self._house.lock.state.get("error_s")
        if error_s != self._error_s:
            self._error_s = error_s
            self.event(clock="unknown" if error_s is None else error_s)

    async def watch(self) -> None:
        """Notice what is signed, for ever."""
        async for happened in self._house.events.since(0):
            if happened.kind == "cloud":
                await self.look()

    async def look(self) -> None:
        """Notice what was signed since the last time."""
        for table, members in await to_thread(self._changes):
            self._add(table, **members)

    def _changes(self) -> list[tuple[str, dict[str, Any]]]:
        found: list[tuple[str, dict[str, Any]]] = []
        with self._house.cloud.transaction(reads=True) as ctx:
            device = people.device_of(ctx, self._house.device)
            mode = device.settings.get("mode", 0)
            if mode != self._mode:
                self._mode = mode
                found.append(("event", {"mode": words.MODE_NAMES[mode]}))
            mine = select(Share).join(Device).where(Device.id == device.id).order_by(Share.id)
            for share in ctx.session.scalars(mine):
                found += self._compare(share)
        return found

    def _compare(self, share: Share) -> list[tuple[str, dict[str, Any]]]:
        known = self._shares.get(share.uid)
        is_live = share.status == ACCEPTED and share.ended_at is None
        if share.person is None or (known is None and not is_live):
            return []
        who = {"who": share.person.name}
        self._shares[share.uid] = _Known(share.version, is_live)
        if known is None:
            table = "change" if share.person.name in self._holders else "share"
            self._holders.add(share.person.name)
            return [(table, {**who, "terms": share.terms})]
        if known.is_live and not is_live:
            return [("change", {**who, "revoke": True})]
        if known.version != share.version:
            return [("change", {**who, "terms": share.terms})]
        return []

    # --- the file -------------------------------------------------------------------------------

    def toml(self) -> str:
        """The story, as a file."""
        start = datetime.fromtimestamp(self._start_s, UTC)
        lines = [
            f'title = "A session of {start:%d %B %Y}"',
            "",
            "[lock]",
            f"id = {_value(self._house.lock_id)}",
            f"zone = {_value(people.ZONE)}",
            f"clock = {_moment(self._start_s)}",
        ]
        for table, members in self._tables:
            lines += ["", f"[[{table}]]"]
            for name, value in members.items():
                if value is not None:
                    lines.append(f"{name} = {_value(value)}")
        return "\n".join([*lines, ""])


class _Moment(str):
    """A time as TOML writes it."""


def _moment(at_s: float) -> _Moment:
    at = datetime.fromtimestamp(at_s, UTC)
    exactly = "milliseconds" if at.microsecond else "seconds"
    return _Moment(at.isoformat(timespec=exactly).replace("+00:00", "Z"))


def _reason(came: Came) -> int:
    return reasons.UNKNOWN_SHARE if came.reason is None else came.reason


def _value(value: Any) -> str:
    """As TOML writes it; what it shares with JSON is written alike."""
    if isinstance(value, _Moment):
        return value
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_value(each)}" for name, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
