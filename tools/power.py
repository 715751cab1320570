"""Writes the table of currents in docs/hardware.md with its arithmetic: `python -m tools.power`.

The page says which figure is from which data sheet, and which is assumed.
"""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "hardware.md"
_TABLE = re.compile(r"(?<=<!-- made by `make docs` -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)

# Milliampere, at 3.3 V.
FULL = 30.0, 68.0  # modem-sleep, two cores at 240 MHz: idle, busy
SLOW = 20.0, 31.0  # the same at 80 MHz
SEND, LISTEN = 130.0, 100.0  # Bluetooth at 0 dBm
LIGHT = 0.8
DEEP = 0.01
DEEP_MEASURED = 0.0064
CLOCK = 0.11  # a DS3231 that is fed by 3.3 V
DIVIDER = 4.0 / 200  # volts and kOhm: two resistors at the battery, always
POSITION = 3.3 / (4.7 + 10 + 1)  # a potentiometer and its resistors at 3.3 V, always

# Advertising: each time a packet on three channels, and a moment of listening after each.
EVERY_MS = 255  # 250, and 0 to 10 at random
PACKET_MS = 0.376  # 47 bytes at 1 Mbit/s
AFTER_MS = 0.3
AWAKE_MS = 5  # of the processor at 80 MHz, for one of them, after a light sleep
# Wi-Fi: a beacon every 102 ms.
BEACON_MS, BEACONS_MS = 102.4, 5

CELL_MAH, USABLE = 3000, 0.85  # a lithium cell, down to what the regulator needs
MOTOR_MA, THROW_S, THROWS = 500, 0.8, 20  # a day of ten people who come in: unlock and lock


@dataclass(frozen=True)
class Mode:
    """What the lock does, and the least and the most that it takes, in mA."""

    what: str
    how: str
    least: float
    most: float

    def days(self, current: float) -> int:
        """How long a cell lasts, with the motor's share."""
        daily = 0 if current < LIGHT else throws_mah()
        return int(CELL_MAH * USABLE / (current * 24 + daily))


def throws_mah() -> float:
    """What a day's throws take."""
    return THROWS * THROW_S * MOTOR_MA / 3600


def advertising() -> float:
    """What advertising adds on average."""
    return 3 * (PACKET_MS * SEND + AFTER_MS * LISTEN) / EVERY_MS


def modes() -> list[Mode]:
    """All of them, the hungriest first."""
    radio = advertising()
    beacons = BEACONS_MS * LISTEN / BEACON_MS
    awake = AWAKE_MS * SLOW[1] / EVERY_MS
    found = []

    def add(what: str, how: str, *currents: float) -> None:
        found.append(Mode(what, how, min(currents), max(currents)))

    at_full = f"{FULL[0]:.0f} to {FULL[1]:.0f}"
    at_slow = f"{SLOW[0]:.0f} to {SLOW[1]:.0f}"
    clock = f"{CLOCK} clock"
    add(
        "phones and Wi-Fi",
        f"{at_full} chip + {radio:.1f} advertising + {beacons:.1f} beacons + {clock}",
        *(each + radio + beacons + CLOCK for each in FULL),
    )
    add(
        "phones only, 240 MHz",
        f"{at_full} chip + {radio:.1f} advertising + {clock}",
        *(each + radio + CLOCK for each in FULL),
    )
    add(
        "phones only, nobody there: 80 MHz",
        f"{at_slow} chip + {radio:.1f} advertising + {clock}",
        *(each + radio + CLOCK for each in SLOW),
    )
    add(
        "light sleep between advertisements (no stock image can)",
        f"{LIGHT} chip + {radio:.1f} advertising + {awake:.1f} awake for it + {clock}",
        LIGHT + radio + awake + CLOCK,
    )
    add("in a drawer: deep sleep", f"{DEEP} chip + {clock}", DEEP + CLOCK)
    wired = f"{DIVIDER:.2f} divider + {POSITION:.2f} potentiometer"
    add(
        "the same with `battery` and `position`",
        f"{DEEP} chip + {clock} + {wired}",
        DEEP + CLOCK + DIVIDER + POSITION,
    )
    return found


def table() -> str:
    """The table, and what it counts with."""
    lines = ["| | mA | how | days on a cell |", "|---|---:|---|---:|"]
    for each in modes():
        digits = 2 if each.most < 1 else 1
        current = " to ".join(
            dict.fromkeys(f"{value:.{digits}f}" for value in (each.least, each.most))
        )
        days = " to ".join(
            dict.fromkeys(f"{each.days(value):,}" for value in (each.most, each.least))
        )
        lines.append(f"| {each.what} | {current} | {each.how} | {days} |")
    packets = f"{PACKET_MS} x {SEND:.0f} + {AFTER_MS} x {LISTEN:.0f}"
    throws = f"{THROWS} x {THROW_S} s x {MOTOR_MA} mA = {throws_mah():.1f} mAh"
    lines += [
        "",
        f"- Advertising: a packet of {PACKET_MS} ms at {SEND:.0f} mA on each of three channels,",
        f"  and {AFTER_MS} ms of listening at {LISTEN:.0f} mA, every {EVERY_MS} ms:",
        f"  3 x ({packets}) / {EVERY_MS} = {advertising():.2f} mA.",
        f"- Wi-Fi: {BEACONS_MS} ms of listening every {BEACON_MS} ms.",
        f"- A motor: {throws} a day, none in the drawer.",
        f"- Days: {CELL_MAH} mAh x {USABLE} that can be used / (24 x mA + {throws_mah():.1f}).",
        "",
        "| mA | of what | where from |",
        "|---|---|---|",
    ]
    lines += [f"| {' | '.join(row)} |" for row in sources()]
    return "\n".join(lines)


def sources() -> list[tuple[str, str, str]]:
    """Each current, what takes it, and who says so."""
    sheet = "ESP32 Series Datasheet"
    more = 3 * PACKET_MS * SEND / EVERY_MS
    return [
        (
            f"{FULL[0]:.0f} to {FULL[1]:.0f}, {SLOW[0]:.0f} to {SLOW[1]:.0f}",
            "two cores at 240 and at 80 MHz, idle to busy, without radio",
            f"{sheet}, *Power Consumption by Power Modes*, modem-sleep",
        ),
        (f"{LIGHT}", "light sleep", "the same table"),
        (
            f"{DEEP}",
            "deep sleep",
            f"the same table, *RTC timer + RTC memory*; Espressif measured {DEEP_MEASURED} "
            + "with a pin that wakes (ESP-IoT-Solution, *Current Consumption Test for ESP32 in "
            + "Deep sleep*, EXT0)",
        ),
        (
            f"{SEND:.0f}, {LISTEN:.0f}",
            "Bluetooth sends at 0 dBm, listens",
            f"{sheet}, *Current Consumption Depending on RF Modes*; the first is of a chip that "
            + "sends half of the time: while it does it may be up to twice that, "
            + f"{more:.1f} mA more on average",
        ),
        (
            f"{CLOCK}",
            "a DS3231 nobody talks to, at most",
            "its data sheet, *Electrical Characteristics*, standby supply current at 3.63 V",
        ),
        (
            f"{DIVIDER:.2f}, {POSITION:.2f}",
            "the divider at the battery, the potentiometer",
            "4.0 V / 200 kΩ, 3.3 V / 15.7 kΩ",
        ),
    ]


def page() -> str:
    """The page as it should be."""
    return _TABLE.sub(lambda _: table(), PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote the table in {PAGE.name}")
