"""The lock's clock: what time it is, how wrong that may be, and what may change it.

Imports policy and its siblings; docs/clock.md tells the whole story. What always holds, while
oscillators keep to their tolerance and the issuer signs the truth: the true time is in the span,
or unknown.

- An answer to the lock's own nonce, once and within 60 s, moves the span to wherever it says.
- Any other signed instant, and the floor on flash, only cut off the early end of the span; if
  nothing is left, the late end is given up and the time is unknown, which denies.
- The clock chip only narrows the span, and network time does not touch it.

What is refused changes nothing. OSError of the floor's store passes through, after the span was
set.
"""

from ..policy import reasons
from ..policy.decision import HOLDOVER, LONGEST_ERROR_S, TRUSTED, UNKNOWN, Now
from ..policy.grant import FIRST_DAY, LAST_DAY
from ..policy.instant import Instant
from .bound import CRYSTAL_PPM, Bound
from .chip import Keeper
from .span import TOO_EARLY, TOO_LATE, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Protocol

    from .chip import Chip
    from .ticks import Ticks

    class Floor(Protocol):
        """Keeps an instant that has certainly passed, over any loss of power."""

        def read(self) -> "Instant | None":
            """The floor; None if there is none, or none that is intact."""

        def raise_to(self, instant: Instant) -> None:
            """It is this now, which is later."""

        def lower_to(self, instant: Instant) -> None:
            """It is this now, although it is earlier."""


NONCE_BYTES = 16
CLOUD = (
    0  # who asks for an answer; each has a nonce of its own, so that neither undoes the other's
)
PHONES = 1
NONCE_LIFE_S = 60
LIMIT_S = 600  # a larger error is UNKNOWN
LEAST_LIMIT_S = 60
TRUSTED_ERROR_S = 5
FLOOR_STEP_S = 60  # the floor on flash is at most so far behind, to spare the flash

_NONCE_LIFE = Instant(0, NONCE_LIFE_S)
_EVENTS = {TOO_EARLY: reasons.TIME_TURNED_BACK, TOO_LATE: reasons.TIME_JUMPED}
_CHANGES = {
    TRUSTED: reasons.NOW_TRUSTED,
    HOLDOVER: reasons.NOW_HOLDOVER,
    UNKNOWN: reasons.NOW_UNKNOWN,
}


