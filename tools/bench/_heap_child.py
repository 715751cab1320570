"""The part of the heap's benchmark that runs on MicroPython, over the built files: only a lock.

The phone is at the other end of stdin and stdout: it sends "come", "go" or a piece in hexadecimal
digits on a line, and is answered with a line of pieces. The first line, and the one after "end",
are JSON with bytes of heap. The first argument is an image of a ROM file system to import from, or
empty. With a second one, "quick", nothing is collected but when MicroPython does it, and there are
no numbers.
"""

import gc
import json
import sys
from binascii import hexlify, unhexlify


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IMAGE = sys.argv[1]
IS_QUICK = sys.argv[2:] == ["quick"]
found = {}

if IMAGE:
    import vfs

    with open(IMAGE, "rb") as file:
        vfs.mount(vfs.VfsRom(memoryview(file.read())), "/rom")
    sys.path.insert(0, "/rom")

gc.threshold(4096)  # type: ignore[attr-defined]
# The simulator's, compiled here and now: an image for the ESP32 has them outside the heap.
import bluetooth  # type: ignore[import-not-found]  # noqa: E402, F401
import machine  # type: ignore[import-not-found]  # noqa: E402, F401
import network  # type: ignore[import-not-found]  # noqa: E402, F401
import ssl  # noqa: E402, F401


def taken():
    if IS_QUICK:
        return 0
    gc.collect()
    return gc.mem_alloc()  # type: ignore[attr-defined]


BEFORE = taken()

from firmware import heap  # noqa: E402

heap.collect_soon()  # as main.py does
from firmware import app  # noqa: E402
from firmware.hal.board import Board  # noqa: E402
from firmware.hal.hardware import Hardware  # noqa: E402
from firmware.link import carrier, clerk, gatt, visits  # noqa: E402, F401  # as app does later
from firmware.store import identity  # noqa: E402
from firmware.store.flash import Flash  # noqa: E402

found["import"] = taken() - BEFORE


class Radio:
    """A `hal.radio.Radio` for one phone."""

    def __init__(self):
        self.events = []
        self.pieces = []

    def start(self, service, write, notify):
        pass

    def renew(self):
        pass

    def advertise(self, interval_us, data, answer):
        return True

    def notify(self, link, piece):
        self.pieces.append(hexlify(piece).decode())
        return True

    def drop(self, link):
        raise ValueError("the lock ends the visit")

    def deliver(self, to):
        if not self.events:
            return False
        name, *members = self.events.pop(0)
        getattr(to, name)(*members)
        return True


class Network:
    """A `hal.network.Network` whose thread never runs: there is a post, and nobody carries it."""

    ticks_ms = ticks_diff = sleep_ms = None
    has_wifi = False

    def look(self):
        return ""

    def is_lost(self):
        return False

    def know(self, name, password):
        pass

    def make_lock(self):
        import _thread

        return _thread.allocate_lock()

    def start(self, function):
        pass


def work(lock, radio):
    """All there is to do; the most heap that was in use in between."""
    most = idle = 0
    while idle < 2:  # a step that was the second's does no other work
        idle = idle + 1 if lock.step() and not radio.events else 0
        most = max(most, taken())
    return most


def main():
    hardware: "Any" = Hardware(Board())
    radio = hardware.radio = Radio()
    hardware.network = Network()
    flash = Flash(".")
    who: "Any" = identity.read(flash.pair)
    lock = app.Lock(hardware, flash, who, print)
    who.issuer.precompute()
    lock.start()
    found["apart"] = BEFORE
    found["provisioned"] = taken() - BEFORE
    app._connect(lock, hardware, flash, who)
    app._listen(lock, hardware, who)
    work(lock, radio)
    heap.collect_late()  # as app does now
    found["serving"] = taken() - BEFORE
    found["key"] = hexlify(lock.key()).decode()
    print(json.dumps(found))
    most = 0
    for line in sys.stdin:
        word = line.strip()
        if word == "end":
            break
        if word == "come":
            radio.events += [("connected", 1), ("sized", 1, 247)]
        elif word == "go":
            radio.events.append(("disconnected", 1))
        elif word.startswith("token "):
            print(lock.accept(unhexlify(word[6:])))
            continue
        else:
            radio.events.append(("written", 1, unhexlify(word)))
        most = max(most, work(lock, radio))
        print(*radio.pieces)
        radio.pieces.clear()
    print(json.dumps({"peak": most - BEFORE}))


main()
