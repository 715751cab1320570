"""What strangers try: one entry a minute with a count, however many they are.

Imports `entry`. The count of a minute that a power cut interrupts is lost.
"""

from . import entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..policy.decision import Now
    from .log import Log

PERIOD_S = 60


class Strangers:
    """Counts failures without a proven key for a log. Times are seconds of a monotonic clock."""

    def __init__(self, log: "Log") -> None:
        self._log = log
        self._count = 0
        self._since_s = 0

    def note(self, time_s: int) -> None:
        """One more failure."""
        if not self._count:
            self._since_s = time_s
        self._count += 1

    def tick(self, now: "Now", time_s: int) -> None:
        """Enter the count a minute after the first failure; to be called every few seconds."""
        if self._count and time_s - self._since_s >= PERIOD_S:
            if self._log.append(entry.STRANGERS, now, count=self._count):
                self._count = 0
