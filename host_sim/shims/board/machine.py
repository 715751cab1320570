"""MicroPython's `machine`, as far as the firmware uses it, for CPython and for the unix port.

Its parts behave: pins keep their levels, the RTC runs and a DS3231 answers on I2C, new from the
shop, so without a time. What happens is written to the file that MACHINE_TRACE names, a line for
each: milliseconds, and "pin 26 1", "rtc 2026-01-05 10:00:00" or "reset". Bad arguments raise what
they raise on a board.

MACHINE_WORLD names a folder through which chip and world know of each other: `held` has the pins
that somebody connects to ground, `wake` the one that ends a deep sleep, `cause` why the chip
started, `memory` the RAM of the RTC, and
`watchdog` the watchdog's time in ms, written each time it is fed. Without it nobody is there.
"""

import os
import sys
import time

import ticks  # noqa: F401  # which `time` may lack

from firmware.clock import epoch
from host_sim.world.ds3231 import Ds3231

RESET_STATUS = 3  # with which the process ends where a board would start anew
ASLEEP_STATUS = 4  # and where it would sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

try:
    import _thread
except ImportError:  # then nothing comes between two bytecodes

    class _thread:  # type: ignore[no-redef]
        @staticmethod
        def start_new_thread(function, arguments):
            """Nobody runs it."""


try:
    from micropython import schedule as _schedule
except ImportError:  # CPython: in a thread of its own

    def _schedule(callback, argument):
        callback(argument)


_TRACE = os.getenv("MACHINE_TRACE")
_WORLD = os.getenv("MACHINE_WORLD")
PWRON_RESET = 1
WDT_RESET = 3
DEEPSLEEP_RESET = 4


def _trace(text):
    if _TRACE:
        with open(_TRACE, "a") as file:
            file.write("%d %s\n" % (time.ticks_ms(), text))


def world(name):
    """Not of MicroPython: what a file of the world has; empty if there is none."""
    try:
        with open(_WORLD + "/" + name, "rb") as file:
            return file.read()
    except (OSError, TypeError):  # no such file, no world
        return b""


def tell_world(name, content):
    """Not of MicroPython: write a file of the world."""
    if _WORLD:
        with open(_WORLD + "/" + name, "wb") as file:
            file.write(content)


def reset_cause():
    """Why the chip started; 0 after `reset`, as on an ESP32."""
    return int(world("cause") or PWRON_RESET)


class WDT:
    """The watchdog; whoever has the world resets the chip when it starves."""

    def __init__(self, *, timeout):
        self._timeout_ms = b"%d" % timeout
        self.feed()

    def feed(self):
        """All is well for another while."""
        tell_world("watchdog", self._timeout_ms)


_hz = 160_000_000  # of a stock image


def freq(hz=None):
    """The processor's clock, or set it."""
    global _hz
    if hz is None:
        return _hz
    if hz not in (80_000_000, 160_000_000, 240_000_000):
        raise ValueError("frequency must be 80MHz, 160MHz or 240MHz")
    _hz = hz
    return None


def reset():
    """The program is over."""
    _trace("reset")
    sys.exit(RESET_STATUS)


def deepsleep():
    """The program is over, too; a pin starts it anew, see `esp32`."""
    _trace("deepsleep")
    sys.exit(ASLEEP_STATUS)


