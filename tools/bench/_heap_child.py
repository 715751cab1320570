"""The part of the heap's benchmark that runs on MicroPython, over the built files: only a lock.

Arguments: the folder of the lock's flash, an image of a ROM file system to import from or "", and
how far to go. "parts" is for 32-bit MicroPython: imports and objects, in one line of JSON with
bytes of heap. Otherwise the phone is at the other end of stdin and stdout: it sends a word or a
piece in hexadecimal digits on a line, and is answered with a line of pieces. The first line, and
the one after "end", are JSON; with "quick" nothing is collected but when MicroPython does it, and
there are no numbers.
"""

import json
import sys
from binascii import hexlify, unhexlify

FOLDER, IMAGE, MODE = sys.argv[1:]
if MODE == "parts":
    del sys.modules["gc"]  # here nothing is collected but below, when no function runs
import gc  # noqa: E402

gc.threshold(4096)  # type: ignore[attr-defined]
found = {"apart": 0}


def mount():
    import vfs

    with open(IMAGE, "rb") as file:
        vfs.mount(vfs.VfsRom(memoryview(file.read())), "/rom")
    sys.path.insert(0, "/rom")


if IMAGE:
    mount()

# What an image for the ESP32 has inside, and this heap for want of it.
import _heap_board  # type: ignore[import-not-found]  # noqa: E402

if MODE == "parts":
    _heap_board.put("_thread", "cryptolib", "socket", "ssl", "umqtt", "urequests")
else:
    _heap_board.put()
    import urequests  # type: ignore[import-not-found]  # noqa: F401
    from umqtt import simple  # type: ignore[import-not-found]  # noqa: F401


def taken():
    if MODE == "quick":
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

    def start(self, *_):
        pass

    def renew(self):
        pass

    def advertise(self, *_):
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


hardware = Hardware(Board())
if MODE == "parts":
    hardware.random = lambda count: b"\x07" * count  # this build has no source of it
radio = Radio()
hardware.radio = radio  # type: ignore[assignment]
flash = Flash(FOLDER)
who = identity.read(flash.pair)
lock = app.Lock(hardware, flash, who, print)  # type: ignore[arg-type]
who.issuer.precompute()  # type: ignore[union-attr]
lock.start()
found["provisioned"] = taken() - BEFORE
app._connect(lock, hardware, flash, who)
app._listen(lock, hardware, who)


def work():
    """All there is to do; the most heap that was in use in between."""
    most = idle = 0
    while idle < 2:  # a step that was the second's does no other work
        idle = idle + 1 if lock.step() and not radio.events else 0
        most = max(most, taken())
    return most


def serve():
    """Do what the phone says, until it is gone."""
    most = 0
    for line in sys.stdin:
        word = line.strip()
        if word == "end":
            break
        if word == "come":
            radio.events += [("connected", 1), ("sized", 1, 247)]
        elif word == "go":
            radio.events.append(("disconnected", 1))
        elif word == "serving":
            found[word] = taken() - BEFORE
        elif word.startswith("token "):
            print(lock.accept(unhexlify(word[6:])))
            continue
        elif word:
            radio.events.append(("written", 1, unhexlify(word)))
        most = max(most, work())
        print(*radio.pieces)
        radio.pieces.clear()
    found["peak"] = most - BEFORE


found["apart"] = BEFORE
if MODE == "parts":
    found["serving"] = taken() - BEFORE
else:
    work()
    heap.collect_late()  # as app does now
    print(json.dumps({"key": hexlify(lock.key()).decode()}))
    serve()
print(json.dumps(found))
