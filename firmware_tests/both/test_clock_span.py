"""Intervals at their edges, to the millisecond."""

from firmware.clock.bound import CRYSTAL_PPM, SLEEP_PPM
from firmware.clock.span import OVERLAPS, TOO_EARLY, TOO_LATE, Span
from firmware.clock.ticks import Ticks
from firmware.policy.instant import Instant, from_unix, to_unix
from firmware_tests.both.check import equal, true

AT = 1767607200


class Stopped(Ticks):
    """Ticks that stand still, or that are broken."""

    def __init__(self):
        super().__init__(lambda: 0, lambda late, early: 0 if self.good else -1)
        self.good = True


def span_of(first, end, end_ms=0, ticks=None):
    """The interval as it is put; the late end reads 2 ms later, for the ticks are cut off."""
    span = Span(ticks or Stopped(), CRYSTAL_PPM)
    span.replace(from_unix(first), from_unix(end - 1), end_ms + 998)
    return span


def ends(span):
    """Both ends in ms."""
    early, late = span.earliest, span.latest
    return to_unix(early.at) * 1000 + early.ms, to_unix(late.at) * 1000 + late.ms


def test_the_last_second_that_is_possible():
    for end, end_ms, width_s in (
        (AT + 1, 0, 0),
        (AT + 1, 1, 1),
        (AT + 1, 999, 1),
        (AT + 2, 0, 1),
        (AT + 61, 500, 61),
    ):
        equal(span_of(AT, end, end_ms).width_s(), width_s, "%d %d" % (end - AT, end_ms))


def test_where_another_interval_lies():
    span = span_of(AT + 10, AT + 20, 500)
    for first, first_ms, end, end_ms, place in (
        (AT, 0, AT + 9, 999, TOO_EARLY),
        (AT, 0, AT + 10, 0, TOO_EARLY),
        (AT, 0, AT + 10, 1, OVERLAPS),
        (AT, 0, AT + 100, 0, OVERLAPS),
        (AT + 20, 499, AT + 100, 0, OVERLAPS),
        (AT + 20, 500, AT + 100, 0, TOO_LATE),
        (AT + 20, 501, AT + 100, 0, TOO_LATE),
    ):
        found = span.compare(from_unix(first), first_ms, from_unix(end), end_ms)
        equal(found, place, "%d.%d %d.%d" % (first - AT, first_ms, end - AT, end_ms))


def test_without_a_late_end_nothing_is_too_late():
    span = span_of(AT + 10, AT + 20)
    span.forget()
    equal(span.compare(from_unix(AT + 500), 0, from_unix(AT + 501), 0), OVERLAPS)
    equal(span.compare(from_unix(AT), 0, from_unix(AT + 10), 0), TOO_EARLY)


def test_narrowing_takes_the_later_start_and_the_earlier_end():
    for first, end, found in (
        (5, 25, (10_000, 20_000)),
        (12, 25, (12_000, 20_000)),
        (5, 17, (10_000, 17_002)),
        (12, 17, (12_000, 17_002)),
    ):
        span = span_of(AT + 10, AT + 20)
        span.narrow(from_unix(AT + first), 0, from_unix(AT + end), 0)
        early, late = ends(span)
        equal((early - AT * 1000, late - AT * 1000), found)


def test_narrowing_gives_a_late_end_to_a_span_without():
    span = span_of(AT + 10, AT + 20)
    span.forget()
    span.narrow(from_unix(AT), 0, from_unix(AT + 50), 0)
    true(span.known)
    equal(ends(span), ((AT + 10) * 1000, (AT + 50) * 1000 + 2))
    equal(span.signed, False)


def test_cutting_off_the_early_end():
    for first, end_ms, left in ((11, 0, True), (19, 0, True), (20, 1, True), (20, 0, False)):
        span = span_of(AT + 10, AT + 20, end_ms)
        span.signed = True
        equal(span.start_at(from_unix(AT + first)), left)
        equal(ends(span)[0], (AT + first) * 1000)
        equal((span.known, span.signed), (left, left))


def test_broken_ticks_leave_no_late_end():
    ticks = Stopped()
    span = span_of(AT, AT + 10, 0, ticks)
    span.signed = True
    true(span.advance())
    true(span.known)
    ticks.good = False
    equal(span.advance(), False)
    equal((span.known, span.signed), (False, False))
    equal(span.earliest.at, from_unix(AT))


def test_a_change_of_pace_reaches_every_bound_and_stop_watch():
    span = span_of(AT, AT + 10)
    watch = span.watch()
    watch.start()
    span.pace(SLEEP_PPM)
    later = span.watch()
    later.start()
    span.ticks.second += 1000
    span.advance()
    watch.reach()
    later.reach()
    early, late = ends(span)
    true(52_600 <= (AT + 1000) * 1000 - early <= 52_800)
    true(52_600 <= late - (AT + 1010) * 1000 <= 52_800)
    for stopped in (watch, later):
        equal(stopped.at, Instant(0, 1052))
