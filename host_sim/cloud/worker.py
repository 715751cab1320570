"""What a service does now and then, beside its requests."""

import logging
import threading
from collections.abc import Callable

_STOPS_IN_S = 40

log = logging.getLogger(__name__)


class Worker:
    """A thread that runs something when it is woken, and every so often."""

    def __init__(self, name: str, run: Callable[[], object], every_s: float):
        self._name = name
        self._run = run
        self._every_s = every_s
        self._wake = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def __enter__(self) -> "Worker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        self.wake()
        self._thread.join(_STOPS_IN_S)

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def _work(self) -> None:
        while not self._stop:
            try:
                self._run()
            except Exception as error:  # noqa: BLE001 - a thread's edge: the next round may do better
                log.error(f"{self._name} failed", extra={"error": type(error).__name__})
            self._wake.wait(self._every_s)
            self._wake.clear()
