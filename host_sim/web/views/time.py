"""The world's time: it runs, stops, and jumps forward."""

from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams

from firmware.policy.grant import LOCAL, UNLOCK
from firmware.policy.instant import from_unix, to_unix
from firmware.policy.zone import Zone
from host_sim.cloud.preview import shown
from host_sim.cloud.terms import TermsError, local_instant
from host_sim.house import people
from host_sim.house.house import House
from host_sim.house.lock import LockGone
from host_sim.house.simtime import FASTEST

from ..filters import moment
from ..panes import Pane, Refused

_STEPS = {"10 minutes": 600, "an hour": 3600, "a day": 86_400, "a year": 365 * 86_400}
_NIGHT_S = 5 * 3600  # before the clocks change


def view(house: House, query: QueryParams) -> dict[str, Any]:
    """What time it is, and where it can jump to."""
    zone = Zone(people.ZONE)
    now_s = house.time.now_s()
    return {
        "now_s": now_s,
        "zone": zone,
        "local": shown(from_unix(now_s), zone).strftime("%Y-%m-%dT%H:%M"),
        "rate": house.time.rate,
        "rates": {"stopped": 0.0, "running": 1.0, f"{FASTEST:g} times as fast": FASTEST},
        "steps": _STEPS,
        "names": list(house.phones),
        "timed": next(name for name, terms in people.SHARES.items() if terms.rules),
    }


async def rate(house: House, query: QueryParams, form: QueryParams) -> str:
    """Let it stop, run, or run faster."""
    try:
        await house.run_time(float(form.get("rate", "")))
    except ValueError as error:
        raise Refused(str(error)) from None
    return "Time stands still." if not house.time.rate else "Time runs."


async def step(house: House, query: QueryParams, form: QueryParams) -> str:
    """Jump by one of the steps."""
    seconds = _STEPS.get(form.get("by", ""))
    if seconds is None:
        raise Refused("There is no such step.")
    return await _jump(house, house.time.now_s() + seconds)


async def night(house: House, query: QueryParams, form: QueryParams) -> str:
    """Jump to the evening before the clocks change."""
    change_s = house.next_change_s()
    if change_s is None:
        raise Refused("The clocks do not change within a year.")
    return await _jump(house, max(change_s - _NIGHT_S, house.time.now_s()))


async def window(house: House, query: QueryParams, form: QueryParams) -> str:
    """Jump to when somebody may open next, as the lock itself says."""
    name = form.get("who", "")
    if name not in house.phones:
        raise Refused("There is nobody of that name.")
    try:
        answer = await house.lock.explain(house.key_of(name), UNLOCK, LOCAL)
    except LockGone as gone:
        raise Refused(str(gone)) from None
    if not answer["reason"]:
        raise Refused(f"{name} may open now.")
    if answer["next"] is None:
        raise Refused(f"Time alone does not let {name} in.")
    return await _jump(house, answer["next"])


async def to(house: House, query: QueryParams, form: QueryParams) -> str:
    """Jump to what the wall clock is to show."""
    try:
        at = local_instant(datetime.fromisoformat(form.get("at", "")), Zone(people.ZONE))
    except (ValueError, TermsError):
        raise Refused("That is no time.") from None
    return await _jump(house, to_unix(at))


async def _jump(house: House, to_s: int) -> str:
    try:
        await house.jump(to_s)
    except ValueError as error:
        raise Refused(str(error)) from None
    return f"It is {moment(to_s, Zone(people.ZONE))} now."


PANE = Pane(
    "time",
    "Time",
    view,
    ("time", "door", "visit", "fault"),
    {"rate": rate, "step": step, "night": night, "window": window, "to": to},
)
