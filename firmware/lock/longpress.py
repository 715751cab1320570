"""The button held for long, let go, and pushed once more: what nobody does by mistake.

Imports nothing. A button that is stuck is never let go, and whoever leans on it does not push it
again in time, so neither of them confirms anything.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

HELD_MS = 10_000
CONFIRM_MS = 10_000  # from asking to the second push

# What `update` says.
NOTHING = 0
ASKS = 1
CONFIRMED = 2


class LongPress:
    """Watches a debounced button; `ticks_ms` and `ticks_diff` are those of MicroPython's `time`.

    A push that began before this did does not count.
    """

    def __init__(self, ticks_ms: "Callable[[], int]", ticks_diff: "Callable[[int, int], int]"):
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._was_on = True
        self._pushed: "int | None" = None  # when the push began that may become a long one
        self._asked: "int | None" = None

    def update(self, is_on: bool) -> int:
        """Look; ASKS once when it was held for so long, CONFIRMED if it is pushed after that."""
        now = self._ticks_ms()
        is_new = is_on and not self._was_on
        self._was_on = is_on
        if self._asked is not None and self._ticks_diff(now, self._asked) >= CONFIRM_MS:
            self._asked = None
        if is_new and self._asked is not None:
            self._asked = None
            return CONFIRMED
        if not is_on:
            self._pushed = None
        elif is_new:
            self._pushed = now
        elif self._pushed is not None and self._ticks_diff(now, self._pushed) >= HELD_MS:
            self._pushed = None
            self._asked = now
            return ASKS
        return NOTHING
