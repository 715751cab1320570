"""A network with faults: a proxy on loopback between a lock and a server.

For CPython. Each connection that comes is treated as the fault at that moment says.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

FINE = "fine"
REFUSES = "refuses"  # closes at once
STALLS = "stalls"  # takes the connection, and nothing ever comes
GARBAGE = "garbage"  # answers at random
DIES = "dies"  # ends in the middle of something, after `bytes` to the lock
HALF_OPEN = "half-open"  # the same, but the lock is not told
DRIPS = "drips"  # a byte to the lock every 100 ms
FAULTS = (REFUSES, STALLS, GARBAGE, DIES, HALF_OPEN, DRIPS)

BYTES = 900  # in the middle of a TLS handshake
_DRIP_S = 0.1


class _Flow:
    """One direction of a connection; `left` bytes more pass if `fault` is one of two."""

    def __init__(self, fault: str, left: int):
        self.fault = fault
        self.left = left
        self.passed = 0


class Proxy:
    """Listens on `port` of 127.0.0.1 for a server on `target`, as a context manager.

    `fault`, `bytes` and `target` may be changed at any time; they count for connections that come
    from then on. `drop` ends those that are there, `cut` breaks them. `connections` counts.
    """

    def __init__(self, target: int, fault: str = FINE):
        self.fault = fault
        self.bytes = BYTES
        self.target = target
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._flows: list[_Flow] = []  # to the lock
        self._threads: list[threading.Thread] = []
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # To close it would not wake the thread that waits in it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.drop()

    @property
    def passed(self) -> int:
        """The bytes that came to the lock on the newest connection."""
        with self._guard:
            return self._flows[-1].passed if self._flows else 0

    def drop(self) -> None:
        """End all connections."""
        with self._guard:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)  # to close it would not wake who waits in it
                one.close()
            self._open.clear()
            self._flows.clear()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()

    def cut(self, fault: str, count: int) -> None:
        """The connections that are there DIE or get HALF_OPEN, `count` bytes from now."""
        with self._guard:
            for flow in self._flows:
                flow.left = count
                flow.fault = fault

    def _listen(self) -> None:
        while True:
            try:
                lock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._treat(lock)

    def _treat(self, lock: socket.socket) -> None:
        if self.fault == REFUSES:
            lock.close()
            return
        self._keep(lock)
        if self.fault == STALLS:
            return
        if self.fault == GARBAGE:
            self._start(lambda: lock.sendall(os.urandom(4096)))
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            lock.shutdown(socket.SHUT_RDWR)
            return
        self._keep(server)
        flow = _Flow(self.fault, self.bytes)
        with self._guard:
            self._flows.append(flow)
        self._start(lambda: _copy(lock, server, _Flow(FINE, 0)))
        self._start(lambda: _copy(server, lock, flow))

    def _keep(self, one: socket.socket) -> None:
        with self._guard:
            self._open.append(one)

    def _start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except OSError:
                return  # one of the two is gone

        thread = threading.Thread(target=run, daemon=True)
        with self._guard:
            self._threads.append(thread)
        thread.start()


def _copy(source: socket.socket, sink: socket.socket, flow: _Flow) -> None:
    while True:
        piece = source.recv(1 if flow.fault == DRIPS else 4096)
        if flow.fault in (DIES, HALF_OPEN):
            piece = piece[: flow.left]
            flow.left -= len(piece)
        if piece:
            sink.sendall(piece)
            flow.passed += len(piece)
            if flow.fault == DRIPS:
                time.sleep(_DRIP_S)
        elif flow.fault == HALF_OPEN:
            return
        else:
            sink.shutdown(socket.SHUT_RDWR)
            return


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port where a connection is neither taken nor refused, as behind a cable that is cut."""
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)  # one may wait to be taken
        first.connect(listener.getsockname())
        yield listener.getsockname()[1]
