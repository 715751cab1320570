"""One side of what the time may be, and how it moves while an imperfect oscillator counts.

Imports policy. Every bound moves outwards: the earliest possible time runs as slowly as the
oscillator may be fast, the latest as quickly as it may be slow. Whole numbers, rounded outwards;
`reach` takes no heap (below half a year of sleep, or centuries of crystal).
"""

from ..policy.instant import Instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .ticks import Ticks

_ZERO = Instant()

EARLIEST = -1
LATEST = 1

CRYSTAL_PPM = 40  # the crystal of an ESP32 module: 10 when new and warm, 40 over its life
SLEEP_PPM = 50_000  # light sleep is counted by an RC oscillator, good to 5 %


def drift_per_million(ppm: int) -> int:
    """Error in parts per million of what an oscillator *counted*, for `ppm` of what *passed*.

    One that is slow by 5 % counts 95 when 100 pass, which is 5.3 % of 95.
    """
    return ppm * 1_000_000 // (1_000_000 - ppm) + 1


def drift_ms(seconds: int, per_million: int) -> int:
    """The error of a count of seconds, in ms and rounded up, with a second more for the rest."""
    return seconds // 1000 * per_million + ((seconds % 1000 + 1) * per_million + 999) // 1000


class Bound:
    """The EARLIEST or the LATEST time that it may be: `at` plus `ms` (0..999), as last reached.

    The earliest is the first moment that is possible, the latest the first that is not. Kept as
    it was when put, and moved from there each time: being asked often does not round it often.
    """

    def __init__(self, side: int, ticks: "Ticks", ppm: int):
        self.at = Instant()
        self.ms = 0
        self._side = side
        self._ticks = ticks
        self._per_million = drift_per_million(ppm)
        self._from = Instant()
        self._from_ms = 0
        self._tick_s = 0
        self._tick_ms = 0

    def put(self, at: Instant, ms: int) -> None:
        """It is this, as of the last update of the ticks."""
        self._from.set(at)
        self._from.shift(ms // 1000)
        self._from_ms = ms % 1000
        self._tick_s = self._ticks.second
        self._tick_ms = self._ticks.ms
        self.reach()

    def start(self) -> None:
        """Become a stop-watch: 0 now, and later at most (or at least) what passed since."""
        self.put(_ZERO, 0)

    def pace(self, ppm: int) -> None:
        """From now on the oscillator is this good; what has passed is spread as it was."""
        self.reach()
        self._per_million = drift_per_million(ppm)
        self.put(self.at, self.ms)

    def reach(self) -> None:
        """Move `at` and `ms` on to the last update of the ticks."""
        passed_s = self._ticks.second - self._tick_s
        ms = self._ticks.ms - self._tick_ms
        if passed_s or ms or self._side == LATEST:
            # A millisecond for the ticks, which are cut off at both ends.
            ms += self._side * (1 + drift_ms(passed_s, self._per_million))
        ms += self._from_ms
        self.at.set(self._from)
        self.at.shift(passed_s + ms // 1000)
        self.ms = ms % 1000

    def before(self, at: Instant, ms: int) -> bool:
        """Whether it is earlier than `at` plus `ms` (0..999), as last reached."""
        lead_s = at.until(self.at)
        return lead_s < 0 or (lead_s == 0 and self.ms < ms)

    def after(self, at: Instant, ms: int) -> bool:
        """Whether it is later than `at` plus `ms` (0..999), as last reached."""
        lead_s = at.until(self.at)
        return lead_s > 0 or (lead_s == 0 and self.ms > ms)
