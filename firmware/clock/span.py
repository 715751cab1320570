"""The interval that contains the true time: from `earliest` up to, and without, `latest`.

Imports its siblings. Both ends move outwards with the ticks, so it stays true while the oscillator
keeps to its tolerance. Without a late end nobody knows the time, only that it is not before the
early one.
"""

from .bound import EARLIEST, LATEST, Bound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..policy.instant import Instant
    from .ticks import Ticks

TOO_EARLY = -1  # what another interval is to this one
OVERLAPS = 0
TOO_LATE = 1


class Span:
    """The interval; `ppm` is how good the oscillator behind the ticks is.

    `known`: it has a late end. `signed`: that end goes back to an answer to the lock's own nonce.
    """

    def __init__(self, ticks: "Ticks", ppm: int):
        self.ticks = ticks
        self.ppm = ppm
        self.earliest = Bound(EARLIEST, ticks, ppm)
        self.latest = Bound(LATEST, ticks, ppm)
        self.known = False
        self.signed = False
        self._watches = []  # type: list[Bound]

    def watch(self) -> Bound:
        """Another bound at this pace, for use as a stop-watch; to be made once and kept."""
        made = Bound(LATEST, self.ticks, self.ppm)
        self._watches.append(made)
        return made

    def advance(self) -> bool:
        """Move on to the present moment. False if nobody knows how much time passed."""
        counted = self.ticks.update()
        if not counted:
            self.forget()
        self.earliest.reach()
        self.latest.reach()
        return counted

    def pace(self, ppm: int) -> None:
        """The oscillator is this good from now on."""
        self.ppm = ppm
        for bound in [self.earliest, self.latest] + self._watches:
            bound.pace(ppm)

    def width_s(self) -> int:
        """From the first whole second that is possible to the last."""
        return self.earliest.at.until(self.latest.at) - (0 if self.latest.ms else 1)

    def compare(self, first: "Instant", first_ms: int, end: "Instant", end_ms: int) -> int:
        """Where [first, end) lies: TOO_EARLY, TOO_LATE, or it OVERLAPS this interval."""
        if not self.earliest.before(end, end_ms):
            return TOO_EARLY
        if self.known and not self.latest.after(first, first_ms):
            return TOO_LATE
        return OVERLAPS

    def replace(self, first: "Instant", end: "Instant", end_ms: int) -> None:
        """It is [first, end), whatever it was."""
        self.earliest.put(first, 0)
        self.latest.put(end, end_ms)
        self.known = True

    def narrow(self, first: "Instant", first_ms: int, end: "Instant", end_ms: int) -> None:
        """It is also in [first, end), which overlaps."""
        if self.earliest.before(first, first_ms):
            self.earliest.put(first, first_ms)
        if not self.known or self.latest.after(end, end_ms):
            self.latest.put(end, end_ms)
            self.known = True

    def start_at(self, first: "Instant") -> bool:
        """It is not before `first`. False if nothing is left of it: the late end was wrong."""
        left = not self.known or self.latest.after(first, 0)
        if not left:
            self.forget()
        self.earliest.put(first, 0)
        return left

    def forget(self) -> None:
        """Give up the late end."""
        self.known = False
        self.signed = False
