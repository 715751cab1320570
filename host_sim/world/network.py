"""A network with faults: a proxy on loopback between a lock and a server.

For CPython. Each connection that comes is treated as the fault at that moment says.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable

FINE = "fine"
REFUSES = "refuses"  # closes at once
STALLS = "stalls"  # takes the connection, and nothing ever comes
GARBAGE = "garbage"  # answers at random
DIES = "dies"  # ends in the middle of something, after BYTES to the lock
HALF_OPEN = "half-open"  # the same, but the lock is not told
DRIPS = "drips"  # a byte to the lock every 100 ms
FAULTS = (REFUSES, STALLS, GARBAGE, DIES, HALF_OPEN, DRIPS)

BYTES = 900  # in the middle of a TLS handshake
_DRIP_S = 0.1


class Proxy:
    """Listens on `port` of 127.0.0.1 for a server on `target`, as a context manager.

    `fault` may be changed at any time; it counts for connections that come from then on, and
    `drop` ends those that are there. `connections` counts.
    """

    def __init__(self, target: int, fault: str = FINE):
        self.fault = fault
        self.connections = 0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # To close it would not wake the thread that waits in it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        self._thread.join()

    def drop(self) -> None:
        """End all connections."""
        with self._guard:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)  # to close it would not wake who waits in it
                one.close()
            self._open.clear()

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
        server = socket.create_connection(("127.0.0.1", self._target))
        self._keep(server)
        self._start(lambda: _copy(lock, server, FINE))
        fault = self.fault
        self._start(lambda: _copy(server, lock, fault))

    def _keep(self, one: socket.socket) -> None:
        with self._guard:
            self._open.append(one)

    def _start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except OSError:
                return  # one of the two is gone

        threading.Thread(target=run, daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket, fault: str) -> None:
    left = BYTES
    while True:
        piece = source.recv(1 if fault == DRIPS else 4096)
        if fault in (DIES, HALF_OPEN):
            piece = piece[:left]
            left -= len(piece)
        if piece:
            sink.sendall(piece)
            if fault == DRIPS:
                time.sleep(_DRIP_S)
        elif fault == HALF_OPEN:
            return
        else:
            sink.shutdown(socket.SHUT_RDWR)
            return
