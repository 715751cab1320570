"""The board itself, for boot.py and main.py: it must work when nothing else does.

Imports `machine` and `board`.
"""

import machine

from .board import this

_FULL_SPEED_HZ = 240_000_000  # a stock image boots at 160 MHz


def safe() -> None:
    """No drive has current, whatever a program thought."""
    for pin, off in this().outputs():
        machine.Pin(pin, machine.Pin.OUT, value=off)


def full_speed() -> None:
    """Count as fast as the chip can; ValueError if it is another chip."""
    machine.freq(_FULL_SPEED_HZ)


def restart() -> None:
    """Start anew, as after a loss of power."""
    machine.reset()
