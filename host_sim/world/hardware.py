"""A board whose time is a story's: the members of `firmware.hal.hardware.Hardware`.

Imports the firmware's `hal` and its siblings; runs wherever the firmware's tests run. Time
passes when somebody adds to `ms`.
"""

from firmware.hal.board import Board
from firmware.hal.fuse import Fuse
from firmware.hal.pulse import Pulse

from .ds3231 import Ds3231
from .timer import Timer

PULSE_MS = Board.pulse_ms


class Pin:
    """An output that remembers: `changes` are (ms, level) of each change."""

    def __init__(self, ticks_ms):
        self.changes = []
        self.level = None
        self._ticks_ms = ticks_ms

    def value(self, level):
        """Set the level."""
        if level != self.level:
            self.level = level
            self.changes.append((self._ticks_ms(), level))


class Calendar:
    """A `machine.RTC` that stands still."""

    def __init__(self):
        self.fields = (2000, 1, 1, 5, 0, 0, 0, 0)

    def datetime(self, fields=None):
        """What it shows, or set it."""
        if fields is None:
            return self.fields
        self.fields = fields
        return None


class Watchdog:
    """One that counts: `tasks` that began since it was `fed` last, so often in all."""

    def __init__(self):
        self.is_on = False
        self.fed = 0
        self.tasks = []

    def start(self):
        """It wants to be fed."""
        self.is_on = True

    def begin(self, task):
        """This one is about to run."""
        self.tasks.append(task)

    def feed(self):
        """All came back."""
        self.fed += 1
        self.tasks = []


class Hardware:
    """A board at a time, in Unix seconds, with a clock chip that has no time yet.

    It has a strike, on `pin`; or what a `world.door.Door` has.
    """

    has_console = False
    network = None
    radio = None
    board = Board()

    def __init__(self, unix_s, random, door=None):
        self._door = door
        self._ms = unix_s * 1000
        if door is not None:
            door.ms = self._ms
        self.random = random
        self.chip = self.bus = Ds3231(self.ticks_ms)
        self.calendar = Calendar()
        self.pin = Pin(self.ticks_ms)
        self._timer = Timer(self.ticks_ms)
        self.power_on()

    def power_on(self):
        """What a program finds when it starts."""
        self.watchdog = Watchdog()
        if self._door is not None:
            self._door.lost_power()
            self.parts = self._door.parts()
            return
        fuse = Fuse(self._timer, PULSE_MS)
        pulse = Pulse(self.pin, 1, PULSE_MS, fuse, self.ticks_ms, self.ticks_diff)
        self.parts = {"strike": pulse}

    @property
    def ms(self):
        """The world's time; to set it lets it pass."""
        return self._ms if self._door is None else self._door.ms

    @ms.setter
    def ms(self, ms):
        if self._door is None:
            self._ms = ms
            self._timer.look()
        else:
            self._door.advance(ms - self._door.ms)

    def ticks_ms(self):
        """As `time` has it."""
        return self.ms

    def ticks_diff(self, late, early):
        """From one of its times to another."""
        return late - early

    def wait(self, ms):
        """Time passes."""
        self.ms += ms
