"""Monotonic seconds from a counter that wraps."""

from firmware.clock.ticks import LONGEST_GAP_S, Ticks
from firmware_tests.both.check import equal, true

DAY_MS = 86_400_000


class Counter:
    """MicroPython's ticks_ms and ticks_diff, for a period."""

    def __init__(self, period, now):
        self.period = period
        self.now = now

    def ticks_ms(self):
        return self.now % self.period

    def ticks_diff(self, late, early):
        half = self.period // 2
        return (late - early + half) % self.period - half


def made(period, now):
    counter = Counter(period, now)
    return counter, Ticks(counter.ticks_ms, counter.ticks_diff)


def test_starts_at_zero_wherever_the_counter_is():
    for period in (1 << 30, 1 << 62):
        for now in (0, 1, 12345, period - 1):
            _, ticks = made(period, now)
            true(ticks.update())
            equal((ticks.second, ticks.ms), (0, 0))


def test_milliseconds_are_not_lost_between_calls():
    counter, ticks = made(1 << 30, 0)
    for _ in range(2999):
        counter.now += 7
        true(ticks.update())
    equal((ticks.second, ticks.ms), (20, 993))


def test_counts_over_the_wrap_by_steps_of_six_days():
    for period in (1 << 30, 1 << 62):
        for start in (0, period - 1, period - 6 * DAY_MS, period // 2 - 1):
            counter, ticks = made(period, start)
            for step in range(1, 100):
                counter.now += LONGEST_GAP_S * 1000
                true(ticks.update())
                equal((ticks.second, ticks.ms), (step * LONGEST_GAP_S, 0))


def test_the_moment_of_the_wrap():
    counter, ticks = made(1 << 30, (1 << 30) - 1)
    counter.now += 1
    true(ticks.update())
    equal((ticks.second, ticks.ms), (0, 1))
    counter.now += 999
    true(ticks.update())
    equal((ticks.second, ticks.ms), (1, 0))


def test_a_gap_of_more_than_half_a_period_is_noticed_and_not_counted():
    for days in (7, 9, 12):
        counter, ticks = made(1 << 30, 5000)
        counter.now += 2500
        true(ticks.update())
        counter.now += days * DAY_MS
        equal(ticks.update(), False, str(days))
        equal((ticks.second, ticks.ms), (2, 500))
        counter.now += 1500
        true(ticks.update())
        equal((ticks.second, ticks.ms), (4, 0))


def test_34_years_fit():
    counter, ticks = made(1 << 30, 0)
    ticks.second = (1 << 30) - 10
    counter.now += 9000
    true(ticks.update())
    equal(ticks.second, (1 << 30) - 1)
