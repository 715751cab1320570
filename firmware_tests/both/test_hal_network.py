"""The network's thread: whatever ends it is told once, and a minute later there is another."""

import time

import machine  # noqa: F401  # gives CPython's `time` what MicroPython's has

from firmware.hal import network
from firmware.hal.network import Network
from firmware_tests.both.check import equal

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
