"""POSIX TZ strings: which are refused, where, and the ones that are easily got wrong.

The offsets of the ordinary ones are in the vectors (zones.json).
"""

from firmware.policy.instant import Instant, day_number
from firmware.policy.zone import Wall, Zone, ZoneError
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.policy_case import instant_of, unix_of

# The text, and the character at which it goes wrong, counted from 0.
MALFORMED = (
    ("", 0),
    (":Europe/Berlin", 0),
    ("Europe/Berlin", 6),
    ("CE-1", 2),
    ("1CET-1", 0),
    ("CET", 3),
    ("CET+", 4),
    ("CET-", 4),
    ("CET--1", 4),
    ("CET-+1", 4),
    ("CET 1", 3),
    (" CET-1", 0),
    ("CET-1 ", 5),
    ("CET-1\n", 5),
    ("CET-1\x00", 5),
    ("CET-25", 4),
    ("CET-1:", 6),
    ("CET-1:60", 6),
    ("CET-1:00:60", 9),
    ("CET-1:-1", 6),
    ("CET-1.5", 5),
    ("CET-1e1", 6),
    ("C\u00c9T-1", 1),
    ("CET-\u0661", 4),
    ("<>0", 1),
    ("<+1>-1", 3),
    ("<+01-1", 6),
    ("<+01>", 5),
    ("<+0 1>-1", 3),
    ("+01-1", 0),
    ("CET-1CE", 7),
    ("CET-1CEST", 9),
    ("CET-1CEST-2", 11),
    ("CET-1CEST,", 10),
    ("CET-1CEST,M3.5.0", 16),
    ("CET-1CEST,M3.5.0,", 17),
    ("CET-1CEST,M3.5.0,M10.5.0/", 25),
    ("CET-1CEST,M3.5.0,M10.5.0/168", 25),
    ("CET-1CEST,M3.5.0,M10.5.0/-168", 26),
    ("CET-1CEST,M3.5.0,M10.5.0/3:60", 27),
    ("CET-1CEST,M3.5.0,M10.5.0/3,", 26),
    ("CET-1CEST,M3.5.0,M10.5.0/3 ", 26),
    ("CET-1CEST,M3.5.0;M10.5.0", 16),
    ("CET-1CEST M3.5.0,M10.5.0", 9),
    ("CET-1CEST,M0.5.0,M10.5.0", 11),
    ("CET-1CEST,M13.5.0,M10.5.0", 11),
    ("CET-1CEST,M3.0.0,M10.5.0", 13),
    ("CET-1CEST,M3.6.0,M10.5.0", 13),
    ("CET-1CEST,M3.5.7,M10.5.0", 15),
    ("CET-1CEST,M3.5,M10.5.0", 14),
    ("CET-1CEST,M3,M10.5.0", 12),
    ("CET-1CEST,M.5.0,M10.5.0", 11),
    ("CET-1CEST,m3.5.0,M10.5.0", 10),
    ("CET-1CEST,J0,J365", 11),
    ("CET-1CEST,J366,J1", 11),
    ("CET-1CEST,366,1", 10),
    ("CET-1CEST,-1,1", 10),
    ("CET-1CEST,J,J1", 11),
    ("CET-1CEST,1000,1", 13),
    ("CET-1CEST,M3.5.0/1670,M10.5.0", 20),
    ("X" * 98 + "0", None),
    ("X" * 99 + "00", 0),
    (None, 0),
    (0, 0),
    (b"UTC0", 0),
)


def test_malformed_strings_are_refused_with_the_position():
    for text, position in MALFORMED:
        if position is None:
            Zone(text)  # as long as may be
            continue
        fault = raises(ZoneError, Zone, text)
        equal(fault.position, position, repr(text))
        true("character %d" % (position + 1) in str(fault), str(fault))


def test_every_cut_of_a_string_is_a_zone_or_is_refused():
    for text in ("<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", "EST5EDT,0/0,J365/25:00:01"):
        Zone(text)
        whole = 0
        for end in range(len(text)):
            try:
                Zone(text[:end])
                whole += 1
            except ZoneError as fault:
                true(0 <= fault.position <= end, text[:end])
        true(0 < whole < len(text), text)


