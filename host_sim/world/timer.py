"""A `machine.Timer` in a story's time. Runs wherever the firmware's tests run; imports nothing."""


class Timer:
    """Calls back once, when whoever lets the time pass `look`s late enough."""

    ONE_SHOT = 0

    def __init__(self, ticks_ms):
        self._ticks_ms = ticks_ms
        self._due_ms = 0
        self._callback = None

    def init(self, *, mode, period, callback):
        """Call `callback(self)` in `period` ms, and no longer what was to be called before."""
        if mode != Timer.ONE_SHOT:
            raise ValueError("only ONE_SHOT")
        self._due_ms = self._ticks_ms() + period
        self._callback = callback

    def look(self):
        """Time has passed."""
        if self._callback is not None and self._ticks_ms() >= self._due_ms:
            callback, self._callback = self._callback, None
            callback(self)
