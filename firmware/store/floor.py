"""The clock's floor on flash: an instant that has certainly passed, whatever the power did.

Imports policy and its siblings. Goes up only, but for `lower_to`. When it is worth a write, the
clock decides; see `firmware/clock`.
"""

from ..policy.instant import DAY_S, Instant
from .copies import Copies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Files
    from .seal import Seal

_BYTES = 8


class Floor:
    """The floor, in two folders. `damaged`: some copy was not whole when it was read first."""

    def __init__(self, folders: "tuple[Files, Files]", seal: "Seal") -> None:
        self._copies = Copies(folders, "floor", seal)
        self._at = self._load()
        self.damaged = self._copies.present > self._copies.whole

    def read(self) -> "Instant | None":
        """A copy of the floor; None if there is none, or none that is intact."""
        return Instant(self._at.day, self._at.second) if self._at else None

    def raise_to(self, instant: Instant) -> None:
        """Write a later floor; nothing happens if it is not later."""
        if self._at is None or self._at.until(instant) > 0:
            self._write(instant)

    def lower_to(self, instant: Instant) -> None:
        """Write a floor that may be earlier: for the answer to the lock's own nonce only."""
        if self._at is None or self._at != instant:
            self._write(instant)

    def _load(self) -> "Instant | None":
        content = self._copies.read()
        if content is None or len(content) != _BYTES:
            return None
        self._copies.heal(content)
        second = int.from_bytes(content[4:], "big")
        return Instant(int.from_bytes(content[:4], "big"), second) if second < DAY_S else None

    def _write(self, instant: Instant) -> None:
        self._copies.write(instant.day.to_bytes(4, "big") + instant.second.to_bytes(4, "big"))
        self._at = Instant(instant.day, instant.second)
