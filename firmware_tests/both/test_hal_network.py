"""The network's thread: whatever ends it is told once, and a minute later there is another.

One that hangs, here in a lock that nobody gives back, is told, too, and then the chip starts anew.
"""

import time

import machine  # noqa: F401  # gives CPython's `time` what MicroPython's has

from firmware.hal import network
from firmware.hal.network import LOST_MS, SILENT_MS, Network
from firmware.lock.states import LOCKED
from firmware.policy import reasons
from firmware.policy.grant import LOCK
from firmware.store import ends, entry
from firmware_tests.both.board_case import GRANTS, WHO
from firmware_tests.both.check import equal, raises
from firmware_tests.both.door_case import RECORD
from firmware_tests.both.whole_case import Whole
from host_sim.world.door import Door

LACKS = ("threads",)

network._STACK_BYTES = 65_536  # the least that CPython takes


class Ends:
    """A function that ends each time it is called, in another way."""

    def __init__(self, *ways):
        self._ways = list(ways)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        way = self._ways.pop(0)
        if way is not None:
            raise way


def wait(done):
    for _ in range(500):
        if done():
            return
        time.sleep(0.01)
    raise AssertionError("it never was so")


def test_a_thread_that_ends_is_told_once_and_begins_anew_after_a_while():
    made = Network()
    passed_ms = 0
    made.ticks_ms = lambda: passed_ms
    made.ticks_diff = lambda late, early: late - early
    function = Ends(MemoryError(), SystemExit(), None)
    made.start(function)
    for count, why in ((1, repr(MemoryError())), (2, repr(SystemExit())), (3, "it returned")):
        wait(lambda: made._why_over)
        equal((made.look(), made.look(), function.calls), (why, "", count))
        passed_ms += network.AGAIN_MS - 1
        equal((made.look(), function.calls), ("", count))
        passed_ms += 1
        if count < 3:
            equal(made.look(), "")


def test_other_threads_have_the_stack_that_they_had():
    import _thread

    made = Network()
    made.start(Ends(None))
    wait(lambda: made._why_over)
    equal(_thread.stack_size(0), 0)


class Hangs:
    """The function of a thread that beats when it is let go on, and waits without an end."""

    def __init__(self, made):
        self._network = made
        self._gate = made.make_lock()
        self._gate.acquire()
        self.beats = 0
        self._is_over = False
        made.start(self)
        wait(lambda: self.beats)

    def __call__(self):
        while not self._is_over:
            self._network.beat()
            self.beats += 1
            self._gate.acquire()

    def go_on(self):
        before = self.beats
        self._gate.release()
        wait(lambda: self.beats > before)

    def end(self):
        self._is_over = True
        self._gate.release()
        wait(lambda: self._network._why_over)


class Clock:
    """Whoever looks at a network sees this time."""

    def __init__(self, made):
        self.ms = 0
        self._network = made
        made.ticks_ms = lambda: self.ms
        made.ticks_diff = lambda late, early: late - early

    def look(self, seconds):
        """What was told while so much time passed."""
        told = []
        for _ in range(seconds):
            self.ms += 1000
            told.append(self._network.look())
        return [why for why in told if why]


def test_a_thread_that_hangs_is_told_once_each_time():
    made = Network()
    clock = Clock(made)
    function = Hangs(made)
    for _ in range(2):
        equal(clock.look(SILENT_MS // 1000 - 1), [])
        equal(clock.look(3 * SILENT_MS // 1000), ["it hangs"])
        equal(made.is_lost(), False)
        function.go_on()
    equal(clock.look(LOST_MS // 1000 - 1), ["it hangs"])
    equal(made.is_lost(), False)
    clock.look(1)
    equal(made.is_lost(), True)
    function.go_on()
    clock.look(1)
    equal(made.is_lost(), False, "it came back after all")
    function.end()


def test_a_loop_that_stood_still_does_not_blame_the_thread():
    made = Network()
    clock = Clock(made)
    function = Hangs(made)
    for jump_ms in (LOST_MS, -LOST_MS) * 5:
        clock.ms += jump_ms
        equal((clock.look(1), made.is_lost()), ([], False))
    function.end()


class Thread(Network):
    """A Network in a lock's time, with a thread that hangs."""

    def __init__(self, hardware):
        super().__init__()
        self.ticks_ms = hardware.ticks_ms
        self.ticks_diff = hardware.ticks_diff
        self.function = Hangs(self)


def test_a_lock_whose_network_hangs_starts_anew_when_nobody_would_notice():
    door = Door("motor", "position", x=0.0)
    whole = Whole(door=door)
    ends.write(whole.flash.pair, WHO.seal(), RECORD)
    whole.boot()
    thread = whole.hardware.network = Thread(whole.hardware)
    whole.lock.accept(GRANTS["an admin"])
    for _ in range(LOST_MS // 1000 - 5):
        whole.hardware.ms += 1000
        whole.lock.step()
    equal(whole.said, ["network: it hangs"])
    equal(whole.log(entry.BOOT)[-1], (entry.FAILED, 0))
    whole.radio.events.append(("connected", 1))
    whole.live(10)
    equal(thread.is_lost(), True)
    equal(whole.ask(), reasons.ALLOWED)
    whole.live(3)
    door.swing()
    equal(whole.ask(LOCK), reasons.ALLOWED)
    whole.radio.events.append(("disconnected", 1))
    whole.live(10)
    door.slam()
    raises(SystemExit, whole.live, 10)
    equal(whole.lock.doorway.state, LOCKED)
    thread.function.end()
