"""A door with a bolt, a motor, a spring latch, hands and faults, at the level of a board's pins.

Runs wherever the firmware's tests run; imports the firmware's `hal`. The bolt's position is 0
where it is locked, 1 unlocked, and up to `PULLED` with the latch drawn back. Time passes in steps
of a millisecond, in `advance`; the pins tell their interrupts what changes meanwhile.
"""

from firmware.hal.analog import Analog
from firmware.hal.board import Board
from firmware.hal.bridge import Bridge
from firmware.hal.fuse import Fuse
from firmware.hal.servo import Servo

from .timer import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PULLED = 1.4
THROW_MS = 800  # with a good battery
LOCKED_MV, UNLOCKED_MV, PULLED_MV = 500, 1500, 1900
_LAG_MS = 50  # inertia, driven
_BRAKE_MS = 15
_COAST_MS = 120
_HAND_SPEED = 0.004  # of the throw in a ms
_REACH = 0.03  # an end stop is on this close to its end
_BLOCKED = 0.6  # further in, the bolt lets the door move
_BOUNCES = (4, 7, 15, 19, 33, 36)  # ms after a slam at which the contact changes
_NOISE_MV = (0, 4, -3, 2, -5, 3, 0, -2)
_SERVO_NEAR = 0.02
_STILL = 0.000001


class Pin:
    """One pin: what the program sets, or what the world does to it."""

    def __init__(self, level=1):
        self.level = level
        self._handler = None

    def value(self, level=None):
        """The level, or set it."""
        if level is None:
            return self.level
        self.level = level
        return None

    def irq(self, handler):
        """Who is told when the world changes it."""
        self._handler = handler

    def drive(self, level):
        """The world changes it."""
        if level != self.level:
            self.level = level
            if self._handler is not None:
                self._handler(self)


class _Pwm:
    """A pin with pulses of so many ns; none at 0."""

    def __init__(self):
        self.ns = 0

    def duty_ns(self, ns):
        self.ns = ns


class _Adc:
    """Measures what a function says, in mV, with noise."""

    def __init__(self, read_mv):
        self._read_mv = read_mv
        self._count = 0

    def read_uv(self):
        self._count += 1
        noise = _NOISE_MV[self._count % len(_NOISE_MV)]
        return max(0, int(self._read_mv()) + noise) * 1000


