"""What the share cloud does in a second, beside what it cannot do without.

Requests go through the whole application in this process, one after the other, without a network.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from host_sim.cloud.config import Config
from host_sim.cloud.database import connect, migrate
from host_sim.cloud.domain import devices, issuing, links, people, phones
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import Device, Person
from host_sim.cloud.keys import PrivateKey
from host_sim.cloud.web.app import create_app
from host_sim.cloud.web.limits import Limit
from host_sim.cloud.web.service import Service

Row = tuple[str, int | float | str, str, str]

NOW = 1_783_000_000
SHARES = 1_000
TIMES = 200
GRANTS = 100  # that there are to issue


def rows() -> Iterator[Row]:
    """Rates of the two floors first, then of requests, each also as a part of its floor."""
    with tempfile.TemporaryDirectory() as folder:
        config = Config(data=Path(folder))
        engine = connect(config.database_url)
        migrate(engine)
        app = create_app(config, engine, lambda: NOW)
        service = app.state.service
        service.limits.person = Limit(10**9)
        with TestClient(app) as http:
            yield from _rates(service, engine, http)
        engine.dispose()


def _rates(service: Service, engine: Engine, http: TestClient) -> Iterator[Row]:
    with service.transaction() as context:
        token, device = _anna(context)
    http.headers["Authorization"] = f"Bearer {token}"
    key = PrivateKey.new()
    signs = _per_second(lambda _: key.sign(b"x" * 300), TIMES)
    commits = _per_second(lambda n: _commit(engine, n), TIMES)
    yield "one ECDSA signature", signs, "/s", "P-256, by itself"
    yield "one commit", commits, "/s", "SQLite, WAL, synchronous"
    path = "/api/v1.32/my/deviceShare"

    def create(n: int) -> None:
        body = {"deviceId": device, "accessLevel": 0, "userEmail": f"guest{n}@example.org"}
        http.post(path, json=body).raise_for_status()

    creates = _per_second(create, SHARES)
    yield "create a share", creates, "/s", f"{commits / creates:.1f} commits' time"

    def listing(_: int) -> None:
        found = http.get(path, params={"deviceId": device}).raise_for_status()
        assert len(found.json()["result"]) == SHARES + 1

    lists = _per_second(listing, 5)
    yield f"list {SHARES + 1:,} shares", lists, "/s", f"{lists * SHARES:,.0f} shares/s"

    def issue(_: int) -> int:
        with service.transaction() as context:
            lock = context.session.get_one(Device, device)
            return issuing.batches_after(context, lock, 0)[-1].last

    issued = _per_second(issue, 10) * issue(0)
    note = f"{issued / signs:.1f} for each signature's time: batches"
    yield "issue grants", issued, "/s", note


def _anna(context: Context) -> tuple[str, int]:
    """Her token and device; she has so many phones and guests that there is much to issue."""
    people.sign_up(context, "anna@example.org", "Anna")
    context.session.flush()
    secret = links.make(context, links.CONFIRM, "anna@example.org")
    context.session.flush()
    anna = people.confirm(context, secret, people.hashed("correct horse battery"))
    device = devices.create(context, anna, "Front door", "UTC0")
    for number in range(GRANTS // phones.MOST):
        guest = _guest(context, number)
        for phone in range(phones.MOST):
            public = PrivateKey.from_scalar(2 + phone + phones.MOST * number).public
            phones.add(context, guest, "phone", public.x + public.y)
    _, token = people.log_in(context, anna.id, anna.password)
    return token, device.id


def _guest(context: Context, number: int) -> Person:
    guest = people.expected(context, f"guest{number}@example.org", "Guest")
    guest.confirmed_at = context.now
    return guest


def _commit(engine: Engine, number: int) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE devices SET applied = :n"), {"n": number})


def _per_second(do: Callable[[int], object], times: int) -> float:
    began = time.perf_counter()
    for number in range(times):
        do(number)
    return times / (time.perf_counter() - began)
