"""What can be made to go wrong, by switches."""

from typing import Any

from starlette.datastructures import QueryParams

from host_sim.house.faults import SWITCHES, NoShare
from host_sim.house.house import House

from ..panes import Pane, Refused


def view(house: House, query: QueryParams) -> dict[str, Any]:
    """The switches, and what those do that are on."""
    told = {name: house.faults.told(name) for name in SWITCHES if name in house.faults.on}
    return {"switches": SWITCHES, "told": told}


async def switch(house: House, query: QueryParams, form: QueryParams) -> str:
    """Turn a switch over."""
    name = form.get("name", "")
    if name not in SWITCHES:
        raise Refused("There is no such switch.")
    on = name not in house.faults.on
    try:
        await house.faults.set(name, on)
    except NoShare as error:
        raise Refused(str(error)) from None
    return SWITCHES[name][1] if on else f"{SWITCHES[name][0]}: no longer."


PANE = Pane("faults", "What goes wrong", view, ("fault",), {"switch": switch})
