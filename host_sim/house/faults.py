"""What can be made to go wrong in the house, by name. Imports the cloud and its siblings."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from sqlalchemy import select

from firmware.policy import reasons
from host_sim import words
from host_sim.cloud.domain import sharing
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import ACCEPTED, Share
from host_sim.world.network import REFUSES, STALLS

from . import people
from .attacker import FORGED, REPLAYED
from .lock import BATTERY_MV

if TYPE_CHECKING:
    from .house import House

LOW_MV = 3500
REVOKED = "revoked"
# Switches, in the order in which people find them: what is on them, and what they do.
SWITCHES = {
    "cloud": ("Cloud off", "The cloud is off: no phone and no lock reaches it."),
    "broker": ("Broker stalls", "The broker takes connections and says nothing."),
    "wifi": ("Wi-Fi lost", "The lock has lost its Wi-Fi; phones have their network."),
    "clock": ("Clock lost", "The lock has lost the time, and nobody tells it."),
    "battery": ("Battery low", "The battery is low."),
    "jam": ("Bolt jams", "Something is in the bolt's way."),
    "power": ("Power cut", "The lock has no power."),
    REPLAYED: ("Replayed grants", "Somebody has everybody's first grant, and brings it again."),
    FORGED: ("Forged grants", "Somebody brings grants like the owner's, which they signed."),
    REVOKED: (
        "Revoked while offline",
        "The lock has lost its Wi-Fi, and then the cloud ended a share.",
    ),
}


class NoShare(Exception):
    """Nobody has a share that this could be done with; the message is for people."""


class Faults:
    """The switches of one house; `on` has the names of those that are.

    `revoked` is whose share ended while REVOKED was on.
    """

    def __init__(self, house: "House"):
        self._house = house
        self.on: set[str] = set()
        self.revoked = ""

    async def set(self, name: str, on: bool) -> None:
        """Switch one. Raises KeyError for a name that is none, NoShare for nobody to revoke."""
        SWITCHES[name]
        if (name in self.on) == on:
            return
        if name == REVOKED and on:
            self.revoked = await to_thread(self._holder)
        (self.on.add if on else self.on.discard)(name)
        do: dict[str, Callable[[bool], Awaitable[None]]] = {
            "battery": self._battery,
            "jam": self._jam,
            "power": self._power,
            "clock": self._clock,
            REPLAYED: self._attack(REPLAYED),
            FORGED: self._attack(FORGED),
        }
        await do.get(name, self._network)(on)
        self._house.record.fault(name, on)
        self._house.events.add("fault", name=name, on=on)
        if name == REVOKED and on:
            await to_thread(self._revoke)

    def told(self, name: str) -> list[str]:
        """What a switch that is on does, and what came of it."""
        said = [SWITCHES[name][1]]
        if name == REVOKED:
            said.append(f"It was {self.revoked}'s.")
        if name in self._house.attackers:
            said += _summary(name, self._house.attackers[name].said)
        return said

    async def _network(self, _on: bool) -> None:
        net = self._house.net
        net.is_off = "cloud" in self.on
        ways = (net.broker, net.web, net.plain)
        faults = {net.broker: STALLS} if "broker" in self.on else {}
        if self.on & {"cloud", "wifi", REVOKED}:
            faults = dict.fromkeys(ways, REFUSES)
        await to_thread(net.break_ways, faults)

    async def _battery(self, on: bool) -> None:
        await self._house.lock.set_battery(LOW_MV if on else BATTERY_MV)

    async def _jam(self, on: bool) -> None:
        await self._house.lock.set_jam(on)

    async def _power(self, on: bool) -> None:
        lock = self._house.lock
        await (lock.off() if on else lock.on())

    async def _clock(self, on: bool) -> None:
        self._house.net.tells_time = not on
        if on:
            await self._house.lock.lose_clock()

    def _attack(self, what: str) -> Callable[[bool], Awaitable[None]]:
        attacker = self._house.attackers[what]

        async def switch(on: bool) -> None:
            await (attacker.begin() if on else attacker.end())

        return switch

    # --- the share that ends --------------------------------------------------------------------

    def _holder(self) -> str:
        """Whose share is to end: the first guest's who has one."""
        with self._house.cloud.transaction(reads=True) as ctx:
            for name in people.WITH_PHONES:
                if name != people.OWNER and share_of(ctx, name) is not None:
                    return name
        raise NoShare("Nobody has a share left that could end: share the lock again first.")

    def _revoke(self) -> None:
        with self._house.cloud.transaction() as ctx:
            share = share_of(ctx, self.revoked)
            if share is not None:
                sharing.end(ctx, people.find(ctx, people.OWNER), share)


def share_of(ctx: Context, name: str) -> Share | None:
    """The share that somebody has now."""
    mine = select(Share).where(Share.email_key == people.address(name), Share.status == ACCEPTED)
    return ctx.session.scalar(mine.where(Share.ended_at.is_(None)))


def _summary(what: str, said: dict[str, int]) -> list[str]:
    """The lock's answers to an attacker, with the names of those who got the same."""
    names: dict[int, list[str]] = {}
    for who, reason in said.items():
        names.setdefault(reason, []).append(who)
    lines = []
    for reason, each in names.items():
        if reason != reasons.ALLOWED:
            text = f"refused. {words.text(reason)}"
        elif what == REPLAYED:
            text = "still good, so nothing changes."
        else:
            text = "taken in!"
        lines.append(f"{', '.join(each)}: {text}")
    return lines or ["The lock does not answer."]
