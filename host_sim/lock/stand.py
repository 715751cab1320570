"""Before boot.py and main.py, on MicroPython or CPython: a board on a stand, before it a door.

The variable SHARELOCK_STAND has JSON: `ms`, the world's time in Unix milliseconds; `rate`, how
fast it passes; and how the `door` is. The firmware's clock is the world's and stops with it; the
network's threads live in real time, or a broker would miss them. What the board's battery keeps
while it has no power, the clock chip, is in a file of the folder above.

Each change is told as a line `{"state": {...}}`. The console has more verbs, see `Lines`.
"""

import json
import os
import sys
import time as real
from binascii import hexlify, unhexlify

if sys.implementation.name == "cpython":
    from host_sim.lock import cpython  # noqa: F401

GIVEN = json.loads(os.getenv("SHARELOCK_STAND"))
_CHIP = "../chip.json"
_BUSY_MS = 5  # that pass at the most between two looks of a loop that is busy
_TELL_MS = 100
_LOG_ENTRIES = 64


class Time:
    """In the place of MicroPython's `time`: what `wait` lets pass, at a rate."""

    def __init__(self):
        self.ms = GIVEN["ms"]
        self.set(GIVEN["ms"], GIVEN["rate"])

    def set(self, ms, rate):
        """From now on it is this time, or soon, and it passes at this rate."""
        self._from_ms = ms
        self._since_ms = real.ticks_ms()
        self.rate = rate

    def due_ms(self):
        """What has passed in the world and not here."""
        passed_ms = real.ticks_diff(real.ticks_ms(), self._since_ms)
        return max(self._from_ms + int(passed_ms * self.rate) - self.ms, 0)

    def ticks_ms(self):
        """As `time` has it."""
        return self.ms

    def __getattr__(self, name):
        return getattr(real, name)


sys.modules["time"] = clock = Time()  # before anything of the firmware asks it

import machine  # noqa: E402

from firmware import calibrate, provision  # noqa: E402
from firmware.hal import hardware as board_hardware  # noqa: E402
from firmware.hal import network  # noqa: E402
from firmware.hal.board import Desk  # noqa: E402
from firmware.link import carrier, lines  # noqa: E402
from firmware.link.clerk import BOLT_NAMES, DOOR_NAMES  # noqa: E402
from firmware.policy.decision import TRUSTED, UNKNOWN, Decision, Now, Request  # noqa: E402
from firmware.policy.forecast import next_allowed  # noqa: E402
from firmware.policy.instant import Instant, from_unix, to_unix  # noqa: E402
from firmware.store import entry  # noqa: E402
from firmware.store.export import HEAD_BYTES  # noqa: E402
from host_sim import words  # noqa: E402
from host_sim.explain import explain  # noqa: E402
from host_sim.lock.rest import at_rest  # noqa: E402
from host_sim.world.door import JAM, PULLED, PUSH_MS, Door  # noqa: E402

network.time = real
carrier.LONGEST_PAUSE_MS = 2000  # nobody on a desk is to wait for minutes
Desk.fitted = ("motor", "position", "closed", "button", "battery")


class _Wire:
    """Between a pin of the door's model and the board's."""

    def __init__(self, number):
        self._number = number

    @property
    def level(self):
        return machine.Pin.levels.get(self._number, 0)

    @level.setter
    def level(self, level):
        machine.Pin.levels[self._number] = level

    def drive(self, level):
        machine.Pin.drive(self._number, level)


class _Volts:
    """What a `machine.ADC` reads, by the number of its pin."""

    def get(self, number, _default):
        name = "position" if number == Desk.pins["position"] else "battery"
        return door.volts_uv(name)


door = Door("motor", "position", pins={name: _Wire(Desk.pins[name]) for name in Door.PINS})
door.ms = clock.ms
machine.ADC.volts_uv = _Volts()


def _set_door(x, is_open, is_jammed, battery_mv):
    door.x, door.is_open, door.battery_mv = x, is_open, battery_mv
    door.jam = JAM if is_jammed else None
    door.sense()


_set_door(*GIVEN["door"])


# --- the clock chip, on its battery --------------------------------------------------------------


def _keep(address, register, values):
    _write(address, register, values)
    with open(_CHIP + ".new", "w") as file:
        json.dump(chip.memory(), file)
    os.rename(_CHIP + ".new", _CHIP)  # the power may be cut at any time


chip = machine.I2C.chip
_write = chip.writeto_mem
chip.writeto_mem = _keep
try:
    with open(_CHIP) as kept:
        chip.remember(json.load(kept))
except OSError:
    pass  # it is new


# --- the lock ------------------------------------------------------------------------------------


def make(*about):
    """Provision a board, and teach it where its bolt ends; the answer is `provision`'s."""
    key = provision.provision(*about[:2], cloud=about[2])
    places = [0.0, 1.0, PULLED]

    def turn(_text):
        door.x = places.pop(0)
        return ""

    calibrate.calibrate(board_hardware.Hardware(Desk()), ask=turn, say=lambda text: None)
    return key


