"""A broker gone bad: lets anybody in, and has kept more for them than they can take."""

import contextlib
import socket
import ssl
import threading
from typing import Any

from host_sim.cloud.link.certificates import Certificates

_CONNECT, _PUBLISH, _SUBSCRIBE, _PING = 1, 3, 8, 12
_RETAINED = b"\x31"  # PUBLISH with QoS 0 and the flag


class Flood:
    """Kept `count` statements for `topic`, and has `sent` so many of them; a context manager."""

    def __init__(self, certificates: Certificates, topic: str, count: int):
        self.count = count
        self.sent = 0
        body = len(topic).to_bytes(2, "big") + topic.encode() + bytes(600)
        length = bytes([len(body) & 0x7F | 0x80, len(body) >> 7])
        self._packet = _RETAINED + length + body
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.broker, certificates.broker_key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._raw: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Flood":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._raw is not None:
            with contextlib.suppress(OSError):  # it is over already
                self._raw.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            with raw:
                try:
                    self._raw = self._context.wrap_socket(raw, server_side=True)
                    self._talk(self._raw)
                except OSError:
                    continue

    def _talk(self, connection: Any) -> None:
        with connection, connection.makefile("rb") as packets:
            while head := packets.read(1):
                kind, body = head[0] >> 4, packets.read(_length(packets))
                if kind == _CONNECT:
                    connection.sendall(b"\x20\x02\x00\x00")
                elif kind == _PUBLISH:
                    after = 2 + int.from_bytes(body[:2], "big")
                    connection.sendall(b"\x40\x02" + body[after : after + 2])
                elif kind == _SUBSCRIBE:
                    connection.sendall(b"\x90\x03" + body[:2] + b"\x01")
                    self._flood(connection)
                elif kind == _PING:
                    connection.sendall(b"\xd0\x00")

    def _flood(self, connection: Any) -> None:
        while self.sent < self.count:
            connection.sendall(self._packet)
            self.sent += 1


def _length(packets: Any) -> int:
    """The remaining length of a packet (MQTT 3.1.1, section 2.2.3)."""
    length = shift = 0
    while True:
        byte = packets.read(1)[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return length
