"""Time zones as POSIX TZ strings (POSIX.1-2017 section 8.3, with the hours of RFC 9636 section
3.3.1).

`Zone` turns instants into what a wall clock shows. Imports only `instant`. Parsing allocates;
`Zone.local` does not. A zone may name its successor, for those that leave their own rule.
"""

from .instant import FAR_S, Instant, day_number, year_of

_LONGEST = 100  # characters; the longest in use has 44


class ZoneError(Exception):
    """A TZ string that cannot be used, from `position` on."""

    def __init__(self, text: str, position: int, problem: str = "not understood"):
        super().__init__("time zone %r: %s, at character %d" % (text, problem, position + 1))
        self.position = position


class Wall(Instant):
    """What a wall clock shows; `steady_s` seconds from here its offset from UTC stays the same."""

    def __init__(self):
        super().__init__()
        self.steady_s = 0


class Zone:
    """A POSIX TZ rule such as `CET-1CEST,M3.5.0,M10.5.0/3`.

    `successor`, another Zone, takes over at `successor_from`, an Instant. Raises ZoneError.
    """

    def __init__(
        self,
        text: str,
        successor: "Zone | None" = None,
        successor_from: "Instant | None" = None,
    ):
        if (successor is None) != (successor_from is None):
            raise ValueError("a successor and its instant come together")
        self.text = text
        self.successor = successor
        self.successor_from = successor_from or Instant()
        self._std_s, self._dst_s, self._dst_begins, self._dst_ends = _Parser(text).zone()
        self._since = Instant()  # the offset in force is known for [since, until)
        self._until = Instant()
        self._transition = Instant()
        self.offset_s = self._std_s

    def local(self, at: Instant, wall: Wall) -> None:
        """Fill `wall` with the local time at instant `at`."""
        if self.successor:
            if at.until(self.successor_from) <= 0:
                self.successor.local(at, wall)
                return
        if self._dst_begins:
            if at.until(self._since) > 0 or at.until(self._until) <= 0:
                self._settle(at)
            wall.steady_s = at.until(self._until)
        else:
            wall.steady_s = FAR_S
        wall.set(at)
        wall.shift(self.offset_s)
        if self.successor:
            wall.steady_s = min(wall.steady_s, at.until(self.successor_from))

    def _settle(self, at):
        """Find the last change of the clocks before `at` and the first after it."""
        self._since.day = -FAR_S
        self._until.day = FAR_S
        year = year_of(at.day) - 2  # hours of -167..167 carry a change into the neighbouring years
        last = year + 4
        while year <= last:
            self._consider(at, year, self._dst_ends, self._dst_s, self._std_s)
            # At the same instant the beginning wins: the usual way to write DST all year.
            self._consider(at, year, self._dst_begins, self._std_s, self._dst_s)
            year += 1

    def _consider(self, at, year, rule, before_s, after_s):
        change = self._transition
        change.day = rule.day(year)
        change.second = 0
        change.shift(rule.time_s - before_s)
        if at.until(change) > 0:
            if change.until(self._until) > 0:
                self._until.set(change)
        elif self._since.until(change) >= 0:
            self._since.set(change)
            self.offset_s = after_s


class _ByMonth:
    """`Mm.w.d`: the w-th weekday d (0 is Sunday) of month m; w of 5 is the last one."""

    def __init__(self, month, week, weekday):
        self.month = month
        self.week = week
        self.weekday = weekday
        self.time_s = 0

    def day(self, year):
        first = day_number(year, self.month, 1)
        day = first + (self.weekday - first - 4) % 7 + 7 * (self.week - 1)
        if self.week == 5 and day >= _next_month(year, self.month):
            day -= 7
        return day


class _ByDay:
    """`Jn`: day n of 1..365, 29 February never counted. Plain `n`: day n of 0..365, counted."""

    def __init__(self, number, julian):
        self.number = number
        self.julian = julian
        self.time_s = 0

    def day(self, year):
        day = day_number(year, 1, 1) + self.number
        if not self.julian:
            return day
        leap = day_number(year, 3, 1) - day_number(year, 1, 1) == 60
        return day if leap and self.number >= 60 else day - 1


def _next_month(year, month):
    return day_number(year + 1, 1, 1) if month == 12 else day_number(year, month + 1, 1)


class _Parser:
    """One pass over a TZ string."""

    def __init__(self, text):
        self.text = text
        self.at = 0
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST:
            raise ZoneError(text, 0)

    def zone(self):
        """(standard offset, DST offset, rule at which DST begins, rule at which it ends)."""
        self._name()
        std_s = -self._time(24)
        if self.at == len(self.text):
            return std_s, std_s, None, None
        self._name()
        dst_s = std_s + 3600
        if self._peek() not in ("", ","):
            dst_s = -self._time(24)
        self._expect(",")
        begins = self._rule()
        self._expect(",")
        ends = self._rule()
        if self.at != len(self.text):
            self._fail()
        return std_s, dst_s, begins, ends

    def _fail(self):
        raise ZoneError(self.text, self.at)

    def _peek(self):
        return self.text[self.at] if self.at < len(self.text) else ""

    def _take(self, wanted):
        if self._peek() != wanted:
            return False
        self.at += 1
        return True

    def _expect(self, wanted):
        if not self._take(wanted):
            self._fail()

    def _name(self):
        quoted = self._take("<")
        start = self.at
        while _in_name(self._peek(), quoted):
            self.at += 1
        if self.at - start < 3:
            self._fail()
        if quoted:
            self._expect(">")

    def _number(self, least, most):
        start = self.at
        while "0" <= self._peek() <= "9" and self.at - start < 3:
            self.at += 1
        if self.at == start or not least <= int(self.text[start : self.at]) <= most:
            self.at = start
            self._fail()
        return int(self.text[start : self.at])

    def _time(self, most_hours):
        """`[+-]hh[:mm[:ss]]` in seconds."""
        sign = -1 if self._take("-") else 1
        if sign > 0:
            self._take("+")
        seconds = 3600 * self._number(0, most_hours)
        if self._take(":"):
            seconds += 60 * self._number(0, 59)
            if self._take(":"):
                seconds += self._number(0, 59)
        return sign * seconds

    def _rule(self):
        if self._take("M"):
            month = self._number(1, 12)
            self._expect(".")
            week = self._number(1, 5)
            self._expect(".")
            rule: "_ByMonth | _ByDay" = _ByMonth(month, week, self._number(0, 6))
        elif self._take("J"):
            rule = _ByDay(self._number(1, 365), True)
        else:
            rule = _ByDay(self._number(0, 365), False)
        rule.time_s = self._time(167) if self._take("/") else 7200
        return rule


def _in_name(char, quoted):
    if "a" <= char <= "z" or "A" <= char <= "Z":
        return True
    return quoted and ("0" <= char <= "9" or char in ("+", "-"))
