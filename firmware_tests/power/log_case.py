"""What the tests of the log share: a log in two folders, events, and a check of all it holds."""

from firmware.policy.decision import Now
from firmware.policy.instant import Instant
from firmware.store import entry
from firmware.store.entry import Chain
from firmware.store.files import Files
from firmware.store.log import Log
from firmware.store.seal import Seal
from firmware_tests.both.check import equal, true

KEY = bytes(range(32))
NOW = Now(Instant(20000, 43210), 7)
PER_SEGMENT = 64


class Memory:
    """The port to the file system, in memory, for tests that are not about littlefs."""

    def __init__(self):
        self.files = {}
        self.appends = 0
        self.fails = False

    def read(self, name):
        return bytes(self.files[name]) if name in self.files else None

    def read_into(self, name, offset, buffer):
        part = bytes(self.files.get(name, b""))[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)

    def replace(self, name, data):
        self._powered()
        self.files[name] = bytearray(data)

    def append(self, name, data):
        self._powered()
        self.appends += 1
        self.files[name] = self.files.get(name, bytearray()) + bytes(data)

    def size(self, name):
        return len(self.files[name]) if self.files.get(name) else -1

    def names(self):
        return list(self.files)

    def remove(self, name):
        self._powered()
        self.files.pop(name, None)

    def _powered(self):
        if self.fails:
            raise OSError(5)


def folders(mount):
    """The two folders on a mounted flash."""
    return Files(mount + "/log"), Files(mount + "/state")


def new(places, capacity=128):
    return Log(places[0], places[1], KEY, capacity)


def opened(places, capacity=128):
    log = new(places, capacity)
    log.open(NOW)
    return log


def event(log, number):
    """Append an event that says which one it is; its sequence number."""
    return log.append(
        entry.DECISION, NOW, number & 63, 1, b"share-%d" % number, b"phone", number & 0xFFFF
    )


def records(log, after=0):
    """Every record on flash, as bytes."""
    reader = log.reader(after)
    buffer = bytearray(5 * entry.BYTES + 7)
    found = []
    length = reader.read_into(buffer)
    while length:
        for at in range(0, length, entry.BYTES):
            found.append(bytes(buffer[at : at + entry.BYTES]))
        length = reader.read_into(buffer)
    return found


def faults(log, after=0):
    """(place, fault) of every record that the log's own chain and key do not vouch for."""
    head = log.reader(after).head()
    chain = Chain(head[12:28] if head[6] else None, Seal(KEY), after or None)
    found = []
    for place, record in enumerate(records(log, after)):
        fault = chain.take(record)
        if fault:
            found.append((place, fault))
    return found


def entries(log, after=0):
    return [entry.Entry(record) for record in records(log, after)]


def events(log):
    """The numbers of the events on flash."""
    return [
        int(each.share.rstrip(b"\x00")[6:]) for each in entries(log) if each.kind == entry.DECISION
    ]


def sound(log):
    """The log has no fault, and its numbers only go up."""
    equal(faults(log), [])
    numbers = [each.sequence for each in entries(log)]
    for before, after in zip(numbers, numbers[1:]):
        true(before < after, (before, after))
