"""To move the bolt, and to look at the door again and again, takes no heap."""

from firmware.hal.analog import Analog
from firmware.hal.board import Board
from firmware.hal.bridge import Bridge
from firmware.hal.fuse import Fuse
from firmware.lock.assembly import make_doorway
from firmware.lock.states import LOCKED, LOCKING, UNLOCKED, UNLOCKING
from firmware.policy.grant import LOCK, UNLOCK
from firmware_tests.both.check import equal
from firmware_tests.both.door_case import RECORD
from host_sim.world.door import LOCKED_MV, UNLOCKED_MV, Pin

LACKS = ("heap_counters",)


class Still:
    """A board whose bolt is where it is put, and whose time is what it is set to."""

    board = Board()
    ONE_SHOT = 0

    def __init__(self, sensor):
        self.now = 0
        self.uv = LOCKED_MV * 1000
        drive = Bridge(Pin(0), Pin(0), Fuse(self, 3000))
        self.parts = {"drive": drive, "closed": Pin(0), "button": Pin(1)}
        self.parts["battery"] = Analog(self).read_mv
        if sensor == "position":
            self.parts["position"] = Analog(self).read_mv
        else:
            self.parts["end_locked"] = Pin(0)
            self.parts["end_unlocked"] = Pin(1)

    def put(self, place):
        is_locked = place == LOCKED
        self.uv = (LOCKED_MV if is_locked else UNLOCKED_MV) * 1000
        if "end_locked" in self.parts:
            self.parts["end_locked"].level = 1 - is_locked
            self.parts["end_unlocked"].level = int(is_locked)

    def read_uv(self):
        return self.uv

    def init(self, *, mode, period, callback):
        """As a timer of a chip, which takes no heap."""

    def ticks_ms(self):
        return self.now

    def ticks_diff(self, late, early):
        return late - early


def ignore(reason, count):
    pass


def taken(function):
    """Bytes that a call takes, beyond what measuring takes."""
    from micropython import mem_total

    before = mem_total()
    between = mem_total()
    function()
    return mem_total() - between - (between - before)


def test_neither_a_throw_nor_looking_takes_heap():
    for sensor in ("position", "ends"):
        board = Still(sensor)
        doorway = make_doorway(board, RECORD, ignore)

        def look(board=board, doorway=doorway):
            for _ in range(40):
                doorway.tick()
                board.now += 10

        def unlock(doorway=doorway):
            doorway.act(UNLOCK)

        def lock(doorway=doorway):
            doorway.act(LOCK)

        for act, moving, place in ((unlock, UNLOCKING, UNLOCKED), (lock, LOCKING, LOCKED)):
            equal(taken(look), 0, sensor)
            equal(taken(act), 0, sensor)
            equal(doorway.state, moving)
            board.put(place)
            equal(taken(look), 0, sensor)
            equal(doorway.state, place, sensor)
