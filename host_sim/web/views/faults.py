"""What can be made to go wrong, by switches and by people with bad intentions."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import QueryParams

from host_sim import words
from host_sim.house import tricks
from host_sim.house.faults import SWITCHES
from host_sim.house.house import House
from host_sim.house.phone import Came
from host_sim.house.tricks import NoShare

from ..panes import Pane, Refused


def view(house: House, query: QueryParams) -> dict[str, Any]:
    """The switches, and who may be used for a trick."""
    return {"switches": SWITCHES, "on": house.faults.on, "names": list(house.phones)}


async def switch(house: House, query: QueryParams, form: QueryParams) -> str:
    """Turn a switch over."""
    name = form.get("name", "")
    if name not in SWITCHES:
        raise Refused("There is no such switch.")
    on = name not in house.faults.on
    await house.faults.set(name, on)
    return SWITCHES[name][1] if on else "That is over."


async def replay(house: House, query: QueryParams, form: QueryParams) -> str:
    """Bring an old grant."""
    return f"The old grant: {_told(await _tried(tricks.replay(house, _who(house, form))))}"


async def forge(house: House, query: QueryParams, form: QueryParams) -> str:
    """Bring a grant that the issuer did not sign."""
    return f"The forged grant: {_told(await _tried(tricks.forge(house, _who(house, form))))}"


async def revoke(house: House, query: QueryParams, form: QueryParams) -> str:
    """End a share while the lock hears nothing."""
    name = _who(house, form)
    await _tried(tricks.revoke_unheard(house, name))
    return f"{name}'s share has ended, and the lock, without its Wi-Fi, does not know."


async def _tried(trick: Awaitable[Any]) -> Any:
    try:
        return await trick
    except NoShare as error:
        raise Refused(str(error)) from None


def _who(house: House, form: QueryParams) -> str:
    name = form.get("who", "")
    if name not in house.phones:
        raise Refused("There is nobody of that name.")
    return name


def _told(came: Came) -> str:
    return came.trouble or words.text(came.reason or 0)


_ACTIONS: dict[str, Callable[..., Awaitable[str]]] = {
    "switch": switch,
    "replay": replay,
    "forge": forge,
    "revoke": revoke,
}
PANE = Pane("faults", "What goes wrong", view, ("fault",), _ACTIONS)
