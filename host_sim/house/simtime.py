"""The time of a simulated world: it runs, stops, and jumps forward. Imports nothing."""

import time
from collections.abc import Callable

FASTEST = 60.0


class SimTime:
    """Unix seconds of the world; `rate` is how many of its seconds pass in a true one."""

    def __init__(
        self, start_s: float, rate: float = 1.0, true_s: Callable[[], float] = time.monotonic
    ):
        self._true_s = true_s
        self._start_s = start_s
        self._since_s = true_s()
        self.rate = rate

    def now_ms(self) -> int:
        """The time in milliseconds."""
        return int(1000 * (self._start_s + (self._true_s() - self._since_s) * self.rate))

    def now_s(self) -> int:
        """The time."""
        return self.now_ms() // 1000

    def set_rate(self, rate: float) -> None:
        """How fast it passes from now on; 0 stops it. Raises ValueError."""
        if not 0 <= rate <= FASTEST:
            raise ValueError(f"a rate is 0 to {FASTEST:g}")
        self.jump(self.now_ms() / 1000)
        self.rate = rate

    def jump(self, to_s: float) -> None:
        """It is this time now. Raises ValueError for one that is over."""
        if to_s < self.now_s():
            raise ValueError("time does not go back")
        self._start_s, self._since_s = to_s, self._true_s()
