"""Reading the clock takes no heap; and MicroPython's own ticks, which wrap on 32 bits.

The modules of MicroPython are imported where they are used, because pytest collects on CPython.
"""

import time

from firmware.clock.bound import SLEEP_PPM
from firmware.clock.clock import Clock
from firmware.clock.ticks import Ticks
from firmware.policy.decision import HOLDOVER, TRUSTED, UNKNOWN, Now
from firmware.policy.instant import Instant, from_unix, to_unix
from firmware_tests.both.check import equal, true
from firmware_tests.both.clock_world import START_S, Floor, World

LACKS = ("heap_counters",)


class Shifted:
    """The interpreter's ticks_ms, moved on by hand, wrapping where it wraps."""

    def __init__(self, before_wrap_ms):
        self.now = time.ticks_add(0, -before_wrap_ms)  # type: ignore[type-var]

    def ticks_ms(self):
        return self.now

    def wait(self, ms):
        while ms:
            step_ms = min(ms, 1 << 28)
            self.now = time.ticks_add(self.now, step_ms)  # type: ignore[type-var]
            ms -= step_ms


def clock_of(ticks_ms, chip=None):
    clock = Clock(Ticks(ticks_ms, time.ticks_diff), bytes, Floor(), chip)
    clock.start()
    return clock


def read_locked(clock, now):
    """Read with the heap locked: any allocation raises MemoryError."""
    import micropython

    micropython.heap_lock()
    try:
        clock.read(now)
    finally:
        micropython.heap_unlock()


def taken(clock, now):
    """Bytes that a reading takes, frames included. The second one counts."""
    from micropython import mem_total  # type: ignore[attr-defined]  # not on the ESP32

    clock.read(now)
    before = mem_total()
    between = mem_total()
    clock.read(now)
    return mem_total() - between - (between - before)


def check(clock, trust):
    now = Now(Instant(), 0, UNKNOWN)
    equal(taken(clock, now), 0)
    read_locked(clock, now)
    equal(now.trust, trust)


def test_a_reading_takes_no_heap():
    clock = clock_of(time.ticks_ms)
    check(clock, UNKNOWN)
    clock.signed(from_unix(START_S))
    check(clock, UNKNOWN)
    clock.answered(from_unix(START_S), clock.ask())
    check(clock, TRUSTED)
    clock.network(from_unix(START_S + 1))
    check(clock, TRUSTED)
    clock.pace(SLEEP_PPM)
    check(clock, TRUSTED)


def nothing():
    return 0


def difference(late, early):
    return late - early


def test_a_reading_after_months_takes_no_heap():
    world = World(with_chip=False)
    world.fetch()
    for trust in (HOLDOVER, HOLDOVER, UNKNOWN, UNKNOWN):
        world.live(days=70)
        # The world's own ticks are large numbers; the clock sees a counter that stands still.
        ticks = world.clock._span.ticks
        ticks._ticks_ms, ticks._ticks_diff = nothing, difference
        ticks._last = 0
        check(world.clock, trust)
        ticks._ticks_ms, ticks._ticks_diff = world.ticks_ms, world.ticks_diff
        ticks._last = world.ticks_ms()


def test_the_interpreters_own_ticks_wrap_unnoticed():
    now = Now(Instant(), 0, UNKNOWN)
    for before_wrap_ms in (1, 999, 86_400_000, 3 * 86_400_000):
        ticks = Shifted(before_wrap_ms)
        clock = clock_of(ticks.ticks_ms)
        clock.answered(from_unix(START_S), clock.ask())
        for days in range(6, 31, 6):
            ticks.wait(6 * 86_400_000)
            check(clock, HOLDOVER)
            clock.read(now)
            true(abs(to_unix(now.at) - START_S - days * 86_400) <= 1)


def test_the_interpreters_own_ticks_lost_over_a_week():
    """A week is more than half of what 30 bits of milliseconds hold; 62 bits hold it easily."""
    ticks = Shifted(1000)
    clock = clock_of(ticks.ticks_ms)
    clock.answered(from_unix(START_S), clock.ask())
    ticks.wait(7 * 86_400_000)
    wraps = time.ticks_add(0, -1) == (1 << 30) - 1  # type: ignore[type-var]
    check(clock, UNKNOWN if wraps else HOLDOVER)
