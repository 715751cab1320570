"""The network as a port: whether there is one, and what a thread needs that talks to it.

Imports MicroPython's own modules; `_thread`, which not every build has, when it is needed. On a
desk there always is a network; the chip's is `wifi`.
"""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

# A TLS handshake does not fit the 5 KB that a thread has on an ESP32. Its main task has this.
_STACK_BYTES = 16_384
AGAIN_MS = 60_000  # after a thread is over, until there is another
# Without a beat; between two of a thread that lives is half of it, or a bit more.
SILENT_MS = 600_000
LOST_MS = 3_600_000  # without one, and only a restart of the chip makes another thread
# That count between two looks: when the loop stood still, the thread may have, too.
_MOST_MS = 2000


class Network:
    """A network that is always up."""

    has_wifi = False

    def __init__(self) -> None:
        self.ticks_ms = time.ticks_ms
        self.ticks_diff = time.ticks_diff
        self.sleep_ms = time.sleep_ms
        self.random = os.urandom
        self._function: "Any" = None
        self._why_over = ""
        self._over_ms: "Any" = None
        self._looked_ms: "Any" = 0
        self._silent_ms = 0
        self._has_beaten = self._is_silent = False

    def know(self, name: str, password: str) -> None:
        """Which Wi-Fi to join, if it is one."""

    def bring_up(self) -> None:
        """Come back when there is a network. Raises OSError if that takes too long."""

    def make_lock(self) -> "Any":
        """A lock for what two threads share."""
        import _thread

        return _thread.allocate_lock()

    def start(self, function: "Callable[[], None]") -> None:
        """Run it in a thread of its own; see `look`. Raises OSError if there can be none."""
        import _thread

        self._function = function
        self._why_over = ""
        self._over_ms = None
        self._looked_ms = self.ticks_ms()
        before = _thread.stack_size(_STACK_BYTES)
        try:
            _thread.start_new_thread(self._run, ())
        finally:
            _thread.stack_size(before)

    def _run(self):
        try:
            self._function()
            self._why_over = "it returned"
        except BaseException as error:  # noqa: BLE001  # whatever ends it, the loop is to know
            self._why_over = repr(error)

    @property
    def has_thread(self) -> bool:
        """Whether one was started."""
        return self._function is not None

    def beat(self) -> None:
        """From the thread: it does not hang. What waits in C, as for a name, nobody can end."""
        self._has_beaten = True

    def is_lost(self) -> bool:
        """Whether the thread has been silent for so long that it will not come back."""
        return self._silent_ms >= LOST_MS

    def look(self) -> str:
        """Once a second: what is wrong with the thread, once. One that is over begins anew later.

        Returns "" while nothing is.
        """
        now = self.ticks_ms()
        passed_ms = self.ticks_diff(now, self._looked_ms)
        self._looked_ms = now
        if self._has_beaten:
            self._has_beaten = self._is_silent = False
            self._silent_ms = 0
        self._silent_ms += min(max(passed_ms, 0), _MOST_MS)
        if not self._why_over:
            if self._is_silent or self._silent_ms < SILENT_MS:
                return ""
            self._is_silent = True
            return "it hangs"
        if self._over_ms is None:
            self._over_ms = now
            return self._why_over
        if self.ticks_diff(now, self._over_ms) >= AGAIN_MS:
            self._over_ms = now  # also if there can be none now
            self.start(self._function)
        return ""
