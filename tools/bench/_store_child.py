"""The part of the store benchmark that runs on MicroPython: one store on littlefs, measured.

`_store_child.py STORE COUNT SAMPLES`: fills a store with COUNT grants and prints a JSON object
of what SAMPLES operations of each kind took on average.
"""

import gc
import json
import sys
from gc import mem_alloc  # type: ignore[attr-defined]  # MicroPython's

from firmware.policy.grant import Grant
from firmware.policy.instant import Instant
from firmware.policy.schedule import Rule
from firmware.store.files import Files
from firmware.store.grants import FOLDERS, Grants
from host_sim.world.flash import BOARD_BLOCKS, MOUNT, Flash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOCK = b"lock-1"
AT = Instant(20_500, 43_210)
FIRMWARE_FILES = 48  # of 64 KB together, in eight folders
LOG_SEGMENTS = 64  # of one block each: 4 096 entries of 64 bytes
OPENINGS = 3_000
COUNTED = 10  # so many of the grants count their uses, in a slot more each
STEP = 7_919  # a prime: which of the grants is next


def share_of(number):
    """A share id of 16 bytes."""
    return b"share-%010d" % number


def key_of(number):
    """A key's thumbprint, 16 bytes."""
    return b"phone-%010d" % number


def grant_of(number):
    """A usual grant: two rules and a lease."""
    made = Grant(share_of(number), LOCK, key_of(number))
    made.holder = b"p-%06d" % number
    made.issued = AT
    made.lease = Instant(20_530, 0)
    made.rules = (Rule(31, 28_800, 64_800), Rule(32, 36_000, 50_400))
    return made


class Ours:
    """The grant cache."""

    def __init__(self):
        folders = [Files(MOUNT + "/g%d" % number) for number in range(FOLDERS)]
        self._store = Grants(folders, Files(MOUNT + "/j"), bytes(32), LOCK)

    def insert(self, number):
        """Add a grant; whether there was room."""
        made = grant_of(number)
        if number < COUNTED:
            made.uses = 60_000
        return self._store.put(made)

    def lookup(self, number):
        """Find a grant."""
        return self._store.find(key_of(number))

    def unlock(self, key):
        """What the door asks: the grant of a key, and what is known of its share."""
        return self._store.state_at(self._store.find(key), 0)

    def revoke(self, number):
        """Revoke a share."""
        return self._store.revoke(share_of(number), None, 1)

    def count(self, number):
        """Count a use of a share."""
        return self._store.count_use(share_of(number), True, AT)


class OneJson:
    """All grants in one JSON file, rewritten for each change; a plain way to do it."""

    def __init__(self):
        self._files = Files(MOUNT + "/g")

    def _read(self):
        return json.loads(self._files.read("grants.json") or b"{}")

    def _write(self, grants):
        self._files.replace("grants.json", json.dumps(grants).encode())

    def fill(self, count):
        """Many grants with one write."""
        self._write({key_of(n).decode(): self._entry(n) for n in range(count)})

    def _entry(self, number):
        made = grant_of(number)
        rules = [rule.fields()[:5] for rule in made.rules]
        times = [made.issued.day, made.issued.second, made.lease.day, made.lease.second]
        return [made.share.decode(), made.holder.decode(), 1, 0, 7, 3, times, rules, made.uses, 0]

    def insert(self, number):
        """Add a grant."""
        grants = self._read()
        grants[key_of(number).decode()] = self._entry(number)
        self._write(grants)
        return True

    def lookup(self, number):
        """Find a grant."""
        return self._read().get(key_of(number).decode())

    def revoke(self, number):
        """Remove a grant."""
        grants = self._read()
        del grants[key_of(number).decode()]
        self._write(grants)

    def count(self, number):
        """Count a use."""
        grants = self._read()
        grants[key_of(number).decode()][-1] += 1
        self._write(grants)


class FileEach:
    """Each grant in a file of its own, 96 bytes; the other plain way."""

    def __init__(self):
        self._files = Files(MOUNT + "/g")

    def insert(self, number):
        """Add a grant."""
        self._files.replace("%012d" % number, bytes(96))
        return True

    def lookup(self, number):
        """Find a grant."""
        return self._files.read("%012d" % number)

    def revoke(self, number):
        """Remove a grant."""
        self._files.remove("%012d" % number)

    def count(self, number):
        """Count a use."""
        content = self._files.read("%012d" % number) or b""
        self._files.replace("%012d" % number, content)


