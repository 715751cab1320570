"""Weekday windows: when a rule holds, and for how long that stays so.

Imports only `instant`. A rule is about what a wall clock shows, so an hour that a change of the
clocks repeats is covered twice and one that it skips is never covered. The scans allocate nothing.
"""

from .instant import DAY_S, FAR_S, Instant, weekday

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

    from .zone import Wall

EVERY_DAY = 127
NO_FIRST_DAY = -1
NO_LAST_DAY = FAR_S
_LAST_MINUTE_S = DAY_S - 60
_LAST_SECOND_S = DAY_S - 1


class Rule:
    """A weekday window, half-open `[start_s, end_s)` in seconds of the day on the wall clock.

    `weekdays` is a mask, Monday 1 to Sunday 64, of the days on which a window *starts*; a start
    after the end runs over midnight. `first_day` and `last_day` are day numbers of the rule's own
    calendar, inclusive, tested on the day on which a window starts.
    """

    def __init__(
        self,
        weekdays: int = EVERY_DAY,
        start_s: int = 0,
        end_s: int = DAY_S,
        allow: bool = True,
        utc: bool = False,
        first_day: "int | None" = None,
        last_day: "int | None" = None,
    ):
        self.weekdays = weekdays
        self.start_s = start_s
        self.end_s = end_s
        self.allow = allow
        self.utc = utc
        self.first_day = NO_FIRST_DAY if first_day is None else first_day
        self.last_day = NO_LAST_DAY if last_day is None else last_day

    def __eq__(self, other):
        return self.fields() == other.fields()

    def fields(self) -> tuple:
        """What the constructor takes, with the days as they are kept."""
        return (
            self.weekdays,
            self.start_s,
            self.end_s,
            self.allow,
            self.utc,
            self.first_day,
            self.last_day,
        )

    def starts_on(self, day: int) -> bool:
        """Whether a window starts on a day number of the rule's calendar."""
        if day < self.first_day or day > self.last_day:
            return False
        return self.weekdays >> weekday(day) & 1 == 1

    def remaining_s(self, wall: Instant) -> int:
        """Seconds until the window that holds at `wall` ends; 0 if none holds."""
        second = wall.second
        if self.start_s < self.end_s:
            if self.start_s <= second < self.end_s and self.starts_on(wall.day):
                return self.end_s - second
            return 0
        if second >= self.start_s and self.starts_on(wall.day):
            return DAY_S - second + self.end_s
        if second < self.end_s and self.starts_on(wall.day - 1):
            return self.end_s - second
        return 0

    def wait_s(self, wall: Instant) -> int:
        """Seconds until the next window starts after `wall`, `FAR_S` if none is in sight."""
        day = wall.day
        if wall.second >= self.start_s:
            day += 1
        if day < self.first_day:
            day = self.first_day
        last = min(day + 6, self.last_day)
        while not self.starts_on(day):
            day += 1
            if day > last:
                return FAR_S
        days = day - wall.day
        return days * DAY_S + self.start_s - wall.second if days < FAR_S // DAY_S else FAR_S


class Scan:
    """What the rules of one kind say at the instant `at`, which is `wall` on the lock's wall
    clock.

    `held_s`: seconds until the last of those that hold now ends, 0 if none holds.
    `wait_s`: seconds until the first of those that do not hold now may begin.
    `count`: how many there are.
    """

    def __init__(self, at: Instant, wall: "Wall"):
        self._at = at
        self._wall = wall
        self.held_s = 0
        self.wait_s = FAR_S
        self.count = 0

    def run(self, rules: "Sequence[Rule]", allow: bool) -> None:
        """Look at the rules that allow, or at those that deny."""
        self.held_s = self.count = 0
        self.wait_s = FAR_S
        for rule in rules:
            if rule.allow == allow:
                self._add(rule)
        self.held_s = min(self.held_s, self._wall.steady_s)
        self.wait_s = min(self.wait_s, self._wall.steady_s)

    def _add(self, rule):
        self.count += 1
        clock = self._at if rule.utc else self._wall
        remaining_s = rule.remaining_s(clock)
        if remaining_s:
            self.held_s = max(self.held_s, remaining_s)
        else:
            self.wait_s = min(self.wait_s, rule.wait_s(clock))


def normal_end(end_s: int) -> int:
    """The end of the day where people mean it: 0:00, 23:59:00, and from 23:59:59 on.

    An end beyond the day stays what it is, for `rule_fault` to refuse.
    """
    if end_s == 0 or end_s == _LAST_MINUTE_S or _LAST_SECOND_S <= end_s <= DAY_S:
        return DAY_S
    return end_s
