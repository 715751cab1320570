"""A whole street in one process: the share cloud with a clock to set, a broker, a web server with
TLS, and a lock on MicroPython, with a network to break between them."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select

from firmware.policy.grant import LOCK
from firmware_tests.board import PHONE, Board
from firmware_tests.cloud.brokers import broker
from firmware_tests.cloud.databases import Sqlite
from firmware_tests.cloud.native import API, add_lock, give, ok
from firmware_tests.cloud.world import World
from firmware_tests.e2e.given import DESK, der
from host_sim.cloud.domain import issuing
from host_sim.cloud.domain.model import Deed, Device
from host_sim.cloud.link.bus import Bus
from host_sim.cloud.link.certificates import Certificates
from host_sim.world.network import FINE, Proxy

PATIENCE_S = 60
TEDEE = "/api/v1.32"
PHONE_DIGITS = (PHONE.public.x + PHONE.public.y).hex()

Message = tuple[str, bytes, bool]  # topic, payload, whether it is retained


def until(done: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What `done` returns, once that is something."""
    end = time.monotonic() + patience_s
    while not (found := done()):
        assert time.monotonic() < end, "it never was so"
        time.sleep(0.2)  # a person has 700 requests an hour
    return found


class Unruly(Bus):
    """A Bus whose messages to locks pass through `treat`, which returns those that arrive."""

    treat: Callable[[Message], list[Message]] = staticmethod(lambda message: [message])

    def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        """Send what is left of it."""
        for message in self.treat((topic, payload, retain)):
            super().publish(*message)


class Time:
    """The true one, or ahead of it."""

    def __init__(self) -> None:
        self.ahead_s = 0

    def __call__(self) -> int:
        return int(time.time()) + self.ahead_s


class Scene:
    """Anna's lock, Bob's phone at it, and all between."""

    broker: Proxy  # the lock's ways to the cloud
    web: Proxy
    plain: Proxy
    bus: Unruly
    board: Board
    certificates: Certificates  # of broker and web
    undisturbed: list[float]  # how long the door took to answer, each time

    def __init__(self, world: World, clock: Time):
        self.world = world
        self.time = clock
        self._changes = 0
        self.anna = world.person("anna@example.org")
        self.bob = world.person("bob@example.org")
        phone = {"name": "phone", "key": PHONE_DIGITS}
        ok(self.bob.post(f"{API}/phones", json=phone), 201)
        self.door = add_lock(self.anna)
        self.enrolment = ok(self.anna.post(f"{API}/devices/{self.door}/enrolment"), 201)
        self.share = give(self.anna, self.door, self.bob.email)["id"]

    # --- the lock -------------------------------------------------------------------------------

    def build(self, folder: Path, ca: Path) -> None:
        """The lock, provisioned with what the enrolment says."""
        self.board = Board("micropython", folder)
        ways = {"broker": self.broker, "web": self.web, "plain": self.plain}
        cloud = {name: f"127.0.0.1:{proxy.port}" for name, proxy in ways.items()}
        cloud["ca"] = der(ca).hex()
        cloud["secret"] = self.enrolment["secret"]
        self.board.provision(self.enrolment["lock"], self.enrolment["issuer"], cloud)

    def power(self) -> None:
        """It is on, until it is ready."""
        self.board.on(DESK)

    def facts(self) -> dict[str, Any]:
        """How far the lock is."""
        return self.board.ask("facts")

    def memory(self) -> int:
        """Bytes of its heap that are in use."""
        return self.board.ask("memory")["bytes"]

    def later(self, seconds: int) -> None:
        """Time passes at once, for lock and cloud."""
        self.time.ahead_s += seconds
        self.board.ask("later", s=seconds)

    # --- the network ----------------------------------------------------------------------------

    def calm(self) -> None:
        """No fault any more."""
        for proxy in (self.broker, self.web, self.plain):
            proxy.fault = FINE
        self.bus.treat = Unruly.treat
        self.board.ask("names", stall_ms=0, port=0)

    # --- what is so in the end ------------------------------------------------------------------

    def change(self, **words: Any) -> None:
        """Other terms for Bob."""
        ok(self.anna.patch(f"{API}/shares/{self.share}", json={"terms": words}))

    def count_on(self) -> None:
        """Other terms for Bob that make no difference today."""
        self._changes += 1
        self.change(uses=1000 + self._changes)

    def unlock(self) -> int:
        """Bob opens from afar, by tedee's API; the result, 256 for no answer."""
        (lock,) = ok(self.bob.get(f"{TEDEE}/my/lock"))["result"]
        asked = ok(self.bob.post(f"{TEDEE}/my/lock/{lock['id']}/operation/unlock"), 202)
        path = f"{TEDEE}/my/device/operation/{asked['result']['operationId']}"

        def completed() -> Any:
            self.board.open(LOCK)  # while the strike has current the lock does nothing else
            polled = ok(self.bob.get(path))["result"]
            return polled if polled["status"] == "COMPLETED" else None

        return self.in_time(completed)["result"]

    def in_time(self, done: Callable[[], Any]) -> Any:
        """What `done` returns, once that is something; half a minute passes every other second."""
        for _ in range(40):
            end = time.monotonic() + 2
            while time.monotonic() < end:
                if found := done():
                    return found
                time.sleep(0.1)
            self.later(31)
        raise AssertionError("it never was so")

    def device(self) -> Device:
        """The cloud's row."""
        with self.world.transaction() as context:
            return context.session.scalars(select(Device)).one()

    def is_online(self) -> bool:
        """Whether the cloud thinks that the lock is there."""
        return bool(self.device().state.get("connected"))

    def agrees(self) -> bool:
        """Whether cloud and lock have the same."""
        facts = self.facts()
        with self.world.transaction() as context:
            device = context.session.scalars(select(Device)).one()
            digest = issuing.digest(context, device).hex()
            return (facts["applied"], facts["digest"]) == (device.sequence, digest) and (
                device.applied == device.sequence
            )

    def deeds(self, like: str) -> list[str]:
        """What the audit has of this kind."""
        with self.world.transaction() as context:
            return list(context.session.scalars(select(Deed.what).where(Deed.what.like(like))))


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """A Scene with the lock online, and of one mind with the cloud."""
    clock = Time()
    with Sqlite(folder).copy() as url, World(url, folder, clock) as world, ExitStack() as stack:
        made = Scene(world, clock)
        logins = {made.enrolment["lock"]: made.enrolment["secret"]}
        at = stack.enter_context(broker("mosquitto", folder / "broker", logins))
        made.certificates = tls = Certificates(at.ca.parent)
        files = {"ssl_certfile": tls.broker, "ssl_keyfile": tls.broker_key}
        ports = [at.port]
        for options in (files, {}):
            address = stack.enter_context(world.served(**options))
            ports.append(int(address.rpartition(":")[2]))
        made.broker, made.web, made.plain = [stack.enter_context(Proxy(port)) for port in ports]
        made.bus = Unruly(at.url, at.ca, world.service.transaction)
        stack.enter_context(made.bus)
        world.service.news_for = made.bus.news_for
        made.build(folder, at.ca)
        made.power()
        try:
            until(made.agrees)
            yield made
        finally:
            made.board.off()