class Clock:
    """What the lock knows of the time; nothing, before `start`.

    `random(n)` returns n bytes for a nonce. `ppm` is how good the oscillator behind the ticks is.
    """

    def __init__(
        self,
        ticks: "Ticks",
        random: "Callable[[int], bytes]",
        floor: "Floor",
        chip: "Chip | None" = None,
        ppm: int = CRYSTAL_PPM,
    ):
        self._random = random
        self._floor = floor
        self._stored = Instant(FIRST_DAY, 0)
        self._span = Span(ticks, ppm)
        self._keeper = Keeper(chip, self._span)
        self._nonces = [b"", b""]
        self._asked = [self._span.watch(), self._span.watch()]  # since they went out
        self._used = b""
        self._lean_s = 0  # where network time is, from the middle of the span
        self._limit_s = LIMIT_S
        self._lost = False
        self._told = UNKNOWN
        self._now = Now(Instant(), 0, UNKNOWN)

    def start(self) -> int:
        """Once after boot: take up the floor, and the chip's time. Returns the chip's event."""
        stored = self._floor.read()
        if stored is not None:
            self._stored.set(stored)
        self._advance()
        self._span.start_at(self._stored)
        self._keeper.hurry()
        return self._keeper.turn()

    def limit(self, error_s: int) -> bool:
        """From what error on the time is unknown; False if it is not within 60..3600 s."""
        if not LEAST_LIMIT_S <= error_s <= LONGEST_ERROR_S:
            return False
        self._limit_s = error_s
        return True

    def pace(self, ppm: int) -> None:
        """The oscillator is this good from now on: CRYSTAL_PPM, or SLEEP_PPM before a sleep."""
        self._advance()
        self._span.pace(ppm)

    # --- telling the time -----------------------------------------------------------------------

    def read(self, now: Now) -> None:
        """Fill `now` with the time, its error and its trust. Takes no heap.

        Every second that is possible is within the error. Of a time that is unknown, `now.at` is
        the earliest possible one or better, for the log.
        """
        self._advance()
        if self._span.known:
            self._tell(now)
        else:
            now.at.set(self._span.earliest.at)
            now.error_s = LONGEST_ERROR_S + 1
            now.trust = UNKNOWN

    def _advance(self) -> None:
        if not self._span.advance():
            self._lost = True
            self._nonces[CLOUD] = self._nonces[PHONES] = b""

    def _tell(self, now: Now) -> None:
        width_s = self._span.width_s()
        now.at.set(self._span.earliest.at)
        now.at.shift(width_s // 2)
        now.error_s = (width_s + 1) // 2
        now.trust = self._trust(now.error_s)
        self._lean(now, min(width_s // 2, self._limit_s - now.error_s))

    def _trust(self, error_s: int) -> int:
        if error_s > self._limit_s:
            return UNKNOWN
        return TRUSTED if self._span.signed and error_s <= TRUSTED_ERROR_S else HOLDOVER

    def _lean(self, now: Now, most_s: int) -> None:
        """Go to network time, as far as that neither leaves the span nor goes over the limit."""
        if most_s > 0:
            lean_s = max(min(self._lean_s, most_s), -most_s)
            now.at.shift(lean_s)
            now.error_s += abs(lean_s)

    # --- signed time ----------------------------------------------------------------------------

    def ask(self, asker: int = CLOUD) -> bytes:
        """A new nonce for a signed answer; the asker's one before is dead from now on."""
        self._nonces[asker] = self._random(NONCE_BYTES)
        self._advance()
        self._asked[asker].start()
        return self._nonces[asker]

    def answered(self, at: Instant, nonce: "bytes | None") -> int:
        """Take in a signed time statement that names a nonce; `at` is a second, rounded down.

        TIME_SET, TIME_JUMPED or TIME_TURNED_BACK; or why not: NONCE_UNKNOWN, NONCE_USED,
        NONCE_EXPIRED, BAD_INSTANT.
        """
        self._advance()
        if not nonce or nonce not in self._nonces:
            return reasons.NONCE_USED if nonce and nonce == self._used else reasons.NONCE_UNKNOWN
        asker = self._nonces.index(nonce)
        asked = self._asked[asker]
        asked.reach()
        refusal = reasons.NONCE_EXPIRED if asked.after(_NONCE_LIFE, 0) else _fault(at)
        if refusal:
            return refusal
        self._used = nonce
        self._nonces[asker] = b""
        event = self._replace(at, asked)
        self._span.signed = True
        self._lean_s = 0
        self._keeper.set_soon()
        self._keep(at, True)
        return event

    def _replace(self, at: Instant, asked: Bound) -> int:
        """Set the span by an answer that says `at`.

        It was signed after the nonce went out and before it came back. So then, the second `at`
        was not over yet; and now, it has begun.
        """
        end = Instant(at.day, at.second)
        end.shift(1 + asked.at.second)
        place = self._span.compare(at, 0, end, asked.ms)
        self._span.replace(at, end, asked.ms)
        return _EVENTS.get(place, reasons.TIME_SET)

    def signed(self, at: Instant) -> int:
        """Take in any other signed instant, as of a grant's issue: it has passed.

        BOUND_RAISED, TIME_OLD if that is no news, BOUNDS_CROSSED, or BAD_INSTANT.
        """
        fault = _fault(at)
        if fault:
            return fault
        self._advance()
        if self._span.earliest.at.until(at) <= 0:
            return reasons.TIME_OLD
        fits = self._span.start_at(at)
        self._keep(at)
        return reasons.BOUND_RAISED if fits else reasons.BOUNDS_CROSSED

    # --- the floor ------------------------------------------------------------------------------

    def note(self) -> None:
        """Something happened that the log keeps: the floor is what has passed by then."""
        self._advance()
        self._keep(self._span.earliest.at)

    def _keep(self, at: Instant, lower: bool = False) -> None:
        ahead_s = self._stored.until(at)
        floor = Instant(at.day, at.second)
        if ahead_s >= FLOOR_STEP_S:
            self._floor.raise_to(floor)
        elif lower and ahead_s < 0:
            self._floor.lower_to(floor)
        else:
            return
        self._stored.set(floor)

    # --- network time ---------------------------------------------------------------------------

    def network(self, at: Instant) -> int:
        """Take in the time of an NTP server: NTP_TAKEN, or NTP_OUTSIDE, or NTP_ALONE.

        Moves the middle that `read` reports; the span stays, so the error grows by as much.
        """
        self._advance()
        if not self._span.known:
            return reasons.NTP_ALONE
        ahead_s = self._span.earliest.at.until(at)
        if not 0 <= ahead_s <= self._span.width_s():
            return reasons.NTP_OUTSIDE
        self._lean_s = ahead_s - self._span.width_s() // 2
        return reasons.NTP_TAKEN

    # --- housekeeping ---------------------------------------------------------------------------

    def tick(self) -> int:
        """Call it once a second: an event that came by itself, or NOTHING."""
        self.read(self._now)
        if self._lost:
            self._lost = False
            self._keeper.hurry()
            return reasons.TICKS_LOST
        return self._keeper.turn() or self._change()

    def _change(self) -> int:
        self.read(self._now)
        if self._now.trust == self._told:
            return reasons.NOTHING
        self._told = self._now.trust
        return _CHANGES[self._told]


def _fault(at: Instant) -> int:
    return reasons.NOTHING if FIRST_DAY <= at.day <= LAST_DAY else reasons.BAD_INSTANT
