"""A strike: a spring keeps the door locked, and a current lets it go for a moment.

Imports its siblings. It has no sensor, and needs none to be locked: what is not fed is locked.
Nobody knows whether the door was opened, but for a contact on it.
"""

from .states import LOCKED, UNLOCKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Strike:
    """The members of a `Bolt` over a `pulse` with `start`, `stop` and `tick`."""

    is_sure = False

    def __init__(self, pulse: "Any"):
        self._pulse = pulse
        self.state = LOCKED

    def begin(self, target: int) -> None:
        """To unlock and to pull are a pulse, to lock ends one. Returns at once."""
        if target == LOCKED:
            self.stop()
        else:
            self.state = UNLOCKED
            self._pulse.start()

    def stop(self) -> None:
        """No current."""
        self._pulse.stop()
        self.state = LOCKED

    def tick(self) -> int:
        """The ms for which it still has current."""
        left_ms: int = self._pulse.tick()
        if not left_ms:
            self.state = LOCKED
        return left_ms
