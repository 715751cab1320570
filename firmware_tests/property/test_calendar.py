"""Weekday windows against calendars: iCalendar through dateutil and recurring-ical-events.

On clocks that never change, where a rule of iCalendar (RFC 5545) and a rule of a grant mean the
same.
"""

from datetime import UTC, date, datetime, timedelta

import icalendar
import recurring_ical_events
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.policy.decision import decide
from firmware_tests import soak
from firmware_tests.both.policy_case import Case

DAY_S = 86_400
MONDAY = date(2026, 5, 4)
OFFSETS = {"UTC0": 0, "<+0545>-5:45": 20_700, "<-0930>9:30": -34_200}
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@st.composite
def weekly(draw):
    """A rule with a first date, and perhaps a last one."""
    start_s, end_s = draw(st.lists(st.integers(0, DAY_S - 1), min_size=2, max_size=2, unique=True))
    first = MONDAY + timedelta(draw(st.integers(0, 7)))
    rule = {
        "weekdays": draw(st.integers(1, 127)),
        "start_s": start_s,
        "end_s": end_s or DAY_S,
        "first_date": first.isoformat(),
    }
    if draw(st.booleans()):
        rule["last_date"] = (first + timedelta(draw(st.integers(0, 12)))).isoformat()
    return rule


def length(rule):
    return timedelta(seconds=(rule["end_s"] - rule["start_s"] - 1) % DAY_S + 1)


def begin(rule):
    return datetime.fromisoformat(rule["first_date"]) + timedelta(seconds=rule["start_s"])


def allowed(tz, rules, walls):
    case = Case({"zone": {"tz": tz}, "grant": {"rules": rules}})
    found = []
    for wall in walls:
        case.ask(decide, {"at": int(wall.replace(tzinfo=UTC).timestamp()) - OFFSETS[tz]})
        found.append(case.decision.allowed)
    return found


def near_edges(windows):
    second = timedelta(seconds=1)
    return [
        edge + step
        for window in windows
        for edge in window
        for step in (-second, 0 * second, second)
    ]


@settings(max_examples=soak.count(5_000, 120))
@given(st.sampled_from(sorted(OFFSETS)), weekly())
def test_a_rule_is_a_weekly_recurrence(tz, rule):
    last = rule.get("last_date", "2026-06-30")
    starts = rrule.rrule(
        rrule.WEEKLY,
        dtstart=begin(rule),
        until=datetime.fromisoformat(last) + timedelta(seconds=DAY_S - 1),
        byweekday=[day for day in range(7) if rule["weekdays"] >> day & 1],
        wkst=rrule.MO,
    )
    horizon = datetime(2026, 5, 20)
    windows = [(start, start + length(rule)) for start in starts if start < horizon]
    walls = near_edges(windows) + [
        datetime(2026, 5, 1) + timedelta(hours=5 * step) for step in range(90)
    ]
    walls = [wall for wall in walls if wall < horizon]
    expected = [any(start <= wall < end for start, end in windows) for wall in walls]
    assert allowed(tz, [rule], walls) == expected


def event(rule, name):
    """The VEVENT that says the same as a rule."""
    days = ",".join(day for bit, day in enumerate(DAYS) if rule["weekdays"] >> bit & 1)
    until = rule.get("last_date", "2026-06-30").replace("-", "") + "T235959"
    return "\r\n".join(
        [
            "BEGIN:VEVENT",
            f"UID:{name}",
            f"DTSTART:{begin(rule):%Y%m%dT%H%M%S}",
            f"DURATION:PT{int(length(rule).total_seconds())}S",
            f"RRULE:FREQ=WEEKLY;WKST=MO;BYDAY={days};UNTIL={until}",
            "END:VEVENT",
        ]
    )


@settings(max_examples=soak.count(1_000, 25))
@given(st.sampled_from(sorted(OFFSETS)), st.lists(weekly(), min_size=1, max_size=4), st.data())
def test_a_grant_is_a_calendar(tz, rules, data):
    """Several rules, some of which deny, are a calendar of events and one of closures."""
    for rule in rules:
        rule["allow"] = data.draw(st.booleans())
    opening, closing = (
        [rule for rule in rules if rule["allow"] == allow] for allow in (True, False)
    )
    walls = [datetime(2026, 5, 3) + timedelta(minutes=277 * step) for step in range(60)]
    expected = [
        not any_at(closing, wall) and (not opening or any_at(opening, wall)) for wall in walls
    ]
    assert allowed(tz, rules, walls) == expected


def any_at(rules, wall):
    if not rules:
        return False
    # An event of iCalendar begins at DTSTART even if the rule does not name that day, so such days
    # are left out.
    fitting = [rule for rule in rules if rule["weekdays"] >> begin(rule).weekday() & 1]
    moved = [_moved(rule) for rule in rules if rule not in fitting]
    text = "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"]
        + [
            event(rule, number)
            for number, rule in enumerate(fitting + [rule for rule in moved if rule])
        ]
        + ["END:VCALENDAR", ""]
    )
    if "VEVENT" not in text:
        return False
    calendar = recurring_ical_events.of(icalendar.Calendar.from_ical(text))
    return any(
        found.start <= wall < found.end
        for found in calendar.between(wall, wall + timedelta(seconds=1))
    )


def _moved(rule):
    """The rule with its first date moved on to a day that it names; None if there is none left."""
    first = date.fromisoformat(rule["first_date"])
    while not rule["weekdays"] >> first.weekday() & 1:
        first += timedelta(1)
    if first.isoformat() > rule.get("last_date", "9999"):
        return None
    return dict(rule, first_date=first.isoformat())
