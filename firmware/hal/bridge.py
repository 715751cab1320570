"""A motor between the two inputs of an H-bridge (DRV8833, TB6612, L298 and their like).

Imports nothing. Both low is no current, one high turns the motor, both high shorts it: it brakes.
The fuse comes before the current, so there is none without it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Bridge:
    """A drive over two `machine.Pin`s: `to_lock` high turns to the lock, `to_open` the other way.

    No current from the start, nor for longer than the `fuse`, a `hal.fuse.Fuse`, allows.
    """

    def __init__(self, to_lock: "Any", to_open: "Any", fuse: "Any"):
        self._to_lock = to_lock
        self._to_open = to_open
        self._fuse = fuse
        self._cut = self.rest  # made once: a bound method takes heap
        self.rest()

    def move(self, way: int, target: int) -> None:
        """Turn: to the lock if `way` is negative. Both are never high on the way there."""
        self._fuse.start(self._cut)
        if way > 0:
            self._to_lock.value(0)
            self._to_open.value(1)
        else:
            self._to_open.value(0)
            self._to_lock.value(1)

    def hold(self) -> None:
        """Brake."""
        self._fuse.start(self._cut)
        self._to_lock.value(1)
        self._to_open.value(1)

    def rest(self, timer: "Any" = None) -> None:
        """No current."""
        self._to_lock.value(0)
        self._to_open.value(0)
