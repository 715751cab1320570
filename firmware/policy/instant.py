"""Instants as a day and a second, in numbers that fit a 31-bit small integer.

Unix seconds do not fit the small integers of a 32-bit MicroPython and would take heap on every
use; a day number and a second of the day do. Imports nothing. Only `from_unix` and `to_unix` touch
large numbers; nothing else here allocates.
"""

DAY_S = 86_400
FAR_S = 500_000_000  # longer than anybody waits, nearly 16 years; twice it is a small int
_FAR_DAYS = FAR_S // DAY_S + 2  # so many are surely more than FAR_S


class Instant:
    """One second: `day` counts from 1970-01-01, `second` is 0..86399 within that day."""

    def __init__(self, day: int = 0, second: int = 0):
        self.day = day
        self.second = second

    def set(self, other: "Instant") -> None:
        """Become a copy of another instant."""
        self.day = other.day
        self.second = other.second

    def shift(self, seconds: int) -> None:
        """Move by up to `FAR_S` seconds, forwards or backwards."""
        seconds += self.second
        self.day += seconds // DAY_S
        self.second = seconds % DAY_S

    def until(self, other: "Instant") -> int:
        """Seconds from here to `other`, negative if it is past, clamped to +-`FAR_S`."""
        days = min(max(other.day - self.day, -_FAR_DAYS), _FAR_DAYS)
        return min(max(days * DAY_S + other.second - self.second, -FAR_S), FAR_S)

    def __eq__(self, other):
        return isinstance(other, Instant) and self.day == other.day and self.second == other.second

    def __repr__(self):
        return "Instant(%d, %d)" % (self.day, self.second)


def from_unix(seconds: int) -> Instant:
    """The instant of a count of seconds since 1970-01-01T00:00Z."""
    return Instant(seconds // DAY_S, seconds % DAY_S)


def to_unix(instant: Instant) -> int:
    """Seconds since 1970-01-01T00:00Z."""
    return instant.day * DAY_S + instant.second


def day_number(year: int, month: int, day: int) -> int:
    """Day since 1970-01-01 of a date in the proleptic Gregorian calendar.

    Counts in years that begin in March, so that the leap day is the last of its year.
    """
    if month < 3:
        year -= 1
        month += 12
    month = (153 * (month - 3) + 2) // 5  # days from 1 March to the first of the month
    return 365 * year + year // 4 - year // 100 + year // 400 + month + day - 719_469


def year_of(day: int) -> int:
    """The calendar year that a day number falls in."""
    year = 1970 + day // 366 if day >= 0 else 1970 + day // 365
    while day_number(year + 1, 1, 1) <= day:
        year += 1
    return year


def date_of(day: int) -> "tuple[int, int, int]":
    """Year, month and day of the month of a day number."""
    year = year_of(day)
    month = 12
    while day_number(year, month, 1) > day:
        month -= 1
    return year, month, day - day_number(year, month, 1) + 1


def weekday(day: int) -> int:
    """0 for Monday to 6 for Sunday; 1970-01-01 was a Thursday."""
    return (day + 3) % 7
