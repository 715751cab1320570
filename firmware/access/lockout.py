"""Keys that are shut out for a while, longer each time, after repeated denials.

Imports nothing. Kept in RAM: who can take the power away can also wait. Strangers never get here,
because a key counts only once it was proven and has a grant; owners are let in all the same, by
`policy.decision`.
"""

FREE_DENIALS = 5  # in a row, before the first lock-out
FIRST_S = 30
LONGEST_S = 3600
MOST_KEYS = 16


class _Record:
    def __init__(self):
        self.key = b""
        self.denials = 0
        self.until_s = 0


class Lockouts:
    """What was denied to each key lately. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._records = [_Record() for _ in range(MOST_KEYS)]
        self._next = 0

    def left_s(self, key: bytes, time_s: int) -> int:
        """Seconds for which a key is still shut out, 0 if it is not."""
        record = self._find(key)
        return max(0, record.until_s - time_s) if record else 0

    def denied(self, key: bytes, time_s: int) -> None:
        """A key was denied something: from the sixth time in a row on it is shut out."""
        record = self._find(key) or self._take(key)
        record.denials += 1
        over = record.denials - FREE_DENIALS
        if over > 0:
            record.until_s = time_s + min(LONGEST_S, FIRST_S << min(over - 1, 7))

    def allowed(self, key: bytes) -> None:
        """A key was allowed something: its denials are forgotten."""
        record = self._find(key)
        if record:
            record.denials = 0
            record.until_s = 0

    def _find(self, key):
        for record in self._records:
            if record.key == key:
                return record
        return None

    def _take(self, key):
        """The record that is worth least: the one shut out for the shortest time, oldest first."""
        best = self._records[self._next]
        for step in range(MOST_KEYS):
            record = self._records[(self._next + step) % MOST_KEYS]
            if record.until_s < best.until_s:
                best = record
        self._next = (self._next + 1) % MOST_KEYS
        best.key = key
        best.denials = 0
        best.until_s = 0
        return best
