"""The boards that the firmware knows, and what is wired to them: the one place to add one.

Imports only `os` and `sys`. A new board is a class here and a line in BOARDS; `chips` refuses pins
that cannot be. docs/hardware.md shows the wiring.
"""

import os
import sys


class Board:
    """An ESP32-DevKitC: `fitted` are the parts that it has, by the names of `chips.PARTS`.

    `pins` are the numbers of `machine.Pin` for these parts and others; what is not fitted is not
    touched. `has_console`: whoever writes to stdin is believed to have proven any key, so it is
    for a desk and never for a door.
    """

    chip = "ESP32"
    fitted: "tuple[str, ...]" = ("strike", "button")
    # Drives are on pins that are neither strapping pins nor move while the chip starts.
    pins = {
        "strike": 26,
        "to_lock": 25,
        "to_open": 27,
        "servo": 25,
        "end_locked": 18,
        "end_unlocked": 19,
        "position": 34,
        "closed": 23,
        "button": 4,
        "tamper": 13,
        "battery": 35,
        "lamp": 32,
        "buzzer": 33,
        "sda": 21,
        "scl": 22,
    }
    strike_on = 1  # the level that feeds the strike,
    pulse_ms = 3000  # for so long at a time
    limit_ms = 3000  # a motor or servo has current in one go; twice what a throw takes
    servo_us = (1000, 2000, 2200)  # pulses for locked, unlocked, latch pulled
    switch_on = 0  # switches connect their pin to ground
    battery_times_100 = 200  # the divider before the pin: two equal resistors
    low_mv = 3600
    critical_mv = 3400
    # What one lithium-ion cell at rest has at 0, 10 ... 100 percent of its charge.
    charge_mv = (3270, 3690, 3730, 3770, 3800, 3840, 3870, 3950, 4020, 4110, 4200)
    has_console = False

    def outputs(self) -> "list[tuple[int, int]]":
        """The pins of drives, lamp and buzzer, and the level at which each has no current."""
        found = [(self.pins["strike"], 1 - self.strike_on)] if "strike" in self.fitted else []
        names = ["to_lock", "to_open"] if "motor" in self.fitted else []
        names += [name for name in ("servo", "lamp", "buzzer") if name in self.fitted]
        return found + [(self.pins[name], 0) for name in names]


class BoardS3(Board):
    """An ESP32-S3-DevKitC-1."""

    chip = "ESP32S3"
    pins = {
        "strike": 4,
        "to_lock": 5,
        "to_open": 6,
        "servo": 5,
        "end_locked": 15,
        "end_unlocked": 16,
        "position": 1,
        "closed": 17,
        "button": 18,
        "tamper": 21,
        "battery": 2,
        "lamp": 10,
        "buzzer": 11,
        "sda": 8,
        "scl": 9,
    }


class BoardC3(Board):
    """An ESP32-C3-DevKitM-1: so few pins that not all parts go together."""

    chip = "ESP32C3"
    pins = {
        "strike": 10,
        "to_lock": 10,
        "to_open": 7,
        "servo": 10,
        "end_locked": 0,
        "end_unlocked": 1,
        "position": 1,
        "closed": 3,
        "button": 4,
        "tamper": 7,
        "battery": 0,
        "lamp": 7,
        "buzzer": 7,
        "sda": 5,
        "scl": 6,
    }


class Desk(Board):
    """A computer, where `machine` is the simulator's: an ESP32-DevKitC with a console."""

    has_console = True


BOARDS = {board.chip: board for board in (Board, BoardS3, BoardC3)}


def this() -> Board:
    """The board that this program runs on; a computer may be told to be a chip (MACHINE_CHIP).

    Raises KeyError with the name of an unknown chip.
    """
    if sys.platform in ("linux", "darwin"):
        chip = os.getenv("MACHINE_CHIP")
        return BOARDS[chip]() if chip else Desk()
    return BOARDS[sys.implementation._machine.split(" ")[-1]]()  # type: ignore[attr-defined]
