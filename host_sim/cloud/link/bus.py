"""The service as a client of the broker: one thread for the network, one that does the work.

Between them is a queue with an end: if the work falls behind, the broker is not read. What cannot
be sent is dropped, because every lock says anew how far it is when the broker is back.
"""

import logging
import queue
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from . import topics
from .exchange import Exchange, Transact

MOST_WAITING = 10_000  # messages and news
KEEP_ALIVE_S = 30
EXPIRE_EVERY_S = 5
_STOPS_IN_S = 40
_RETRY_S = (1, 30)

log = logging.getLogger(__name__)


def close(client: Client) -> None:
    """Say goodbye; paho would leave a pair of sockets to the garbage collector."""
    client.disconnect()
    client.loop_stop()
    client._reset_sockets()


class BusError(Exception):
    """A URL that names no broker."""


class Bus:
    """Runs an Exchange over a broker; a context manager. `url` is mqtts://USER:PASSWORD@HOST:PORT.

    `authority` is a certificate that may vouch for the broker, beside those that the system
    trusts. Raises BusError.
    """

    def __init__(self, url: str, authority: Path, transaction: Transact):
        parts = urlsplit(url)
        try:
            self._port = parts.port or {"mqtt": 1883, "mqtts": 8883}[parts.scheme]
        except (KeyError, ValueError):
            raise BusError("a broker is mqtts://USER:PASSWORD@HOST:PORT") from None
        self._host = parts.hostname or "localhost"
        self._exchange = Exchange(transaction, self.publish)
        self._work: queue.Queue[Callable[[], None]] = queue.Queue(MOST_WAITING)
        self._stop = False
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        name = unquote(parts.username or topics.CLOUD)
        self._client = Client(CallbackAPIVersion.VERSION2, name)
        self._client.username_pw_set(name, unquote(parts.password or ""))
        self._client.will_set(topics.ONLINE, b"offline", 1, True)
        self._client.max_inflight_messages_set(1_000)
        self._client.reconnect_delay_set(*_RETRY_S)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        if parts.scheme == "mqtts":
            context = ssl.create_default_context()
            context.load_verify_locations(authority)
            self._client.tls_set_context(context)

    def __enter__(self) -> "Bus":
        self._thread.start()
        self._client.connect_async(self._host, self._port, KEEP_ALIVE_S)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._client.is_connected():
            with suppress(RuntimeError):  # the broker may go at the same moment
                self._client.publish(topics.ONLINE, b"offline", 1, True).wait_for_publish(1)
        close(self._client)
        self._stop = True
        self._thread.join(_STOPS_IN_S)

    def news_for(self, devices: set[int]) -> None:
        """There is something to tell the locks of devices."""
        with suppress(queue.Full):  # they hear of it when they say how far they are
            self._work.put_nowait(lambda: self._exchange.tell(devices))

    def publish(self, topic: str, payload: bytes, retain: bool) -> None:
        """Send, if the broker is there."""
        if self._client.is_connected():
            self._client.publish(topic, payload, 1, retain)

    def _on_connect(self, client: Client, _: Any, __: Any, code: Any, ___: Any) -> None:
        if code.is_failure:
            log.error("the broker refuses the service", extra={"reason": str(code)})
            return
        client.subscribe([(topic, 1) for topic in topics.HEARD])
        self._work.put(self._exchange.connected)

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        topic, payload, retained = message.topic, bytes(message.payload), message.retain
        self._work.put(lambda: self._exchange.heard(topic, payload, retained))

    def _run(self) -> None:
        expire_at = 0.0
        while not self._stop:
            with suppress(queue.Empty):
                self._do(self._work.get(timeout=1))
            if time.monotonic() >= expire_at:
                expire_at = time.monotonic() + EXPIRE_EVERY_S
                self._do(self._exchange.expire)

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a thread's edge: the next message may do better
            log.error("link failed", extra={"error": type(error).__name__})
