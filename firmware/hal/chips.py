"""What the pins of each chip can do, and a check that a board asks no more of them.

Imports nothing. Sources: the tables of pins in ESP-IDF's "GPIO & RTC GPIO" of each chip, which
follow the datasheets; for ADC2, which an ESP32 lacks while Wi-Fi is on and for which the others
have errata or an arbiter, "Analog to Digital Converter" there. Only ADC1 is used on all of them.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The pins of each part. A clock is always there, or its pins are free for one.
PARTS = {
    "strike": ("strike",),
    "motor": ("to_lock", "to_open"),
    "servo": ("servo",),
    "end_stops": ("end_locked", "end_unlocked"),
    "position": ("position",),
    "closed": ("closed",),
    "button": ("button",),
    "tamper": ("tamper",),
    "battery": ("battery",),
    "lamp": ("lamp",),
    "buzzer": ("buzzer",),
    "clock": ("sda", "scl"),
}
_ANALOG = ("position", "battery")
_SWITCHES = ("end_locked", "end_unlocked", "closed", "button", "tamper")
_DRIVES = ("strike", "motor", "servo")

# Numbers of pins, by why nothing can be wired to them; `analog` are those of ADC1, and `inputs`
# have neither an output nor a pull-up.
_CHIPS: "dict[str, dict[str, Any]]" = {
    "ESP32": {
        "absent": (20, 24, 28, 29, 30, 31),
        "flash": (6, 7, 8, 9, 10, 11, 16, 17),
        "strapping": (0, 2, 5, 12, 15),
        "serial": (1, 3),
        "inputs": (34, 35, 36, 37, 38, 39),
        "analog": (32, 33, 34, 35, 36, 37, 38, 39),
        "last": 39,
    },
    "ESP32S3": {
        "absent": (22, 23, 24, 25),
        "flash": tuple(range(26, 38)),
        "strapping": (0, 3, 45, 46),
        "serial": (19, 20, 43, 44),
        "inputs": (),
        "analog": tuple(range(1, 11)),
        "last": 48,
    },
    "ESP32C3": {
        "absent": (),
        "flash": (11, 12, 13, 14, 15, 16, 17),
        "strapping": (2, 8, 9),
        "serial": (18, 19, 20, 21),
        "inputs": (),
        "analog": (0, 1, 2, 3, 4),
        "last": 21,
    },
}


def check(board: "Any") -> None:
    """Raise ValueError, with the pin's name, if the board's parts cannot be wired like this."""
    chip = _CHIPS[board.chip]
    used: "dict[int, str]" = {}
    for part in ("clock",) + board.fitted:
        if part not in PARTS:
            raise ValueError("there is no part " + part)
        for name in PARTS[part]:
            number = board.pins[name]
            wrong = _fault(chip, name, number)
            if number in used:
                wrong = "is " + used[number]
            if wrong:
                raise ValueError("%s: pin %d %s" % (name, number, wrong))
            used[number] = name
    if len([part for part in _DRIVES if part in board.fitted]) != 1:
        raise ValueError("one of strike, motor and servo")
    if "strike" not in board.fitted:
        if ("position" in board.fitted) == ("end_stops" in board.fitted):
            raise ValueError("a motor or servo needs position or end_stops")


def _fault(chip, name, number):
    """Why this pin cannot have this job; empty if it can."""
    if not 0 <= number <= chip["last"] or number in chip["absent"]:
        return "does not exist"
    for why in ("flash", "strapping", "serial"):
        if number in chip[why]:
            return "is a pin of the flash" if why == "flash" else "is a " + why + " pin"
    if name in _ANALOG:
        return "" if number in chip["analog"] else "does not belong to ADC1"
    if number in chip["inputs"]:
        return "has no pull-up" if name in _SWITCHES else "is only an input"
    return ""
