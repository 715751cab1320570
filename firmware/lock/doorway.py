"""One door: its bolt, the contact that tells whether it is open, and the button inside.

Imports its siblings and policy. Who may come in is decided elsewhere; `act` does it. Here is what
a door does by itself: it never throws the bolt while it is open, it locks by itself after a while
and when it was closed, if it can see that it is closed, and the button inside opens whatever the
rules say.
"""

from ..policy import reasons
from ..policy.grant import LOCK, OPENING, PULL
from .battery import CRITICAL
from .states import CLOSED, JAMMED, LOCKED, LOCKING, OPEN, PULLED, UNKNOWN, UNLOCKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .battery import Battery
    from .switch import Switch

AFTER_CLOSING_MS = 1500  # the latch has caught, and a door that was slammed has come to rest


class Doorway:
    """`act`, `tick`, and for others to read: the bolt's `state` and the `door`'s, see `states`.

    `closed`, `button` and `tamper` are Switches or None, `battery` a Battery or None.
    `auto_lock_ms` is 0 to leave the bolt alone. `note(reason, count)` is told what happened.
    """

    def __init__(
        self,
        bolt: "Any",
        closed: "Switch | None",
        button: "Switch | None",
        tamper: "Switch | None",
        battery: "Battery | None",
        ticks_ms: "Callable[[], int]",
        ticks_diff: "Callable[[int, int], int]",
        note: "Callable[[int, int], None]",
    ):
        self._bolt = bolt
        self._closed = closed
        self._button = button
        self._tamper = tamper
        self.battery = battery
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._note = note
        self.auto_lock_ms = 0
        self._is_held = False
        self._is_moving = False
        self._should_lock = False  # somebody asked for it while the door was open
        self._was_open = False  # since the bolt was unlocked
        self._is_tampered = False
        self._since = ticks_ms()  # the bolt could be locked
        self.door = UNKNOWN if closed is None else (CLOSED if closed.is_on else OPEN)

    @property
    def state(self) -> int:
        """What the bolt does."""
        state: int = self._bolt.state
        return state

    def act(self, action: int) -> None:
        """Unlock, pull or lock, other actions move nothing; returns at once.

        A door that is open is locked as soon as it is closed.
        """
        if action & OPENING:
            self._open(PULLED if action & PULL else UNLOCKED)
        elif action == LOCK:
            self._lock()

    def hold(self, is_held: bool) -> None:
        """From now on the bolt stays unlocked, or no longer; who asks for it can still lock.

        Nothing happens to a strike, whose coil is made for pulses.
        """
        if is_held != self._is_held:
            self._is_held = is_held
            if not self._bolt.is_sure:
                return
            self._note(reasons.HELD_OPEN if is_held else reasons.HOLD_OVER, 0)
            if is_held:
                self._open(UNLOCKED)

    def is_pushed(self) -> bool:
        """Whether somebody holds the button inside."""
        return self._button is not None and self._button.is_on

    def is_calm(self) -> bool:
        """Whether nobody would notice a restart: nothing moves, or is to, and nobody pushes."""
        return not (self._is_moving or self._should_lock or self.is_pushed())

    def stop(self) -> None:
        """No current in the bolt's drive."""
        self._bolt.stop()

    def tick(self) -> int:
        """Do what is due; the ms after which to come again, 0 if nothing moves."""
        self._look_at_the_door()
        if self._button is not None and self._button.update():
            self._open(UNLOCKED)
            self._note(reasons.BUTTON_PUSHED, 0)
        left_ms: int = self._bolt.tick()
        self._is_moving = left_ms > 0
        self._lock_when_due()
        if not left_ms:
            self._look_around()
        return left_ms

    def _open(self, target):
        self._should_lock = False
        self._was_open = self.door == OPEN
        self._since = self._ticks_ms()
        self._bolt.begin(target)

    def _lock(self):
        self._should_lock = self.door == OPEN and self._bolt.is_sure
        if self._should_lock:
            self._note(reasons.LOCK_WAITS, 0)
        else:
            self._bolt.begin(LOCKED)

    def _look_at_the_door(self):
        if self._closed is None:
            return
        self._closed.update()
        door = CLOSED if self._closed.is_on else OPEN
        if door == self.door:
            return
        self.door = door
        if door == CLOSED:
            self._note(reasons.DOOR_CLOSED, 0)
            return
        state = self._bolt.state
        is_forced = state == LOCKED and self._bolt.is_sure
        self._note(reasons.DOOR_FORCED if is_forced else reasons.DOOR_OPENED, 0)
        self._was_open = True
        if state == LOCKING:
            self._bolt.begin(UNLOCKED)
            self._lock()

    def _lock_when_due(self):
        delay_ms = 0 if self._is_moving or self.is_pushed() else self._delay_ms()
        if not delay_ms:
            self._since = self._ticks_ms()
        elif not 0 <= self._ticks_diff(self._ticks_ms(), self._since) < delay_ms:
            self._since = self._ticks_ms()
            self._should_lock = self._was_open = False
            self._bolt.begin(LOCKED)
            if self._bolt.state == LOCKING:  # and not without a sensor
                self._note(reasons.AUTO_LOCK, 0)

    def _delay_ms(self):
        """After how long the bolt locks by itself; 0 for never, as things are."""
        state = self._bolt.state
        if state == LOCKED or state == JAMMED or self.door != CLOSED:
            return 0
        if self._should_lock:
            return AFTER_CLOSING_MS
        if self._is_held or self._is_weak():
            return 0
        if self._was_open:
            return min(self.auto_lock_ms, AFTER_CLOSING_MS)
        return self.auto_lock_ms

    def _is_weak(self):
        """A bolt that stays half-way for want of current is worse than one that is unlocked."""
        return self.battery is not None and self.battery.level == CRITICAL

    def _look_around(self):
        if self.battery is not None:
            self.battery.tick()
        tamper = self._tamper
        if tamper is None:
            return
        if tamper.update() or tamper.is_on != self._is_tampered:
            self._is_tampered = tamper.is_on
            self._note(reasons.TAMPERED if tamper.is_on else reasons.TAMPER_OVER, 0)
