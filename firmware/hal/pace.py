"""How fast the chip computes: slowly while there is nothing to do, which halves what it takes.

Imports nothing. Bluetooth, Wi-Fi, timers and buses have clocks of their own and notice nothing;
80 MHz is the least with which Bluetooth works.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SLOW_HZ = 80_000_000
_IDLE_MS = 50  # who waits for less has something to do
QUIET = 100  # so many waits in a row, and nobody is there


class Pace:
    """`freq` is that of `machine`; what it says now is the full speed."""

    def __init__(self, freq: "Any") -> None:
        self._freq = freq
        self._full_hz = freq()
        self._waits = 0

    def wait(self, ms: int) -> None:
        """The loop is about to wait for so long."""
        if ms < _IDLE_MS:
            if self._waits > QUIET:
                self._freq(self._full_hz)
            self._waits = 0
        elif self._waits <= QUIET:
            self._waits += 1
            if self._waits > QUIET:
                self._freq(SLOW_HZ)