class Pin:
    """One pin of an ESP32; `levels` are those of all pins, which outlive these objects.

    An input that nobody has driven is pulled up.
    """

    IN = 1
    OUT = 3
    PULL_UP = 2
    levels: "dict[int, int]" = {}
    _handlers: "dict[int, Any]" = {}

    def __init__(self, number, mode=-1, pull=-1, *, value=None):
        if not 0 <= number < 40:
            raise ValueError("invalid pin")
        if mode == Pin.OUT and number >= 34:
            raise ValueError("pin can only be input")
        if pull == Pin.PULL_UP and number >= 34:
            raise ValueError("pins 34~39 do not have pull-up or pull-down circuitry")
        self.number = number
        self._is_out = mode == Pin.OUT
        if pull == Pin.PULL_UP:
            Pin.levels.setdefault(number, 1)
        if value is not None:
            self.value(value)

    def value(self, level=None):
        """The level, or set it."""
        if level is None:
            if not self._is_out and b"%d" % self.number in world("held").split():
                return 0
            return Pin.levels.get(self.number, 0)
        if self._is_out and Pin.levels.get(self.number) != level:
            Pin.levels[self.number] = level
            _trace("pin %d %d" % (self.number, level))
        return None

    def irq(self, handler):
        """Who is told, with the pin, when `drive` changes it."""
        Pin._handlers[self.number] = self, handler

    @staticmethod
    def drive(number, level):
        """Not of MicroPython: the world outside changes a level."""
        if Pin.levels.get(number) != level:
            Pin.levels[number] = level
            if number in Pin._handlers:
                pin, handler = Pin._handlers[number]
                handler(pin)


class Timer:
    """A timer of the chip; as there, its callback comes between two bytecodes of the program."""

    ONE_SHOT = 0

    def __init__(self, number):
        if not 0 <= number < 4:
            raise ValueError("invalid Timer number")
        self._round = 0

    def init(self, *, mode, period, callback):
        """Call `callback(self)` once, in so many ms, and no longer what was set before."""
        if mode != Timer.ONE_SHOT:
            raise ValueError("this one knows only ONE_SHOT")
        self._round += 1
        _thread.start_new_thread(self._run, (self._round, period, callback))

    def _run(self, number, period, callback):
        time.sleep_ms(period)
        if number == self._round:
            _schedule(callback, self)


class PWM:
    """Pulses on a pin."""

    def __init__(self, pin, *, freq, duty_ns):
        self._number = pin.number
        self._longest_ns = 1_000_000_000 // freq
        self.duty_ns(duty_ns)

    def duty_ns(self, ns):
        """How long a pulse is from now on; 0 is none."""
        if not 0 <= ns <= self._longest_ns:
            raise ValueError("duty_ns must be within the period")
        _trace("pwm %d %d" % (self._number, ns))


class ADC:
    """A voltage at a pin of ADC1: `volts_uv` has it, by the number of the pin."""

    ATTN_11DB = 3
    volts_uv: "dict[int, int]" = {}

    def __init__(self, pin, *, atten):
        if not 32 <= pin.number < 40:
            raise ValueError("invalid pin")
        self._number = pin.number

    def read_uv(self):
        """As the chip's calibration has it."""
        return ADC.volts_uv.get(self._number, 0)


class I2C:
    """A bus with one chip on it, a DS3231, the same for all objects."""

    chip = Ds3231(time.ticks_ms)

    def __init__(self, number, *, scl, sda, freq=400_000):
        if number not in (0, 1):
            raise ValueError("I2C(%d) doesn't exist" % number)
        self.readfrom_mem_into = I2C.chip.readfrom_mem_into
        self.writeto_mem = I2C.chip.writeto_mem


class RTC:
    """A calendar that runs, from 2000 on if nobody sets it."""

    _set = (2000, 1, 1, 5, 0, 0, 0, 0)
    _set_ms = time.ticks_ms()

    def memory(self, content=None):
        """What stays over a reset and not without power; or set it."""
        if content is None:
            return world("memory")
        tell_world("memory", content)
        return None

    def datetime(self, fields=None):
        """Year, month, day, weekday, hours, minutes, seconds, microseconds; or set them."""
        if fields is not None:
            year, month, day, _, hour, minute, second, _ = fields
            RTC._set, RTC._set_ms = fields, time.ticks_ms()
            _trace("rtc %d-%02d-%02d %02d:%02d:%02d" % (year, month, day, hour, minute, second))
            return None
        at = epoch.from_rtc(RTC._set)
        at.shift(time.ticks_diff(time.ticks_ms(), RTC._set_ms) // 1000)
        return epoch.rtc_fields(at)
