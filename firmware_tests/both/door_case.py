"""What the tests of a door share: a `Doorway` in the world of `host_sim.world.door`."""

from firmware.hal.board import Board
from firmware.lock import calibration
from firmware.lock.assembly import make_doorway
from host_sim import words
from host_sim.world.door import LOCKED_MV, PULLED_MV, UNLOCKED_MV, Door

NAP_MS = 50  # of a loop that has nothing to do
RECORD = calibration.encode(LOCKED_MV, UNLOCKED_MV, PULLED_MV)
KINDS = (("motor", "ends"), ("motor", "position"), ("servo", "ends"), ("servo", "position"))


class Bench:
    """A door and the program on it; `log` has the names of what was noted since `new`.

    The loop comes when it is told to, or each `late_ms` if it has so much else to do. `check`, if
    there is one, is called after each of its rounds.
    """

    board = Board()

    def __init__(self, drive="motor", sensor="ends", x=1.0, record=RECORD, check=None):
        self.door = Door(drive, sensor, x)
        self.record = record
        self.late_ms = 0
        self.log = []
        self.counts = {}
        self._check = check
        self.ticks_ms = lambda: self.door.ms
        self.ticks_diff = lambda late, early: late - early
        self.boot()

    def boot(self):
        """Power comes, or comes back."""
        self.door.lost_power()
        self.parts = self.door.parts()
        self.doorway = make_doorway(self, self.record, self._note)

    def _note(self, reason, count):
        self.log.append(words.name(reason))
        self.counts[words.name(reason)] = count

    def new(self):
        """What was noted since the last call."""
        log, self.log = self.log, []
        return log

    def run(self, ms):
        """Let the loop run, for so long."""
        end_ms = self.door.ms + ms
        while self.door.ms < end_ms:
            wanted_ms = self.doorway.tick()
            if self._check is not None:
                self._check()
            next_ms = max(wanted_ms or NAP_MS, self.late_ms)
            self.door.advance(min(next_ms, end_ms - self.door.ms))

    def act(self, action, ms=2000):
        """Do it, and let the loop run; what was noted."""
        self.new()
        self.doorway.act(action)
        self.run(ms)
        return self.new()
