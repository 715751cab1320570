"""Phones at the lock: connections over Bluetooth, and the messages on them.

Imports its siblings; the radio and the Visits are handed in. What phones say is the Visits'
business; here is who is there, and for how long. Nobody can keep others out by being slow: a
central that is silent is dropped, and of those that are there the one that was silent longest when
the last free place is taken, so that there always is one.
"""

from .beacon import SALT_BYTES, advertisement, answer
from .frames import MOST_MESSAGE, Cutter, FrameError, Joiner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator

SERVICE = "060fb668-af8a-403f-be06-f347ad1e4029"
WRITE = "060fb669-af8a-403f-be06-f347ad1e4029"
NOTIFY = "060fb66a-af8a-403f-be06-f347ad1e4029"

MOST_LINKS = 4  # that a stock image for the ESP32 can have
SILENCE_S = 30  # without a whole message from a central, or a piece to it
MOST_UNSENT = 8192  # bytes for one central
MOST_BEGUN = 2 * MOST_MESSAGE  # bytes of messages that are under way, of all centrals
RENEW_S = 900  # after so long the lock looks like another one to strangers
ALWAYS = 640  # bytes; a message that short is taken whatever others have begun
_ADVERTISE_US = 250_000
_LEAST_MTU = 23
_ATT_HEAD = 3


class Central:
    """One that is connected; it `listens` from its first piece on."""

    def __init__(self) -> None:
        self.listens = False
        self.most = _LEAST_MTU - _ATT_HEAD
        self.silent_s = 0
        self.joiner = Joiner()
        self.cutter = Cutter()
        self.unsent: "list[bytes]" = []
        self.pieces: "Iterator[bytes]" = iter(())
        self.piece: "bytes | None" = None


class Gatt:
    """The lock's one service, on a `hal.radio.Radio`; set `visits` before `start`."""

    def __init__(self, radio: "Any", lock: bytes, random: "Callable[[int], bytes]") -> None:
        self._radio = radio
        self._lock = lock
        self._random = random
        self._centrals: "dict[int, Central]" = {}
        self._answer = b""
        self._same_s = 0  # for so long it has said the same
        self._is_heard = False
        self.visits: "Any" = None

    def start(self) -> None:
        """From now on phones can come."""
        self._radio.start(SERVICE, WRITE, NOTIFY)
        self._renew()

    def work(self) -> bool:
        """One piece of work; False if there is none, or none that can be done now."""
        if self._radio.deliver(self):
            return True
        has_sent = False
        for link, central in self._centrals.items():
            if self._send_on(link, central):
                has_sent = True
        return has_sent or self.visits.work()

    def tick(self) -> None:
        """Once a second."""
        for link, central in self._centrals.items():
            central.silent_s += 1
            if central.silent_s >= SILENCE_S:
                self.drop(link)
        self._same_s += 1
        if self._same_s >= RENEW_S and not self._centrals:
            self._renew()
        if not self._is_heard and len(self._centrals) < MOST_LINKS:
            self._advertise()
        self.visits.tick()

    def is_alone(self) -> bool:
        """Whether no central is connected."""
        return not self._centrals

    # --- for the visits -------------------------------------------------------------------------

    def send(self, link: int, message: bytes) -> bool:
        """Send a message; False if that central is gone, or has not taken what it got before."""
        central = self._centrals.get(link)
        if central is None:
            return False
        waiting = len(message)
        for each in central.unsent:
            waiting += len(each)
        if waiting > MOST_UNSENT:
            self.drop(link)
            return False
        central.unsent.append(message)
        return True

    def drop(self, link: int) -> None:
        """End a connection."""
        self._radio.drop(link)

    # --- what the radio delivers ----------------------------------------------------------------

    def connected(self, link: int) -> None:
        """A central came. NimBLE does not tell when it subscribes, so it has to say it itself."""
        self._centrals[link] = Central()
        self._is_heard = False
        if len(self._centrals) >= MOST_LINKS:
            self.drop(self._most_silent(link))
        else:
            self._advertise()

    def disconnected(self, link: int) -> None:
        """A central is gone."""
        central = self._centrals.pop(link, None)
        if central is not None and central.listens:
            self.visits.closed(link)
        self._advertise()

    def sized(self, link: int, mtu: int) -> None:
        """So much goes into one packet of ATT from now on."""
        if link in self._centrals:
            self._centrals[link].most = mtu - _ATT_HEAD

    def written(self, link: int, data: bytes) -> None:
        """A central wrote a piece, or several."""
        central = self._centrals.get(link)
        if central is None:
            return
        if not central.listens:
            central.listens = True
            self.visits.opened(link)
        try:
            messages = central.joiner.join(data, self._room_for(central))
        except FrameError:
            self.drop(link)
            return
        for message in messages:
            central.silent_s = 0
            self.visits.received(link, message)

    def flooded(self, link: int) -> None:
        """A central wrote more than there was room for; the rest is lost."""
        self.drop(link)

    # --- inside ---------------------------------------------------------------------------------

    def _renew(self) -> None:
        """Another address and another beacon, together: neither leads from the old to the new."""
        self._same_s = 0
        self._radio.renew()
        self._answer = answer(_reversed(SERVICE), self._lock, self._random(SALT_BYTES))
        self._advertise()

    def _advertise(self) -> None:
        said = advertisement(_reversed(SERVICE))
        self._is_heard = self._radio.advertise(_ADVERTISE_US, said, self._answer)

    def _room_for(self, central):
        """How long a message may be that this one begins: strangers get little memory."""
        room = MOST_BEGUN
        for other in self._centrals.values():
            if other is not central:
                room -= other.joiner.begun()
        return min(max(room, ALWAYS), MOST_MESSAGE)

    def _most_silent(self, but: int) -> int:
        others = [link for link in self._centrals if link != but]
        return max(others, key=lambda link: self._centrals[link].silent_s)

    def _send_on(self, link, central):
        """Give the radio what it has room for; whether that was anything."""
        has_sent = False
        while True:
            if central.piece is None:
                central.piece = next(central.pieces, None)
            if central.piece is None:
                if not central.unsent:
                    return has_sent
                central.pieces = central.cutter.cut(central.unsent.pop(0), central.most)
            elif self._radio.notify(link, central.piece):
                central.piece = None
                central.silent_s = 0
                has_sent = True
            else:
                return has_sent


def _reversed(uuid: str) -> bytes:
    """As it travels: the last byte first."""
    digits = uuid.replace("-", "")
    return bytes([int(digits[at : at + 2], 16) for at in range(30, -1, -2)])
