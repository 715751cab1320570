"""A switch on a pin, debounced: a button, the door's contact, the cover's.

Imports nothing. The pin's interrupt only notes that and when the level changed, and the loop
decides. So a push of a button counts that was over before a busy loop could look, and a spike
that is shorter than a push does not.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

DEBOUNCE_MS = 30


class Switch:
    """`is_on` is what the switch has been for `DEBOUNCE_MS`, as far as `update` has looked.

    `pin` has `value` and `irq` of a `machine.Pin`, `on` is the level that means on; `ticks_ms` and
    `ticks_diff` are those of MicroPython's `time`.
    """

    def __init__(
        self,
        pin: "Any",
        on: int,
        ticks_ms: "Callable[[], int]",
        ticks_diff: "Callable[[int, int], int]",
    ):
        self._pin = pin
        self._on = on
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self.is_on = self._level = pin.value() == on
        self._since = ticks_ms()
        self._was_pushed = False
        pin.irq(self._changed)

    def _changed(self, pin):
        level = self._pin.value() == self._on
        if level == self._level:
            return
        now = self._ticks_ms()
        if not level and not self.is_on and self._has_stood(now):
            self._was_pushed = True
        self._level = level
        self._since = now

    def _has_stood(self, now):
        return self._ticks_diff(now, self._since) >= DEBOUNCE_MS

    def update(self) -> bool:
        """Look; whether it has come on, if only for a while, since the last look."""
        self._changed(None)  # an interrupt may be lost
        came = self._was_pushed
        self._was_pushed = False
        if self._level != self.is_on and self._has_stood(self._ticks_ms()):
            self.is_on = not self.is_on
            came = came or self.is_on
        return came
