"""Looking after the clock chip: when to read it, when to set it, when to stop believing it.

Imports its siblings. The chip only narrows the span. One that contradicts it loses its mark and is
not believed again, over any number of boots, until the lock has signed time to set it by.
"""

from ..policy import reasons
from ..policy.instant import Instant
from .ds3231 import Reading
from .span import OVERLAPS, TOO_EARLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from .span import Span

    class Chip(Protocol):
        """A clock with a battery of its own. Any method may raise OSError."""

        def read(self, reading: Reading) -> int:
            """See Ds3231, as for the others."""

        def begin(self, at: Instant) -> bool:
            """Set the time, without believing it."""

        def finish(self, at: Instant, spread_s: int) -> int:
            """Believe it."""

        def forget(self) -> None:
            """Do not believe it any more."""


EVERY_S = 3600


class Keeper:
    """Keeps one chip (None: the board has none) and the span together."""

    def __init__(self, chip: "Chip | None", span: "Span"):
        self._chip = chip
        self._span = span
        self._watch = span.watch()
        self._reading = Reading()
        self._read_s = 0
        self._told = reasons.NOTHING
        self._set = False

    def hurry(self) -> None:
        """Read the chip at the next turn, not when its hour has come."""
        self._read_s = self._span.ticks.second - EVERY_S

    def set_soon(self) -> None:
        """Set the chip at the next turn: there is signed time."""
        self._set = True

    def turn(self) -> int:
        """Do what is due; an event if it is news, or NOTHING."""
        if self._set and self._span.known:
            event = self.write()
        elif self._span.ticks.second - self._read_s >= EVERY_S:
            event = self.read()
        else:
            return reasons.NOTHING
        if event == self._told or (event == reasons.RTC_READ and self._told == reasons.RTC_SET):
            return reasons.NOTHING
        self._told = event
        return event

    def read(self) -> int:
        """Narrow the span by what the chip says; the event that tells how that went."""
        self._read_s = self._span.ticks.second
        if self._chip is None:
            return reasons.RTC_ABSENT
        try:
            event = self._ask(self._chip)
        except OSError:
            event = reasons.RTC_UNREADABLE
        # A chip that lost the time can get it back, once the lock has it from elsewhere.
        self._set = self._span.signed and event != reasons.RTC_READ
        return event

    def _ask(self, chip: "Chip") -> int:
        self._span.advance()
        self._watch.start()
        event = chip.read(self._reading)
        self._span.advance()
        if event == reasons.RTC_READ:
            event = self._merge(self._reading)
        if event in (reasons.RTC_BEHIND, reasons.RTC_AHEAD):
            chip.forget()
            if not self._span.signed:
                self._span.forget()  # what it said before may have been as wrong
        return event

    def _merge(self, reading: Reading) -> int:
        """Narrow the span by a reading, whose second was cut off by the chip."""
        self._watch.reach()
        first = Instant(reading.at.day, reading.at.second)
        first.shift(-reading.drift_ms // 1000)
        first_ms = -reading.drift_ms % 1000
        end = Instant(reading.at.day, reading.at.second)
        end_ms = reading.drift_ms + self._watch.ms
        end.shift(1 + reading.spread_s + self._watch.at.second + end_ms // 1000)
        end_ms %= 1000
        place = self._span.compare(first, first_ms, end, end_ms)
        if place != OVERLAPS:
            return reasons.RTC_BEHIND if place == TOO_EARLY else reasons.RTC_AHEAD
        self._span.narrow(first, first_ms, end, end_ms)
        return reasons.RTC_READ

    def write(self) -> int:
        """Set the chip to the earliest time; its mark tells how much later it may be."""
        self._set = False
        self._read_s = self._span.ticks.second
        if self._chip is None:
            return reasons.RTC_ABSENT
        try:
            return self._put(self._chip)
        except OSError:
            return reasons.RTC_UNREADABLE

    def _put(self, chip: "Chip") -> int:
        span = self._span
        span.advance()
        at = Instant(span.earliest.at.day, span.earliest.at.second)
        if not chip.begin(at):
            return reasons.RTC_UNREADABLE
        span.advance()
        return chip.finish(at, at.until(span.latest.at) + 1)