class Meter:
    """Counts what an operation takes, on average."""

    def __init__(self, flash):
        self._flash = flash
        self.found = {}

    def measure(self, name, function, numbers):
        """Do it for each number; notes erases (also the most of one), reads and KB written."""
        flash = self._flash
        erases = most = reads = written = 0
        for number in numbers:
            gc.collect()
            flash.clear_counts()
            function(number)
            erases += flash.erases
            most = max(most, flash.erases)
            reads += flash.reads
            written += flash.written
        count = len(numbers)
        self.found[name] = [erases / count, most, reads / count, written / count / 1024]

    def garbage(self, function, keys):
        """The most bytes of heap that a call leaves behind, but for those of the flash here."""
        flash = self._flash
        own = self._own_garbage()
        most = 0
        gc.disable()
        for key in keys:
            gc.collect()
            flash.clear_counts()
            before = mem_alloc()
            function(key)
            most = max(most, mem_alloc() - before - own * flash.reads)
        gc.enable()
        return most

    def _own_garbage(self):
        """Bytes that littlefs and the flash here leave behind for each read."""
        files = Files(MOUNT + "/w")
        files.replace("small", bytes(1000))
        files.replace("large", bytes(3000))
        used = []
        buffer = bytearray(3000)
        gc.disable()
        for name in ("small", "large"):
            files.read_into(name, 0, buffer)
            gc.collect()
            self._flash.clear_counts()
            before = mem_alloc()
            files.read_into(name, 0, buffer)
            used.append((mem_alloc() - before, self._flash.reads))
        gc.enable()
        return (used[1][0] - used[0][0]) // (used[1][1] - used[0][1])


def furnish():
    """What else is on the flash: the firmware and the log."""
    for number in range(FIRMWARE_FILES):
        folder = Files(MOUNT + "/f%d" % (number % 8))
        folder.replace("%d.mpy" % number, bytes(64 * 1024 // FIRMWARE_FILES))
    log = Files(MOUNT + "/log")
    for number in range(LOG_SEGMENTS):
        log.replace("s%02d" % number, bytes(4096))


def free_blocks():
    """How many files of a block still fit (statvfs counts folders twice)."""
    spare = Files(MOUNT + "/w")
    number = 0
    try:
        while True:
            spare.replace("x%03d" % number, bytes(4096))
            number += 1
    except OSError:
        for name in spare.names():
            spare.remove(name)
    return number


def main(kind, count, samples):
    """Print what was measured; `full` is how many grants there were when no more fitted."""
    flash = Flash(BOARD_BLOCKS)
    flash.format()
    flash.mount()
    furnish()
    stores: "dict[str, Any]" = {"ours": Ours, "json": OneJson, "files": FileEach}
    store = stores[kind]()
    meter = Meter(flash)
    sampled = [STEP * number % count for number in range(samples)]
    number = 0
    try:
        if kind == "json":
            store.fill(count - samples)
            number = count - samples
        while number < count - samples:
            if not store.insert(number):
                raise OSError(28)
            number += 1
            if number % 16 == 0:
                gc.collect()
        meter.measure("insert", store.insert, range(count - samples, count))
        number = count
        meter.measure("lookup", store.lookup, sampled)
        meter.measure("count", store.count, [number % COUNTED for number in sampled])
        meter.found["free"] = free_blocks()
        if kind == "ours":
            keys = [key_of(number) for number in sampled if number >= COUNTED]
            meter.found["garbage"] = meter.garbage(store.unlock, keys)
            meter.found["again"] = meter.garbage(store.unlock, keys[-1:])
            flash.clear_counts()
            for opening in range(OPENINGS):
                store.count(0)
                if opening % 16 == 0:
                    gc.collect()
            meter.found["worn"] = max(flash.worn) / OPENINGS
        meter.measure("revoke", store.revoke, sorted(set(sampled)))
    except OSError as error:
        if error.errno != 28:
            raise
        meter.found["full"] = number
    print(json.dumps(meter.found))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
