"""The board's parts, opened once, as `app` wants them.

Imports MicroPython's own modules, its siblings, those of drives and sensors only if they are
fitted, and `unload`.
"""

import os
import time

import machine

from ..unload import unload
from .console import Console
from .pace import Pace
from .fuse import Fuse
from .radio import find as find_radio
from .watchdog import Watchdog

try:
    from .wifi import Wifi as Network
except ImportError:  # a computer
    from .network import Network  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .board import Board

_FUSE_TIMER = 0  # any of the chip's timers; nothing else here needs one
_I2C_HZ = 100_000  # what any DS3231 and a few decimetres of wire can do


class Hardware:
    """`parts` are those of `lock.assembly`, `board` has their numbers.

    `bus` leads to the clock chip, `calendar` is the `machine.RTC`, `network` a Network and `radio`
    a Radio, or None, `watchdog` a Watchdog. `ticks_ms` and `ticks_diff` are MicroPython's,
    `random(n)` returns n bytes, `aes` is that of `cryptolib`. Anything with these members,
    `has_console` and `wait` will do; the simulator has one. Raises ValueError with the name of a
    pin that cannot be what the board says.
    """

    def __init__(self, board: "Board") -> None:
        from . import chips

        chips.check(board)
        unload(chips)
        self.board = board
        self.ticks_ms = time.ticks_ms
        self.ticks_diff = time.ticks_diff
        self.random = os.urandom
        self.aes = _find_aes()
        self.parts = self._drive()
        for name in ("end_locked", "end_unlocked"):
            if "end_stops" in board.fitted:
                self.parts[name] = self._switch(name)
        for name in ("closed", "button", "tamper"):
            if name in board.fitted:
                self.parts[name] = self._switch(name)
        for name in ("lamp", "buzzer"):
            if name in board.fitted:
                self.parts[name] = self._output(name, 0).value
        for name, times_100 in (("position", 100), ("battery", board.battery_times_100)):
            if name in board.fitted:
                self.parts[name] = self._analog(name, times_100)
        pins = board.pins
        self.bus = machine.I2C(
            0, scl=machine.Pin(pins["scl"]), sda=machine.Pin(pins["sda"]), freq=_I2C_HZ
        )
        self.calendar = machine.RTC()
        self.network = Network()
        self.watchdog = Watchdog()
        self._pace = Pace(machine.freq)
        self.has_console = board.has_console
        radio = self.radio = find_radio(time.sleep_ms)
        self._console = Console(radio and radio.stream) if board.has_console else None

    def _drive(self) -> "dict[str, Any]":
        board = self.board
        timer = machine.Timer(_FUSE_TIMER)
        if "strike" in board.fitted:
            from .pulse import Pulse

            pin = self._output("strike", 1 - board.strike_on)
            fuse = Fuse(timer, board.pulse_ms)
            ticks = self.ticks_ms, self.ticks_diff
            return {"strike": Pulse(pin, board.strike_on, board.pulse_ms, fuse, *ticks)}
        fuse = Fuse(timer, board.limit_ms)
        if "motor" in board.fitted:
            from .bridge import Bridge

            pins = self._output("to_lock", 0), self._output("to_open", 0)
            return {"drive": Bridge(*pins, fuse)}
        from .servo import PULSES_HZ, Servo

        pwm = machine.PWM(machine.Pin(board.pins["servo"]), freq=PULSES_HZ, duty_ns=0)
        return {"drive": Servo(pwm, board.servo_us, fuse)}

    def _output(self, name: str, level: int) -> "Any":
        return machine.Pin(self.board.pins[name], machine.Pin.OUT, value=level)

    def _switch(self, name: str) -> "Any":
        return machine.Pin(self.board.pins[name], machine.Pin.IN, machine.Pin.PULL_UP)

    def _analog(self, name: str, times_100: int) -> "Any":
        from .analog import Analog

        adc = machine.ADC(machine.Pin(self.board.pins[name]), atten=machine.ADC.ATTN_11DB)
        return Analog(adc, times_100).read_mv

    def wait(self, ms: int) -> "bytes | None":
        """Wait for a line of the console or for the radio, and for so many ms at the most.

        A thread that talks to the network may have to compute meanwhile, so then it stays fast.
        """
        if not self.network.has_thread:
            self._pace.wait(ms)
        if self._console is not None:
            return self._console.wait(ms)
        if self.radio is not None:
            self.radio.wait(ms)
        else:
            time.sleep_ms(ms)
        return None


def _find_aes():
    """MicroPython has it beside TLS; a build without has neither."""
    try:
        from cryptolib import aes
    except ImportError:
        return None
    return aes
