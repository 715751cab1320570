"""Commands from afar: what the issuer signed on a share's behalf for the challenge of this minute.

Imports policy and its siblings. A challenge is random and lives in RAM: a command needs no clock,
and one that was kept, repeated or sent before the last boot names a challenge that is gone. What
the share may do is decided at the door, as for anybody who stands there.
"""

from ..policy import reasons
from ..policy.decision import Request
from ..policy.grant import REMOTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from ..clock.ticks import Ticks
    from .door import Door
    from .statements import Command

CHALLENGE_BYTES = 16
CHALLENGE_LIFE_S = 60


class Remote:
    """Carries out commands through the `door`; `challenge` is what the next one has to name.

    The cache has the methods of `store.grants.Grants`; `random(n)` returns n bytes.
    """

    def __init__(
        self, cache: "Any", door: "Door", ticks: "Ticks", random: "Callable[[int], bytes]"
    ) -> None:
        self._cache = cache
        self._door = door
        self._ticks = ticks
        self._random = random
        self._used: "bytes | None" = None
        self._renew()

    def _renew(self) -> None:
        self.challenge = self._random(CHALLENGE_BYTES)
        self._since_s = self._ticks.second

    def tick(self) -> None:
        """Once a second: another challenge, if it is time."""
        if self._ticks.second - self._since_s >= CHALLENGE_LIFE_S:
            self._renew()

    def take(self, command: "Command") -> int:
        """Carry out a verified command, or not; the reason. Its challenge is used up by both."""
        if command.challenge != self.challenge:
            used = command.challenge == self._used
            return reasons.CHALLENGE_USED if used else reasons.OLD_CHALLENGE
        self._used = self.challenge
        self._renew()
        grant = self._cache.holding(command.share)
        if grant is None:
            return reasons.UNKNOWN_SHARE
        return self._door.ask(Request(grant.key, command.action, REMOTE, True))
