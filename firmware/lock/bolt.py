"""A bolt that a motor or a servo drives, with a sensor that says where it is.

Imports its siblings and policy's reasons. What holds whatever happens, if `tick` is called:

- LOCKED, UNLOCKED and PULLED are said only while the sensor says the same, after it has come to
  rest there. A locked end that was on when the drive ran and did not change is not believed.
- The drive has current for `limit_ms` at a time, a few times for one action, and then no more.
- It turns to the lock only to lock, or to let the latch go. Without a sensor it only opens.
"""

from ..policy import reasons
from .states import (
    BETWEEN,
    FAULTY,
    JAMMED,
    LOCKED,
    LOCKING,
    PULLED,
    TO_LOCK,
    TO_OPEN,
    UNKNOWN,
    UNLOCKED,
    UNLOCKING,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

ATTEMPTS = 3  # for one action
HOLD_MS = 2000  # the latch is drawn back
_STALL_MS = 300  # without a step
_STEP = 20  # in thousandths of the throw; noise is less
_WRONG_WAY = 150  # so far from where it began, on the other side
_SETTLE_MS = 150  # a bolt has come to rest
_BACK_MS = 200  # after a jam, to let go what is in the way
_PAUSE_MS = 300  # between two attempts
_TURN_MS = 60  # between two ways: to turn round a running motor takes twice the current
_HAND_MS = 400  # what is turned by hand stays so for this long
_LOOK_MS = 10  # while it moves

# What it is at.
_REST = 0
_RUN = 1
_SETTLE = 2
_TURN = 3
_BACK = 4
_PAUSE = 5
_HOLD = 6

_BY_DRIVE = {
    LOCKED: reasons.BOLT_LOCKED,
    UNLOCKED: reasons.BOLT_UNLOCKED,
    PULLED: reasons.LATCH_PULLED,
}
_BY_HAND = {
    LOCKED: reasons.TURNED_LOCKED,
    UNLOCKED: reasons.TURNED_UNLOCKED,
    PULLED: reasons.TURNED_PULLED,
    BETWEEN: reasons.BOLT_BETWEEN,
    FAULTY: reasons.BOLT_LOST,
}


class Bolt:
    """A bolt at rest, wherever it is; `begin` moves it, and `tick` does all that follows.

    `drive` has `move(way, target)`, `hold` (no movement, with what force it has) and `rest` (no
    current, which is how it starts). `note(reason, count)` is told what happened; the count is
    that of attempts.
    """

    is_sure = True

    def __init__(
        self,
        drive: "Any",
        sensor: "Any",
        ticks_ms: "Callable[[], int]",
        ticks_diff: "Callable[[int, int], int]",
        limit_ms: int,
        note: "Callable[[int, int], None]",
    ):
        self._drive = drive
        self._sensor = sensor
        self._ticks_ms = ticks_ms
        self._ticks_diff = ticks_diff
        self._limit_ms = limit_ms
        self._note = note
        self._phase = _REST
        self._since = ticks_ms()  # of the phase; at rest, of the place
        self._wait_ms = 0  # of a pause
        self._target = UNKNOWN
        self._attempt = 0
        self._why = reasons.NOTHING
        self._way = 0
        self._from: "int | None" = None  # where the run began,
        self._step_at = 0  # and where its last step was,
        self._step_ms = self._since  # and when
        self._has_left = False  # the place where the action began
        self._doubts_lock = False
        self._jammed_at = UNKNOWN
        self._told = self._place = self._look()
        self.state = self._place if self._place in _BY_DRIVE else UNKNOWN
        if self.state == UNKNOWN:
            self._told = UNKNOWN

    # --- what it is told ------------------------------------------------------------------------

    def begin(self, target: int) -> None:
        """Move to LOCKED, UNLOCKED or PULLED; returns at once.

        Nothing happens if it is there, or if it should lock and nobody can see where it is.
        """
        if target == PULLED and not self._sensor.pulls:
            target = UNLOCKED
        phase = self._phase
        if phase == _HOLD and target != LOCKED:
            return
        place = self._look()
        if phase == _REST and place == target:
            self.state = target
            return
        if target == LOCKED and place == FAULTY:
            self._lose()
            return
        if phase != _REST and target == self._target:
            return
        self._target = target
        self._attempt = 1
        self._has_left = False
        self.state = LOCKING if target == LOCKED else UNLOCKING
        if phase == _REST or phase == _HOLD:
            self._run()
        else:
            self._pause(_TURN_MS)

    def stop(self) -> None:
        """No current, wherever it is."""
        self._drive.rest()
        if self._phase != _REST:
            self._end(UNKNOWN)

    def tick(self) -> int:
        """Do what is due; the ms after which to come again, 0 if the bolt is at rest."""
        phase = self._phase
        if phase == _REST:
            self._watch()
            return 0
        passed_ms = self._ticks_diff(self._ticks_ms(), self._since)
        if passed_ms < 0:
            passed_ms = self._limit_ms  # nobody knows how long; it was long
        if phase == _RUN:
            self._supervise(passed_ms)
        elif phase == _SETTLE:
            if passed_ms >= _SETTLE_MS:
                self._arrive()
        elif phase == _TURN:
            if passed_ms >= _TURN_MS:
                self._drive.move(TO_OPEN, UNLOCKED)
                self._enter(_BACK)
        elif phase == _BACK:
            if passed_ms >= _BACK_MS or self._look() == UNLOCKED:
                self._pause(_PAUSE_MS)
        elif phase == _PAUSE:
            if passed_ms >= self._wait_ms:
                self._run()
        elif passed_ms >= HOLD_MS or self._look() != PULLED:
            self._let_go()
        return 0 if self._phase == _REST else _LOOK_MS

    # --- a run ----------------------------------------------------------------------------------

    def _look(self):
        place = self._sensor.place()
        if place != LOCKED:
            self._doubts_lock = False
        return BETWEEN if self._doubts_lock else place

    def _enter(self, phase):
        self._phase = phase
        self._since = self._ticks_ms()

    def _pause(self, ms):
        self._drive.rest()
        self._wait_ms = ms
        self._enter(_PAUSE)

    def _run(self):
        self._place = self._look()
        self._way = self._sensor.way(self._target)
        self._from = self._sensor.at
        self._step_at = self._from or 0
        self._drive.move(self._way, self._target)
        self._enter(_RUN)
        self._step_ms = self._since

    def _supervise(self, passed_ms):
        """Stop a run that has arrived, that takes too long, or that gets nowhere."""
        place = self._look()
        if place != self._place:
            self._has_left = True
        if place == FAULTY and self._way == TO_LOCK:
            self._jam()
        elif place == self._target:
            self._settle()
        elif passed_ms >= self._limit_ms:
            self._fail(reasons.BOLT_SLOW)
        elif self._sensor.at is not None and self._from is not None:
            self._measure(self._sensor.at)

    def _measure(self, at):
        if self._sensor.way(self._target) != self._way:  # it is past the end
            self._settle()
        elif (at - self._from) * self._way < -_WRONG_WAY:
            self._why = reasons.BOLT_WRONG_WAY  # wires, or a hand: both mean no
            self._jam()
        elif abs(at - self._step_at) >= _STEP:
            self._step_at = at
            self._step_ms = self._ticks_ms()
        elif self._ticks_diff(self._ticks_ms(), self._step_ms) >= _STALL_MS:
            self._fail(reasons.BOLT_STALLED)

    def _settle(self):
        self._drive.hold()
        self._enter(_SETTLE)

    def _arrive(self):
        if self._look() != self._target:
            self._fail(reasons.BOLT_BOUNCED)
            return
        self._told = self._target
        self._note(_BY_DRIVE[self._target], self._attempt)
        if self._target == PULLED:
            self.state = PULLED
            self._enter(_HOLD)
        else:
            self._drive.rest()
            self._end(self._target)

    def _let_go(self):
        self._target = UNLOCKED
        self._attempt = 1
        self.state = UNLOCKING
        self._run()

    def _fail(self, reason):
        """An attempt is over; another one, or it is jammed."""
        self._why = reason
        if self._look() == FAULTY or self._attempt >= ATTEMPTS:
            self._jam()
            return
        self._attempt += 1
        if self._target == LOCKED:
            self._drive.rest()
            self._enter(_TURN)
        else:
            self._pause(_PAUSE_MS)

    def _jam(self):
        self._drive.rest()
        place = self._look()
        if place == FAULTY:
            self._lose()
            self._end(UNKNOWN)
            return
        self._note(self._why, self._attempt)
        self._note(reasons.BOLT_JAMMED, self._attempt)
        self._doubts_lock |= place == LOCKED and not self._has_left
        self._told = self._jammed_at = self._look()
        self._end(JAMMED)

    def _end(self, state):
        self._place = self._look()
        self.state = state
        self._enter(_REST)

    def _lose(self):
        if self._told != FAULTY:
            self._told = FAULTY
            self._note(reasons.BOLT_LOST, 0)

    # --- at rest --------------------------------------------------------------------------------

    def _watch(self):
        """See what hands do, and believe it when it stays."""
        place = self._look()
        if place != self._place:
            self._place = place
            self._since = self._ticks_ms()
        if place == self.state or (self.state == JAMMED and place == self._jammed_at):
            return
        if self.state != JAMMED:
            self.state = UNKNOWN
        if self._ticks_diff(self._ticks_ms(), self._since) < _HAND_MS:
            return
        self._jammed_at = UNKNOWN
        self.state = place if place in _BY_DRIVE else UNKNOWN
        if place == FAULTY:
            self._lose()
        elif place != self._told:
            self._told = place
            self._note(_BY_HAND[place], 0)
