"""The share service in the house: the same as `python -m host_sim.cloud`, but in this process, on
the house's time, and overheard.

Imports the cloud and its siblings. Locks and phones reach it by proxies that can be broken.
"""

import os
import socket
import ssl
import time
from asyncio import Task, create_task, to_thread
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from paho.mqtt.client import Client, MQTTMessage
from sqlalchemy import Connection, event
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from firmware.access import statements
from firmware.crypto import cose
from host_sim.cloud.config import Config
from host_sim.cloud.database import connect, migrate
from host_sim.cloud.link.bus import Bus
from host_sim.cloud.link.run import linked
from host_sim.cloud.web.app import create_app
from host_sim.cloud.worker import Worker
from host_sim.whole import whole
from host_sim.world.network import FINE, Proxy

from .events import Events
from .simtime import SimTime

HOST = "127.0.0.1"
_EVERY_S = 15
_GOODBYE_S = 1  # for whoever still listens to events
_MOST_SHOWN = 4096  # bytes of a body


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the house."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class PortTaken(Exception):
    """There is another program at the port that was asked for."""


class Cloud:
    """The service, as a context manager; `service` has its domain, `app` its APIs.

    `broker`, `web` and `plain` are the lock's ways to it. While `is_off` nobody gets an answer,
    and unless it `tells_time` no lock gets that.
    """

    def __init__(self, folder: Path, time: SimTime, events: Events, port: int):
        self._folder = folder
        self._time = time
        self._events = events
        try:
            self._listener = socket.create_server((HOST, port))
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise PortTaken(f"There is no listening at port {port}: {why}.") from None
        self.url = f"http://{HOST}:{self._listener.getsockname()[1]}"
        self.is_off = False
        self.tells_time = True
        self._running: list[tuple[_Server, Task[None]]] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await whole(to_thread(self._prepare))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    def _prepare(self) -> None:
        self._folder.mkdir()
        config = Config(data=self._folder, base_url=self.url, mqtt_port=0)
        engine = connect(config.database_url)
        self._stack.callback(engine.dispose)
        migrate(engine)
        event.listen(engine, "commit", self._committed)
        api = create_app(config, engine, self._time.now_s)
        self.service = service = api.state.service
        self.app = Overheard(api, self)
        self._postman = Worker("postman", service.deliver_mail, _EVERY_S)
        self._leases = Worker("leases", service.renew_leases, _EVERY_S)
        for worker in (self._postman, self._leases):
            self._stack.enter_context(worker)
        self._stack.enter_context(linked(service, HOST, self._make_bus))
        self._news_for = service.news_for
        service.new_mail = self._mailed
        self._tls = socket.create_server((HOST, 0))
        ports = (service.config.mqtt_port, self._tls.getsockname()[1], self._port())
        self.broker, self.web, self.plain = [
            self._stack.enter_context(Proxy(port)) for port in ports
        ]

    def _port(self) -> int:
        return int(self._listener.getsockname()[1])

    async def serve(self, site: ASGIApp) -> None:
        """Answer requests from now on: `site` at `url`, the service alone where locks ask."""
        tls = self.service.certificates
        files = {"ssl_certfile": tls.broker, "ssl_keyfile": tls.broker_key}
        for app, listener, options in ((site, self._listener, {}), (self.app, self._tls, files)):
            config = uvicorn.Config(
                app,
                access_log=False,
                log_config=None,
                lifespan="off",
                timeout_graceful_shutdown=_GOODBYE_S,
                **options,
            )
            server = _Server(config)
            self._running.append((server, create_task(server.serve([listener]))))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server, _ in self._running:
            server.should_exit = True
        for _, task in self._running:
            await task
        for listener in (self._listener, self._tls):
            listener.close()
        await to_thread(self._drop)
        await self._stack.aclose()

    def _drop(self) -> None:
        for proxy in (self.broker, self.web, self.plain):
            proxy.drop()

    def authority(self) -> bytes:
        """The certificate that locks believe, as they want it."""
        return ssl.PEM_cert_to_DER_cert(self.service.certificates.authority.read_text("ascii"))

    def break_ways(self, faults: dict[Proxy, str]) -> None:
        """Let these ways have a fault, and all others none."""
        for proxy in (self.broker, self.web, self.plain):
            fault = faults.get(proxy, FINE)
            if fault != proxy.fault:
                proxy.fault = fault
                proxy.drop()

    def hurry(self) -> None:
        """Time jumped: what is due is done now."""
        self._leases.wake()
        self._postman.wake()

    # --- what can be heard ----------------------------------------------------------------------

    def _committed(self, connection: Connection) -> None:
        if not connection.get_execution_options().get("query_only"):
            self._events.add("cloud")

    def _mailed(self) -> None:
        self._postman.wake()
        self._events.add("mail")

    def _make_bus(self, *about: Any) -> Bus:
        return _Tapped(self, *about)

    def overheard(self, kind: str, **what: Any) -> None:
        """Somebody said something."""
        self._events.add(kind, **what)


class _Tapped(Bus):
    """The service at the broker, overheard."""

    def __init__(self, cloud: Cloud, *about: Any):
        super().__init__(*about)
        self._cloud = cloud

    def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        if not self._cloud.tells_time and _is_time(payload):
            return
        self._tell("cloud", topic, payload, retain)
        super().publish(topic, payload, retain)

    def _on_message(self, client: Client, about: Any, message: MQTTMessage) -> None:
        self._tell("lock", message.topic, bytes(message.payload), message.retain)
        super()._on_message(client, about, message)

    def _tell(self, by: str, topic: str, payload: bytes, retain: bool) -> None:
        said = {"by": by, "topic": topic, "payload": payload.hex(), "retain": retain}
        self._cloud.overheard("mqtt", **said)


def _is_time(payload: bytes) -> bool:
    try:
        return cose.parse(payload).typ == statements.TIME
    except cose.CoseError:
        return False


class Overheard:
    """ASGI middleware: tells of each request, and answers none while the service is off."""

    def __init__(self, app: ASGIApp, cloud: Cloud):
        self._app = app
        self._cloud = cloud

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_time = scope["path"].startswith("/locks/") and scope["path"].endswith("/time")
        if self._cloud.is_off or (is_time and not self._cloud.tells_time):
            await PlainTextResponse("The cloud says nothing.", 503)(scope, receive, send)
            return
        bodies = {"asked": b"", "answered": b""}
        status, began_s = 0, time.monotonic()

        async def hear() -> Message:
            message = await receive()
            bodies["asked"] += message.get("body", b"")
            return message

        async def tell(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            bodies["answered"] += message.get("body", b"")
            await send(message)

        await self._app(scope, hear, tell)
        self._cloud.overheard(
            "http",
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round((time.monotonic() - began_s) * 1000),
            **{name: body[:_MOST_SHOWN].hex() for name, body in bodies.items()},
        )
