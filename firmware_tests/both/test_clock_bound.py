"""The arithmetic of bounds, against exact fractions of large integers."""

from firmware.clock.bound import (
    CRYSTAL_PPM,
    EARLIEST,
    LATEST,
    SLEEP_PPM,
    Bound,
    drift_ms,
    drift_per_million,
)
from firmware.clock.ticks import Ticks
from firmware.policy.instant import Instant, to_unix
from firmware_tests import soak
from firmware_tests.both.check import equal, true


class Count(Ticks):
    """Ticks that a test turns by hand."""

    def __init__(self, second=0, ms=0):
        super().__init__(lambda: 0, lambda late, early: late - early)
        self.second = second
        self.ms = ms


def value_ms(bound):
    bound.reach()
    return to_unix(bound.at) * 1000 + bound.ms


def test_what_an_oscillator_counts_against_what_passes():
    equal(drift_per_million(40), 41)
    equal(drift_per_million(9), 10)
    equal(drift_per_million(50_000), 52_632)
    for ppm in (1, 10, 40, 1000, 50_000):
        for counted in (1, 1000, 10**9):
            # The most that can have passed: the oscillator is slow by all of ppm.
            passed = counted * 1_000_000 // (1_000_000 - ppm)
            true(counted * (1_000_000 + drift_per_million(ppm)) >= passed * 1_000_000)


def test_drift_is_rounded_up_and_never_by_more_than_a_second_of_counting():
    for per_million in (1, 10, 41, 52_632):
        for seconds in (0, 1, 59, 999, 1000, 1001, 86_400, 2_592_000, 99_999_999):
            exact = seconds * per_million  # microseconds
            found = drift_ms(seconds, per_million) * 1000
            true(exact + per_million <= found <= exact + 1_001_000 * per_million // 1000 + 1000)


def test_thirty_days_by_each_oscillator():
    """The numbers in docs/clock.md."""
    month_s = 30 * 86_400
    equal(drift_ms(month_s, drift_per_million(9)) // 1000, 25)
    equal(drift_ms(month_s, drift_per_million(CRYSTAL_PPM)) // 1000, 106)
    equal(drift_ms(3600, drift_per_million(SLEEP_PPM)) // 1000, 189)


def test_within_a_millisecond_only_the_latest_moves():
    for side, ms in ((EARLIEST, 123), (LATEST, 125)):
        bound = Bound(side, Count(77, 999), CRYSTAL_PPM)
        bound.put(Instant(20000, 5), 123)
        equal((bound.at, bound.ms), (Instant(20000, 5), ms))


def test_milliseconds_beyond_a_second_are_carried_both_ways():
    bound = Bound(EARLIEST, Count(), CRYSTAL_PPM)
    bound.put(Instant(20000, 86399), 1500)
    equal((bound.at, bound.ms), (Instant(20001, 0), 500))
    bound.put(Instant(20000, 0), -1)
    equal((bound.at, bound.ms), (Instant(19999, 86399), 999))


def test_bounds_hold_what_may_have_passed_and_not_much_more():
    seed = soak.seed()
    draw = soak.Random(seed)
    for _ in range(soak.count(100_000, 1_000)):
        ppm = (9, 40, 50_000)[draw.below(3)]
        count = Count(draw.below(1_000_000), draw.below(1000))
        early, late = Bound(EARLIEST, count, ppm), Bound(LATEST, count, ppm)
        at = Instant(20000 + draw.below(100), draw.below(86_400))
        ms = draw.below(1000)
        early.put(at, ms)
        late.put(at, ms)
        put_ms = to_unix(at) * 1000 + ms
        counted_ms = -count.ms
        started_s = count.second
        count.second += draw.below((100, 10_000, 3_000_000)[draw.below(3)])
        count.ms = draw.below(1000)
        counted_ms += (count.second - started_s) * 1000 + count.ms
        if counted_ms < 0:
            continue
        # The tick before was up to a millisecond old, and this one is.
        most_ms = (counted_ms + 1) * 1_000_000 // (1_000_000 - ppm) + 1
        least_ms = max(counted_ms - 1, 0) * 1_000_000 // (1_000_000 + ppm)
        slack_ms = 3 * ppm * ppm * counted_ms // 10**12 + counted_ms // 1_000_000
        slack_ms += ppm // 500 + 5
        note = "seed %d" % seed
        true(put_ms + most_ms <= value_ms(late) <= put_ms + most_ms + slack_ms, note)
        true(put_ms + least_ms >= value_ms(early) >= put_ms + least_ms - slack_ms, note)


def test_being_asked_often_adds_nothing():
    count = Count()
    asked, spared = Bound(LATEST, count, CRYSTAL_PPM), Bound(LATEST, count, CRYSTAL_PPM)
    asked.put(Instant(20000, 0), 0)
    spared.put(Instant(20000, 0), 0)
    for _ in range(1000):
        count.second += 37
        asked.reach()
    equal(value_ms(asked), value_ms(spared))


def test_a_change_of_pace_counts_from_then_on():
    count = Count()
    bound = Bound(LATEST, count, CRYSTAL_PPM)
    bound.put(Instant(20000, 0), 0)
    count.second += 10_000
    bound.pace(SLEEP_PPM)
    count.second += 1000
    bound.pace(CRYSTAL_PPM)
    count.second += 10_000
    drift = value_ms(bound) - (20000 * 86_400 + 21_000) * 1000
    true(52_632 + 820 <= drift <= 52_632 + 820 + 120, str(drift))


def test_before_and_after_are_strict():
    bound = Bound(EARLIEST, Count(), CRYSTAL_PPM)
    bound.put(Instant(20000, 10), 500)
    for second, ms, before, after in (
        (10, 500, False, False),
        (10, 501, True, False),
        (10, 499, False, True),
        (11, 0, True, False),
        (9, 999, False, True),
    ):
        equal(bound.before(Instant(20000, second), ms), before)
        equal(bound.after(Instant(20000, second), ms), after)
