"""What happens in the house, numbered, for whoever watches. Imports its siblings."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from .simtime import SimTime

KINDS = ("door", "visit", "ble", "mqtt", "http", "cloud", "time", "fault", "mail", "log")
MOST = 2_000  # that are kept


class Event(NamedTuple):
    """The `number`-th thing that happened, at a second of the world; `what` is fit for JSON."""

    number: int
    at_s: int
    kind: str
    what: dict[str, Any]


class Events:
    """Belongs to the event loop that runs when it is made; `add` is for any thread."""

    def __init__(self, time: SimTime):
        self._time = time
        self._loop = asyncio.get_running_loop()
        self._kept: deque[Event] = deque(maxlen=MOST)
        self._more = asyncio.Event()
        self.last = 0

    def add(self, kind: str, **what: Any) -> None:
        """Something of one of KINDS happened."""
        assert kind in KINDS, kind
        at_s = self._time.now_s()
        self._loop.call_soon_threadsafe(self._add, at_s, kind, what)

    def _add(self, at_s: int, kind: str, what: dict[str, Any]) -> None:
        self.last += 1
        self._kept.append(Event(self.last, at_s, kind, what))
        self._more.set()
        self._more = asyncio.Event()

    def kept(self, *kinds: str) -> list[Event]:
        """What is still known, of these kinds or of all, oldest first."""
        return [event for event in self._kept if not kinds or event.kind in kinds]

    async def since(self, number: int) -> AsyncIterator[Event]:
        """What happened after an event, and what will; for ever."""
        while True:
            more = self._more
            for event in [event for event in self._kept if event.number > number]:
                number = event.number
                yield event
            await more.wait()