def test_every_changed_character_is_a_zone_or_is_refused():
    refused = 0
    text = "CET-1CEST,M3.5.0,J300/-1:30"
    for position in range(len(text)):
        for other in "AM<>+-,./:0159J \n\x7f\u00e9":
            try:
                Zone(text[:position] + other + text[position + 1 :])
            except ZoneError:
                refused += 1
    true(refused > 300, str(refused))


def test_a_successor_and_its_instant_come_together():
    raises(ValueError, Zone, "UTC0", Zone("UTC0"))
    raises(ValueError, Zone, "UTC0", None, Instant())


def offset_s(zone, at):
    wall = Wall()
    zone.local(instant_of(at), wall)
    return unix_of(wall) - at


def test_daylight_saving_all_year_has_no_gap_at_new_year():
    for text in ("EST5EDT,0/0,J365/25", "XXX3EDT4,0/0,J365/23"):
        zone = Zone(text)
        for year in range(2020, 2046):
            new_year = day_number(year, 1, 1) * 86400
            for hour in range(-30, 31):
                equal(offset_s(zone, new_year + hour * 3600), -4 * 3600, text)


def test_a_day_by_number_counts_29_february_and_a_julian_day_does_not():
    for year, leap in ((2026, 0), (2028, 1), (2100, 0)):
        for text, begins in (
            ("AAA0BBB,J59/0,J60/0", day_number(year, 2, 28)),
            ("AAA0BBB,J60/0,J61/0", day_number(year, 3, 1)),
            ("AAA0BBB,58/0,59/0", day_number(year, 2, 28)),
            ("AAA0BBB,59/0,60/0", day_number(year, 3, 1) - leap),
            ("AAA0BBB,J1/0,J2/0", day_number(year, 1, 1)),
            ("AAA0BBB,0/0,1/0", day_number(year, 1, 1)),
            ("AAA0BBB,J364/0,J365/0", day_number(year, 12, 30)),
            ("AAA0BBB,363/0,364/0", day_number(year, 12, 30) - leap),
        ):
            zone = Zone(text)
            equal(offset_s(zone, begins * 86400 - 1), 0, text)
            equal(offset_s(zone, begins * 86400), 3600, text)


def test_hours_beyond_a_day_carry_into_the_neighbouring_year():
    early, late = Zone("AAA0BBB,M1.1.0/-167,M6.1.0"), Zone("AAA0BBB,M6.1.0,M12.5.0/167")
    for year in range(2020, 2046):
        new_year = day_number(year, 1, 1)
        sunday = new_year + (3 - new_year) % 7  # day 3 was a Sunday
        begins = sunday * 86400 - 167 * 3600
        equal(offset_s(early, begins - 1), 0, str(year))
        equal(offset_s(early, begins), 3600, str(year))
        ends = (sunday - 7) * 86400 + 166 * 3600
        equal(offset_s(late, ends - 1), 3600, str(year))
        equal(offset_s(late, ends), 0, str(year))


def test_steady_is_the_time_to_the_next_change():
    zone, wall = Zone("CET-1CEST,M3.5.0,M10.5.0/3"), Wall()
    change = day_number(2026, 3, 29) * 86400 + 3600
    zone.local(instant_of(change - 1000), wall)
    equal(wall.steady_s, 1000)
    zone.local(instant_of(change - 1), wall)
    equal(wall.steady_s, 1)
    zone.local(instant_of(change), wall)
    equal(wall.steady_s, (day_number(2026, 10, 25) - day_number(2026, 3, 29)) * 86400)


def test_a_successor_takes_over_at_its_instant():
    begins = day_number(2026, 6, 1) * 86400
    zone = Zone("EST5EDT,M3.2.0,M11.1.0", Zone("<+03>-3"), instant_of(begins))
    wall = Wall()
    zone.local(instant_of(begins - 10), wall)
    equal((unix_of(wall), wall.steady_s), (begins - 10 - 4 * 3600, 10))
    zone.local(instant_of(begins), wall)
    equal(unix_of(wall), begins + 3 * 3600)
    true(wall.steady_s > 400 * 86400)


def test_a_zone_answers_the_same_in_any_order():
    text = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
    used = Zone(text)
    for step in range(400):
        at = 1577836800 + step * 7919 * 86400 % 788918400
        equal(offset_s(used, at), offset_s(Zone(text), at))
