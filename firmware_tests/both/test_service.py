"""A board that is no lock yet, or whose button was held: its button, its prompt, its sleep."""

from firmware import service
from firmware.lock.states import LOCKED, UNLOCKED
from firmware.service import Service
from firmware.store import ends, identity, wifi
from firmware_tests.both.board_case import START_S, WHO, RamFlash
from firmware_tests.both.check import equal, true
from firmware_tests.both.door_case import RECORD
from firmware_tests.both.test_link_improv import CREDENTIALS, packed
from host_sim.world.door import Door
from host_sim.world.hardware import Hardware


class Desk:
    """A board on which time passes while it listens; `slept` is how often it went to sleep."""

    def __init__(self, flash=None, network=None, sensor="ends"):
        self.door = Door("motor", sensor, x=0.0)
        self.hardware = Hardware(START_S, bytes, self.door)
        self.hardware.network = network
        self.typed = b""
        self.has_line = True
        self.slept = 0
        self.sent = []
        self.service = Service(self.hardware, flash or RamFlash(), self, ["A", "1"], self._sleep)

    def _sleep(self):
        self.slept += 1

    def read(self, ms):
        self.hardware.ms += ms
        if not self.has_line:
            return b""
        if not self.typed:
            return None
        byte, self.typed = self.typed[:1], self.typed[1:]
        return byte

    def write(self, packet):
        self.sent.append(packet)

    def live(self, ms):
        """False as soon as it is over."""
        end_ms = self.hardware.ms + ms
        while self.hardware.ms < end_ms:
            if not self.service.step():
                return False
        return True


class Wifi:
    """One that takes its time, and finds nobody."""

    has_wifi = True

    def __init__(self):
        self.hosts = []
        self.desk = None
        self.state = None

    def hostname(self, name):
        self.hosts.append(name)

    def sleep_ms(self, ms):
        self.desk.hardware.ms += ms

    def is_up(self):
        return False

    def try_out(self, name, password):
        button = self.desk.door.pins["button"]
        for level in (0, 1):
            button.drive(level)
            for _ in range(10):
                self.sleep_ms(200)
        self.state = self.desk.service._doorway.state
        raise OSError(110)


def with_wifi(flash=None):
    """A Desk with a Wifi."""
    network = Wifi()
    network.desk = Desk(flash, network)
    return network.desk


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


def test_a_line_that_is_gone_ends_it():
    desk = Desk()
    desk.has_line = False
    equal(desk.live(1000), False)


def test_a_packet_may_have_ctrl_c_inside_and_half_a_packet_is_forgotten():
    for pause_ms, goes_on in ((0, True), (service._QUIET_MS // 2, True), (2000, False)):
        desk = with_wifi()
        desk.typed = packed(3, CREDENTIALS)[:12]
        desk.live(300 + pause_ms)
        desk.typed = b"\x03"
        equal(desk.live(100), goes_on, pause_ms)


def test_while_a_wifi_is_tried_the_button_opens():
    desk = with_wifi()
    desk.typed = packed(3, CREDENTIALS)
    desk.live(3000)
    equal((desk.hardware.network.state, len(desk.sent)), (UNLOCKED, 4))


def test_the_network_has_the_name_that_was_kept():
    flash = RamFlash()
    wifi.write_host(flash.pair, "shed")
    equal(with_wifi(flash).hardware.network.hosts, ["shed"])


def test_a_lock_knows_where_its_bolt_ends():
    flash = a_lock()
    ends.write(flash.pair, WHO.seal(), RECORD)
    desk = Desk(flash, sensor="position")
    desk.live(1000)
    equal(desk.service._doorway.state, LOCKED)


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


def test_one_that_was_reset_is_no_lock():
    flash = a_lock()
    flash.wipe()
    desk = Desk(flash)
    desk.live(service.STORED_MS + 1000)
    true(desk.slept > 0)


def test_a_lock_does_not_sleep():
    desk = Desk(a_lock())
    desk.live(2 * service.STORED_MS)
    equal(desk.slept, 0)
