"""POSIX TZ strings read a third way: a list of all changes of the clocks, sorted, and looked up.

For the strings that zoneinfo misreads - CPython 3.11 takes a plain day `n` to be a day earlier
than it is, and J59 in a leap year to be 29 February - and as a check on the other two. Knows 2015
to 2050.
"""

import bisect
import re
from calendar import isleap, monthrange
from collections.abc import Callable
from datetime import date, timedelta

_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_NUMBER = "([0-9]{1,3})"
_TIME = rf"([+-]?){_NUMBER}(?::{_NUMBER}(?::{_NUMBER})?)?"
_DAY = rf"(?:M{_NUMBER}\.{_NUMBER}\.{_NUMBER}|(J?){_NUMBER})"
_DATE = rf"{_DAY}(?:/{_TIME})?"
_ZONE = re.compile(rf"{_NAME}{_TIME}(?:{_NAME}(?:{_TIME})?,{_DATE},{_DATE})?")
_LONGEST = 100
_YEARS = range(2015, 2051)
_EPOCH = date(1970, 1, 1)


def valid(text: str) -> bool:
    """Whether a string is one, with every number in its range."""
    match = _ZONE.fullmatch(text)
    if not match or len(text) > _LONGEST:
        return False
    field = match.groups()
    times = _time_valid(field[0:4], 24) and _time_valid(field[4:8], 24)
    return times and _date_valid(field[8:17]) and _date_valid(field[17:26])


def _time_valid(parts, hours):
    return all(
        number is None or int(number) <= most
        for number, most in zip(parts[1:], (hours, 59, 59), strict=True)
    )


def _date_valid(parts):
    month, week, weekday, julian, number = parts[:5]
    if month is not None:
        fits = 1 <= int(month) <= 12 and 1 <= int(week) <= 5 and int(weekday) <= 6
    else:
        fits = number is None or (1 if julian else 0) <= int(number) <= 365
    return fits and _time_valid(parts[5:], 167)


def offsets(text: str) -> Callable[[int], int]:
    """A function from Unix seconds to the offset in seconds east of UTC."""
    match = _ZONE.fullmatch(text)
    if not match:
        raise ValueError(text)
    field = match.groups()
    std = -_seconds(field[0:4])
    if "," not in text:
        return lambda at: std
    dst = -_seconds(field[4:8]) if field[5] else std + 3600
    events = []
    for year in _YEARS:
        # At the same instant the beginning comes last, and holds: that is daylight saving all
        # year.
        events.append((_instant(field[17:22], field[22:26], year, dst), 0, std))
        events.append((_instant(field[8:13], field[13:17], year, std), 1, dst))
    events.sort()
    instants = [instant for instant, _, _ in events]
    return lambda at: events[bisect.bisect_right(instants, at) - 1][2]


def _seconds(parts):
    sign, hours, minutes, seconds = parts
    total = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return -total if sign == "-" else total


def _instant(day, time, year, ahead):
    seconds = _seconds(time) if time[1] else 7200
    return (_date(day, year) - _EPOCH).days * 86_400 + seconds - ahead


def _date(parts, year):
    month, week, weekday, julian, number = parts
    if month is None:
        if julian and not (isleap(year) and int(number) < 60):
            # Count in a year without 29 February, then take the same month and day.
            plain = date(2023, 1, 1) + timedelta(int(number) - 1)
            return plain.replace(year=year)
        return date(year, 1, 1) + timedelta(int(number) - (1 if julian else 0))
    days = [date(year, int(month), day + 1) for day in range(monthrange(year, int(month))[1])]
    fitting = [day for day in days if day.isoweekday() % 7 == int(weekday)]
    return fitting[min(int(week), len(fitting)) - 1]
