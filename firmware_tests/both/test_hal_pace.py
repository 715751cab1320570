"""The chip slows down when nobody is there, and is fast as soon as somebody is."""

from firmware.hal.pace import QUIET, SLOW_HZ, Pace
from firmware_tests.both.check import equal

FULL_HZ = 240_000_000


class Chip:
    def __init__(self):
        self.hz = [FULL_HZ]

    def freq(self, hz=None):
        if hz is not None:
            self.hz.append(hz)
        return self.hz[-1]


def test_it_is_slow_after_a_while_of_quiet_and_fast_at_once():
    chip = Chip()
    pace = Pace(chip.freq)
    for _ in range(QUIET):
        pace.wait(50)
    equal(chip.hz, [FULL_HZ])
    for _ in range(10):
        pace.wait(50)
    equal(chip.hz[1:], [SLOW_HZ])
    for ms in (0, 10, 50, 0):
        pace.wait(ms)
    equal(chip.hz[2:], [FULL_HZ])


def test_who_has_something_to_do_now_and_then_keeps_it_fast():
    chip = Chip()
    pace = Pace(chip.freq)
    for _ in range(5):
        for _ in range(QUIET):
            pace.wait(50)
        pace.wait(0)
    equal(chip.hz, [FULL_HZ])
