"""Starts the chip anew when the loop hangs, and knows afterwards in which task.

Imports `machine`. The name of a task is in the RTC's RAM, which stays over a reset.
"""

import machine

TIMEOUT_MS = 30_000  # longer than any task takes: a full batch of statements, on a slow flash


class Watchdog:
    """Does nothing until `start`; from then on it wants to be fed."""

    def __init__(self) -> None:
        self._memory = machine.RTC().memory
        self._timer: "machine.WDT | None" = None

    def start(self) -> None:
        """There is no way back."""
        self._timer = machine.WDT(timeout=TIMEOUT_MS)

    def begin(self, task: bytes) -> None:
        """This one is about to run."""
        self._memory(task)

    def feed(self) -> None:
        """All tasks came back."""
        if self._timer is not None:
            self._timer.feed()
