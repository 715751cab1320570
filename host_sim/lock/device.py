"""The simulated lock: the firmware as a whole, on a board whose time is the story's.

A request is a line of JSON with `do` and the world's time `t` (Unix seconds). What a lock answers
by itself is in `firmware.link.lines`; here is what only a story asks.
"""

import json
import os
from binascii import unhexlify

from firmware.app import Lock
from firmware.clock.clock import Clock
from firmware.crypto.p256 import PublicKey
from firmware.link.clerk import BOLT_NAMES
from firmware.link.lines import Lines
from firmware.lock import calibration
from firmware.policy import reasons
from firmware.policy.decision import TRUSTED, UNKNOWN
from firmware.policy.instant import from_unix
from firmware.store import ends, identity
from firmware.store.flash import Flash
from host_sim.lock.rest import at_rest
from host_sim.timeline import timeline
from host_sim.world.door import (
    HANDS,
    JAM,
    LOCKED_MV,
    PULLED_MV,
    PUSH_MS,
    UNLOCKED_MV,
    Door,
)
from host_sim.world.hardware import Hardware


class StoryClock(Clock):
    """The lock's clock, but for what it says: the story's time, as well known as the story has it.

    `error_s` is None for a time that is unknown.
    """

    def __init__(self, hardware, *parts):
        super().__init__(*parts)
        self.error_s = 0
        self._hardware = hardware

    def read(self, now):
        """Fill `now`."""
        now.at.set(from_unix(self._hardware.ms // 1000))
        now.error_s = self.error_s or 0
        now.trust = UNKNOWN if self.error_s is None else TRUSTED


class Device:
    """A lock just provisioned in an empty folder, at a time: its id, and the issuer's key."""

    def __init__(self, folder, lock, issuer, at_s):
        key = PublicKey(issuer[:32], issuer[32:])
        key.precompute()
        flash = Flash(folder)
        who = identity.Identity(lock, key, os.urandom(identity.KEY_BYTES))
        identity.write(flash.pair, who)
        ends.write(flash.pair, who.seal(), calibration.encode(LOCKED_MV, UNLOCKED_MV, PULLED_MV))
        self._door = Door("motor", "position")
        self._hardware = Hardware(at_s, os.urandom, self._door)
        self._flash = flash
        self._who = who
        self._boot(0)

    def _boot(self, error_s):
        self._hardware.power_on()
        self._lock = Lock(
            self._hardware, self._flash, self._who, _nobody_listens, self._make_clock
        )
        self._clock.error_s = error_s
        self._lock.start()
        self._lines = Lines(self._lock)
        self._lines.verbs.update(
            {
                "clock": self._know,
                "spans": self._spans,
                "rest": self._rest,
                "hand": self._hand,
                "jam": self._jam,
                "battery": self._battery,
                "power": self._power,
            }
        )

    def _make_clock(self, *parts):
        self._clock = StoryClock(self._hardware, *parts)
        return self._clock

    def answer(self, line):
        """Carry out one request at the world's time that it names."""
        self._settle()
        self._hardware.wait(max(json.loads(line)["t"] * 1000 - self._hardware.ms, 0))
        self._lock.step()
        return self._lines.answer(line)

    def _settle(self):
        """Live through what moves."""
        self._lock.step()
        while not at_rest(self._lock, self._door):
            self._hardware.wait(self._lock.step() or 1)

    def _rest(self, request):
        """What the bolt comes to."""
        self._settle()
        return {"bolt": BOLT_NAMES[self._lock.doorway.state].lower()}

    def _hand(self, request):
        """A hand at the bolt, the door or the button."""
        what = request["value"]
        if what in HANDS:
            self._door.hand = HANDS[what]
        elif what == "swing":
            self._door.swing()
        elif what == "slam":
            self._door.slam()
        else:
            self._door.push(PUSH_MS)
        return {}

    def _jam(self, request):
        self._door.jam = JAM if request["value"] else None
        return {}

    def _battery(self, request):
        self._door.battery_mv = request["value"]
        return {}

    def _power(self, request):
        """It is cut, and comes back."""
        self._boot(self._clock.error_s)
        return {}

    def _know(self, request):
        """How well it knows the time from now on: `error_s`, None for not at all."""
        self._clock.error_s = request["error_s"]
        return {}

    def _spans(self, request):
        """When time allows a key, for `seconds` from `start` on: [offset, length] each."""
        lock = self._lock
        grant = lock.grants.find(unhexlify(request["key"]))
        if grant is None:
            raise ValueError("no grant for this key")
        state = lock.grants.state_at(grant, 0)
        start = from_unix(request["start"])
        door = lock.door
        spans = timeline(grant, start, door.zone, state, request["seconds"], door.decision)
        return {"spans": [[o, n] for o, n, reason in spans if reason == reasons.ALLOWED]}


def _nobody_listens(text):
    pass
