"""How often somebody may ask: token buckets in memory, one for each name."""

import math
import threading
from collections import OrderedDict

HOUR_S = 3_600
_MOST = 100_000  # names; beyond it those that have not asked for the longest time are forgotten


class Limit:
    """So many requests an hour, all at once or spread.

    Kept for each name is only when its bucket would be full again (the generic cell rate
    algorithm).
    """

    def __init__(self, per_hour: int):
        self._step_s = HOUR_S / per_hour
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, now: int) -> int:
        """0 if one more is allowed, which it then counts; otherwise the seconds to wait."""
        with self._lock:
            full_at = max(self._full_at.get(name, 0.0), float(now)) + self._step_s
            # One second is not worth a refusal, and rounding must not cost a request.
            wait_s = full_at - now - HOUR_S
            if wait_s > 1e-6:
                return max(1, math.ceil(wait_s))
            self._full_at[name] = full_at
            self._full_at.move_to_end(name)
            if len(self._full_at) > _MOST:
                self._full_at.popitem(last=False)
            return 0


class Limits:
    """The limits of the service."""

    def __init__(self) -> None:
        self.person = Limit(700)  # requests with a token, as tedee's
        self.address = Limit(30)  # log-ins, sign-ups and forgotten passwords for one address
        self.client = Limit(300)  # the same from one IP address
        self.time = Limit(3_600)  # the time for a lock, from one IP address
