"""What the page needs of the running stand; `host_sim.house` has it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from host_sim.cloud.domain.context import Context


class Time(Protocol):
    """The simulated world's time."""

    def now_s(self) -> int:
        """Unix seconds."""


class Cloud(Protocol):
    """The share service, `host_sim.cloud.web.service.Service`."""

    def transaction(self, *, reads: bool = False) -> AbstractContextManager[Context]:
        """A transaction at this instant of the simulated world."""


class Lock(Protocol):
    """The lock's process."""

    @property
    def state(self) -> Mapping[str, Any]:
        """What it last said of itself: see `Stand`."""

    async def explain(self, key: bytes, action: int, channel: int, at_s: int) -> dict[str, Any]:
        """What its own code says of a phone (thumbprint of its key) at an instant.

        `steps` is a list of {name, reason, seen} in their order, with a reason of None where no
        check was reached; `reason` the verdict; `next` the Unix seconds of the next yes, or None.
        """


class Event(Protocol):
    """Something that happened; numbers have no gap."""

    @property
    def number(self) -> int:
        """Its place among all."""

    @property
    def kind(self) -> str:
        """For whom it is."""


class Events(Protocol):
    """All that happened so far, and what is to come."""

    @property
    def last(self) -> int:
        """The number of the latest, 0 before the first."""

    def since(self, number: int) -> AsyncIterator[Event]:
        """Those after a number, waiting for more, without end."""


class Stand(Protocol):
    """Everything that runs.

    `device` is the uid of the lock's device in the cloud. Once the lock has said anything,
    `lock.state` has at least `applied`, `digest` (of its grants, 64 hexadecimal digits),
    `settings` (their version) and `log` (the number of its last entry).
    """

    device: str

    @property
    def time(self) -> Time:
        """Its clock."""

    @property
    def cloud(self) -> Cloud:
        """The share service."""

    @property
    def lock(self) -> Lock:
        """The lock."""

    @property
    def events(self) -> Events:
        """What happened."""