class Door:
    """The world's side of one door: `parts()` are the board's, the rest is for the world.

    `drive` is "motor" or "servo", `sensor` "ends" or "position". `x` is where the bolt really is.
    `pins` by the names of PINS have `level` and `drive` of a Pin; without them it has its own.
    """

    PINS = ("to_lock", "to_open", "end_locked", "end_unlocked", "closed", "button")

    def __init__(self, drive="motor", sensor="ends", x=1.0, is_open=False, pins=None):
        self.ms = 0
        self.x = x
        self.speed = 0.0
        self.is_open = is_open
        self.battery_mv = 4000
        self.polarity = 1
        self.jam = None  # a position that the bolt cannot pass
        self.hand = None  # a position to which a hand turns it, whatever the motor does
        self.cut = set()  # names of pins whose wire is cut
        self.driven_ms = 0  # for how long the drive has had current without a break,
        self.longest_ms = 0  # and the most of that
        self.thrown_open_ms = 0  # for how long it has thrown the bolt while the door was open
        self._kind = drive
        self._sensor = sensor
        self._bounces: "tuple[int, ...]" = ()
        self._bounced_ms = 0
        self._pwm = _Pwm()
        self._timer = Timer(lambda: self.ms)
        self._adcs = {"position": _Adc(self._position_mv), "battery": _Adc(self._divided_mv)}
        self.pins = pins or {name: Pin() for name in self.PINS}
        self.pins.setdefault("tamper", Pin(0))
        self.lost_power()
        self.sense()

    def parts(self):
        """The drive, the sensor and the switches, as `lock.assembly` wants them."""
        pins = self.pins
        parts: "dict[str, Any]" = {name: pins[name] for name in ("closed", "button", "tamper")}
        fuse = Fuse(self._timer, Board.limit_ms)
        if self._kind == "motor":
            parts["drive"] = Bridge(pins["to_lock"], pins["to_open"], fuse)
        else:
            parts["drive"] = Servo(self._pwm, Board.servo_us, fuse)
        if self._sensor == "ends":
            parts["end_locked"] = pins["end_locked"]
            parts["end_unlocked"] = pins["end_unlocked"]
        else:
            parts["position"] = Analog(self._adcs["position"]).read_mv
        parts["battery"] = Analog(self._adcs["battery"], Board.battery_times_100).read_mv
        return parts

    def volts_uv(self, name):
        """What is measured at the pin of "position" or "battery"."""
        return self._adcs[name].read_uv()

    def lost_power(self):
        """The board's pins are as they are while it starts."""
        self.pins["to_lock"].level = self.pins["to_open"].level = 0
        self._pwm.ns = 0

    # --- what people do -------------------------------------------------------------------------

    def push(self, ms):
        """Push the button, for so long."""
        self.pins["button"].drive(0)
        self.advance(ms)
        self.pins["button"].drive(1)

    def swing(self):
        """Open the door, if the bolt lets it; whether it is open."""
        if not self.is_open and (self.x >= _BLOCKED):
            self.is_open = True
            self.sense()
        return self.is_open

    def slam(self):
        """Shut it, with a bang; whether it is closed. A bolt that is out keeps it from closing."""
        if self.is_open and self.x >= _BLOCKED:
            self.is_open = False
            self._bounces = _BOUNCES
            self._bounced_ms = 0
        return not self.is_open

    def is_locked(self):
        """Whether nobody gets in: as an end stop in perfect order would see it, and a bit."""
        return self.x <= 0.1 and not self.is_open

    def is_free(self):
        """Whether the drive has no current, not even to brake."""
        return self._force() is None

    # --- time -----------------------------------------------------------------------------------

    def advance(self, ms):
        """Let time pass, the quicker the less happens."""
        end_ms = self.ms + ms
        while self.ms < end_ms:
            if self._is_still():
                self.ms = end_ms
                self._timer.look()
                self._count(0.0)
                self.sense()
                return
            self.ms += 1
            self._step()
            self._timer.look()
            self._bounce()
            self.sense()

    def _is_still(self):
        if self._bounces or self.hand is not None or self.x > 1.05:
            return False
        return abs(self.speed) < _STILL and self.is_free()

    def _force(self):
        """The speed that the drive wants, and in how many ms it has it; None: no current."""
        speed = self.battery_mv / 4000 / THROW_MS * self.polarity
        if self._kind == "servo":
            if not self._pwm.ns:
                return None
            away = self._servo_target() - self.x
            if abs(away) < _SERVO_NEAR:
                return 0.0, _BRAKE_MS
            return (speed if away > 0 else -speed), _LAG_MS
        to_lock, to_open = self.pins["to_lock"].level, self.pins["to_open"].level
        if to_lock and to_open:
            return 0.0, _BRAKE_MS
        if not to_lock and not to_open:
            return None
        return (speed if to_open else -speed), _LAG_MS

    def _servo_target(self):
        return (0.0, 1.0, PULLED)[Board.servo_us.index(self._pwm.ns // 1000)]

    def _step(self):
        force = self._force()
        wanted, lag = force or (0.0, _COAST_MS)
        self.speed += (wanted - self.speed) / lag
        self._count(wanted)
        if self.hand is not None:
            away = self.hand - self.x
            self.speed = max(-_HAND_SPEED, min(_HAND_SPEED, away))
            if abs(away) < 0.001:
                self.hand = None
        elif force is None and self.x > 1.05:
            self.speed = -0.001  # the latch's spring
        self._move(self.x + self.speed)

    def _move(self, x):
        last = 1.0 if self._sensor == "ends" else PULLED
        if self.jam is not None and (self.x - self.jam) * (x - self.jam) <= 0 and x != self.x:
            x = self.x
        if not 0.0 <= x <= last:
            x = min(max(x, 0.0), last)
        if x == self.x:
            self.speed = 0.0
        self.x = x

    def _count(self, wanted):
        self.driven_ms = self.driven_ms + 1 if wanted else 0
        self.longest_ms = max(self.longest_ms, self.driven_ms)
        throws = wanted * self.polarity < 0 and self.is_open and self.x < 0.9
        self.thrown_open_ms = self.thrown_open_ms + 1 if throws else 0

    def _bounce(self):
        if not self._bounces:
            return
        self._bounced_ms += 1
        if self._bounced_ms > self._bounces[-1]:
            self._bounces = ()

    def sense(self):
        """Let the switches show how it is."""
        closed = not self.is_open
        if self._bounces:
            closed = sum([self._bounced_ms >= ms for ms in self._bounces]) % 2 == 0
        switches = (
            ("closed", closed),
            ("end_locked", self.x <= _REACH),
            ("end_unlocked", self.x >= 1 - _REACH),
        )
        for name, is_on in switches:
            self.pins[name].drive(0 if is_on and name not in self.cut else 1)

    def _position_mv(self):
        if "position" in self.cut:
            return 0
        return LOCKED_MV + self.x * (UNLOCKED_MV - LOCKED_MV)

    def _divided_mv(self):
        return self.battery_mv * 100 // Board.battery_times_100
