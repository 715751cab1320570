"""Epochs and calendar fields, against numbers that others agree on."""

from firmware.clock.epoch import Epoch, day_of, from_ntp, rtc_fields
from firmware.policy.instant import Instant, date_of, from_unix, weekday
from firmware_tests.both.check import equal
from host_sim.words import iso

Y2000 = 946684800  # 2000-01-01 in seconds since 1970


def test_1970_and_2000_are_30_years_apart():
    unix, esp32 = Epoch(1970), Epoch(2000)
    for seconds in (0, Y2000, Y2000 - 1, 1767607200, 2147483648, 7258118399):
        equal(unix.instant(seconds), from_unix(seconds))
        equal(esp32.instant(seconds - Y2000), from_unix(seconds))
        equal(unix.seconds(from_unix(seconds)), seconds)
        equal(esp32.seconds(from_unix(seconds)), seconds - Y2000)


def test_a_float_of_the_unix_port_is_cut_off():
    equal(Epoch(1970).instant(int("1767607200") + 0.75), from_unix(1767607200))


def test_ntp_over_the_end_of_its_first_era():
    for seconds, text in (
        (0x80000000, "1968-01-20T03:14:08Z"),
        (2208988800, "1970-01-01T00:00:00Z"),
        (3976595999, "2026-01-05T09:59:59Z"),
        (0xFFFFFFFF, "2036-02-07T06:28:15Z"),
        (0, "2036-02-07T06:28:16Z"),
        (0x7FFFFFFF, "2104-02-26T09:42:23Z"),
    ):
        equal(iso(from_ntp(seconds)), text)


def test_dates_there_and_back():
    for day in range(10957 - 1000, 10957 + 40000, 13):
        year, month, number = date_of(day)
        equal(day_of(year, month, number), day)
        equal("%04d-%02d-%02d" % (year, month, number), iso(Instant(day, 0))[:10])


def test_what_the_calendar_lacks():
    for year, month, day in (
        (2026, 0, 1),
        (2026, 13, 1),
        (2026, 1, 0),
        (2026, 1, 32),
        (2026, 4, 31),
        (2026, 2, 29),
        (2028, 2, 30),
        (2100, 2, 29),
    ):
        equal(day_of(year, month, day), None, "%d-%d-%d" % (year, month, day))
    equal(day_of(2028, 2, 29), from_unix(1835395200).day)


def test_fields_of_machine_rtc():
    fields = rtc_fields(from_unix(1767607200))
    equal(fields, (2026, 1, 5, 0, 10, 0, 0, 0))
    equal(weekday(from_unix(1767607200).day), 0)
    equal(rtc_fields(from_unix(1835481599)), (2028, 2, 29, 1, 23, 59, 59, 0))
