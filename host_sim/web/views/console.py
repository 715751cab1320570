"""What travels: Bluetooth, MQTT, HTTP, each message decoded."""

from typing import Any

from starlette.datastructures import QueryParams

from firmware.policy.zone import Zone
from host_sim.house import console, people
from host_sim.house.house import House

from ..panes import Pane

MOST = 120


def view(house: House, query: QueryParams) -> dict[str, Any]:
    """The newest messages, the newest first; `wire` chooses one way for them."""
    wire = query.get("wire", "")
    wires = (wire,) if wire in console.WIRES else console.WIRES
    lines = console.read(house.events.kept(*wires))
    return {
        "lines": lines[: -MOST - 1 : -1],
        "wires": {"": "All", "ble": "Bluetooth", "mqtt": "MQTT", "http": "HTTP"},
        "wire": wire,
        "said": house.events.kept("log")[-10:],
        "zone": Zone(people.ZONE),
    }


PANE = Pane("console", "What travels", view, ("ble", "mqtt", "http", "log"))
