"""A stand for the page's tests: a real cloud on SQLite, and a lock that holds what it signed."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import select
from starlette.testclient import TestClient

from firmware.policy.decision import Decision, Now, Request, State
from firmware.policy.forecast import next_allowed
from firmware.policy.grant import Grant
from firmware.policy.instant import from_unix, to_unix
from firmware.policy.zone import Zone
from firmware_tests.cloud.world import SETUP
from host_sim.cloud.config import Config
from host_sim.cloud.database import connect
from host_sim.cloud.domain import organisations, phones, terms
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import ACCEPTED, Base, Device, Key, Person, Share
from host_sim.cloud.keys import PrivateKey
from host_sim.cloud.web.service import Service
from host_sim.explain import explain
from host_sim.web.app import create_app
from host_sim.web.pages import SERVICE

NOW = 1_783_000_000  # a Thursday in July 2026, 13:46:40 UTC
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


@dataclass
class Happening:
    number: int
    kind: str


class Events:
    """Kinds of events; whoever waits for more is woken."""

    def __init__(self):
        self.all: list[Happening] = []

    @property
    def last(self):
        return len(self.all)

    def add(self, kind):
        self.all.append(Happening(self.last + 1, kind))

    async def since(self, number):
        while True:
            for event in self.all[number:]:
                number = event.number
                yield event
            await asyncio.sleep(0.05)


class Time:
    def __init__(self):
        self.now = NOW

    def now_s(self):
        return self.now


class Lock:
    """A lock that holds what the cloud signed; it decides by the firmware's own checks."""

    def __init__(self, cloud: Service):
        self._cloud = cloud
        self.state: dict[str, Any] = {}

    async def explain(self, key: bytes, action: int, channel: int, at_s: int) -> dict[str, Any]:
        grant, state, zone = self._held(key)
        question = (grant, Request(key, action, channel, True), Now(from_unix(at_s)), zone, state)
        decision = Decision()
        steps = explain(*question, decision)
        later = next_allowed(*question, Decision())
        return {
            "steps": [vars(step) for step in steps],
            "reason": decision.reason,
            "next": None if later is None else to_unix(later),
        }

    def _held(self, key: bytes) -> tuple[Grant | None, State, Zone]:
        with self._cloud.transaction(reads=True) as context:
            held = select(Share).join(Key, Key.person_id == Share.person_id)
            share = context.session.scalar(
                held.where(Key.thumbprint == key, Share.status == ACCEPTED)
            )
            device = context.session.scalars(select(Device)).one()
            state = State(device.lock_id.encode())
            if share is None:
                return None, state, Zone(device.zone)
            if share.parent:
                state.parent = terms.grant(share.parent, key)
                state.parent_state = State(device.lock_id.encode())
            return terms.grant(share, key), state, Zone(device.zone)


class Stand:
    """What `host_sim.web.stand` asks for, with nobody in it."""

    def __init__(self, folder: Path):
        self.time = Time()
        self.events = Events()
        self.device = ""
        self.address = ""  # while it is served
        config = Config(data=folder, base_url="http://127.0.0.1:8080")
        self.engine = connect(config.database_url)
        Base.metadata.create_all(self.engine)
        self.cloud = Service(config, self.engine, self.time.now_s)
        self.lock = Lock(self.cloud)
        self._scalar = 1000

    @contextmanager
    def setting_up(self) -> Iterator[Any]:
        """A transaction for what no request does in one."""
        with self.cloud.transaction() as context:
            context.session.info[SETUP] = True
            yield context

    def person(self, context: Context, name: str, *, with_phone: bool = True) -> Person:
        """Somebody with an account, an organisation and a phone."""
        email = f"{name.lower()}@example.org"
        person = Person(
            email=email,
            email_key=email,
            name=name,
            password="",
            created_at=NOW,
            confirmed_at=NOW,
        )
        context.session.add(person)
        context.session.flush()
        organisations.found_for(context, person)
        if with_phone:
            self._scalar += 1
            public = PrivateKey.from_scalar(self._scalar).public
            phones.add(context, person, "phone", public.x + public.y)
        return person

    @cached_property
    def client(self) -> TestClient:
        """A browser on the same machine."""
        return TestClient(create_app(self, SERVICE), base_url="http://127.0.0.1:8000")

    @contextmanager
    def served(self, port: int = 0) -> Iterator[None]:
        """The page on a real socket."""
        listener = socket.create_server(("127.0.0.1", port))
        config = uvicorn.Config(
            create_app(self, SERVICE), log_config=None, lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield
        finally:
            server.should_exit = True
            thread.join(30)


@contextmanager
def stand(folder: Path) -> Iterator[Stand]:
    """A stand that ends."""
    made = Stand(folder)
    try:
        yield made
    finally:
        made.engine.dispose()
