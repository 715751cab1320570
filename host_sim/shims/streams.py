"""MicroPython's `socket`, `ssl` and `select.poll` for CPython, as far as `firmware.link.wire` uses
them: a socket is a stream, and knows whether it has something to read.

Imports nothing of the project. What a stream cannot do at once it answers with None.
"""

import select
import socket as real
import ssl
from select import POLLERR, POLLHUP, POLLIN, POLLOUT  # noqa: F401  # for whoever takes this for `select`
from socket import SOCK_STREAM, getaddrinfo  # noqa: F401  # or for `socket`
from ssl import CERT_REQUIRED, PROTOCOL_TLS_CLIENT  # noqa: F401  # or for `ssl`


class socket:
    """A TCP socket, or the TLS around one."""

    def __init__(self, raw=None):
        self.raw = raw or real.socket()
        self.awaits = 0  # what TLS needs first, whatever it was asked for
        self.setblocking = self.raw.setblocking
        self.connect = self.raw.connect
        self.close = self.raw.close
        self.fileno = self.raw.fileno

    def read(self, count):
        """At most so many bytes, none at the end."""
        return self._try(self.raw.recv, count)

    def readinto(self, buffer):
        """How many bytes were read."""
        return self._try(self.raw.recv_into, buffer)

    def write(self, data):
        """How many bytes were taken."""
        return self._try(self.raw.send, data)

    def has_more(self):
        """Whether there is something to read that has come out of the network already."""
        return isinstance(self.raw, ssl.SSLSocket) and self.raw.pending() > 0

    def _try(self, function, argument):
        self.awaits = 0
        try:
            return function(argument)
        except ssl.SSLWantReadError:
            self.awaits = POLLIN
        except ssl.SSLWantWriteError:
            self.awaits = POLLOUT
        except BlockingIOError:
            pass
        return None


class SSLContext(ssl.SSLContext):
    """Wraps streams."""

    def wrap_socket(self, stream, **options):
        """TLS around one; its handshake comes with the first read or write."""
        return socket(super().wrap_socket(stream.raw, **options))


class poll:
    """For one stream at a time."""

    def __init__(self):
        self._stream = None
        self._events = 0

    def register(self, stream, events):
        """Look at this stream from now on."""
        self._stream, self._events = stream, events

    modify = register

    def unregister(self, stream):
        """No longer."""
        self._stream = None

    def poll(self, ms):
        """The stream and its events in a list, which is empty if there are none in so many ms."""
        stream = self._stream
        if self._events & POLLIN and stream.has_more():
            return [(stream, POLLIN)]
        waiting = select.poll()
        waiting.register(stream, stream.awaits or self._events)
        return [(stream, events) for _, events in waiting.poll(ms)]
