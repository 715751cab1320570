"""Runs the work that the door can do without, so that a fault in it ends nothing else.

Imports nothing. What a broken flash or a lost device raises (OSError) is tried again each time.
Whatever else a task raises is a fault of the program: it rests for a while, and when that was in
vain, all of the program starts anew. Either is told once, by the name of the task, and then once
an hour.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

REST_S = 10  # so long a task does nothing after a fault,
MOST_FAULTS = 3  # so many may follow each other,
FORGET_S = 600  # each at most so long after the one before
AGAIN_S = 3600  # so often the same is told


class _Failure:
    """What is known of a task that failed once."""

    def __init__(self):
        self.text = ""
        self.told_s = 0
        self.faults = 0
        self.last_s = 0
        self.rests_until_s = 0


class Tasks:
    """Whoever owns it adds up `second`. `tell(name, text)` is told what a task raised."""

    def __init__(self, watchdog: "Any", tell: "Callable[[bytes, str], None]") -> None:
        self._watchdog = watchdog
        self._tell = tell
        self._failures: "dict[bytes, _Failure]" = {}
        self.second = 0

    def run(self, name: bytes, work: "Callable[[], Any]") -> "Any":
        """What `work()` returns; False if it fails, or rests. Raises the last of some faults."""
        failure = self._failures.get(name)
        if failure is not None and self.second < failure.rests_until_s:
            return False
        self._watchdog.begin(name)
        try:
            return work()
        except OSError as error:
            self._note(name, error)
        except Exception as error:  # a fault of the program, of any kind
            if self._has_had_enough(self._note(name, error)):
                raise
        return False

    def _note(self, name, error):
        failure = self._failures.setdefault(name, _Failure())
        text = repr(error)
        if text != failure.text or self.second - failure.told_s >= AGAIN_S:
            failure.text = text
            failure.told_s = self.second
            self._tell(name, text)
        return failure

    def _has_had_enough(self, failure):
        if self.second - failure.last_s >= FORGET_S:
            failure.faults = 0
        failure.faults += 1
        failure.last_s = self.second
        failure.rests_until_s = self.second + REST_S
        return failure.faults >= MOST_FAULTS
