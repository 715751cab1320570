"""A servo that turns the bolt, for as long as it gets pulses.

Imports nothing. Without pulses it is free, so that a hand can turn the bolt.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PULSES_HZ = 50


class Servo:
    """A drive over a `machine.PWM`; how long a pulse is for locked, unlocked, latch pulled.

    These targets are 1, 2 and 3. Free from the start, and after what the `fuse` allows.
    """

    def __init__(self, pwm: "Any", pulses_us: "tuple[int, ...]", fuse: "Any"):
        self._pwm = pwm
        self._pulses_us = pulses_us
        self._fuse = fuse
        self._cut = self.rest  # made once: a bound method takes heap
        self.rest()

    def move(self, way: int, target: int) -> None:
        """Turn to the target; it finds the way itself."""
        self._fuse.start(self._cut)
        self._pwm.duty_ns(self._pulses_us[target - 1] * 1000)

    def hold(self) -> None:
        """Stay: the pulses go on, for as long again."""
        self._fuse.start(self._cut)

    def rest(self, timer: "Any" = None) -> None:
        """No pulses."""
        self._pwm.duty_ns(0)
