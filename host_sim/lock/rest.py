"""Whether a lock and its door have come to rest. Runs wherever the firmware does."""

from firmware.lock.states import LOCKING, UNLOCKING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def at_rest(lock: "Any", door: "Any") -> bool:
    """Whether nothing moves, and no attempt is to follow."""
    return door.is_still() and lock.doorway.state not in (LOCKING, UNLOCKING)
