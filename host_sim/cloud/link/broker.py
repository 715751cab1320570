"""A broker in this process: amqtt, with what it leaves open closed.

As it comes, amqtt acts on a client id before it knows who is there, sends retained messages
that match anybody's subscription, asks nobody about last wills, takes packets of any size, and
never misses a client that fell silent. Here a client is known before anything is done, its
name is its client id, and sessions end with their connections, so that nothing waits in queues
for whoever does not come back.
"""

import asyncio
import logging
import threading
from asyncio import StreamReader, StreamWriter, Task, WriteTransport
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakSet

from amqtt.adapters import ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import Action
from amqtt.broker import Broker as Amqtt
from amqtt.errors import AMQTTError, BrokerError, MQTTError, NoDataError
from amqtt.mqtt.connack import BAD_USERNAME_PASSWORD, NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import OutgoingApplicationMessage, Session

from . import topics
from .certificates import Certificates

MOST_CONNECT = 1_024  # bytes, from somebody who is not known yet
MOST_PACKET = 32 * 1_024
_CONNECT_S = 10
_PUT_OUT_S = 2
_START_S = 20

Admit = Callable[[str, str], bool]  # name and password

log = logging.getLogger(__name__)


class _Reader(StreamReaderAdapter):
    """A connection that ends with a packet that is too large, and when it is silent for too long.

    `put_back` is read first.
    """

    def __init__(self, reader: StreamReader):
        super().__init__(reader)
        self.most = MOST_CONNECT
        self.patience_s: float = _CONNECT_S
        self.put_back = b""
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()

    async def read(self, n: int = -1) -> bytes:
        """So many bytes."""
        if self.put_back:
            data, self.put_back = self.put_back[:n], self.put_back[n:]
            return data
        if n > self.most:
            raise ConnectionAbortedError("too large")
        try:
            async with asyncio.timeout_at(self._heard + self.patience_s):
                data = await super().read(n)
        except TimeoutError:
            raise ConnectionAbortedError("silent") from None
        self._heard = self._loop.time()
        return data


