"""People with phones at the door: what they ask, and what they are answered."""

from typing import Any

from starlette.datastructures import QueryParams

from firmware.policy.zone import Zone
from host_sim.house import people
from host_sim.house.house import House
from host_sim.house.phone import ACTIONS, Came, is_yes

from ..filters import moment
from ..panes import Denial, Pane, Refused


def view(house: House, query: QueryParams) -> dict[str, Any]:
    """Each person with the last answer."""
    last = {event.what["who"]: event for event in house.events.kept("visit")}
    return {
        "rows": [(name, phone, last.get(name)) for name, phone in house.phones.items()],
        "actions": list(ACTIONS),
        "zone": Zone(people.ZONE),
    }


async def visit(house: House, query: QueryParams, form: QueryParams) -> str:
    """Somebody asks the lock for something."""
    name, action = _who(house, form), form.get("action", "")
    if action not in ACTIONS:
        raise Refused("There is no such button.")
    return _told(f"{name}, {action}", await house.visit(name, action))


async def carry(house: House, query: QueryParams, form: QueryParams) -> str:
    """Somebody is a courier: brings what the cloud has for the lock, and takes the log along."""
    name = _who(house, form)
    return _told(f"{name}, courier", await house.carry(name))


def network(house: House, query: QueryParams, form: QueryParams) -> str:
    """Give a phone its network, or take it away."""
    phone = house.phones[_who(house, form)]
    phone.is_online = not phone.is_online
    return "The phone has a network." if phone.is_online else "The phone has no network now."


def _who(house: House, form: QueryParams) -> str:
    name = form.get("who", "")
    if name not in house.phones:
        raise Refused("There is nobody of that name.")
    return name


def _told(what: str, came: Came) -> str:
    said = f"{what}: {came.verdict}."
    if is_yes(came.reason):
        return said
    said += f" {came.text}"
    if came.next_s is not None:
        said += f" Next: {moment(came.next_s, Zone(people.ZONE))}."
    return Denial(said)


PANE = Pane(
    "people",
    "People at the door",
    view,
    ("visit",),
    {"visit": visit, "carry": carry, "network": network},
)
