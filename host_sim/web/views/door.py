"""The door: bolt, latch, thumb-turn and battery as they are, and what hands can do."""

from typing import Any

from starlette.datastructures import QueryParams

from firmware.hal.board import Board
from firmware.lock.battery import percent_of
from firmware.policy.zone import Zone
from host_sim import words
from host_sim.house import people
from host_sim.house.house import House
from host_sim.house.lock import LockGone
from host_sim.world.door import HANDS

from ..panes import Denial, Pane, Refused

# Lengths in the picture.
BOLT, LATCH, AWAY = 34, 16, 70

_BOLTS = {
    "LOCKED": "locked",
    "UNLOCKED": "unlocked",
    "PULLED": "unlocked, and the latch is drawn back",
    "LOCKING": "on its way to locked",
    "UNLOCKING": "on its way to unlocked",
    "JAMMED": "jammed",
    "UNKNOWN": "somewhere between its ends",
}


def view(house: House, query: QueryParams) -> dict[str, Any]:
    """The picture's numbers, and the facts beside it."""
    state = house.lock.state
    x = state["x"]
    out = min(max(1 - x, 0), 1)
    latch = 1 - min(max((x - 1) / 0.4, 0), 1)
    mv = state["battery_mv"]
    charge = percent_of(mv, Board.charge_mv)
    answers = [event for event in house.events.kept("visit") if event.what["action"] != "carry"]
    return {
        "state": state,
        "bolt": _BOLTS[state["bolt"]],
        "bolt_px": round(out * BOLT),
        "latch_px": round(latch * LATCH),
        "turn_deg": round(90 * out),
        "away_px": AWAY if state["is_open"] else 0,
        "charge_px": round(34 * charge / 100),
        "volts": f"{mv / 1000:.1f} V, {charge} %",
        "is_low": "battery" in house.faults.on,
        "is_open": state["is_open"],
        "is_jammed": state["is_jammed"],
        "is_pulled": latch < 0.5,
        "last": answers[-1].what if answers else None,
        "zone": Zone(people.ZONE),
        "duration": words.duration,
    }


async def swing(house: House, query: QueryParams, form: QueryParams) -> str:
    """Open the door, or shut it."""
    if house.lock.state["is_open"]:
        is_closed = not (await _ask(house, "slam", "slam"))["is_open"]
        if is_closed:
            return "The door is shut."
        return Denial("The bolt is out: the door does not close.")
    is_open = (await _ask(house, "swing", "swing"))["is_open"]
    return "The door is open." if is_open else Denial("The door is locked.")


async def turn(house: House, query: QueryParams, form: QueryParams) -> str:
    """Turn the bolt by hand, from inside."""
    to = form.get("to", "")
    if to not in HANDS:
        raise Refused("A hand cannot do that.")
    await _ask(house, to, "turn", to=HANDS[to])
    return "A hand turns the bolt."


async def push(house: House, query: QueryParams, form: QueryParams) -> str:
    """Push the button inside."""
    await _ask(house, "push", "push")
    return "The inside button was pushed."


async def restart(house: House, query: QueryParams, form: QueryParams) -> str:
    """Cut the power for a moment."""
    if not house.lock.is_on:
        raise Refused("The lock has no power.")
    await house.lock.restart()
    house.record.event(power="cut")
    return "The lock started anew."


async def _ask(house: House, hand: str, do: str, **members: Any) -> dict[str, Any]:
    """What becomes of what a hand does."""
    try:
        answer = await house.lock.ask(do, **members)
    except LockGone as gone:
        raise Refused(str(gone)) from None
    house.record.event(hand=hand)
    return answer


PANE = Pane(
    "door",
    "The door",
    view,
    ("door", "fault", "visit"),
    {"swing": swing, "turn": turn, "push": push, "restart": restart},
)
