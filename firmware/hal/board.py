"""The boards that the firmware knows: which pin is what. docs/hardware.md shows the wiring.

Imports only `os` and `sys`.
"""

import os
import sys


class Board:
    """A board's pins, by the numbers of `machine.Pin`.

    `strike` feeds the strike while it has the level `strike_on`, for `pulse_ms` at a time. `sda`
    and `scl` lead to a DS3231. `button`, the inside one, connects its pin to ground.
    `has_console`: whoever writes to stdin is believed to have proven any key, so it is for a desk
    and never for a door.
    """

    strike = 26  # neither a strapping pin nor one that moves while the chip starts
    strike_on = 1
    pulse_ms = 3000
    sda = 21
    scl = 22
    button = 4
    has_console = False


class Desk(Board):
    """A computer: the same, with a console."""

    has_console = True


def this() -> Board:
    """The board that this program runs on; a computer may be told to be a chip (MACHINE_CHIP)."""
    is_desk = sys.platform in ("linux", "darwin") and not os.getenv("MACHINE_CHIP")
    return Desk() if is_desk else Board()
