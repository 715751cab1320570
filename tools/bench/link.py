"""A thousand locks on one broker: one change to each, until the last of them has said yes.

Service and broker are one process, whose memory and CPU time are told; the locks are another, on
the same machine.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, select

from host_sim.cloud.config import Config
from host_sim.cloud.database import connect, migrate
from host_sim.cloud.domain import (
    credentials,
    devices,
    organisations,
    people,
    phones,
    sharing,
    terms,
)
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import Device, Person
from host_sim.cloud.keys import PrivateKey
from host_sim.cloud.link.run import linked
from host_sim.cloud.web.service import Service

Row = tuple[str, int | float | str, str, str]

LOCKS = 1_000
PATIENCE_S = 300


def rows(count: int = LOCKS) -> Iterator[Row]:
    """Coming, then the change."""
    _allow_files(4 * count)
    with new_service() as service:
        yield from _measure(service, count)


@contextmanager
def new_service() -> Iterator[Service]:
    """A service with a database of its own, on any port for MQTT."""
    with tempfile.TemporaryDirectory() as folder:
        config = Config(data=Path(folder), mqtt_port=0)
        engine = connect(config.database_url)
        migrate(engine)
        yield Service(config, engine, lambda: int(time.time()))
        engine.dispose()


def _measure(service: Service, count: int) -> Iterator[Row]:
    with service.transaction() as context:
        anna = person(context, "anna")
        guest = person(context, "guest")
        public = PrivateKey.new().public
        phones.add(context, guest, "phone", public.x + public.y)
        locks = []
        for number in range(count):
            device = devices.create(context, anna, f"Door {number}", "UTC0")
            locks.append((device.lock_id, credentials.enrol(context, anna, device)))
    empty = _memory()
    with linked(service, "127.0.0.1") as broker:
        given = {
            "port": urlsplit(broker).port,
            "ca": str(service.certificates.authority),
            "locks": locks,
        }
        herd = subprocess.Popen(
            [sys.executable, "-m", "tools.bench._link_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert herd.stdin and herd.stdout
        with herd:
            watch = _Watch()
            herd.stdin.write(json.dumps(given) + "\n")
            herd.stdin.flush()
            assert herd.stdout.readline() == "ready\n"
            yield f"{count:,} locks come, and have the time", watch.seconds(), "s", "TLS"
            yield "CPU of service and broker", watch.cpu(), "s", f"of {os.cpu_count()} cores"
            used = (_memory() - empty) / 1024 / count
            yield "memory of both, a lock", used, "KB", f"beside {empty >> 20} MB"
            watch = _Watch()
            _share_all(service, anna, guest)
            shared = watch.seconds()
            assert herd.stdout.readline() == "done\n"
            until_applied(service, PATIENCE_S)
            yield "a change to each", watch.seconds(), "s", "until the last acknowledgement"
            yield "of it making the shares", shared, "s", "one transaction each"
            yield "CPU of service and broker", watch.cpu(), "s", ""
            herd.kill()


def person(context: Context, name: str) -> Person:
    """Somebody who has confirmed the address."""
    person = people.expected(context, f"{name}@example.org", name.title())
    person.confirmed_at = context.now
    organisations.found_for(context, person)
    return person


def _share_all(service: Service, anna: Person, guest: Person) -> None:
    with service.transaction() as context:
        numbers = list(context.session.scalars(select(Device.id)))
    for number in numbers:
        with service.transaction() as context:
            owner = context.session.get_one(Person, anna.id)
            device = context.session.get_one(Device, number)
            sharing.create(context, owner, device, guest.email, terms.plain(0))


def until_applied(service: Service, patience_s: int) -> None:
    """Wait until every lock has acknowledged its changes."""
    until = time.monotonic() + patience_s
    behind = select(func.count()).where(Device.applied < Device.sequence)
    while True:
        with service.transaction() as context:
            if not context.session.scalar(behind):
                return
        assert time.monotonic() < until, "some lock has not acknowledged its change"
        time.sleep(0.05)


class _Watch:
    """Time and CPU time of this process since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._cpu = time.process_time()

    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def cpu(self) -> float:
        return time.process_time() - self._cpu


def _memory() -> int:
    """What this process has in memory, in bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
