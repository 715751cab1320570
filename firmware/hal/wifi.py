"""The chip's Wi-Fi as the network: joined in the thread that wants it, never in the loop.

Imports MicroPython's own modules and its sibling.
"""

import errno

import network

from .network import Network

JOIN_MS = 30_000  # then somebody else gets a turn, and the chip a fresh start
TRY_MS = 25_000  # for somebody who waits for it, and will not for more than 30 s
_NAP_MS = 200


class Wifi(Network):
    """A station. It joins what `know` named; what was joined at the prompt will do, too.

    `hostname` is MicroPython's: what it is called, or call it so.
    """

    has_wifi = True

    def __init__(self) -> None:
        super().__init__()
        self.hostname = network.hostname
        self._station = network.WLAN(network.STA_IF)
        self._name = ""
        self._password = ""

    def know(self, name: str, password: str) -> None:
        """Join this one."""
        self._name = name
        self._password = password

    def is_up(self) -> bool:
        """Whether it has joined one."""
        return bool(self._station.isconnected())

    def scan(self) -> "list[tuple[str, int, bool]]":
        """What can be heard, best first: name, dBm, whether it needs no password."""
        self._station.active(True)
        found: "dict[str, tuple[str, int, bool]]" = {}
        for name, _, _, dbm, security, _ in self._station.scan():
            try:
                text = name.decode()
            except UnicodeError:
                continue  # it cannot be told, nor named
            if text and (text not in found or found[text][1] < dbm):
                found[text] = text, dbm, security == 0
        return sorted(found.values(), key=lambda each: -each[1])

    def try_out(self, name: str, password: str) -> None:
        """Leave what was joined for this one. Raises OSError if that cannot be."""
        self._station.active(True)
        self._leave()
        self.know(name, password)
        self._join(TRY_MS)

    def bring_up(self) -> None:
        """Come back when there is a network. Raises OSError if that takes too long."""
        if not self._station.isconnected():
            self._join(JOIN_MS)

    def _join(self, most_ms):
        station = self._station
        if not self._name:
            raise OSError(errno.ENODEV)
        station.active(True)
        self._leave()
        station.connect(self._name, self._password or None)
        since = self.ticks_ms()
        while not station.isconnected():
            passed_ms = self.ticks_diff(self.ticks_ms(), since)
            if passed_ms > most_ms or station.status() == network.STAT_WRONG_PASSWORD:
                self._leave()
                raise OSError(errno.ETIMEDOUT)
            self.sleep_ms(_NAP_MS)

    def _leave(self):
        """Stop what it does; a chip refuses to begin while it is joining."""
        try:
            self._station.disconnect()
        except OSError:  # it does nothing
            pass
