"""A connection with a deadline on everything, plain or through TLS that believes nobody unknown.

Imports MicroPython's `select`, `socket` and `ssl`. umqtt and urequests get a Wire for the socket
that they would open, see `Sockets`: old versions of them know no time-outs, and none of them looks
at certificates. A library that opened a socket of its own would find nobody, because it is told
NOWHERE for a host. MicroPython checks a certificate's issuer, host name and dates, the last by the
board's calendar.
"""

import errno
import select
import socket
import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

NOWHERE = "wire.invalid"  # no such name can be looked up (RFC 2606)
MOST_BYTES = 16_384  # that are read in one piece
_MOST_LINES = 4096  # bytes of them, in all
_MOST_OUT = 1024  # bytes that wait for more


def trust(ca: bytes) -> "Any":
    """What `Wire` wants for TLS: a context that believes this CA, a certificate in DER, alone.

    Raises ValueError if it is none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined]
    context.load_verify_locations(cadata=ca)
    return context


class Wire:
    """One TCP connection to `where`, host:port, over TLS if there is a `context`.

    Everything raises OSError once the time is over that `allow` gave, and ValueError for a
    certificate that is not good.
    """

    def __init__(
        self,
        ticks_ms: "Callable[[], int]",
        ticks_diff: "Callable[[int, int], int]",
        where: str,
        context: "Any" = None,
    ) -> None:
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        host, port = where.rsplit(":", 1)
        self.host = host
        self.port = int(port)
        self._context = context
        self._since = ticks_ms()
        self._allowed_ms = 0
        self._stream: "Any" = None
        self._poll = select.poll()
        self._waits = True
        self._last = 0
        self._lines = 0
        self._out = bytearray()
        self.first = 0  # the byte with which the packet at hand began

    def allow(self, ms: int) -> None:
        """From now on so much time is left for all that follows."""
        self._since = self._ticks_ms()
        self._allowed_ms = ms

    # --- what a socket has ----------------------------------------------------------------------

    def connect(self, address: "Any") -> None:
        """Connect, and make sure who is there."""
        raw = socket.socket()
        self._stream = raw
        raw.setblocking(False)
        try:
            raw.connect(address)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        self._poll.register(raw, select.POLLOUT)
        if self._wait(select.POLLOUT) & (select.POLLERR | select.POLLHUP):
            raise OSError(errno.ECONNREFUSED)
        if self._context is not None:
            self._poll.unregister(raw)
            self._stream = self._context.wrap_socket(
                raw, server_hostname=self.host, do_handshake_on_connect=False
            )
            self._poll.register(self._stream, select.POLLIN)

    def settimeout(self, seconds: "Any") -> None:
        """Nothing: `allow` says how long."""

    def setblocking(self, flag: bool) -> None:
        """Whether `read` waits. umqtt says so after the first byte of each packet."""
        self._waits = flag
        if flag:
            self.first = self._last

    def read(self, count: int) -> "bytes | None":
        """So many bytes; None if there are none and it does not wait."""
        if not 0 <= count <= MOST_BYTES:
            raise OSError(errno.ENOMEM)
        self._flush()
        buffer = bytearray(count)
        view = memoryview(buffer)
        at = 0
        while at < count:
            got = self._stream.readinto(view[at:])
            if got is None:
                if not self._waits:
                    return None
                self._wait(select.POLLIN)
            elif got == 0:
                raise OSError(errno.ECONNRESET)
            else:
                at += got
        if count == 1:
            self._last = buffer[0]
        return bytes(buffer)

    def readline(self) -> bytes:
        """A line with its end; as much as there is if the connection ends before."""
        self._flush()
        line = b""
        while self._lines < _MOST_LINES:
            byte = self._stream.read(1)
            if byte is None:
                self._wait(select.POLLIN)
            elif not byte:
                return line
            else:
                self._lines += 1
                line += byte
                if byte == b"\n":
                    return line
        raise OSError(errno.ENOMEM)

    def write(self, data: "Any", count: int = -1) -> int:
        """All of it, text or bytes, or the first `count` bytes.

        The libraries write a message in many pieces, each of which would be a packet of its own.
        So they go when there are enough of them, or somebody waits for an answer.
        """
        view = memoryview(data.encode() if isinstance(data, str) else data)
        end = len(view) if count < 0 else count
        self._out.extend(view[:end])
        if len(self._out) > _MOST_OUT:
            self._flush()
        return end

    def _flush(self):
        if not self._out:
            return
        view = memoryview(self._out)
        at = 0
        while at < len(view):
            sent = self._stream.write(view[at:])
            if sent:
                at += sent
            else:
                self._wait(select.POLLOUT)
        self._out = bytearray()

    def close(self) -> None:
        """The end; also of one that was never open."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    # --- time -----------------------------------------------------------------------------------

    def is_readable(self, ms: int) -> bool:
        """Wait so long for something to read; False if there is nothing."""
        self._flush()
        self._poll.modify(self._stream, select.POLLIN)
        return bool(self._poll.poll(ms))

    def _wait(self, what):
        """Until the stream is ready for `what`; the events."""
        left_ms = self._allowed_ms - self._ticks_diff(self._ticks_ms(), self._since)
        if not 0 < left_ms <= self._allowed_ms:
            raise OSError(errno.ETIMEDOUT)
        self._poll.modify(self._stream, what)
        ready = self._poll.poll(left_ms)
        if not ready:
            raise OSError(errno.ETIMEDOUT)
        return ready[0][1]


class Sockets:
    """Stands for the module `socket` inside a library, and gives it a Wire, once.

    So nothing is sent again to wherever an answer redirects to.
    """

    SOCK_STREAM = socket.SOCK_STREAM

    def __init__(self, wire: Wire) -> None:
        self._wire: "Wire | None" = wire
        self._at = wire.host, wire.port

    def getaddrinfo(self, *_: object) -> "Any":
        """Where the wire leads to, whatever the library asks for."""
        return socket.getaddrinfo(*self._at)

    def socket(self, *_: int) -> Wire:
        """The wire, to be connected."""
        wire, self._wire = self._wire, None
        if wire is None:
            raise OSError(errno.ECONNABORTED)
        return wire
