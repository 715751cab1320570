"""Where the bolt is: by two end stops, or by a position that is measured.

Imports its siblings. `place` is one of `states`; `way(target)` is where the drive has to turn to;
`at` counts what the bolt has moved, in thousandths of its throw, and is None if nobody can tell.
"""

from .calibration import LEAST_MV, MOST_MV
from .states import BETWEEN, FAULTY, LOCKED, PULLED, TO_LOCK, TO_OPEN, UNLOCKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_THROW = 1000
_NEAR = 60  # this close to an end the bolt is there,
_STILL_NEAR = 90  # and it has left at this distance, so that noise moves nothing
_BEYOND = 150  # further out is no place for a bolt
_MARGIN_MV = 75  # by which a reading may be out of the range of calibrations


class EndStops:
    """Two switches, each on only at its end. There is no latch: who pulls, unlocks."""

    pulls = False
    at = None

    def __init__(self, locked: "Any", unlocked: "Any", on: int):
        self._locked = locked
        self._unlocked = unlocked
        self._on = on

    def place(self) -> int:
        """Look; FAULTY if the bolt would be at both ends."""
        is_locked = self._locked.value() == self._on
        is_unlocked = self._unlocked.value() == self._on
        if is_locked:
            return FAULTY if is_unlocked else LOCKED
        return UNLOCKED if is_unlocked else BETWEEN

    def way(self, target: int) -> int:
        """From anywhere to this end."""
        return TO_LOCK if target == LOCKED else TO_OPEN


class Position:
    """A potentiometer on the bolt, a servo's too; `ends` are those of `calibration`, or None.

    `read_mv()` measures. Readings near an end stay with it, so that noise is no movement.
    """

    def __init__(
        self, read_mv: "Callable[[], int]", ends: "tuple[int, int, int | None] | None"
    ) -> None:
        self._read_mv = read_mv
        self._ends = ends
        self._pulled = _THROW
        self._place = FAULTY
        self.at: "int | None" = None
        self.pulls = False
        if ends is not None and ends[2] is not None:
            self.pulls = True
            self._pulled = self._scaled(ends[2], ends)

    def _scaled(self, mv, ends):
        return (mv - ends[0]) * _THROW // (ends[1] - ends[0])

    def place(self) -> int:
        """Measure."""
        mv = self._read_mv()
        self.at = None
        if self._ends is not None and LEAST_MV - _MARGIN_MV <= mv <= MOST_MV + _MARGIN_MV:
            at = self._scaled(mv, self._ends)
            if -_BEYOND <= at <= self._pulled + _BEYOND:
                self.at = at
        self._place = self._near(self.at)
        return self._place

    def _near(self, at):
        """The place; a hard end has no other side."""
        if at is None:
            return FAULTY
        if at <= self._reach(LOCKED):
            return LOCKED
        if abs(at - _THROW) <= self._reach(UNLOCKED):
            return UNLOCKED
        if at >= self._pulled - self._reach(PULLED):
            return PULLED if self.pulls else UNLOCKED
        return BETWEEN

    def _reach(self, place):
        return _STILL_NEAR if place == self._place else _NEAR

    def _end(self, place):
        if place == LOCKED:
            return 0
        return self._pulled if place == PULLED else _THROW

    def way(self, target: int) -> int:
        """From where it was last measured."""
        if self.at is None:
            return TO_LOCK if target == LOCKED else TO_OPEN
        return TO_OPEN if self.at < self._end(target) else TO_LOCK
