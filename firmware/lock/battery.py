"""How full the battery is: good, low, critical, and about how many percent.

Imports policy. It is measured while nothing moves, because a motor pulls the voltage down. A level
gets worse at once and better only well above its limit, so that a warning comes once.
"""

from ..policy import reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

GOOD = 0
LOW = 1
CRITICAL = 2

EVERY_MS = 10_000
BETTER_MV = 100  # above its limit a level ends
_STEP_MV = 25  # what is worth telling
_SHARE = 4  # a reading counts a fourth: one that is wrong does not warn
_TOLD = (reasons.BATTERY_GOOD, reasons.BATTERY_LOW, reasons.BATTERY_CRITICAL)


def percent_of(mv: int, charge_mv: "tuple[int, ...]") -> int:
    """Of the charge; what there is at 0, 10 ... 100 percent, and lines between these points."""
    place = 0
    while place < len(charge_mv) and charge_mv[place] <= mv:
        place += 1
    if place in (0, len(charge_mv)):
        return min(10 * place, 100)
    below = charge_mv[place - 1]
    return 10 * (place - 1) + 10 * (mv - below) // (charge_mv[place] - below)


class Battery:
    """`mv`, `level` and `percent()`, of what `read_mv()` measures.

    `charge_mv` is as for `percent_of`; `note(reason, mv)` is told a new level.
    """

    def __init__(
        self,
        read_mv: "Callable[[], int]",
        limits_mv: "tuple[int, int]",
        charge_mv: "tuple[int, ...]",
        ticks_ms: "Callable[[], Any]",
        ticks_diff: "Callable[[Any, Any], int]",
        note: "Callable[[int, int], None]",
    ):
        self._read_mv = read_mv
        self._low_mv, self._critical_mv = limits_mv
        self._charge_mv = charge_mv
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._note = note
        self._measured_ms = ticks_ms()
        self._mean_mv = self.mv = read_mv()
        self.level = GOOD

    def tick(self) -> None:
        """Measure, if it is time."""
        now = self._ticks_ms()
        if 0 <= self._ticks_diff(now, self._measured_ms) < EVERY_MS:
            return
        self._measured_ms = now
        self._mean_mv += (self._read_mv() - self._mean_mv) // _SHARE
        if abs(self._mean_mv - self.mv) >= _STEP_MV:
            self.mv = self._mean_mv
        level = self._level(0)
        if level < self.level:
            level = min(self.level, self._level(BETTER_MV))
        if level != self.level:
            self.level = level
            self._note(_TOLD[level], self._mean_mv)

    def percent(self) -> int:
        """Of its charge, about."""
        return percent_of(self.mv, self._charge_mv)

    def _level(self, more_mv):
        if self._mean_mv < self._critical_mv + more_mv:
            return CRITICAL
        return LOW if self._mean_mv < self._low_mv + more_mv else GOOD
