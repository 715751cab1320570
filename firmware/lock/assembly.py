"""Puts together what a board has to move and watch its door.

Imports its siblings, those of drives and sensors only if the board has them. `hardware.parts` has,
by name and only if they are there: `strike` (a `hal.pulse`), `drive` (a `hal.bridge` or a
`hal.servo`), `end_locked` and `end_unlocked`, `closed`, `button`, `tamper` (pins), `position` and
`battery` (functions that measure millivolts), `lamp` and `buzzer` (functions that take 1 or 0).
`hardware.board` has their numbers.
"""

from .doorway import Doorway
from .signal import Signal
from .switch import Switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def make_doorway(
    hardware: "Any", record: "bytes | None", note: "Callable[[int, int], None]"
) -> Doorway:
    """The door; `record` is what `calibration.encode` made on it, None if nobody did."""
    board = hardware.board
    parts = hardware.parts
    ticks = hardware.ticks_ms, hardware.ticks_diff
    bolt: "Any"
    if "drive" in parts:
        from .bolt import Bolt

        bolt = Bolt(parts["drive"], _sensor(hardware, record), *ticks, board.limit_ms, note)
    else:
        from .strike import Strike

        bolt = Strike(parts["strike"])
    battery = None
    if "battery" in parts:
        from .battery import Battery

        limits_mv = board.low_mv, board.critical_mv
        battery = Battery(parts["battery"], limits_mv, board.charge_mv, *ticks, note)
    on = board.switch_on
    return Doorway(
        bolt,
        _switch(hardware, "closed", on),
        _switch(hardware, "button", on),
        _switch(hardware, "tamper", 1 - on),  # on while the cover is closed: a cut wire tells
        battery,
        hardware.ticks_ms,
        hardware.ticks_diff,
        note,
    )


def _switch(hardware, name, on):
    pin = hardware.parts.get(name)
    return None if pin is None else Switch(pin, on, hardware.ticks_ms, hardware.ticks_diff)


def _sensor(hardware, record):
    from .sensors import EndStops, Position

    parts = hardware.parts
    if "position" in parts:
        from . import calibration

        return Position(parts["position"], calibration.decode(record) if record else None)
    return EndStops(parts["end_locked"], parts["end_unlocked"], hardware.board.switch_on)


def make_signal(hardware: "Any") -> Signal:
    """What tells people at the door; nobody, if there is neither lamp nor buzzer."""
    parts = hardware.parts
    outputs = [parts[name] for name in ("lamp", "buzzer") if name in parts]
    return Signal(outputs, hardware.ticks_ms, hardware.ticks_diff)
