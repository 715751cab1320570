"""The driver against a chip that does what the data sheet says."""

from firmware.clock.ds3231 import Ds3231, Reading
from firmware.policy import reasons
from firmware.policy.instant import Instant, from_unix, to_unix
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.clock_world import START_S
from host_sim.world import ds3231

MONTH_S = 30 * 86_400


class Chip(ds3231.Ds3231):
    """One whose write line can break."""

    deaf = False

    def writeto_mem(self, address, register, values):
        if not self.deaf:
            super().writeto_mem(address, register, values)


class Bench:
    """A chip, its driver, and the time."""

    def __init__(self, ppm=0):
        self.ms = START_S * 1000
        self.chip = Chip(lambda: self.ms, ppm)
        self.driver = Ds3231(self.chip)
        self.reading = Reading()

    def set(self, unix, spread_s=2):
        true(self.driver.begin(from_unix(unix)))
        equal(self.driver.finish(from_unix(unix), spread_s), reasons.RTC_SET)

    def read(self):
        return self.driver.read(self.reading)

    def registers(self, first, count):
        return self.chip.readfrom_mem(ds3231.ADDRESS, first, count)

    def poke(self, register, *values):
        self.chip.writeto_mem(ds3231.ADDRESS, register, bytes(values))


def test_what_is_set_is_read_and_counts_on():
    bench = Bench()
    for unix in (START_S, 951782399, 1835395199, 4102444799 - 90, 946684800):
        bench.set(unix)
        since = from_unix(unix // 2 * 2)
        for _ in range(65):
            equal(bench.read(), reasons.RTC_READ)
            equal(to_unix(bench.reading.at), unix)
            equal(bench.reading.since, since)
            equal(bench.reading.spread_s, 2)
            bench.ms += 1000
            unix += 1


def test_setting_starts_a_new_second():
    bench = Bench()
    bench.ms += 777
    bench.set(START_S)
    bench.ms += 999
    equal(bench.read(), reasons.RTC_READ)
    equal(to_unix(bench.reading.at), START_S)
    bench.ms += 1
    bench.read()
    equal(to_unix(bench.reading.at), START_S + 1)


def test_registers_are_as_the_data_sheet_has_them():
    bench = Bench()
    bench.poke(0x10, 0x7F)  # somebody had it run slowly
    bench.set(1798761599)  # 2026-12-31T23:59:59Z
    equal(bench.registers(0, 3) + bench.registers(4, 3), b"\x59\x59\x23\x31\x12\x26")
    equal(bench.registers(0x0E, 3), b"\x04\x00\x00")


def test_years_that_the_chip_cannot_show_are_refused_untouched():
    bench = Bench()
    bench.set(START_S)
    for unix in (946684799, 4102444800):
        equal(bench.driver.begin(from_unix(unix)), False)
    equal(bench.read(), reasons.RTC_READ)


def test_a_new_chip_says_that_it_was_stopped():
    bench = Bench()
    equal(bench.read(), reasons.RTC_STOPPED)


def test_a_stopped_oscillator_shows_until_it_is_set():
    bench = Bench()
    bench.set(START_S)
    bench.chip.stop()
    equal(bench.read(), reasons.RTC_STOPPED)
    true(bench.driver.begin(from_unix(START_S)))
    equal(bench.driver.finish(from_unix(START_S), 2), reasons.RTC_STOPPED)
    bench.chip.go()
    equal(bench.read(), reasons.RTC_STOPPED)
    bench.set(START_S)
    equal(bench.read(), reasons.RTC_READ)


def test_the_oscillator_is_told_to_run_on_the_battery():
    bench = Bench()
    bench.set(START_S)
    bench.poke(0x0E, 0x80)
    bench.set(START_S)
    bench.chip.main_off()
    bench.ms += 5000
    equal(bench.read(), reasons.RTC_READ)
    equal(to_unix(bench.reading.at), START_S + 5)


def test_a_mark_that_another_program_left_is_none():
    bench = Bench()
    bench.set(START_S)
    mark = bench.registers(7, 7)
    for place in range(7):
        for bit in range(8):
            bench.poke(7 + place, mark[place] ^ 1 << bit)
            equal(bench.read(), reasons.RTC_UNMARKED, "%d.%d" % (place, bit))
            bench.poke(7 + place, mark[place])
    for filler in (0x00, 0xFF, 0x80, 0x5A):
        bench.poke(7, *[filler] * 7)
        equal(bench.read(), reasons.RTC_UNMARKED, str(filler))
    bench.poke(7, *mark)
    equal(bench.read(), reasons.RTC_READ)


def test_forgotten_until_set():
    bench = Bench()
    bench.set(START_S)
    bench.driver.forget()
    equal(bench.read(), reasons.RTC_UNMARKED)
    bench.set(START_S)
    equal(bench.read(), reasons.RTC_READ)


def test_a_time_before_the_mark_is_behind():
    bench = Bench()
    bench.set(START_S)
    bench.chip.jump(-60)
    equal(bench.read(), reasons.RTC_BEHIND)


def test_nonsense_in_the_time_is_no_time():
    bench = Bench()
    bench.set(START_S)
    bench.chip.stop()
    for place, value in (
        (0, 0x60),
        (0, 0x5A),
        (0, 0xA0),
        (1, 0x60),
        (1, 0x0F),
        (2, 0x24),
        (2, 0x52),  # 12-hour mode
        (2, 0x72),
        (4, 0x00),
        (4, 0x32),
        (5, 0x00),
        (5, 0x13),
        (5, 0x81),  # the next century
        (6, 0xA0),
        (6, 0x0A),
    ):
        registers = bytearray(bench.registers(0, 0x10))
        registers[0x0F] = 0
        registers[place] = value
        driver = Ds3231(Fixed(registers))
        equal(driver.read(bench.reading), reasons.RTC_UNREADABLE, "%d %02x" % (place, value))


class Fixed:
    """A bus on which registers never change."""

    def __init__(self, registers):
        self.registers = registers

    def readfrom_mem_into(self, address, register, buffer):
        for place in range(len(buffer)):
            buffer[place] = self.registers[register + place]

    def writeto_mem(self, address, register, values):
        raise OSError(5)


def test_a_chip_in_12_hour_mode_is_set_back_to_24():
    bench = Bench()
    bench.poke(0, 0x00, 0x30, 0x71, 1, 0x05, 0x01, 0x26)  # 11:30 in the evening
    equal(bench.registers(2, 1), b"\x71")
    bench.ms += 1_800_000
    equal(bench.registers(2, 1), b"\x52")  # midnight is 12 AM
    bench.set(START_S)
    equal(bench.read(), reasons.RTC_READ)
    equal(bench.reading.at, from_unix(START_S))


def test_alarms_that_match_disturb_nothing():
    bench = Bench()
    bench.set(START_S)
    equal(bench.registers(0x0E, 1)[0] & 3, 0)  # no interrupts


def test_a_cut_at_every_transfer_leaves_a_time_that_is_right_or_not_believed():
    transfers = 0
    while True:
        bench = Bench()
        bench.set(START_S)
        bench.ms += MONTH_S * 1000
        bench.chip.jump(-7)  # so that the old time and the new one differ
        bench.chip.calls_left = transfers
        try:
            bench.set(START_S + MONTH_S)
        except OSError:
            bench.chip.dead = False
            bench.chip.calls_left = -1
            event = bench.read()
            if event == reasons.RTC_READ:
                off_s = START_S + MONTH_S - to_unix(bench.reading.at)
                complete = bench.reading.since == from_unix(START_S + MONTH_S)
                equal(off_s, 0 if complete else 7)
            else:
                equal(event, reasons.RTC_UNMARKED)
            transfers += 1
            continue
        break
    equal(transfers, 5)


def test_a_chip_that_forgets_what_it_is_told_is_not_set():
    bench = Bench()
    true(bench.driver.begin(from_unix(START_S)))
    bench.chip.deaf = True
    equal(bench.driver.finish(from_unix(START_S), 2), reasons.RTC_STOPPED)
    bench = Bench()
    bench.set(START_S, 2)
    bench.chip.deaf = True
    equal(bench.driver.finish(from_unix(START_S), 3), reasons.RTC_UNREADABLE)


def test_a_spread_that_does_not_fit_is_not_marked():
    bench = Bench()
    for spread_s in (-1, 3601):
        true(bench.driver.begin(from_unix(START_S)))
        equal(bench.driver.finish(from_unix(START_S), spread_s), reasons.RTC_UNMARKED)
        true(bench.read() != reasons.RTC_READ)
    bench.set(START_S, 3600)
    equal(bench.read(), reasons.RTC_READ)
    equal(bench.reading.spread_s, 3600)


def test_drift_grows_with_the_age_and_covers_the_chip():
    for ppm in (-9, 0, 9):
        bench = Bench(ppm)
        bench.set(START_S)
        for month in range(1, 25):
            bench.ms += MONTH_S * 1000
            equal(bench.read(), reasons.RTC_READ)
            drift = bench.reading.drift_ms
            true(abs(to_unix(bench.reading.at) * 1000 - bench.ms) <= drift + 1000)
            true(month * 25_919 <= drift <= month * 25_930, str(drift))


def test_a_bus_that_fails_raises():
    bench = Bench()
    bench.chip.dead = True
    raises(OSError, bench.read)
    raises(OSError, bench.driver.begin, from_unix(START_S))
    raises(OSError, bench.driver.forget)
    raises(OSError, Ds3231(Bench().chip, 0x57).forget)


def test_the_model_refuses_what_the_chip_leaves_undefined():
    bench = Bench()
    for values in (
        (0x60, 0, 0, 1, 1, 1, 0),
        (0, 0x0A, 0, 1, 1, 1, 0),
        (0, 0, 0x24, 1, 1, 1, 0),
        (0, 0, 0, 0, 1, 1, 0),
        (0, 0, 0, 1, 0x31, 0x04, 0),
        (0, 0, 0, 1, 0x29, 0x02, 0x26),
        (0, 0, 0, 1, 1, 0x13, 0),
    ):
        raises(ValueError, bench.poke, 0, *values)


def test_the_model_ignores_what_the_chip_ignores():
    bench = Bench()
    bench.set(START_S)
    bench.poke(0x0F, 0x80)  # OSF cannot be set
    bench.poke(0x11, 0x55, 0x40)  # the temperature cannot be written
    equal(bench.registers(0x0F, 4), b"\x00\x00\x19\x00")
    equal(bench.registers(0x12, 2), b"\x00\x00")  # after the last register comes the first
    bench.chip.stop()
    bench.poke(0x0F, 0x88)
    equal(bench.registers(0x0F, 1), b"\x88")
    bench.poke(0x0F, 0x08)
    equal(bench.registers(0x0F, 1), b"\x88")  # it still stands
    bench.chip.go()
    bench.poke(0x0F, 0x08)
    equal(bench.registers(0x0F, 1), b"\x08")


def test_the_model_toggles_the_century():
    bench = Bench()
    bench.poke(0, 0x59, 0x59, 0x23, 7, 0x31, 0x12, 0x99)
    bench.ms += 1000
    equal(bench.registers(0, 7), b"\x00\x00\x00\x01\x01\x81\x00")


def test_the_model_knows_leap_years():
    bench = Bench()
    bench.set(1835395199)  # 2028-02-28T23:59:59Z
    bench.ms += 1000
    bench.read()
    equal(bench.reading.at, Instant(1835395200 // 86_400, 0))
    equal(bench.registers(4, 3), b"\x29\x02\x28")
