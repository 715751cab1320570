"""The boards: pins that can be what they say, wrong ones refused by name, a safe start."""

import machine

from firmware.hal import bare, chips
from firmware.hal.board import BOARDS, Board, BoardC3, BoardS3, Desk, this
from firmware.hal.hardware import Hardware
from firmware_tests.both.check import equal, raises, true

DRIVES = (
    ("strike",),
    ("motor", "end_stops"),
    ("motor", "position"),
    ("servo", "end_stops"),
    ("servo", "position"),
)
SWITCHES = ("closed", "button", "tamper")


def board(base=Board, fitted=("strike",), **pins):
    """A board with these parts, and some of its pins elsewhere."""
    made = base()
    made.fitted = fitted
    made.pins = dict(base.pins)
    made.pins.update(pins)
    return made


def refusal(made):
    return str(raises(ValueError, chips.check, made))


def test_the_boards_that_are_known_can_be_wired():
    for known in BOARDS.values():
        chips.check(known())
        for drive in DRIVES:
            chips.check(board(known, drive + ("closed", "button")))
    for known in (Board, BoardS3):
        for drive in DRIVES:
            everything = drive + SWITCHES + ("battery", "lamp", "buzzer")
            chips.check(board(known, everything))
    chips.check(board(BoardC3, ("motor", "position", "closed", "button", "battery")))
    equal(sorted(BOARDS), ["ESP32", "ESP32C3", "ESP32S3"])
    equal(type(this()), Desk)


def test_a_wrong_pin_is_refused_by_its_name():
    for base, part, pins, text in (
        (Board, "strike", {"strike": 24}, "strike: pin 24 does not exist"),
        (Board, "strike", {"strike": 40}, "strike: pin 40 does not exist"),
        (Board, "strike", {"strike": -1}, "strike: pin -1 does not exist"),
        (Board, "strike", {"strike": 6}, "strike: pin 6 is a pin of the flash"),
        (Board, "strike", {"strike": 12}, "strike: pin 12 is a strapping pin"),
        (Board, "strike", {"strike": 1}, "strike: pin 1 is a serial pin"),
        (Board, "strike", {"strike": 34}, "strike: pin 34 is only an input"),
        (Board, "strike", {"scl": 36}, "scl: pin 36 is only an input"),
        (Board, "button", {"button": 39}, "button: pin 39 has no pull-up"),
        (Board, "battery", {"battery": 14}, "battery: pin 14 does not belong to ADC1"),
        (BoardS3, "battery", {"battery": 11}, "battery: pin 11 does not belong to ADC1"),
        (BoardS3, "lamp", {"lamp": 35}, "lamp: pin 35 is a pin of the flash"),
        (BoardS3, "lamp", {"lamp": 46}, "lamp: pin 46 is a strapping pin"),
        (BoardS3, "lamp", {"lamp": 19}, "lamp: pin 19 is a serial pin"),
        (BoardS3, "lamp", {"lamp": 23}, "lamp: pin 23 does not exist"),
        (BoardC3, "battery", {"battery": 5, "sda": 1}, "battery: pin 5 does not belong to ADC1"),
        (BoardC3, "lamp", {"lamp": 9}, "lamp: pin 9 is a strapping pin"),
        (BoardC3, "lamp", {"lamp": 17}, "lamp: pin 17 is a pin of the flash"),
        (BoardC3, "lamp", {"lamp": 22}, "lamp: pin 22 does not exist"),
    ):
        fitted = ("strike",) if part == "strike" else ("strike", part)
        equal(refusal(board(base, fitted, **pins)), text)


def test_a_pin_with_two_jobs_is_refused_by_both_names():
    equal(refusal(board(button=21, fitted=("strike", "button"))), "button: pin 21 is sda")
    equal(refusal(board(scl=21)), "scl: pin 21 is sda")
    equal(
        refusal(board(BoardC3, ("motor", "position", "lamp"))),
        "lamp: pin 7 is to_open",
    )
    chips.check(board(button=26, fitted=("servo", "position")))


