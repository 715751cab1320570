"""MicroPython's `network` of an ESP32, as far as the firmware uses it: a station that joins.

`wifi` in the folder MACHINE_WORLD says in JSON what is in the air: `networks` with their
passwords, `slow_ms` for joining, `lost` while nothing can be heard. It is read at every call.
Without that file the station has joined somewhere, as a board's that was told at the prompt. The
errors are those of an ESP32.
"""

import json
import os
import time

STA_IF = 0
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202

_WORLD = os.getenv("MACHINE_WORLD")


_name = "mpy-esp32"


def hostname(name=None):
    """What it is called, or call it so."""
    global _name
    if name is not None:
        if len(name) > 32:
            raise ValueError
        _name = name
        return None
    return _name


def _air():
    try:
        with open(_WORLD + "/wifi") as file:
            return json.load(file)
    except (OSError, TypeError):  # no such file, no world
        return None


class WLAN:
    """The station; all objects are the same one."""

    _active = False
    _asked = None
    _since_ms = 0

    def __init__(self, interface=STA_IF):
        if interface != STA_IF:
            raise ValueError("only a station")

    def active(self, on=None):
        """Whether it is on, or switch it."""
        if on is None:
            return WLAN._active
        WLAN._active = bool(on)
        WLAN._asked = WLAN._asked if on else None
        return None

    def connect(self, name, password=None):
        """Begin to join; an ESP32 refuses it while it is off or joining."""
        if not WLAN._active:
            raise OSError("Wifi Not Started")
        if self.status() == STAT_CONNECTING:
            raise OSError("Wifi Internal State Error")
        WLAN._asked = name, password or ""
        WLAN._since_ms = time.ticks_ms()

    def disconnect(self):
        """Leave, or stop to join."""
        if not WLAN._active:
            raise OSError("Wifi Not Started")
        WLAN._asked = None

    def status(self):
        """How far it is."""
        air = _air()
        if air is None:
            return STAT_GOT_IP
        if not WLAN._active or WLAN._asked is None:
            return STAT_IDLE
        name, password = WLAN._asked
        waited_ms = time.ticks_diff(time.ticks_ms(), WLAN._since_ms)
        if waited_ms < air.get("slow_ms", 0):
            return STAT_CONNECTING
        if air.get("lost") or name not in air["networks"]:
            return STAT_NO_AP_FOUND
        return STAT_GOT_IP if air["networks"][name] == password else STAT_WRONG_PASSWORD

    def isconnected(self):
        """Whether it has an address."""
        return self.status() == STAT_GOT_IP

    def scan(self):
        """What it hears: name, address, channel, dBm, security, hidden."""
        if not WLAN._active:
            raise OSError("Wifi Not Started")
        air = _air() or {"networks": {}}
        names = [] if air.get("lost") else sorted(air["networks"])
        return [
            (name.encode(), b"\x02\0\0\0\0\1", 6, -60, 3 if air["networks"][name] else 0, False)
            for name in names
        ]
