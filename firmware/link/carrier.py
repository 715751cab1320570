"""The thread that talks to the network, and may be held up by it for as long as it likes.

Imports its siblings; shares nothing with the loop but the Post. A session begins with what cannot
wait for it (the time, without which no certificate can be looked at), then broker, will, presence,
subscriptions. Whatever goes wrong ends the session; the next one comes after a pause that doubles,
up to five minutes, and is different for each lock. Only a session that held makes pauses short
again: a broker that takes a lock in and drops it must not cost a handshake each second.
"""

from . import http, post
from .mqtt import KEEPALIVE_S, Mqtt
from .wire import Wire, trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..store.cloud import Cloud
    from .post import Item, Post

FIRST_PAUSE_MS = 1000
LONGEST_PAUSE_MS = 300_000
_NAP_MS = 50
_LISTEN_MS = 100
_PING_MS = KEEPALIVE_S * 500  # after half of what the broker allows
_SILENCE_MS = KEEPALIVE_S * 1000  # nothing came for so long, not even an answer to a ping
_ROOM_MS = 60_000  # so long may the loop take to make room for a statement
_DOOR_MS = 10_000  # so long does a handshake wait for somebody at the door
_HELD_MS = 60_000  # a session of this length was a good one
_MOST_ERROR = 80  # characters of what is told of an error


class Carrier:
    """Carries the `post` of the lock with this id to and from a Cloud.

    `network` is a `hal.network.Network`. Whatever ends a session is told to the loop.
    """

    def __init__(self, post: "Post", network: "Any", cloud: "Cloud", lock: str) -> None:
        self._post = post
        self._network = network
        self._cloud = cloud
        self._lock = lock
        self._context: "Any" = None
        self._mqtt: "Any" = None
        self._wire: "Any" = None
        self._error: "Exception | None" = None
        self._failures = 0
        self._began_ms = 0
        self._heard_ms = 0
        self._pinged_ms = 0

    def run(self) -> None:
        """For ever."""
        while True:
            try:
                self._session()
            except Exception as error:  # noqa: BLE001  # libraries raise what they like; all of it ends a session
                self._error = error
            while not self._is_end_told():
                self._network.sleep_ms(_NAP_MS)
            self._pause()

    def _is_end_told(self) -> bool:
        try:
            return self._post.deliver(post.OFFLINE, repr(self._error)[:_MOST_ERROR].encode())
        except MemoryError:  # to end here would be to be silent for ever
            return False

    def _pause(self) -> None:
        longest_ms = min(FIRST_PAUSE_MS << min(self._failures, 9), LONGEST_PAUSE_MS)
        self._failures += 1
        jitter = int.from_bytes(self._network.random(2), "big") * (longest_ms // 2) >> 16
        self._network.sleep_ms(longest_ms // 2 + jitter)

    def _close(self) -> None:
        for open_one in (self._mqtt, self._wire):
            if open_one is not None:
                open_one.close()
        self._mqtt = self._wire = None

    # --- a session ------------------------------------------------------------------------------

    def _session(self) -> None:
        try:
            self._network.beat()
            self._network.bring_up()
            self._open()
            while True:
                self._turn()
        finally:
            self._close()

    def _open(self) -> None:
        if self._context is None:
            self._context = trust(self._cloud.ca)
        item = self._post.collect()
        while item is not None:
            self._carry(item)  # the time, and what would go to a broker is out of date
            item = self._post.collect()
        self._wire = self._make_wire(self._cloud.broker, self._context)
        mqtt = Mqtt(self._wire, self._lock, self._cloud.secret_text(), self._came)
        mqtt.open(self._topic("online"), b"offline")
        self._mqtt = mqtt
        mqtt.publish(self._topic("online").encode(), b"online", True)
        self._heard()
        mqtt.subscribe(self._topic("head"))
        mqtt.subscribe(self._topic("down/statement"))
        self._began_ms = self._network.ticks_ms()
        self._deliver(post.ONLINE, b"")

    def _turn(self) -> None:
        """Listen for a moment, then carry something, and look whether the broker lives."""
        self._network.beat()
        if self._mqtt.listen(_LISTEN_MS):
            self._heard()
        item = self._post.collect()
        if item is not None:
            self._carry(item)
        if self._failures and self._since(self._began_ms) >= _HELD_MS:
            self._failures = 0
        silent_ms = self._since(self._heard_ms)
        if silent_ms >= _SILENCE_MS:
            raise OSError("the broker is silent")
        if silent_ms >= _PING_MS and self._since(self._pinged_ms) >= _PING_MS:
            self._mqtt.ping()
            self._pinged_ms = self._network.ticks_ms()

    def _carry(self, item: "Item") -> None:
        kind, where, what = item
        if kind == post.TIME:
            body = b'{"nonce": "' + what + b'"}'
            self._deliver(post.STATEMENT, self._ask(self._cloud.plain, None, "POST", "time", body))
        elif kind == post.CHANGES:
            path = "changes?after=" + what.decode()
            self._deliver(post.PAGE, self._ask(self._cloud.web, self._context, "GET", path, None))
        elif self._mqtt is not None:
            self._mqtt.publish(self._topic(where.decode()).encode(), what, kind == post.RETAIN)
            self._heard()

    def _ask(
        self, where: str, context: "Any", method: str, path: str, body: "bytes | None"
    ) -> bytes:
        wire = self._make_wire(where, context)
        headers = {"Content-Type": "application/json"}
        if context is not None:
            headers["Authorization"] = "Bearer " + self._cloud.secret_text()
        try:
            return http.ask(wire, method, "/locks/" + self._lock + "/" + path, body, headers)
        finally:
            wire.close()

    # --- what comes -----------------------------------------------------------------------------

    def _came(self, topic: bytes, payload: bytes, retained: bool) -> None:
        if topic == self._topic("head").encode():
            self._deliver(post.HEAD, payload)
        elif retained:
            self._deliver(post.RETAINED, b"")
        else:
            self._deliver(post.STATEMENT, payload)

    def _deliver(self, kind: int, what: bytes) -> None:
        """Wait until the loop has room: whoever floods the lock waits, and its memory does not."""
        since = self._network.ticks_ms()
        while not self._post.deliver(kind, what):
            if self._since(since) > _ROOM_MS:
                raise OSError("the loop takes nothing")
            self._network.sleep_ms(_NAP_MS)

    # --- small things ---------------------------------------------------------------------------

    def _wait_for_the_door(self) -> None:
        """On a chip a handshake keeps all of it busy, so nobody at the door should meet one."""
        since = self._network.ticks_ms()
        while self._post.is_busy() and self._since(since) < _DOOR_MS:
            self._network.sleep_ms(_NAP_MS)

    def _make_wire(self, where, context):
        if context is not None:
            self._wait_for_the_door()
        return Wire(self._network.ticks_ms, self._network.ticks_diff, where, context)

    def _topic(self, name: str) -> str:
        return "locks/" + self._lock + "/" + name

    def _heard(self) -> None:
        self._heard_ms = self._network.ticks_ms()

    def _since(self, ms: int) -> int:
        return self._network.ticks_diff(self._network.ticks_ms(), ms)
