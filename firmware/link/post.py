"""Between the loop and the thread that talks to the network: two queues, and nothing else.

Imports nothing. MicroPython's unix port has no global interpreter lock, so every access is under
the lock that is handed in, and what passes is small integers and bytes. Nothing here waits.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Item = tuple[int, bytes, bytes]

# What the loop gives to the carrier: a kind, where to, what.
PUBLISH = 1  # topic below the lock's own, payload
RETAIN = 2  # the same, to be kept by the broker
TIME = 3  # the nonce in hexadecimal digits, for a signed time
CHANGES = 4  # the number after which, in digits, for a page of changes

# What the carrier gives to the loop.
ONLINE = 16  # there is a session with the broker
OFFLINE = 17  # it is over, or none could be had: why
STATEMENT = 18  # a token
RETAINED = 19  # what the broker kept in place of one, and nobody looks at
HEAD = 20  # the cloud's hint how far it is
PAGE = 21  # a page of changes

MOST_ITEMS = 16
MOST_BYTES = 16_384  # an item above it still goes in, alone


class Post:
    """What is under way, in both directions; `lock` is a `_thread` lock."""

    def __init__(self, lock: "Any") -> None:
        self._lock = lock
        self._in: "list[Item]" = []
        self._out: "list[Item]" = []
        self._busy = False

    # --- for the loop ---------------------------------------------------------------------------

    def send(self, kind: int, where: bytes, what: bytes) -> bool:
        """Give something to the carrier; False if too much waits already."""
        return self._put(self._out, (kind, where, what))

    def receive(self) -> "Item | None":
        """The next thing that came, None if there is none."""
        return self._take(self._in)

    def set_busy(self, busy: bool) -> None:
        """Whether somebody is at the door, so that the carrier begins nothing that computes."""
        with self._lock:
            self._busy = busy

    # --- for the carrier ------------------------------------------------------------------------

    def deliver(self, kind: int, what: bytes = b"") -> bool:
        """Give something to the loop; False if it has too much to do already."""
        return self._put(self._in, (kind, b"", what))

    def collect(self) -> "Item | None":
        """The next thing to carry, None if there is none."""
        return self._take(self._out)

    def is_busy(self) -> bool:
        """See `set_busy`."""
        with self._lock:
            return self._busy

    # --- for both -------------------------------------------------------------------------------

    def _put(self, queue, item):
        with self._lock:
            size = len(item[2])
            for other in queue:
                size += len(other[2])
            if len(queue) >= MOST_ITEMS or (queue and size > MOST_BYTES):
                return False
            queue.append(item)
            return True

    def _take(self, queue):
        with self._lock:
            return queue.pop(0) if queue else None
