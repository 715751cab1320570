"""What a board does that is no lock yet, or whose inside button was held while it started.

Imports link, lock and store; hal's objects are handed in. The serial line takes Improv Wi-Fi until
somebody types Ctrl-C, which is where the prompt begins, for mpremote as well as for people.
Meanwhile the button inside opens, because a door may hang on this board.
"""

from .link.improv import Improv
from .lock.assembly import make_doorway
from .store import identity, wifi
from .store.ends import Ends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_CTRL_C = b"\x03"
_NAP_MS = 20
_QUIET_MS = 1000  # after so long a packet is over that did not end
STORED_MS = 600_000  # after so long without a word or a push, a board that is no lock sleeps


class Service:
    """`step` it until it says that it is over. `flash` is a `store.flash.Flash`.

    `line` has `read` and `write` of a `hal.console.Line`, `about` is firmware and its version.
    `sleep` is called for a board that lies in a drawer, and does not come back on one.
    """

    def __init__(
        self,
        hardware: "Any",
        flash: "Any",
        line: "Any",
        about: "list[str]",
        sleep: "Callable[[], None]",
    ) -> None:
        who = None if flash.is_wiped() else identity.read(flash.pair)
        record = None if who is None else Ends(flash.pair, who.seal()).record
        self._line = line
        self._ticks_ms = hardware.ticks_ms
        self._ticks_diff = hardware.ticks_diff
        self._heard_ms = self._used_ms = hardware.ticks_ms()
        self._doorway = make_doorway(hardware, record, self._note)
        self._sleep = None if who is not None else sleep
        self._improv: "Improv | None" = None
        network = hardware.network
        if network is None or not network.has_wifi:
            return
        network.hostname(wifi.read_host(flash.pair))
        self._sleep_ms = network.sleep_ms
        network.sleep_ms = self._nap
        self._improv = Improv(
            network,
            lambda name, password: wifi.write(flash.pair, name, password),
            lambda host: wifi.write_host(flash.pair, host),
            about + [hardware.board.chip],
            line.write,
        )

    def step(self) -> bool:
        """Do what is due; False once somebody wants the prompt, or nobody can type any more."""
        self._doorway.tick()
        byte = self._line.read(_NAP_MS)
        improv = self._improv
        now = self._ticks_ms()
        if byte is None:
            if improv and self._ticks_diff(now, self._heard_ms) > _QUIET_MS:
                improv.forget()
            if self._sleep and self._ticks_diff(now, self._used_ms) > STORED_MS:
                self._sleep()
            return True
        self._heard_ms = self._used_ms = now
        is_taken = improv is not None and byte and improv.take(byte)
        return bool(is_taken or byte not in (_CTRL_C, b""))

    def _note(self, reason, count):
        """Somebody pushed the button, or moved the door: there is no log here."""
        self._used_ms = self._ticks_ms()

    def _nap(self, ms):
        """What the network does while it waits."""
        while ms > 0:
            self._doorway.tick()
            self._sleep_ms(min(ms, _NAP_MS))
            ms -= _NAP_MS


def run(
    hardware: "Any",
    flash: "Any",
    line: "Any",
    about: "list[str]",
    sleep: "Callable[[], None]",
    say: "Callable[[str], None]",
) -> None:
    """Serve whoever is at the line; comes back when the prompt is theirs."""
    service = Service(hardware, flash, line, about, sleep)
    say("Improv Wi-Fi listens at this line; Ctrl-C is the prompt.")
    while service.step():
        pass
