"""The parts of a door: switch, sensors, calibration, strike, battery, lamp and buzzer."""

from firmware.hal.board import Board
from firmware.hal.fuse import Fuse
from firmware.hal.pulse import Pulse
from firmware.lock import calibration
from firmware.lock.battery import BETTER_MV, CRITICAL, EVERY_MS, GOOD, LOW, Battery, percent_of
from firmware.lock.sensors import EndStops, Position
from firmware.lock.signal import NO, WARNING, YES, Signal, pattern
from firmware.lock.states import BETWEEN, FAULTY, LOCKED, PULLED, TO_LOCK, TO_OPEN, UNLOCKED
from firmware.lock.strike import Strike
from firmware.lock.switch import DEBOUNCE_MS, Switch
from firmware.policy import reasons
from firmware_tests.both.check import equal, raises, true
from host_sim import words
from host_sim.world.door import Pin
from host_sim.world.hardware import Pin as Output
from host_sim.world.timer import Timer

PERIOD = 1 << 30  # of an ESP32's ticks


class Ticks:
    """A counter that wraps like an ESP32's, a little before it does."""

    def __init__(self):
        self.now = PERIOD - 50

    def ms(self):
        return self.now % PERIOD

    def diff(self, late, early):
        return (late - early + PERIOD // 2) % PERIOD - PERIOD // 2


# --- switch --------------------------------------------------------------------------------------


def given_switch(level=1):
    ticks = Ticks()
    pin = Pin(level)
    return ticks, pin, Switch(pin, 0, ticks.ms, ticks.diff)


def test_a_switch_is_on_when_its_level_has_stood():
    ticks, pin, switch = given_switch()
    pin.drive(0)
    equal((switch.update(), switch.is_on), (False, False))
    ticks.now += DEBOUNCE_MS - 1
    equal((switch.update(), switch.is_on), (False, False))
    ticks.now += 1
    equal((switch.update(), switch.is_on), (True, True))
    equal((switch.update(), switch.is_on), (False, True), "it came once")
    pin.drive(1)
    ticks.now += DEBOUNCE_MS
    equal((switch.update(), switch.is_on), (False, False))


def test_a_switch_that_bounces_comes_on_once():
    ticks, pin, switch = given_switch()
    came = []
    for ms in range(100):
        if ms < 60 and ms % 7 == 0:
            pin.drive(1 - pin.level)
        came.append(switch.update())
        ticks.now += 1
    equal((came.count(True), switch.is_on), (1, pin.level == 0))


def test_what_the_loop_misses_counts_if_it_was_long_enough():
    for ms, counts in ((DEBOUNCE_MS - 1, False), (DEBOUNCE_MS, True)):
        ticks, pin, switch = given_switch()
        pin.drive(0)
        ticks.now += ms
        pin.drive(1)
        ticks.now += 1000
        equal((switch.update(), switch.is_on, switch.update()), (counts, False, False))


def test_a_switch_works_without_interrupts_as_long_as_somebody_looks():
    ticks, pin, switch = given_switch()
    pin.level = 0
    switch.update()
    ticks.now += DEBOUNCE_MS
    true(switch.update())


def test_a_switch_starts_as_it_is():
    _, _, switch = given_switch(0)
    equal((switch.update(), switch.is_on), (False, True))


# --- sensors and calibration ---------------------------------------------------------------------


def test_end_stops_know_their_ends_and_contradictions():
    locked, unlocked = Pin(), Pin()
    stops = EndStops(locked, unlocked, 0)
    for levels, place in ((3, BETWEEN), (1, LOCKED), (2, UNLOCKED), (0, FAULTY)):
        locked.level, unlocked.level = levels >> 1, levels & 1
        equal(stops.place(), place)
    equal((stops.way(LOCKED), stops.way(UNLOCKED)), (TO_LOCK, TO_OPEN))


def test_a_position_is_measured_either_way_round():
    for ends in ((500, 1500, 1900), (1900, 900, 500)):
        for mv, place in ((500, LOCKED), (1000, BETWEEN), (1500, UNLOCKED), (1900, PULLED)):
            mv = mv if ends[0] == 500 else 2400 - mv
            position = Position(lambda mv=mv: mv, ends)
            equal(position.place(), place, ends)
        equal((position.way(LOCKED), position.way(PULLED)), (TO_LOCK, TO_LOCK))
        equal(position.at, 1400)


def test_a_position_that_is_none_is_faulty():
    for mv in (0, 74, 2526, 3300):
        position = Position(lambda mv=mv: mv, (500, 1500, None))
        equal((position.place(), position.at), (FAULTY, None), mv)
    equal(Position(lambda: 1700, (500, 1500, None)).place(), FAULTY, "beyond the end")
    equal(Position(lambda: 500, None).place(), FAULTY, "nobody taught it")
    equal(Position(lambda: 500, None).way(LOCKED), TO_LOCK)


def test_noise_at_the_edge_of_an_end_is_no_movement():
    readings = [500, 570, 580, 570, 595, 585, 555]
    position = Position(lambda: readings.pop(0), (500, 1500, None))
    places = [position.place() for _ in range(7)]
    equal(places, [LOCKED] * 4 + [BETWEEN] * 2 + [LOCKED])


def test_wrong_calibrations_are_refused():
    for ends, fault in (
        ((500, 1500, 1900), calibration.GOOD),
        ((1900, 900, None), calibration.GOOD),
        ((149, 1500, None), calibration.OUTSIDE),
        ((500, 2451, None), calibration.OUTSIDE),
        ((500, 1500, 3300), calibration.OUTSIDE),
        ((500, 799, None), calibration.TOO_CLOSE),
        ((800, 501, None), calibration.TOO_CLOSE),
        ((500, 500, None), calibration.TOO_CLOSE),
        ((500, 1500, 1400), calibration.WRONG_PULL),
        ((500, 1500, 1699), calibration.WRONG_PULL),
        ((500, 900, 1701), calibration.WRONG_PULL),
        ((1900, 900, 1000), calibration.WRONG_PULL),
    ):
        equal(calibration.fault(*ends), fault, ends)
        if fault:
            raises(ValueError, calibration.encode, *ends)
        else:
            equal(calibration.decode(calibration.encode(*ends)), ends)


def test_records_that_are_none_are_refused():
    good = calibration.encode(500, 1500, None)
    others = (b"\x80", b"\x83\x00\xf6\xf6", b"\x83\xf6\x00\xf6", b"\x18", b"\x83abc")
    for record in (b"", good[:-1], good + b"\x00") + others:
        equal(calibration.decode(record), None, repr(record))


# --- strike --------------------------------------------------------------------------------------


def test_a_strike_opens_with_a_pulse_and_is_locked_without_one():
    ticks = Ticks()
    pin = Output(ticks.ms)
    strike = Strike(Pulse(pin, 1, 500, Fuse(Timer(ticks.ms), 500), ticks.ms, ticks.diff))
    for target, level in ((UNLOCKED, 1), (LOCKED, 0), (PULLED, 1)):
        strike.begin(target)
        equal((pin.level, strike.state), (level, UNLOCKED if level else LOCKED))
    ticks.now += 499
    equal((strike.tick(), strike.state), (1, UNLOCKED))
    ticks.now += 1
    equal((strike.tick(), strike.state, pin.level), (0, LOCKED, 0))
    strike.begin(UNLOCKED)
    strike.stop()
    equal((pin.level, strike.state), (0, LOCKED))


# --- battery -------------------------------------------------------------------------------------


class Cell:
    """A battery of so many mV, and what was noted about it."""

    def __init__(self):
        self.mv = 4000
        self.told = []
        self.ticks = Ticks()
        limits = (3600, 3400)
        ticks = self.ticks.ms, self.ticks.diff
        self.battery = Battery(self.read, limits, Board.charge_mv, *ticks, self.note)

    def read(self):
        return self.mv

    def note(self, reason, mv):
        self.told.append((words.name(reason), mv))

    def live(self, mv, times=40):
        self.mv = mv
        for _ in range(times):
            self.ticks.now += EVERY_MS
            self.battery.tick()
        return [name for name, _ in self.told]


def test_a_battery_warns_once_on_its_way_down_and_up():
    cell = Cell()
    equal((cell.live(3600), cell.battery.level), ([], GOOD))
    equal((cell.live(3590), cell.battery.level), (["battery_low"], LOW))
    true(3590 <= cell.told[0][1] < 3600, cell.told)
    equal(cell.live(3600 + BETTER_MV - 5), ["battery_low"], "not yet good")
    equal((cell.live(3380)[1:], cell.battery.level), (["battery_critical"], CRITICAL))
    equal(cell.live(3400 + BETTER_MV - 5)[2:], [])
    equal(cell.live(3520)[2:], ["battery_low"])
    equal((cell.live(3800)[3:], cell.battery.level), (["battery_good"], GOOD))


def test_one_wrong_reading_warns_nobody_and_small_ones_are_not_told():
    cell = Cell()
    cell.live(3000, 1)
    equal(cell.live(4000), [])
    shown = cell.battery.mv
    cell.live(shown - 20)
    equal(cell.battery.mv, shown)
    cell.live(shown - 60)
    true(shown - 60 <= cell.battery.mv <= shown - 25)


def test_the_charge_in_percent_lies_on_lines_between_the_boards_points():
    points = Board.charge_mv
    percents = [percent_of(mv, points) for mv in range(4301)]
    equal(sorted(percents), percents)
    equal([percents[mv] for mv in points], list(range(0, 101, 10)))
    equal(
        [percents[mv] for mv in (0, 3269, 3311, 3312, 3820, 4199, 4300)], [0, 0, 0, 1, 45, 99, 100]
    )
    cell = Cell()
    equal(cell.battery.percent(), percents[4000])


def test_a_battery_is_measured_at_times():
    cell = Cell()
    cell.mv = 3000
    for _ in range(100):
        cell.battery.tick()
    equal(cell.told, [])


# --- lamp and buzzer -----------------------------------------------------------------------------


def played(reason):
    """The (ms, level) that both outputs had, from the start of a pattern to its end."""
    ticks = Ticks()
    lamp, buzzer = Output(ticks.ms), Output(ticks.ms)
    signal = Signal([lamp.value, buzzer.value], ticks.ms, ticks.diff)
    equal((lamp.level, buzzer.level), (0, 0))
    signal.tell(reason)
    start = ticks.now
    for _ in range(3000):
        signal.tick()
        ticks.now += 1
    equal(lamp.changes, buzzer.changes)
    return [((ms - start) % PERIOD, level) for ms, level in lamp.changes[1:]]


def test_patterns_are_played_to_their_end():
    equal(played(reasons.ALLOWED), [(0, 1), (300, 0)])
    equal(played(reasons.EXPIRED), [(0, 1), (80, 0), (200, 1), (280, 0), (400, 1), (480, 0)])
    equal(played(reasons.DOOR_CLOSED), [])
    for each in (YES, NO, WARNING):
        equal(len(each) % 2, 1, "it ends with the lamp off")


def test_a_newer_pattern_takes_over_and_silence_does_not():
    ticks = Ticks()
    lamp = Output(ticks.ms)
    signal = Signal([lamp.value], ticks.ms, ticks.diff)
    signal.tell(reasons.BOLT_JAMMED)
    ticks.now += 550
    signal.tick()
    equal(lamp.level, 0)
    signal.tell(reasons.DOOR_OPENED)
    equal(lamp.level, 0)
    signal.tell(reasons.ALLOWED)
    ticks.now += 299
    signal.tick()
    equal(lamp.level, 1)
    ticks.now += 1
    signal.tick()
    equal(lamp.level, 0)


def test_every_refusal_has_a_pattern_and_statements_have_none():
    equal([pattern(n) for n in range(1, 64)], [NO] * 63)
    equal([n for n in range(64, 160) if pattern(n)], [])
