"""Ends the current of a drive by a timer of the chip, also when the loop hangs.

Imports nothing. The loop's own limit is the same length, so it notices what the fuse has done as a
run that took too long. A callback of a timer comes between two bytecodes, and whenever the program
waits; a chip that hangs elsewhere is started anew by its watchdog.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


class Fuse:
    """One `machine.Timer`, for the one drive of a board."""

    def __init__(self, timer: "Any", length_ms: int):
        self._timer = timer
        self._length_ms = length_ms

    def start(self, cut: "Callable[[Any], None]") -> None:
        """Call `cut(timer)` after the length from now, and no longer what was given before.

        Nobody stops it: to take the current from a drive that rests changes nothing.
        """
        self._timer.init(
            mode=self._timer.ONE_SHOT,
            period=self._length_ms,
            callback=cut,
        )
