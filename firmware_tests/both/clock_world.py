"""A world with a true time, for tests of the clock: oscillators that are off, a chip, a flash.

Imports the firmware and the model of the chip. Its time is in whole milliseconds since 1970.
"""

from firmware.clock.clock import Clock
from firmware.clock.ds3231 import Ds3231
from firmware.clock.ticks import Ticks
from firmware.policy.decision import UNKNOWN, Now
from firmware.policy.instant import Instant, from_unix, to_unix
from firmware_tests.both.check import true
from host_sim.world import ds3231

START_S = 1767607200  # 2026-01-05T10:00:00Z
DAY_MS = 86_400_000
ESP32 = 1 << 30  # ms after which ticks start again
UNIX = 1 << 62


class Floor:
    """The floor on flash; strict about what the clock may ask of it."""

    def __init__(self):
        self.unix = 0  # none
        self.writes = 0
        self.broken = False

    def read(self):
        return from_unix(self.unix) if self.unix else None

    def raise_to(self, instant):
        if to_unix(instant) <= self.unix:
            raise ValueError("not raised")
        self._write(instant)

    def lower_to(self, instant):
        if to_unix(instant) >= self.unix:
            raise ValueError("not lowered")
        self._write(instant)

    def _write(self, instant):
        if self.broken:
            raise OSError(28)
        self.unix = to_unix(instant)
        self.writes += 1


class World:
    """One lock in a world; `ticks_ppm` and `chip_ppm` tell how fast its oscillators are."""

    def __init__(self, with_chip=True, ticks_ppm=0, chip_ppm=0, period=ESP32, ticks=0):
        self.ms = START_S * 1000
        self.ticks_ppm = ticks_ppm
        self.floor = Floor()
        self.with_chip = with_chip
        self.chip = ds3231.Ds3231(self.true_ms, chip_ppm)
        self.now = Now(Instant(), 0, UNKNOWN)
        self._period = period
        self._count = ticks * 1_000_000
        self._nonces = 0
        self.boot()

    def true_ms(self):
        return self.ms

    def true_s(self):
        """The second that it is now."""
        return self.ms // 1000

    def instant(self, offset_s=0):
        return from_unix(self.true_s() + offset_s)

    def ticks_ms(self):
        return self._count // 1_000_000 % self._period

    def ticks_diff(self, late, early):
        half = self._period // 2
        return (late - early + half) % self._period - half

    def random(self, count):
        self._nonces += 1
        return b"%016d" % self._nonces

    def boot(self):
        """Power comes (back); `event` is what the clock says about its chip."""
        driver = Ds3231(self.chip) if self.with_chip else None
        self.clock = Clock(Ticks(self.ticks_ms, self.ticks_diff), self.random, self.floor, driver)
        self.event = self.clock.start()

    def power_cut(self, ms):
        """No power for so long; the counter of milliseconds starts from zero."""
        self.chip.main_off()
        self.ms += ms
        self._count = 0
        self.boot()

    def wait(self, ms):
        """Time passes."""
        self.ms += ms
        self._count += ms * (1_000_000 + self.ticks_ppm)

    def live(self, days=0, seconds=0):
        """Time passes while the lock lives and ticks, every six hours at least; the events."""
        events = []
        left_ms = days * DAY_MS + seconds * 1000
        while left_ms:
            step_ms = min(left_ms, DAY_MS // 4)
            self.wait(step_ms)
            left_ms -= step_ms
            events += self.ticks()
        return events

    def ticks(self):
        """The events of ticks until there are no more."""
        events = []
        event = self.clock.tick()
        while event:
            events.append(event)
            true(len(events) < 9, events)
            event = self.clock.tick()
        return events

    def fetch(self, there_ms=200, back_ms=100):
        """Ask, get an answer signed in between, and take it in. Its event."""
        nonce = self.clock.ask()
        self.wait(there_ms)
        answer = self.instant()
        self.wait(back_ms)
        return self.clock.answered(answer, nonce)

    def read(self):
        """(unix seconds, error, trust) of the clock."""
        self.clock.read(self.now)
        return to_unix(self.now.at), self.now.error_s, self.now.trust

    def wrong_s(self):
        """By how much the true time is outside of what a clock that knows it says; or 0."""
        unix, error_s, trust = self.read()
        if trust == UNKNOWN:
            return 0
        return max(abs(unix - self.true_s()) - error_s, 0)
