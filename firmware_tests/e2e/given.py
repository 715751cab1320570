"""What the tests of the link share: a board that knows its cloud, and somebody who plays that."""

import json
import shutil
import ssl
import threading
import time
from collections import defaultdict, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from firmware.policy.grant import Grant
from firmware.policy.instant import Instant, from_unix
from firmware.store import cloud as known_cloud
from firmware.store.flash import Flash
from firmware_tests.board import ISSUER, PHONE, Board
from firmware_tests.cloud.brokers import CLOUD_PASSWORD, Broker, Mqtt
from host_sim.cloud import issuer
from host_sim.cloud.link import topics
from host_sim.cloud.link.certificates import Certificates

LOCK = "0123456789abcdef"
DESK = "import firmware_tests.e2e.desk"
PASSWORD = "5a" * 32
AUDIENCE = LOCK.encode()


def now() -> Instant:
    return from_unix(int(time.time()))


def grant(
    share: bytes = b"1", version: int = 1, sequence: int | None = None, **terms: Any
) -> issuer.Change:
    made = Grant(share, AUDIENCE, b"")
    made.version, made.issued = version, now()
    for name, value in terms.items():
        setattr(made, name, value)
    return issuer.grant_change(made, PHONE.public, sequence)


def signed(change: issuer.Change) -> bytes:
    return issuer.sign(change, ISSUER)


def der(authority: Path) -> bytes:
    """A certificate as a lock wants it."""
    return ssl.PEM_cert_to_DER_cert(authority.read_text())


def provisioned(
    folder: Path, blank: Path, ca: Path, broker: int, web: int = 1, plain: int = 1
) -> Board:
    """A board with the flash of a `blank` lock, told of a cloud by the ports of its parts."""
    board = Board("micropython", folder)
    shutil.copytree(blank, board.flash, dirs_exist_ok=True)
    ways = [f"127.0.0.1:{port}" for port in (broker, web, plain)]
    cloud = known_cloud.Cloud(ways[0], ways[1], ways[2], der(ca), bytes.fromhex(PASSWORD))
    known_cloud.write(Flash(str(board.flash)).pair, cloud)
    return board


class Cloud(Mqtt):
    """At a broker in the cloud's place: hears what the lock says, and answers by hand."""

    def __init__(self, at: Broker):
        super().__init__(at, topics.CLOUD, CLOUD_PASSWORD)
        self._aside: dict[str, deque[bytes]] = defaultdict(deque)
        self.subscribe(f"locks/{LOCK}/#")

    def hear(self, what: str, seconds: float = 20) -> bytes:
        """The next payload of a topic below the lock's."""
        until = time.monotonic() + seconds
        mine = self._aside[topics.of_lock(LOCK, what)]
        while not mine:
            message = self.next(max(until - time.monotonic(), 0))
            self._aside[message.topic].append(bytes(message.payload))
        return mine.popleft()

    def hear_json(self, what: str, seconds: float = 20, **wanted: Any) -> dict[str, Any]:
        """The next that has these members."""
        while True:
            said = json.loads(self.hear(what, seconds))
            if all(said.get(name) == value for name, value in wanted.items()):
                return said

    def say(self, what: str, payload: bytes, retain: bool = False) -> None:
        """Publish, until the broker has it."""
        self.publish(topics.of_lock(LOCK, what), payload, retain)

    def push(self, token: bytes) -> dict[str, Any]:
        """A statement, and the lock's answer."""
        self.say(topics.STATEMENT, token)
        return self.hear_json(topics.RESULT)


class Web:
    """A server on a port, with TLS if there are certificates; a context manager.

    `answer(method, path, body, headers)` returns a body.
    """

    def __init__(self, certificates: Certificates | None, answer: Any):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])))

            def _answer(self, body: bytes) -> None:
                content = answer(self.command, self.path, body, self.headers)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # so that closing it waits for them
        if certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates.broker, certificates.broker_key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> "Web":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
