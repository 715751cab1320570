"""Teaches a lock where the ends of its bolt are: once, at the prompt, on the door.

Imports lock and store. Only for a bolt with a position sensor; the board has to be provisioned.
The bolt is turned by hand, so that nobody has to know yet which way the motor turns.
"""

from .lock import calibration
from .store import ends, identity
from .store.flash import Flash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_FAULTS = {
    calibration.OUTSIDE: "a reading is outside of %d..%d mV: look at the sensor's wires"
    % (calibration.LEAST_MV, calibration.MOST_MV),
    calibration.TOO_CLOSE: "the ends are less than %d mV apart" % calibration.LEAST_THROW_MV,
    calibration.WRONG_PULL: "the pulled end has to be beyond the unlocked one, by a fifth or more",
}


def calibrate(
    hardware: "Any",
    flash: "Flash | None" = None,
    ask: "Callable[[str], str]" = input,
    say: "Callable[[str], None]" = print,
) -> bool:
    """Ask a person to turn the bolt to each end, measure, and keep it; whether it was good.

    `ask(text)` shows a text and returns what is answered. From the next start on it counts. The
    flash is the one in this folder. Raises ValueError on a board that has no position sensor, or
    is not a lock yet.
    """
    flash = flash or Flash(".")
    who = identity.read(flash.pair)
    if who is None or "position" not in hardware.parts:
        raise ValueError("calibrate a provisioned lock with a position sensor")
    read_mv = hardware.parts["position"]
    hardware.parts["drive"].rest()
    ask("Turn the bolt until it is locked, and press Enter.")
    locked_mv = read_mv()
    ask("Turn it until it is unlocked, and press Enter.")
    unlocked_mv = read_mv()
    pulled_mv = None
    if ask("Turn it until the latch is drawn back, hold it, and press Enter; or type no.") != "no":
        pulled_mv = read_mv()
    say("locked %s, unlocked %s, pulled %s mV" % (locked_mv, unlocked_mv, pulled_mv))
    fault = calibration.fault(locked_mv, unlocked_mv, pulled_mv)
    if fault:
        say("not kept: " + _FAULTS[fault])
        return False
    ends.write(flash.pair, who.seal(), calibration.encode(locked_mv, unlocked_mv, pulled_mv))
    return True
