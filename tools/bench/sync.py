"""What it takes a lock to learn of shares: of a thousand from nothing, and of one more.

The service is in this process, and the lock a whole one on MicroPython, on littlefs in RAM. They
talk through TLS and the embedded broker, with a meter between them.
"""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from host_sim import runtimes
from host_sim.cloud.domain import credentials, devices, phones, sharing, terms
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import Device, Person
from host_sim.cloud.keys import PrivateKey
from host_sim.cloud.link.run import linked
from host_sim.cloud.web.service import Service
from tools import libraries

from .link import new_service, person, until_applied

Row = tuple[str, int | float | str, str, str]

SHARES = 1_000
MOST = 25
CHILD = Path(__file__).with_name("_sync_child.py").relative_to(runtimes.ROOT)
PATIENCE_S = 600
QUIET_S = 4  # until nobody has anything left to say
_APPLICATION_DATA = 23  # a TLS record


def rows(count: int = SHARES) -> Iterator[Row]:
    """From nothing, then one more."""
    with new_service() as service:
        yield from _measure(service, count)


def _measure(service: Service, count: int) -> Iterator[Row]:
    with service.transaction() as context:
        anna = person(context, "anna")
        device = devices.create(context, anna, "Door", "UTC0")
        for number in range(count):
            _share(context, anna, device, number)
        secret = credentials.enrol(context, anna, device)
        issuers = service.issuers
        issuer = issuers.key(issuers.current).public
        lock = device.lock_id
    with (
        linked(service, "127.0.0.1") as broker,
        Meter(urlsplit(broker).port or 0) as meter,
        _lock(meter, service, lock, secret, (issuer.x + issuer.y).hex()) as child,
    ):
        began = time.perf_counter()
        until_applied(service, PATIENCE_S)
        taken = time.perf_counter() - began
        time.sleep(QUIET_S)
        found = _counted(child)
        of = f"{count:,} shares from nothing"
        yield f"{of}: batches", found["batches"], "", f"one verification each; at most {MOST}"
        note = "time, settings and receipts for the log, too"
        yield f"{of}: verifications", found["verifications"], "", note
        yield f"{of}: time", taken, "s", "the lock's, on this machine"
        yield f"{of}: over the network", meter.octets / 1024, "KB", "both ways, TLS and all"
        yield f"{of}: flash erases", found["erases"], "", f"{found['written'] >> 10} KB written"
        meter.clear()
        with service.transaction() as context:
            owner = context.session.get_one(Person, anna.id)
            _share(context, owner, context.session.get_one(Device, device.id), count)
        until_applied(service, PATIENCE_S)
        time.sleep(QUIET_S)
        found = _counted(child)
        note = f"{found['batches']} batch; the rest are receipts for the log"
        yield "one change: verifications", found["verifications"], "", note
        yield "one change: over the network", meter.octets, "bytes", "both ways, TLS and all"
        note = "packets of MQTT, most with a receipt: head, statement, result, hello, log"
        yield "one change: TLS records", meter.records, "", note
        yield (
            "one change: flash erases",
            found["erases"],
            "",
            f"{found['written']:,} bytes written",
        )
        child.kill()


def _share(context: Context, owner: Person, device: Device, number: int) -> None:
    guest = person(context, f"guest{number}")
    public = PrivateKey.from_scalar(number + 2).public
    phones.add(context, guest, "phone", public.x + public.y)
    sharing.create(context, owner, device, guest.email, terms.plain(0))


def _lock(
    meter: "Meter", service: Service, lock: str, secret: str, issuer: str
) -> "subprocess.Popen[str]":
    pem = service.certificates.authority.read_text(encoding="ascii")
    nobody = "127.0.0.1:1"
    cloud = {
        "broker": f"127.0.0.1:{meter.port}",
        "web": nobody,
        "plain": nobody,
        "ca": ssl.PEM_cert_to_DER_cert(pem).hex(),
        "secret": secret,
    }
    path: list[str | Path] = [runtimes.BOARD, libraries.fetch_all()]
    child = runtimes.start("micropython", CHILD, heap="64m", path=path)
    assert child.stdin and child.stdout
    print(
        json.dumps({"lock": lock, "issuer": issuer, "cloud": cloud}), file=child.stdin, flush=True
    )
    assert child.stdout.readline() == "ready\n"
    return child


def _counted(child: "subprocess.Popen[str]") -> dict[str, Any]:
    assert child.stdin and child.stdout
    print(file=child.stdin, flush=True)
    found: dict[str, Any] = json.loads(child.stdout.readline())
    return found


class Meter:
    """Between a lock and the broker on a port: `octets` both ways, and TLS `records` with data."""

    def __init__(self, target: int):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._guard = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Count from nothing."""
        with self._guard:
            self.octets = self.records = 0

    def __enter__(self) -> "Meter":
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                lock, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            for source, sink in ((lock, server), (server, lock)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with source.makefile("rb") as records, sink:
            try:
                while head := records.read(5):
                    body = records.read(int.from_bytes(head[3:], "big"))
                    with self._guard:
                        self.octets += len(head) + len(body)
                        self.records += head[0] == _APPLICATION_DATA
                    sink.sendall(head + body)
            except OSError:
                return  # one of the two is gone
