"""A board that is no lock yet, or whose button was held: its button, its prompt, its sleep."""

from firmware import service
from firmware.lock.states import LOCKED, UNLOCKED
from firmware.service import Service
from firmware.store import identity
from firmware_tests.both.board_case import START_S, WHO, RamFlash
from firmware_tests.both.check import equal, true
from host_sim.world.door import Door
from host_sim.world.hardware import Hardware


class Desk:
    """A board on which time passes while it listens; `slept` is how often it went to sleep."""

    def __init__(self, flash=None):
        self.door = Door("motor", "ends", x=0.0)
        self.hardware = Hardware(START_S, bytes, self.door)
        self.typed = b""
        self.slept = 0
        self.service = Service(self.hardware, flash or RamFlash(), self, ["A", "1"], self._sleep)

    def _sleep(self):
        self.slept += 1

    def read(self, ms):
        self.hardware.ms += ms
        if not self.typed:
            return None
        byte, self.typed = self.typed[:1], self.typed[1:]
        return byte

    def write(self, packet):
        raise AssertionError("nobody asked")

    def live(self, ms):
        """False as soon as it is over."""
        end_ms = self.hardware.ms + ms
        while self.hardware.ms < end_ms:
            if not self.service.step():
                return False
        return True


def a_lock():
    flash = RamFlash()
    identity.write(flash.pair, WHO)
    return flash


def test_the_button_inside_opens_though_this_is_no_lock():
    for flash in (None, a_lock()):
        desk = Desk(flash)
        desk.live(1000)
        equal(desk.service._doorway.state, LOCKED)
        desk.door.push(100)
        desk.live(3000)
        equal(desk.service._doorway.state, UNLOCKED)


def test_ctrl_c_is_the_prompt_and_nothing_else_is():
    desk = Desk()
    desk.typed = b"\r\n\x01\x02\x04help()\r"
    equal(desk.live(2000), True)
    desk.typed = b"x\x03"
    equal(desk.live(2000), False)


def test_a_board_that_is_no_lock_sleeps_when_nobody_uses_it():
    desk = Desk()
    desk.live(service.STORED_MS - 1000)
    desk.typed = b"x"
    desk.live(service.STORED_MS - 1000)
    desk.door.push(100)
    desk.live(service.STORED_MS - 1000)
    equal(desk.slept, 0)
    desk.live(4000)
    true(desk.slept > 0)


def test_a_lock_does_not_sleep():
    desk = Desk(a_lock())
    desk.live(2 * service.STORED_MS)
    equal(desk.slept, 0)