def test_parts_that_do_not_go_together_are_refused():
    for fitted, text in (
        ((), "one of strike, motor and servo"),
        (("strike", "motor", "position"), "one of strike, motor and servo"),
        (("motor",), "a motor or servo needs position or end_stops"),
        (("servo", "position", "end_stops"), "a motor or servo needs position or end_stops"),
        (("strike", "cannon"), "there is no part cannon"),
    ):
        made = board(fitted=fitted, servo=14)
        equal(refusal(made), text)
        raises(ValueError, Hardware, made)


def test_hardware_opens_what_is_fitted_and_nothing_else():
    for drive in DRIVES:
        made = board(fitted=drive + ("button", "battery", "lamp"))
        parts = Hardware(made).parts
        wanted = ["battery", "button", "lamp"]
        wanted += ["strike"] if drive == ("strike",) else ["drive"]
        wanted += ["end_locked", "end_unlocked"] if "end_stops" in drive else []
        wanted += ["position"] if "position" in drive else []
        equal(sorted(parts), sorted(wanted))
        equal(parts["button"].value(), 1, "pulled up")


def test_voltages_are_measured_behind_their_divider():
    made = board(fitted=("servo", "position", "battery"))
    parts = Hardware(made).parts
    machine.ADC.volts_uv[made.pins["battery"]] = 1_950_000
    machine.ADC.volts_uv[made.pins["position"]] = 1_500_900
    equal((parts["battery"](), parts["position"]()), (3900, 1500))


def test_a_bridge_turns_brakes_and_rests():
    made = board(fitted=("motor", "end_stops"))
    drive = Hardware(made).parts["drive"]
    pins = machine.Pin.levels

    def levels():
        return pins[made.pins["to_lock"]], pins[made.pins["to_open"]]

    equal(levels(), (0, 0))
    drive.move(-1, 1)
    equal(levels(), (1, 0))
    drive.move(1, 2)
    equal(levels(), (0, 1))
    drive.hold()
    equal(levels(), (1, 1))
    drive.rest()
    equal(levels(), (0, 0))


def test_a_servo_gets_pulses_while_it_moves():
    pulses = []
    pwm = machine.PWM.duty_ns
    machine.PWM.duty_ns = lambda self, ns: pulses.append(ns)
    try:
        drive = Hardware(board(fitted=("servo", "position"))).parts["drive"]
        drive.move(-1, 1)
        drive.hold()
        drive.move(1, 3)
        drive.rest()
    finally:
        machine.PWM.duty_ns = pwm
    equal(pulses, [0, 0, 1_000_000, 2_200_000, 0])


def test_a_switch_of_the_board_tells_its_interrupt():
    made = board(fitted=("strike", "button"))
    told = []
    Hardware(made).parts["button"].irq(lambda pin: told.append(pin.value()))
    number = made.pins["button"]
    for level in (0, 1, 1):
        machine.Pin.drive(number, level)
    equal(told, [0, 1])


def test_no_output_has_current_after_a_reset():
    everything = ("motor", "end_stops", "lamp", "buzzer")
    made = board(fitted=everything)
    equal(sorted(made.outputs()), [(25, 0), (27, 0), (32, 0), (33, 0)])
    equal(board(fitted=("servo",)).outputs(), [(25, 0)])
    inverted = board()
    inverted.strike_on = 0
    equal(inverted.outputs(), [(26, 1)])
    for pin, _ in made.outputs():
        machine.Pin(pin, machine.Pin.OUT, value=1)
    known = bare.this
    bare.this = lambda: made
    try:
        bare.safe()
    finally:
        bare.this = known
    equal([machine.Pin.levels[pin] for pin, _ in made.outputs()], [0] * 4)
    true(not Board.has_console)
