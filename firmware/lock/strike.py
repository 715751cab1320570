"""A strike: a spring keeps the door locked, and a current lets it go for a moment.

Imports policy. It has no sensor, so nobody knows whether the door was opened.
"""

from ..policy.grant import LOCK, OPENING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Strike:
    """The bolt of a `Door`, over a `pulse` with `start` and `stop`."""

    def __init__(self, pulse: "Any"):
        self._pulse = pulse

    def act(self, action: int) -> None:
        """Unlock and pull are a pulse, lock ends one, others move nothing. Returns at once."""
        if action & OPENING:
            self._pulse.start()
        elif action == LOCK:
            self._pulse.stop()
