"""What can be made to go wrong in the house, by name. Imports its siblings."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from host_sim.world.network import REFUSES, STALLS

from .lock import BATTERY_MV

if TYPE_CHECKING:
    from .house import House

LOW_MV = 3500
# Switches, in the order in which people find them, and what they are.
SWITCHES = {
    "cloud": "The cloud is off: no phone and no lock reaches it.",
    "broker": "The broker stalls: it takes connections and says nothing.",
    "wifi": "The lock has lost its Wi-Fi; phones have their network.",
    "clock": "The lock has lost the time, and nobody tells it.",
    "battery": "The battery is low.",
    "jam": "Something is in the bolt's way.",
    "power": "The lock has no power.",
}


class Faults:
    """The switches of one house; `on` has the names of those that are."""

    def __init__(self, house: "House"):
        self._house = house
        self.on: set[str] = set()

    async def set(self, name: str, on: bool) -> None:
        """Switch one. Raises KeyError for a name that is none."""
        SWITCHES[name]
        if (name in self.on) == on:
            return
        (self.on.add if on else self.on.discard)(name)
        do: dict[str, Callable[[bool], Awaitable[None]]] = {
            "battery": self._battery,
            "jam": self._jam,
            "power": self._power,
            "clock": self._clock,
        }
        await do.get(name, self._network)(on)
        self._house.events.add("fault", name=name, on=on)

    async def _network(self, _on: bool) -> None:
        net = self._house.net
        net.is_off = "cloud" in self.on
        ways = (net.broker, net.web, net.plain)
        faults = {net.broker: STALLS} if "broker" in self.on else {}
        if self.on & {"cloud", "wifi"}:
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