class Broker(Amqtt):
    """Lets in whom `admit` knows, and everybody to their topics only. Lives on one event loop."""

    def __init__(self, listener: dict[str, Any], admit: Admit):
        super().__init__({"listeners": {"default": listener}, "plugins": {}})
        self._admit = admit
        self._transports: WeakSet[WriteTransport] = WeakSet()
        self._wild: set[str] = set()  # filters with wildcards; all others are names of topics

    @property
    def port(self) -> int:
        """Where it listens."""
        server: Any = self._servers["default"].instance
        return int(server.sockets[0].getsockname()[1])

    async def stream_connected(
        self, reader: StreamReader, writer: StreamWriter, listener_name: str
    ) -> None:
        """Serve a connection until it ends."""
        out = StreamWriterAdapter(writer)
        self._transports.add(writer.transport)
        try:
            await self._client_connected(listener_name, _Reader(reader), out)
        except (OSError, EOFError) as error:
            log.info("connection lost", extra={"error": type(error).__name__})
        finally:
            if not writer.is_closing():  # a second time would make it deaf to `abort`
                writer.close()

    def hang_up(self) -> None:
        """End all connections, without a goodbye that would have to be answered."""
        for transport in self._transports:
            transport.abort()

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, *remote: Any
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Find out who is there, before amqtt reads the same and does something about it."""
        assert isinstance(reader, _Reader)
        try:
            connect = await ConnectPacket.from_stream(reader)
        except (MQTTError, NoDataError, OSError, EOFError, ValueError) as error:
            await writer.close()
            raise AMQTTError(f"no CONNECT: {type(error).__name__}") from None
        refusal = await self._refusal(connect)
        if refusal:
            await ConnackPacket.build(0, refusal).to_stream(writer)
            await writer.close()
            raise AMQTTError(f"refused: {refusal}")
        name = connect.username
        await self._put_out(name)
        connect.client_id = name
        connect.clean_session_flag = True
        assert connect.variable_header is not None
        reader.most = MOST_PACKET
        keep_alive_s = connect.variable_header.keep_alive
        reader.patience_s = 1.5 * keep_alive_s if keep_alive_s else float("inf")
        reader.put_back = bytes(connect.to_bytes())
        if writer.get_peer_info() is None:  # amqtt would trip over it
            raise AMQTTError("gone before it was let in")
        return await super()._initialize_client_session(reader, writer, *remote)

    async def _refusal(self, connect: ConnectPacket) -> int:
        name, password = connect.username or "", connect.password or ""
        if not await asyncio.to_thread(self._admit, name, password):
            return BAD_USERNAME_PASSWORD
        if connect.will_flag and not topics.may_write(name, connect.will_topic or ""):
            return NOT_AUTHORIZED
        return 0

    async def _authenticate(self, *_: Any) -> bool:
        return True  # or there would be no session

    async def _put_out(self, name: str) -> None:
        """End the connection that a client left behind, its last will included."""
        session, handler = self._sessions.get(name, (None, None))
        if session is None or handler is None:
            return
        await handler.handle_connection_closed()
        await handler.stop()
        for _ in range(_PUT_OUT_S * 100):
            if session.transitions.state != "connected":
                return
            await asyncio.sleep(0.01)

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        if action == Action.PUBLISH:
            return topics.may_write(session.username or "", topic)
        return True  # a filter may be wider than what is sent for it, see below

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """Subscribe; what the client is told about it."""
        told = int(await super().add_subscription(subscription, session))
        if "+" in subscription[0] or "#" in subscription[0]:
            self._wild.add(subscription[0])
        return told

    async def _run_broadcast(
        self, running_tasks: "deque[Task[OutgoingApplicationMessage]]"
    ) -> None:
        message = await self._broadcast_queue.get()
        topic = message["topic"]
        for session, qos in self._readers(topic):
            handler = self._get_handler(session)
            if handler is not None and session.transitions.state == "connected":
                sending = handler.mqtt_publish(topic, message["data"], qos, retain=False)
                running_tasks.append(asyncio.ensure_future(sending))

    def _readers(self, topic: str) -> Iterator[tuple[Session, int]]:
        """Whose subscriptions match a topic that they may read."""
        self._wild.intersection_update(self._subscriptions)
        for filtered in (topic, *self._wild):
            if self._matches(topic, filtered):
                for session, qos in self._subscriptions.get(filtered, ()):
                    if topics.may_read(session.username or "", topic):
                        yield session, qos

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        filtered, most_qos = subscription
        mine = self._subscriptions.get(filtered, ())
        handler = self._get_handler(session)
        if handler is None or all(each is not session for each, _ in mine):
            return
        for topic, kept in list(self._retained_messages.items()):
            if self._matches(topic, filtered) and topics.may_read(session.username or "", topic):
                qos = min(most_qos, kept.qos or 0)
                sending = handler.mqtt_publish(topic, kept.data, qos, retain=True)
                self._tasks_queue.append(asyncio.ensure_future(sending))


class Embedded:
    """A Broker in a thread of its own, as a context manager."""

    def __init__(self, host: str, port: int, certificates: Certificates, admit: Admit):
        self._listener = {
            "type": "tcp",
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "max_connections": -1,
            "ssl": True,
            "certfile": str(certificates.broker),
            "keyfile": str(certificates.broker_key),
        }
        self._admit = admit
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._started = threading.Event()
        self._error: Exception | None = None
        self.port = 0

    def __enter__(self) -> "Embedded":
        """Raises OSError if it cannot listen."""
        self._thread.start()
        self._started.wait(_START_S)
        if not self.port:
            raise OSError(f"the broker cannot listen: {self._error}")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._broker = self._loop.run_until_complete(self._start())
            self.port = self._broker.port
        except BrokerError as error:
            self._error = error
            return
        finally:
            self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._stop())
        self._loop.close()

    async def _start(self) -> Broker:
        broker = Broker(self._listener, self._admit)
        await broker.start()
        return broker

    async def _stop(self) -> None:
        await self._broker.shutdown()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._broker.hang_up()
        await asyncio.sleep(0)  # the loop closes in its next round what was ended in this
