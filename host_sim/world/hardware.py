"""A board whose time is a story's: the members of `firmware.hal.hardware.Hardware`.

Imports the firmware's `hal.pulse` and its siblings; runs wherever the firmware's tests run. Time
passes when somebody adds to `ms`.
"""

from firmware.hal.pulse import Pulse

from .ds3231 import Ds3231

PULSE_MS = 3000


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
    """A board at a time, in Unix seconds, with a clock chip that has no time yet."""

    has_console = False
    network = None

    def __init__(self, unix_s, random):
        self.ms = unix_s * 1000
        self.random = random
        self.chip = self.bus = Ds3231(self.ticks_ms)
        self.calendar = Calendar()
        self.pin = Pin(self.ticks_ms)
        self.power_on()

    def power_on(self):
        """What a program finds when it starts."""
        self.watchdog = Watchdog()
        self.strike = Pulse(self.pin, 1, PULSE_MS, self.ticks_ms, self.ticks_diff)

    def ticks_ms(self):
        """The world's time."""
        return self.ms

    def ticks_diff(self, late, early):
        """From one of its times to another."""
        return late - early

    def wait(self, ms):
        """Time passes."""
        self.ms += ms
