"""Bluetooth LE: one service that centrals write to and are notified by.

Imports MicroPython's `bluetooth`. The only module that does. NimBLE interrupts the program
anywhere, though never while another byte code runs; all that `_interrupt` does is to put what
happened into a queue, and `deliver` takes it out, in the loop's own time. Reading a value
allocates it, so the queue's bytes are what is bounded, and a central that fills it up is cut off.
"""

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

MOST_WAITING = 16_384  # bytes that were written and not delivered
_EVENT = 48  # bytes that an event takes besides
_MTU = 247  # a link-layer packet of Bluetooth 4.2 has room for it
_VALUE = 512  # what a write may have by the specification

_CONNECTED = 1
_DISCONNECTED = 2
_WRITTEN = 3
_MTU_EXCHANGED = 21
_TOO_MUCH = 255  # not of NimBLE

_RANDOM = 1  # an address made anew each time it is switched on, not the chip's own
_WRITE = 0x0C  # with and without response
_NOTIFY = 0x10
_NAP_MS = 5
_MASK = 0x3FFF_FFFF  # keeps counts small integers


class Radio:
    """The board's Bluetooth; `module` is `bluetooth`, or what behaves like it.

    Raises OSError if it cannot be switched on.
    """

    def __init__(self, module: "Any", sleep_ms: "Callable[[int], None]") -> None:
        ble = module.BLE()
        ble.active(True)
        self._ble = ble
        self._uuid = module.UUID
        self._sleep_ms = sleep_ms
        self._events: "list[tuple[int, int, Any]]" = []
        self._came = 0  # bytes; only the interrupt changes this one,
        self._taken = 0  # and only the loop that one
        self._deaf: "list[int]" = []  # links of which nothing counts any more
        self._written = 0  # handles
        self._notified = 0
        # A simulated one is told when to interrupt.
        self._pump = getattr(ble, "pump", None)
        self.stream = getattr(ble, "stream", None)

    def start(self, service: str, write: str, notify: str) -> None:
        """Have one service with two characteristics, by the texts of their UUIDs."""
        ble = self._ble
        uuid = self._uuid
        ble.config(gap_name="", mtu=_MTU, addr_mode=_RANDOM)
        ble.irq(self._interrupt)
        own = (uuid(service), ((uuid(write), _WRITE), (uuid(notify), _NOTIFY)))
        ((self._written, self._notified),) = ble.gatts_register_services((own,))
        ble.gatts_set_buffer(self._written, _VALUE, True)

    def advertise(self, interval_us: int, data: bytes, answer: bytes) -> bool:
        """Let centrals find the board, until the next one connects; False if that cannot be."""
        try:
            self._ble.gap_advertise(interval_us, adv_data=data, resp_data=answer)
        except OSError:
            return False  # another one connected already
        return True

    def notify(self, link: int, piece: bytes) -> bool:
        """Send a piece; False if there is no room for it yet, or nobody any more."""
        try:
            self._ble.gatts_notify(link, self._notified, piece)
        except OSError:
            return False
        return True

    def drop(self, link: int) -> None:
        """End a connection; `deliver` tells when it is over."""
        try:
            self._ble.gap_disconnect(link)
        except OSError:
            return  # it is over already

    def _interrupt(self, event, data):
        if event == _WRITTEN:
            link, handle = data
            piece = self._ble.gatts_read(handle)
            if not piece or link in self._deaf:
                return  # what came with one before
            came = (self._came + len(piece) + _EVENT) & _MASK
            if (came - self._taken) & _MASK > MOST_WAITING:
                self._deaf.append(link)
                self._events.append((_TOO_MUCH, link, None))
                return
            self._came = came
            self._events.append((event, link, piece))
        elif event == _MTU_EXCHANGED:
            link, mtu = data
            self._events.append((event, link, mtu))
        elif event in (_CONNECTED, _DISCONNECTED):
            self._events.append((event, data[0], None))

    # --- for the loop ---------------------------------------------------------------------------

    def deliver(self, to: "Any") -> bool:
        """Tell the next thing that happened to `to`; False if there is none.

        It has `connected(link)`, `written(link, data)`, `sized(link, mtu)`, `flooded(link)` and
        `disconnected(link)`.
        """
        if self._pump is not None:
            self._pump()
        if not self._events:
            return False
        event, link, what = self._events.pop(0)
        if event == _CONNECTED:
            to.connected(link)
        elif event == _WRITTEN:
            self._taken = (self._taken + len(what) + _EVENT) & _MASK
            to.written(link, what)
        elif event == _MTU_EXCHANGED:
            to.sized(link, what)
        elif event == _TOO_MUCH:
            to.flooded(link)
        else:
            if link in self._deaf:
                self._deaf.remove(link)
            to.disconnected(link)
        return True

    def wait(self, ms: int) -> None:
        """Sleep for so many ms, or until something happened."""
        while ms > 0 and not self._events:
            nap_ms = min(ms, _NAP_MS)
            self._sleep_ms(nap_ms)
            ms -= nap_ms


def find(sleep_ms: "Callable[[int], None]") -> "Radio | None":
    """The board's radio, or None if it has none."""
    try:
        import bluetooth
    except ImportError:
        return None
    try:
        return Radio(bluetooth, sleep_ms)
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        return None
