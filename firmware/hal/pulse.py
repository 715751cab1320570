"""One output that is on for a fixed time, and then off.

Imports nothing. It is off at the deadline, by `tick` or by the fuse, and after `stop`. A program
that ends before leaves it to `bare`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


class Pulse:
    """A pulse of `length_ms` on a `machine.Pin` (or what behaves like it), off from the start.

    `on` is the level that means on; `fuse` is a `hal.fuse.Fuse` of the same length. `ticks_ms` and
    `ticks_diff` are those of MicroPython's `time`.
    """

    def __init__(
        self,
        pin: "Any",
        on: int,
        length_ms: int,
        fuse: "Any",
        ticks_ms: "Callable[[], Any]",
        ticks_diff: "Callable[[Any, Any], int]",
    ):
        self._pin = pin
        self._on = on
        self._length_ms = length_ms
        self._fuse = fuse
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._since = ticks_ms()
        self.is_on = False
        self.stop()

    def start(self) -> None:
        """On, for the whole length from now, also if it was on already."""
        self._since = self._ticks_ms()
        self.is_on = True
        self._fuse.start(self._cut)
        self._pin.value(self._on)

    def stop(self) -> None:
        """Off."""
        self._pin.value(1 - self._on)
        self.is_on = False

    def _cut(self, timer):
        self.stop()

    def tick(self) -> int:
        """Off if it is time; the ms for which it is still on."""
        if not self.is_on:
            return 0
        passed_ms = self._ticks_diff(self._ticks_ms(), self._since)
        if 0 <= passed_ms < self._length_ms:
            return self._length_ms - passed_ms
        self.stop()
        return 0
