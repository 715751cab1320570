"""The board's parts: a pulse that ends, drives, and `Hardware` over a `machine` that behaves."""

import machine

from firmware.hal import bare, crash, pace
from firmware.hal.board import Board
from firmware.hal.hardware import Hardware
from firmware.hal.fuse import Fuse
from firmware.hal.pulse import Pulse
from firmware_tests.both.check import equal, raises, true
from host_sim.world.timer import Timer

PERIOD = 1 << 30  # of an ESP32's ticks


class Bench:
    """A pulse of 500 ms on a pin, and a counter that wraps like an ESP32's."""

    def __init__(self, on=1, ms=0):
        self.ms = ms
        self.levels = []
        self.timer = Timer(lambda: self.ms)
        fuse = Fuse(self.timer, 500)
        self.pulse = Pulse(self, on, 500, fuse, self.ticks_ms, self.ticks_diff)

    def value(self, level):
        self.levels.append(level)

    def ticks_ms(self):
        return self.ms % PERIOD

    def ticks_diff(self, late, early):
        return (late - early + PERIOD // 2) % PERIOD - PERIOD // 2


def test_a_pulse_is_off_from_the_start_and_ends_at_its_deadline():
    bench = Bench()
    equal(bench.levels, [0])
    equal(bench.pulse.tick(), 0)
    bench.pulse.start()
    equal((bench.levels, bench.pulse.is_on), ([0, 1], True))
    bench.ms += 499
    equal(bench.pulse.tick(), 1)
    equal(bench.levels, [0, 1])
    bench.ms += 1
    equal(bench.pulse.tick(), 0)
    equal((bench.levels, bench.pulse.is_on), ([0, 1, 0], False))


def test_a_pulse_ends_when_nobody_looks_and_that_is_noticed():
    bench = Bench()
    for _ in range(2):
        bench.pulse.start()
        bench.ms += 400
        bench.pulse.start()
        bench.ms += 499
        bench.timer.look()
        equal(bench.levels[-1], 1)
        bench.ms += 1
        bench.timer.look()
        equal((bench.levels[-1], bench.pulse.is_on, bench.pulse.tick()), (0, False, 0))


def test_a_second_request_prolongs_it_and_stop_ends_it():
    bench = Bench()
    bench.pulse.start()
    bench.ms += 400
    bench.pulse.start()
    bench.ms += 400
    equal(bench.pulse.tick(), 100)
    bench.pulse.stop()
    equal((bench.levels[-1], bench.pulse.tick(), bench.pulse.is_on), (0, 0, False))


def test_it_ends_over_a_wrap_of_the_ticks_and_after_a_gap_that_nobody_can_measure():
    bench = Bench(ms=PERIOD - 100)
    bench.pulse.start()
    bench.ms += 499
    equal(bench.pulse.tick(), 1)
    bench.pulse.start()
    bench.ms += PERIOD // 2 + 1000  # looks like a step backwards
    equal(bench.pulse.tick(), 0)
    equal(bench.levels[-1], 0)


def test_a_relay_that_is_on_at_the_low_level():
    bench = Bench(on=0)
    bench.pulse.start()
    bench.pulse.stop()
    equal(bench.levels, [1, 0, 1])


def test_hardware_opens_what_the_board_says():
    hardware = Hardware(Board())
    pins = machine.Pin.levels
    strike = Board.pins["strike"]
    equal(pins[strike], 0)
    hardware.parts["strike"].start()
    equal(pins[strike], 1)
    bare.safe()
    equal(pins[strike], 0)
    registers = bytearray(1)
    hardware.bus.readfrom_mem_into(0x68, 0x0F, registers)
    true(registers[0] & 0x80, "a chip from the shop has no time")
    raises(OSError, hardware.bus.readfrom_mem_into, 0x57, 0, registers)
    true(0 <= hardware.ticks_diff(hardware.ticks_ms(), hardware.ticks_ms()) < 1000)


def test_the_calendar_of_the_board_can_be_set_and_runs():
    calendar = Hardware(Board()).calendar
    calendar.datetime((2026, 12, 31, 3, 23, 59, 58, 0))
    shown = calendar.datetime()
    true(shown[:3] in ((2026, 12, 31), (2027, 1, 1)), shown)
    machine.RTC._set_ms -= 3000
    equal(calendar.datetime()[:6], (2027, 1, 1, 4, 0, 0))


def test_a_restart_ends_the_program_as_a_reset_does():
    bare.full_speed()
    raises(SystemExit, bare.restart)


def test_the_chip_is_slow_while_nobody_is_there_unless_it_talks_to_the_network():
    bare.full_speed()
    hardware = Hardware(Board())
    hardware._pace._waits = pace.QUIET
    hardware.wait(50)
    equal(machine.freq(), pace.SLOW_HZ)
    hardware.wait(0)
    equal(machine.freq(), 240_000_000)
    hardware._pace._waits = pace.QUIET
    hardware.network._function = print
    hardware.wait(50)
    equal(machine.freq(), 240_000_000)


def test_nobody_is_believed_at_a_boards_console():
    equal(Board.has_console, False)


def test_a_full_flash_does_not_keep_a_crash_and_ends_nothing():
    def full(*arguments):
        raise OSError(28)

    kept = crash.Crash()
    crash.open = full
    try:
        kept.note("ValueError()")
        equal((kept.count > 0, kept.why), (True, "ValueError()"))
        kept.forget()
        equal(kept.count, 0)
    finally:
        del crash.open
