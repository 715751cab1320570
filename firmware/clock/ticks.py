"""Seconds that never wrap, counted from milliseconds that do.

Imports nothing. An ESP32's `ticks_ms` starts again after 2^30 ms, 12.4 days, and `ticks_diff` is
right up to half of that; `update` adds up the differences. Whoever reads the clock calls it, so
two calls are never days apart while the lock lives.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

LONGEST_GAP_S = 518_400  # 6 days between two updates; the counter allows 6.2


class Ticks:
    """A monotonic clock from 0: `second` (a small integer for 34 years) and `ms`, 0..999.

    `ticks_ms` and `ticks_diff` are those of MicroPython's `time`, or behave like them.
    """

    def __init__(self, ticks_ms: "Callable[[], int]", ticks_diff: "Callable[[int, int], int]"):
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._last = ticks_ms()
        self.second = 0
        self.ms = 0

    def update(self) -> bool:
        """Count what passed since the last call.

        False if the counter ran backwards, which is what a gap of more than half its period looks
        like: then nobody knows how much time passed, and nothing was added.
        """
        reading = self._ticks_ms()
        passed_ms = self._ticks_diff(reading, self._last)
        self._last = reading
        if passed_ms < 0:
            return False
        passed_ms += self.ms
        self.second += passed_ms // 1000
        self.ms = passed_ms % 1000
        return True
