"""The board's parts, opened once, as `app` wants them.

Imports MicroPython's own modules and its siblings.
"""

import os
import time

import machine

from .console import Console
from .pulse import Pulse
from .watchdog import Watchdog

try:
    from .wifi import Wifi as Network
except ImportError:  # a computer
    from .network import Network  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .board import Board

_I2C_HZ = 100_000  # what any DS3231 and a few decimetres of wire can do


class Hardware:
    """`strike` is a Pulse, `bus` leads to the clock chip, `calendar` is the `machine.RTC`.

    `network` is a Network, or None, `watchdog` a Watchdog. `ticks_ms` and `ticks_diff` are
    MicroPython's, `random(n)` returns n bytes. Anything with these members, `has_console` and
    `wait` will do; the simulator has one.
    """

    def __init__(self, board: "Board") -> None:
        self.ticks_ms = time.ticks_ms
        self.ticks_diff = time.ticks_diff
        self.random = os.urandom
        pin = machine.Pin(board.strike, machine.Pin.OUT, value=1 - board.strike_on)
        self.strike = Pulse(pin, board.strike_on, board.pulse_ms, self.ticks_ms, self.ticks_diff)
        self.bus = machine.I2C(
            0, scl=machine.Pin(board.scl), sda=machine.Pin(board.sda), freq=_I2C_HZ
        )
        self.calendar = machine.RTC()
        self.network = Network()
        self.watchdog = Watchdog()
        self.has_console = board.has_console
        self._console = Console() if board.has_console else None

    def wait(self, ms: int) -> "bytes | None":
        """Wait for a line of the console, and for so many ms at the most."""
        if self._console is not None:
            return self._console.wait(ms)
        time.sleep_ms(ms)
        return None
