"""MicroPython's `bluetooth`, as far as the firmware uses it, for CPython and for the unix port.

It behaves like NimBLE on an ESP32: a buffer has 20 bytes until `gatts_set_buffer`, and what is
longer is cut without a word; what `irq` is given is only good while it runs; a notification that
finds no memory raises ENOMEM; a central that subscribes causes no interrupt. Interrupts may come
late: what a central wrote by then is one value, if the buffer appends, or else only the last.

The radio is a process, `python -m host_sim.radio`, at the address of SHARELOCK_RADIO; without that
there is no Bluetooth and `active` raises ENODEV. A program without a thread to spare has to ask
for its interrupts: `pump` delivers them, and `stream` is readable when there are some.
"""

import errno
import json
import os
import socket
from binascii import hexlify, unhexlify

FLAG_READ = 0x02
FLAG_WRITE_NO_RESPONSE = 0x04
FLAG_WRITE = 0x08
FLAG_NOTIFY = 0x10
FLAG_INDICATE = 0x20

_CENTRAL_CONNECT = 1
_CENTRAL_DISCONNECT = 2
_GATTS_WRITE = 3
_MTU_EXCHANGED = 21

_DEFAULT_BYTES = 20
_DEFAULT_MTU = 256
_BUFFERS = 12  # for notifications that are not on their way yet
_FIRST_HANDLE = 16
_NAME = "MPY BOARD"


class UUID:
    """A 16-bit number, or 128 bits as text."""

    def __init__(self, value):
        self._text = "%04x" % value if isinstance(value, int) else value
        if len(self._text) not in (4, 36):
            raise ValueError("invalid UUID")

    def __str__(self):
        return self._text


