"""The self-test that `lockctl doctor` runs on a board; prints [name, good, what was seen] in JSON.

Good is null where there is nothing to be good or bad. Nothing is changed, and nothing moves.
"""

import errno
import gc
import json
import os
import sys
import time

import machine

found = []
gc.collect()
heap = gc.mem_free() + gc.mem_alloc()
# The smallest heap in which a lock with phones and a cloud lives, on 32 and on 64 bits: see
# docs/decisions/0006-size.md.
NEEDS_KB = {"in place": (138, 234), "from files": (219, 317)}


def look(name, function):
    """Note what a function returns; an exception is bad news."""
    try:
        good, seen = function()
        found.append([name, good, seen])
    except Exception as error:  # noqa: BLE001  # whatever a broken board raises
        found.append([name, False, repr(error)])


def firmware():
    """Files that are not what the manifest says."""
    from binascii import hexlify
    from hashlib import sha256

    wrong = []
    count = 0
    with open("firmware.sha256") as manifest:
        for line in manifest:
            wanted, path = line.split()
            count += 1
            try:
                with open(path, "rb") as file:
                    right = hexlify(sha256(file.read()).digest()).decode() == wanted
            except OSError:
                right = False
            if not right:
                wrong.append(path)
    return not wrong, " ".join(wrong) or "%d files" % count


def where():
    """How its code is run."""
    import firmware

    path = getattr(firmware, "__file__", "")  # what is frozen has none
    return "in place" if not path or path.startswith("/rom/") else "from files"


def runs():
    """The same, for people."""
    return None, where()


def answers():
    """Known answers."""
    from firmware import selftest

    broken = selftest.run()
    return broken is None, broken or "signatures, zones, decisions"


def crash():
    """What ended the last runs."""
    from firmware.hal.crash import Crash

    last = Crash()
    return last.count == 0, "%d in a row; the last: %s" % (last.count, last.why or "none")


def identity():
    """Whose it is."""
    from firmware.store import identity
    from firmware.store.flash import Flash

    who = identity.read(Flash(".").pair)
    return None, "not provisioned" if who is None else who.lock.decode()


def pins():
    """The drive has no current, and nobody holds the button."""
    from firmware.hal import bare

    bare.safe()
    held = bare.is_button_held()
    return not held, "the inside button is held, or its wire is on ground" if held else "at rest"


def rtc():
    """The clock chip answers and runs."""
    from firmware.hal.board import this

    pins = this().pins
    bus = machine.I2C(0, scl=machine.Pin(pins["scl"]), sda=machine.Pin(pins["sda"]), freq=100_000)
    status = bytearray(1)
    bus.readfrom_mem_into(0x68, 0x0F, status)
    stopped = status[0] & 0x80
    return True, "it has no time yet" if stopped else "it has the time"


def clock():
    """Ticks and the calendar go on, both alike, in one second of three."""
    calendar = machine.RTC()
    took_ms = []
    for _ in range(4):
        start_ms = time.ticks_ms()
        second = calendar.datetime()[6]
        while calendar.datetime()[6] == second:
            if time.ticks_diff(time.ticks_ms(), start_ms) > 2000:
                return False, "the calendar stands still"
        took_ms.append(time.ticks_diff(time.ticks_ms(), start_ms))
        if len(took_ms) > 1 and 900 < took_ms[-1] < 1100:  # the first second was not whole
            return True, "a second takes %d ms" % took_ms[-1]
    return False, "seconds take %s ms" % took_ms[1:]


def flash():
    """A file is what was written, and there is room."""
    content = bytes(range(256)) * 8
    with open("doctor", "wb") as file:
        file.write(content)
    with open("doctor", "rb") as file:
        same = file.read() == content
    os.remove("doctor")
    room = os.statvfs(".")
    return same, "%d KB free" % (room[0] * room[3] // 1024)


def memory():
    """What a lock leaves of the heap; Wi-Fi and Bluetooth, which are off, take of the same."""
    needs = NEEDS_KB[where()][sys.maxsize > 1 << 32] * 1024
    seen = "%d KB without radio, a lock takes %d" % (heap // 1024, needs // 1024)
    if heap < needs:
        return False, seen + "; docs/hardware.md says what to do"
    return True, seen + ", %d are free at least" % ((heap - needs) // 1024)


def wifi():
    """What is in the air."""
    import network

    station = network.WLAN(network.STA_IF)
    station.active(True)
    names = [each[0].decode() for each in station.scan()]
    return None, "%d networks: %s" % (len(names), ", ".join(names))


def bluetooth():
    """It can be switched on."""
    try:
        import bluetooth
    except ImportError:
        return None, "this MicroPython has none"
    try:
        bluetooth.BLE().active(True)
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise
        return None, "this board has none"
    return True, "on"


def system():
    """What it runs on."""
    machine_name = getattr(sys.implementation, "_machine", "")
    version = ".".join([str(part) for part in sys.implementation[1][:3]])
    return None, "MicroPython %s, %s, %d MHz" % (version, machine_name, machine.freq() // 1000000)


for check in (
    system, firmware, runs, answers, crash, identity, pins, rtc, clock, flash, memory, wifi,
    bluetooth,
):  # fmt: skip
    look(check.__name__, check)
print(json.dumps(found))
