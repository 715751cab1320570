"""Bluetooth LE: one service that centrals write to and are notified by.

Imports MicroPython's `bluetooth`. The only module that does. NimBLE interrupts the program
anywhere, though never while another byte code runs; all that `_interrupt` does is to put what
happened into a queue, and `deliver` takes it out, in the loop's own time. Reading a value
allocates it, so what is bounded is what waits from one central; one that sends more is cut off.
An interrupt for which there is no memory is lost, and then nobody knows who is there: `deliver`
raises from then on, until the program has begun anew.
"""

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

MOST_WAITING = 8192  # bytes that a central wrote and that are not delivered
_EVENT = 48  # bytes that an event takes besides
_MTU = 247  # a link-layer packet of Bluetooth 4.2 has room for it
_VALUE = 512  # what a write may have by the specification

_CONNECTED = 1
_DISCONNECTED = 2
_WRITTEN = 3
_MTU_EXCHANGED = 21
_TOO_MUCH = 255  # not of NimBLE

_RANDOM = 1  # an address made anew whenever it is asked for, not the chip's own
_WRITE = 0x0C  # with and without response
_NOTIFY = 0x10
_NAP_MS = 5
_MASK = 0x3FFF_FFFF  # keeps counts small integers


class _Line:
    """What waits from one central. Only the interrupt changes `came`, only the loop `taken`."""

    def __init__(self):
        self.came = 0
        self.taken = 0
        self.is_full = False


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
        self._events: "list[tuple[int, int, Any, Any]]" = []
        self._lines: "dict[int, _Line]" = {}
        self._failure: "Exception | None" = None  # of an interrupt
        self._written = 0  # handles
        self._notified = 0
        # A simulated one is told when to interrupt.
        self._pump = getattr(ble, "pump", None)
        self.stream = getattr(ble, "stream", None)

    def start(self, service: str, write: str, notify: str) -> None:
        """Have one service with two characteristics, by the texts of their UUIDs."""
        ble = self._ble
        uuid = self._uuid
        ble.config(gap_name="", mtu=_MTU)
        ble.irq(self._interrupt)
        own = (uuid(service), ((uuid(write), _WRITE), (uuid(notify), _NOTIFY)))
        ((self._written, self._notified),) = ble.gatts_register_services((own,))
        ble.gatts_set_buffer(self._written, _VALUE, True)

    def renew(self) -> None:
        """Be somebody else from now on: another address, and no advertisement for now.

        Only while nobody is connected.
        """
        self._ble.gap_advertise(None)
        self._ble.config(addr_mode=_RANDOM)

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
        try:
            self._note(event, data)
        except Exception as error:  # noqa: BLE001  # the port may never call again who raises here
            self._failure = error

    def _note(self, event, data):
        link = data[0]
        if event == _WRITTEN:
            piece = self._ble.gatts_read(data[1])
            if piece:  # else it came with the one before
                self._keep(link, piece)
        elif event == _MTU_EXCHANGED:
            self._events.append((event, link, data[1], None))
        elif event == _CONNECTED or event == _DISCONNECTED:
            self._lines[link] = _Line()
            self._events.append((event, link, None, None))

    def _keep(self, link, piece):
        line = self._lines[link]
        if line.is_full:
            return
        came = (line.came + len(piece) + _EVENT) & _MASK
        if (came - line.taken) & _MASK > MOST_WAITING:
            line.is_full = True
            self._events.append((_TOO_MUCH, link, None, None))
        else:
            line.came = came
            self._events.append((_WRITTEN, link, piece, line))

    # --- for the loop ---------------------------------------------------------------------------

    def deliver(self, to: "Any") -> bool:
        """Tell the next thing that happened to `to`; False if there is none.

        It has `connected(link)`, `written(link, data)`, `sized(link, mtu)`, `flooded(link)` and
        `disconnected(link)`. Raises RuntimeError after an interrupt failed.
        """
        if self._pump is not None:
            self._pump()
        if self._failure is not None:
            raise RuntimeError("the radio's interrupt: " + repr(self._failure))
        if not self._events:
            return False
        event, link, what, line = self._events.pop(0)
        if event == _CONNECTED:
            to.connected(link)
        elif event == _WRITTEN:
            line.taken = (line.taken + len(what) + _EVENT) & _MASK
            to.written(link, what)
        elif event == _MTU_EXCHANGED:
            to.sized(link, what)
        elif event == _TOO_MUCH:
            to.flooded(link)
        else:
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
