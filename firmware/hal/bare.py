"""The board itself, for boot.py and main.py: it must work when nothing else does.

Imports `machine` and `board`.
"""

import machine

from .board import this

_FULL_SPEED_HZ = 240_000_000  # a stock image boots at 160 MHz


def safe() -> None:
    """The strike has no current, whatever a program thought."""
    board = this()
    machine.Pin(board.strike, machine.Pin.OUT, value=1 - board.strike_on)


def full_speed() -> None:
    """Count as fast as the chip can; ValueError if it is another chip."""
    machine.freq(_FULL_SPEED_HZ)


def restart() -> None:
    """Start anew, as after a loss of power."""
    machine.reset()
