"""A cloud and whole locks with an Exchange between them, and no network: nothing waits."""

import json
from collections import deque
from pathlib import Path
from typing import Any

from firmware_tests.cloud.desk_lock import DeskLock
from firmware_tests.cloud.native import API, ok
from firmware_tests.cloud.world import Client, World
from host_sim.cloud.keys import PrivateKey, short
from host_sim.cloud.link import topics
from host_sim.cloud.link.exchange import Exchange

# Bob's, and what locks call him.
PHONE = PrivateKey.from_scalar(7).public
BOB = short(PHONE)


class Street:
    """`published` is what went out to others than the locks that are `near`."""

    def __init__(self, world: World):
        self.world = world
        self.near: dict[str, DeskLock] = {}
        self.published: list[tuple[str, bytes, bool]] = []
        self.results: list[dict[str, Any]] = []
        self.told: deque[tuple[DeskLock, bytes]] = deque()
        self.restart()
        world.service.news_for = self.tell

    def restart(self) -> None:
        """The service forgets what it had in memory."""
        self.exchange = Exchange(self.world.service.transaction, self.publish)

    def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        """The broker takes a message of the service."""
        name, _, what = topic.partition("/")[2].partition("/")
        if what == topics.STATEMENT:
            if name in self.near:
                self.told.append((self.near[name], payload))
        else:
            self.published.append((topic, payload, retain))

    def tell(self, numbers: set[int]) -> None:
        """What the service does after each transaction with news."""
        self.exchange.tell(numbers)

    def lock(self, owner: Client, door: str, folder: Path) -> DeskLock:
        """The lock of a device, enrolled, provisioned, and there."""
        enrolment = ok(owner.post(f"{API}/devices/{door}/enrolment"), 201)
        made = DeskLock(folder, enrolment, self.world.now)
        self.come(made)
        return made

    def come(self, lock: DeskLock) -> None:
        """A lock connects, and says how far it is."""
        self.near[lock.id] = lock
        self.say(lock, topics.PRESENCE, b"online")
        self.hello(lock)

    def go(self, lock: DeskLock) -> None:
        """It is gone, and the broker knows."""
        del self.near[lock.id]
        self.say(lock, topics.PRESENCE, b"offline")

    def hello(self, lock: DeskLock, **other: Any) -> None:
        """It says how far it is, and takes what it is told."""
        self.say(lock, topics.HELLO, json.dumps({**lock.hello(), **other}).encode())
        self.settle()

    def say(self, lock: DeskLock, what: str, payload: bytes, retained: bool = False) -> None:
        """It publishes something."""
        self.exchange.heard(topics.of_lock(lock.id, what), payload, retained)

    def settle(self) -> None:
        """Every lock takes what it was told, and answers, until there is nothing left."""
        while self.told:
            lock, token = self.told.popleft()
            result = lock.take(token)
            self.results.append(result)
            self.say(lock, topics.RESULT, json.dumps(result).encode())

    def last(self, topic: str) -> Any:
        """What was published last under a topic, as JSON."""
        payload = [payload for each, payload, _ in self.published if each == topic][-1]
        return json.loads(payload) if payload else None
