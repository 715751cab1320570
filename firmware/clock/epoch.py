"""Between instants and what others count: seconds since 2000, 1970 or 1900, and calendar fields.

Imports policy. The only place that knows of epochs. `time.time()` counts from 2000 on an ESP32 and
from 1970 on the unix port; `time.gmtime(0)[0]` tells which. Numbers may be large and take heap.
"""

from ..policy.instant import DAY_S, Instant, date_of, day_number, weekday

NTP_YEAR = 1900
_ERA_S = 1 << 32  # the seconds of NTP start again after so many


class Epoch:
    """Counts of seconds from the start of `year` in UTC."""

    def __init__(self, year: int):
        self._day = day_number(year, 1, 1)

    def instant(self, seconds: float) -> Instant:
        """The instant of a count; a fraction is cut off."""
        seconds = int(seconds)
        return Instant(self._day + seconds // DAY_S, seconds % DAY_S)

    def seconds(self, instant: Instant) -> int:
        """The count of an instant."""
        return (instant.day - self._day) * DAY_S + instant.second


def from_ntp(seconds: int) -> Instant:
    """The instant of the 32-bit seconds of an NTP answer.

    Between 1968 and 2104: a number with the highest bit clear is of the era that begins in 2036
    (RFC 4330 section 3).
    """
    if seconds < _ERA_S >> 1:
        seconds += _ERA_S
    return Epoch(NTP_YEAR).instant(seconds)


def day_of(year: int, month: int, day: int) -> "int | None":
    """The day number of a date, None if the calendar has no such date."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    number = day_number(year, month, day)
    return number if date_of(number) == (year, month, day) else None


def rtc_fields(instant: Instant) -> "tuple[int, int, int, int, int, int, int, int]":
    """What `machine.RTC().datetime` takes: year, month, day, weekday (Monday 0), h, m, s, 0."""
    year, month, day = date_of(instant.day)
    second = instant.second
    return (
        year, month, day, weekday(instant.day), second // 3600, second // 60 % 60, second % 60, 0,
    )  # fmt: skip


def from_rtc(fields: "tuple[int, ...]") -> "Instant | None":
    """The instant of what `machine.RTC().datetime` returns; None for what is no date."""
    day = day_of(fields[0], fields[1], fields[2])
    second = fields[4] * 3600 + fields[5] * 60 + fields[6]
    return None if day is None else Instant(day, second)