class Lines(lines.Lines):
    """The console of a lock on a stand.

    {"do": "time", "ms": number, "rate": number, "skipped_s": number}
                                                      the world's time, and how fast it passes; its
                                                      clerk missed so many seconds
    {"do": "jump", "ms": number}                      so much passes at once
    {"do": "push"}, {"do": "swing"}, {"do": "slam"}   the button, the door
    {"do": "turn", "to": number}                      a hand turns the bolt: 0 is locked
    {"do": "jam", "on": true}, {"do": "battery", "mv": number}
    {"do": "log", "after": number}                    {"export": hex}
    {"do": "explain", "key": hex, "action": number, "channel": number, "at": Unix seconds or null}
                                                      {"reason": number, "next", "steps": [...]}
    """

    def __init__(self, lock):
        super().__init__(lock)
        stand.lock = lock
        self.verbs.update(
            {
                "time": self._time,
                "jump": self._jump,
                "push": self._push,
                "swing": lambda request: {"is_open": door.swing()},
                "slam": lambda request: {"is_open": not door.slam()},
                "turn": self._turn,
                "jam": self._jam,
                "battery": self._battery,
                "log": self._log,
                "explain": self._explain,
            }
        )

    def _time(self, request):
        clock.set(request["ms"], request["rate"])
        if self._lock._clerk is not None:
            self._lock._clerk._second += request["skipped_s"]
        return {}

    def _jump(self, request):
        clock.set(clock.ms + request["ms"], clock.rate)
        stand.skip(request["ms"])
        return {}

    def _push(self, request):
        door.pins["button"].drive(0)
        stand.release_ms = clock.ms + PUSH_MS
        return {}

    def _turn(self, request):
        door.hand = float(request["to"])
        return {}

    def _jam(self, request):
        door.jam = JAM if request["on"] else None
        return {}

    def _battery(self, request):
        door.battery_mv = request["mv"]
        return {}

    def _log(self, request):
        reader = self._lock.log.reader(request["after"])
        piece = bytearray(HEAD_BYTES + _LOG_ENTRIES * entry.BYTES)
        piece[:HEAD_BYTES] = reader.head()
        length = reader.read_into(memoryview(piece)[HEAD_BYTES:])
        return {"export": hexlify(piece[: HEAD_BYTES + length]).decode()}

    def _explain(self, request):
        asked = Request(unhexlify(request["key"]), request["action"], request["channel"], True)
        grant, _, read, zone, state, _ = self._lock.door.question(asked)
        now = Now(Instant(read.at.day, read.at.second), read.error_s, read.trust)
        if request["at"] is not None:
            now = Now(from_unix(request["at"]), 0, TRUSTED)
            later_s = request["at"] - to_unix(read.at)
            state.lockout_s = max(state.lockout_s - later_s, 0) if later_s >= 0 else 0
            if state.since_use_s is not None:
                state.since_use_s = max(state.since_use_s + later_s, 0)
        question = (grant, asked, now, zone, state)
        decision = Decision()
        steps = explain(*question, decision)
        at = next_allowed(*question, Decision()) if decision.reason else None
        return {
            "reason": decision.reason,
            "next": None if at is None else to_unix(at),
            "steps": [
                {"name": step.name, "reason": step.reason, "seen": step.seen} for step in steps
            ],
        }


class Stand:
    """Lets time pass for the board and its door, and tells what changes."""

    def __init__(self):
        self.lock = None
        self.release_ms = None
        self._told = None
        self._told_ms = real.ticks_ms() - _TELL_MS
        self._now = Now(Instant(), 0, UNKNOWN)
        self._digest = (-1, "")

    def pass_ms(self, ms):
        """So much passes."""
        clock.ms += ms
        door.advance(ms)
        if self.release_ms is not None and clock.ms >= self.release_ms:
            self.release_ms = None
            door.pins["button"].drive(1)

    def skip(self, ms):
        """So much passes at once, but for what moves now."""
        while ms > 0 and not at_rest(self.lock, door):
            step_ms = max(self.lock.step(), 1)
            self.pass_ms(step_ms)
            ms -= step_ms
        self.pass_ms(max(ms, 0))

    def wait(self, ms, console):
        """The ms to wait really when the firmware wants to wait for so many."""
        self.pass_ms(min(clock.due_ms(), max(ms, _BUSY_MS)))
        if self.lock is not None and real.ticks_diff(real.ticks_ms(), self._told_ms) >= _TELL_MS:
            self._told_ms = real.ticks_ms()
            self._tell()
        if clock.due_ms() > _BUSY_MS:
            return 0
        if not console._is_open:
            sys.exit()  # whoever started this is gone
        return ms if clock.rate <= 1 else int(ms / clock.rate)

    def _tell(self):
        state = self._state()
        if state != self._told:
            self._told = state
            print(json.dumps({"state": state}))

    def _state(self):
        lock = self.lock
        lock.clock.read(self._now)
        known = self._now.trust != UNKNOWN
        changes = lock.grants.changes()
        if changes != self._digest[0]:
            self._digest = (changes, hexlify(lock.grants.digest()).decode())
        clerk = lock._clerk
        return {
            "bolt": BOLT_NAMES[lock.doorway.state],
            "seen_door": DOOR_NAMES[lock.doorway.door],
            "x": round(door.x, 2),
            "is_open": door.is_open,
            "is_jammed": door.jam is not None,
            "is_driven": not door.is_free(),
            "battery_mv": door.battery_mv,
            "trust": words.TRUST_NAMES[self._now.trust] if known else "unknown",
            "error_s": self._now.error_s if known else None,
            "is_online": clerk is not None and clerk._online,
            "applied": lock.sync.applied,
            "digest": self._digest[1],
            "settings": lock.settings.current.version,
            "mode": words.MODE_NAMES[lock.settings.current.mode],
            "log": lock.log.sequence,
            "kept": lock.log.acknowledged,
            "answers": lock.door.answers,
        }


stand = Stand()
_wait = board_hardware.Hardware.wait
board_hardware.Hardware.wait = lambda hardware, ms: _wait(
    hardware, stand.wait(ms, hardware._console)
)
lines.Lines = Lines
