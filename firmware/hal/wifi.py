"""The chip's Wi-Fi as the network: joined in the thread that wants it, never in the loop.

Imports MicroPython's own modules and its sibling.
"""

import errno

import network

from .network import Network

JOIN_MS = 30_000  # then somebody else gets a turn, and the chip a fresh start
_NAP_MS = 200


class Wifi(Network):
    """A station. It joins what `know` named; what was joined at the prompt will do, too."""

    def __init__(self) -> None:
        super().__init__()
        self._station = network.WLAN(network.STA_IF)
        self._name = ""
        self._password = ""

    def know(self, name: str, password: str) -> None:
        """Join this one."""
        self._name = name
        self._password = password

    def bring_up(self) -> None:
        """Come back when there is a network. Raises OSError if that takes too long."""
        station = self._station
        if station.isconnected():
            return
        if not self._name:
            raise OSError(errno.ENODEV)
        station.active(True)
        self._leave()
        station.connect(self._name, self._password or None)
        since = self.ticks_ms()
        while not station.isconnected():
            passed_ms = self.ticks_diff(self.ticks_ms(), since)
            if passed_ms > JOIN_MS or station.status() == network.STAT_WRONG_PASSWORD:
                self._leave()
                raise OSError(errno.ETIMEDOUT)
            self.sleep_ms(_NAP_MS)

    def _leave(self):
        """Stop what it does; a chip refuses to begin while it is joining."""
        try:
            self._station.disconnect()
        except OSError:  # it does nothing
            pass
