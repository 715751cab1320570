"""What a lamp and a buzzer say: short patterns for what people at the door want to know.

Imports policy. A pattern is bytes: for so many hundredths of a second on, off, on, and so on.
"""

from ..policy import reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_UNIT_MS = 10
YES = b"\x1e"
NO = b"\x08\x0c\x08\x0c\x08"
WARNING = b"\x32\x14\x0a\x14\x32\x14\x0a"
SURE = b"\x0a" * 99  # quick, for as long as one may confirm
# Refusals are a NO, and of what happened at the door most is silent.
_PATTERNS = {
    reasons.ALLOWED: YES,
    reasons.BUTTON_PUSHED: YES,
    reasons.BOLT_JAMMED: WARNING,
    reasons.BOLT_LOST: WARNING,
    reasons.LOCK_WAITS: WARNING,
    reasons.DOOR_FORCED: WARNING,
    reasons.BATTERY_LOW: WARNING,
    reasons.BATTERY_CRITICAL: WARNING,
    reasons.RESET_ASKED: SURE,
}
_LAST_REFUSAL = 63


def pattern(reason: int) -> "bytes | None":
    """What is shown when this happens, None if nothing is."""
    found = _PATTERNS.get(reason)
    return NO if found is None and reason <= _LAST_REFUSAL else found


class Signal:
    """Plays patterns on `outputs`, functions that take 1 or 0; off from the start."""

    def __init__(
        self,
        outputs: "Any",
        ticks_ms: "Callable[[], Any]",
        ticks_diff: "Callable[[Any, Any], int]",
    ):
        self._outputs = outputs
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._pattern = b""
        self._step = 0
        self._since = ticks_ms()
        self._set(0)

    def tell(self, reason: int) -> None:
        """Begin the pattern of a reason; what is still playing ends. Others change nothing."""
        found = pattern(reason)
        if found is not None and self._outputs:
            self._pattern = found
            self._step = 0
            self._since = self._ticks_ms()
            self._set(1)

    def tick(self) -> None:
        """Go on with what is playing."""
        if not self._pattern:
            return
        passed_ms = self._ticks_diff(self._ticks_ms(), self._since)
        if 0 <= passed_ms < self._pattern[self._step] * _UNIT_MS:
            return
        self._step += 1
        self._since = self._ticks_ms()
        if self._step == len(self._pattern):
            self._pattern = b""
            self._set(0)
        else:
            self._set(1 - self._step % 2)

    def _set(self, level):
        for output in self._outputs:
            output(level)
