"""What strangers try: one entry a minute with a count and the last reason, however many they are.

Imports `entry`. A stranger is who proved nothing: no key at the door, no signature of the issuer
under a statement. Without this, anybody could turn over the log from outside. The count of a
minute that a power cut interrupts is lost.
"""

from . import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..policy.decision import Now
    from .log import Log

PERIOD_S = 60


class Strangers:
    """Counts for a log what was refused to strangers."""

    def __init__(self, log: "Log") -> None:
        self._log = log
        self._count = 0
        self._reason = 0  # of the last one
        self._next_s = 0  # not before this there is another entry

    def note(self, reason: int) -> None:
        """One more was refused, for a reason of `policy.reasons`."""
        self._count += 1
        self._reason = reason

    def tick(self, now: "Now", time_s: int) -> None:
        """To be called every few seconds; `time_s` is of a monotonic clock.

        What was refused since the last entry becomes one, a minute after that one at the earliest.
        """
        if self._count and time_s >= self._next_s:
            if self._log.append(entry.STRANGERS, now, self._reason, count=self._count):
                self._count = 0
                self._next_s = time_s + PERIOD_S
