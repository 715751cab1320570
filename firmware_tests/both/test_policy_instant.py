"""Instants and the calendar, with numbers that a 31-bit small integer holds."""

from firmware.policy.instant import (
    DAY_S,
    FAR_S,
    Instant,
    day_number,
    from_unix,
    to_unix,
    weekday,
    year_of,
)
from firmware_tests.both.check import equal, true
from host_sim.words import iso

MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def test_the_calendar_counts_every_day_from_1970_to_2200():
    expected = 0
    for year in range(1970, 2201):
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        for month in range(1, 13):
            days = MONTHS[month - 1] + (1 if leap and month == 2 else 0)
            equal(day_number(year, month, 1), expected, "%d-%d" % (year, month))
            equal(day_number(year, month, days), expected + days - 1, "%d-%d" % (year, month))
            expected += days
        equal(year_of(expected - 1), year)
        equal(year_of(expected), year + 1)


def test_days_before_1970_have_a_year_too():
    for day, year in (
        (-1, 1969),
        (-365, 1969),
        (-366, 1968),
        (-731, 1968),
        (-732, 1967),
        (-36525, 1869),
    ):
        equal(year_of(day), year, str(day))


def test_weekdays_begin_on_monday():
    equal(weekday(0), 3)  # a Thursday
    equal(weekday(day_number(2026, 1, 5)), 0)
    equal(weekday(day_number(2000, 2, 29)), 1)
    equal(weekday(-4), 6)


def test_unix_seconds_there_and_back():
    for seconds in (
        0,
        1,
        DAY_S - 1,
        DAY_S,
        -1,
        -DAY_S,
        1 << 30,
        (1 << 31) - 1,
        1 << 32,
        7258118399,
    ):
        instant = from_unix(seconds)
        true(0 <= instant.second < DAY_S)
        equal(to_unix(instant), seconds)


def test_shift_goes_over_midnight_both_ways():
    for start, shift, day, second in (
        ((10, 0), -1, 9, DAY_S - 1),
        ((10, DAY_S - 1), 1, 11, 0),
        ((10, 5), 0, 10, 5),
        ((10, 5), FAR_S, 10 + (FAR_S + 5) // DAY_S, (FAR_S + 5) % DAY_S),
        ((10, 5), -FAR_S, 10 + (5 - FAR_S) // DAY_S, (5 - FAR_S) % DAY_S),
    ):
        instant = Instant(start[0], start[1])
        instant.shift(shift)
        equal((instant.day, instant.second), (day, second), str(shift))


def test_until_is_exact_up_to_far_and_clamped_beyond():
    here = Instant(20000, 100)
    for days in range(FAR_S // DAY_S - 3, FAR_S // DAY_S + 4):
        for second in (0, 99, 100, 101, FAR_S % DAY_S + 99, FAR_S % DAY_S + 100, DAY_S - 1):
            there = Instant(20000 + days, second)
            expected = min(days * DAY_S + second - 100, FAR_S)
            equal(here.until(there), expected, "%d %d" % (days, second))
            equal(there.until(here), -expected, "%d %d" % (days, second))
    for days in (FAR_S // DAY_S + 5, 60000, FAR_S):
        equal(here.until(Instant(20000 + days, 0)), FAR_S)
        equal(here.until(Instant(20000 - days, 0)), -FAR_S)


def test_equal_and_readable():
    equal(Instant(5, 6), Instant(5, 6))
    true(Instant(5, 6) != Instant(5, 7) and Instant(5, 6) != Instant(6, 6) and Instant(5, 6) != 5)
    equal(repr(Instant(5, 6)), "Instant(5, 6)")
    copy = Instant()
    copy.set(Instant(5, 6))
    equal(copy, Instant(5, 6))


def test_iso():
    for seconds, text in (
        (0, "1970-01-01T00:00:00Z"),
        (1774746000, "2026-03-29T01:00:00Z"),
        (1835481599, "2028-02-29T23:59:59Z"),
        (1798761599, "2026-12-31T23:59:59Z"),
        (7258118399, "2199-12-31T23:59:59Z"),
        (-1, "1969-12-31T23:59:59Z"),
    ):
        equal(iso(from_unix(seconds)), text)