class BLE:
    """The one Bluetooth of the board."""

    def __init__(self):
        self._socket = None
        self._received = b""
        self._handler = None
        self._buffers = {}
        self._free = _BUFFERS
        self._name = _NAME
        self._mtu = _DEFAULT_MTU
        self._links = set()
        self._late = []  # interrupts for writes

    # --- what a board has -----------------------------------------------------------------------

    def active(self, on=None):
        """Whether it is on, or switch it."""
        if on and self._socket is None:
            where = os.getenv("SHARELOCK_RADIO")
            if not where:
                raise OSError(errno.ENODEV, "no radio")
            host, port = where.rsplit(":", 1)
            self._socket = socket.socket()
            self._socket.connect(socket.getaddrinfo(host, int(port))[0][-1])
        elif on is not None and not on and self._socket is not None:
            self._socket.close()
            self._socket = None
        return self._socket is not None

    def config(self, *wanted, **values):
        """Set `gap_name` or `mtu`; `addr_mode` makes another address, and needs a service."""
        for name, value in values.items():
            if name == "gap_name":
                self._name = value
            elif name == "mtu":
                if not 23 <= value <= 517:
                    raise OSError(errno.EINVAL, "out of range")
                self._mtu = value
            elif name == "addr_mode":
                self._say("renew")
            else:
                raise ValueError("unknown config param")
        if wanted:
            raise ValueError("unknown config param")

    def irq(self, handler):
        """Whom to tell what happens."""
        self._handler = handler

    def gatts_register_services(self, services):
        """One service; the handles of its characteristics' values, in a tuple of tuples."""
        ((uuid, characteristics),) = services
        handles = tuple(_FIRST_HANDLE + 3 * index for index in range(len(characteristics)))
        self._buffers = {handle: _Buffer() for handle in handles}
        known = [[str(each[0]), each[1]] for each in characteristics]
        self._say("start", self._name, self._mtu, str(uuid), known)
        return (handles,)

    def gatts_set_buffer(self, handle, length, append=False):
        """How much a value may have, and whether a write adds to it."""
        self._buffers[handle] = _Buffer(length, append)

    def gatts_read(self, handle):
        """The value; one that appends is empty then."""
        return self._buffers[handle].read()

    def gatts_notify(self, link, handle, data):
        """Send a value to a central, whether it subscribed or not."""
        self._need()
        if link not in self._links:
            raise OSError(errno.ENOTCONN, "not connected")
        if not self._free:
            raise OSError(errno.ENOMEM, "no buffer")
        self._free -= 1
        self._say("notify", link, self._index(handle), _hex(data))

    def gap_advertise(self, interval_us, adv_data=None, *, resp_data=None, connectable=True):
        """Advertise until a central connects; None ends it."""
        self._need()
        for data in (adv_data, resp_data):
            if data is not None and len(data) > 31:
                raise OSError(errno.EINVAL, "out of range")
        self._say("advertise", interval_us, _hex(adv_data or b""), _hex(resp_data or b""))

    def gap_disconnect(self, link):
        """End a connection; False if there is none."""
        self._need()
        if link not in self._links:
            return False
        self._say("drop", link)
        return True

    # --- what only this one has -----------------------------------------------------------------

    @property
    def stream(self):
        """For `select.poll`."""
        return self._socket

    def pump(self):
        """Run the handler for all that happened, as if it interrupted the caller."""
        self._need()
        self._socket.setblocking(False)
        try:
            while True:
                piece = self._socket.recv(4096)
                if not piece:
                    raise OSError(errno.ENODEV, "no radio")
                self._received += piece
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
        finally:
            self._socket.setblocking(True)
        *lines, self._received = self._received.split(b"\n")
        for line in lines:
            what, *members = json.loads(line)
            if what == "sent":
                self._free += 1
            elif what == "written":
                self._write(*members)
            else:
                self._flush()
                self._note(what, *members)
        self._flush()

    def _write(self, link, index, value):
        """The interrupt waits for as long as the same central writes, and there is room."""
        handle = sorted(self._buffers)[index]
        data = unhexlify(value)
        is_other = self._late and self._late[0] != [link, handle]
        if is_other or not self._buffers[handle].has_room(len(data)):
            self._flush()
        self._buffers[handle].write(data)
        self._late.append([link, handle])

    def _flush(self):
        while self._late:
            self._interrupt(_GATTS_WRITE, self._late.pop(0))

    def _note(self, what, link, *members):
        if what == "mtu":
            self._interrupt(_MTU_EXCHANGED, [link, members[0]])
            return
        kind, address = members
        if what == "connected":
            self._links.add(link)
            self._interrupt(_CENTRAL_CONNECT, [link, kind, unhexlify(address)])
        else:
            self._links.discard(link)
            self._interrupt(_CENTRAL_DISCONNECT, [link, kind, unhexlify(address)])

    def _interrupt(self, kind, members):
        """The handler's data are gone once it returns: the list is emptied, an address zeroed."""
        if self._handler is None:
            return
        shown = [
            memoryview(bytearray(each)) if isinstance(each, bytes) else each for each in members
        ]
        views = [each for each in shown if isinstance(each, memoryview)]
        self._handler(kind, shown)
        shown.clear()
        for view in views:
            view[:] = bytes(len(view))

    def _index(self, handle):
        return sorted(self._buffers).index(handle)

    def _need(self):
        if self._socket is None:
            raise OSError(errno.ENODEV, "no radio")

    def _say(self, *words):
        self._need()
        line = (json.dumps(words) + "\n").encode()
        while line:
            line = line[self._socket.send(line) :]


class _Buffer:
    """A characteristic's value."""

    def __init__(self, length=_DEFAULT_BYTES, append=False):
        self._length = length
        self._append = append
        self._value = b""

    def has_room(self, length):
        """Whether that much would still fit beside what is there."""
        return len(self._value) + length <= self._length if self._append else not self._value

    def write(self, data):
        start = self._value if self._append else b""
        self._value = (start + data)[: self._length]

    def read(self):
        value = self._value
        if self._append:
            self._value = b""
        return value


def _hex(data):
    return hexlify(data).decode()
