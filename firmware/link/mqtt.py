"""MQTT through umqtt.simple, of whatever age: 1.3.4 of PyPI or what an image has inside.

Imports umqtt and its siblings. For the thread: everything here blocks, each call for ten seconds
at the most.
"""

from umqtt import simple

from .wire import NOWHERE, Sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .wire import Wire

PATIENCE_MS = 10_000
KEEPALIVE_S = 60
_RETAIN = 1  # a bit of a packet's first byte


class Mqtt:
    """A session of `user` with the broker at the other end of a Wire, with QoS 1.

    `take(topic, payload, retained)` gets what comes; it may be called within any other call.
    """

    def __init__(
        self,
        wire: "Wire",
        user: str,
        password: str,
        take: "Callable[[bytes, bytes, bool], None]",
    ) -> None:
        self._wire = wire
        self._take = take
        self._client = simple.MQTTClient(
            user, NOWHERE, user=user, password=password, keepalive=KEEPALIVE_S
        )
        self._client.set_callback(self._came)

    def open(self, will_topic: str, will: bytes) -> None:
        """Connect; `will` is what the broker publishes, retained, when it loses this client."""
        simple.socket = Sockets(self._wire)  # type: ignore[attr-defined]
        self._client.set_last_will(will_topic, will, True, 1)
        self._wire.allow(PATIENCE_MS)
        self._client.connect()

    def subscribe(self, topic: str) -> None:
        """Have what is published there come."""
        self._wire.allow(PATIENCE_MS)
        self._client.subscribe(topic.encode(), 1)

    def publish(self, topic: bytes, payload: bytes, retain: bool) -> None:
        """Publish, until the broker has it."""
        self._wire.allow(PATIENCE_MS)
        self._client.publish(topic, payload, retain, 1)

    def listen(self, ms: int) -> bool:
        """Wait so long for one packet and take it in; False if none came."""
        if not self._wire.is_readable(ms):
            return False
        self._wire.allow(PATIENCE_MS)
        self._client.check_msg()
        return True

    def ping(self) -> None:
        """Have the broker answer something."""
        self._wire.allow(PATIENCE_MS)
        self._client.ping()

    def close(self) -> None:
        """The end."""
        self._wire.close()

    def _came(self, topic, payload):
        self._take(topic, payload, bool(self._wire.first & _RETAIN))
        self._wire.allow(PATIENCE_MS)
