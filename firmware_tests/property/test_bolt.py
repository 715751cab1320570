"""A bolt in a world of hands, faults and slammed doors: what it says is so, and it never overdoes.

Whatever happens in any order: it never says LOCKED where the bolt is not thrown; its drive has
current for no longer than the limit at a time, also when the loop hangs, and for a bounded time
altogether; it does not throw the bolt while the door is open; and the button inside opens.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from firmware.hal.board import Board
from firmware.lock.bolt import ATTEMPTS
from firmware.lock.states import LOCKED, PULLED, UNLOCKED
from firmware.lock.switch import DEBOUNCE_MS
from firmware.policy.grant import LOCK, PULL, UNLOCK
from firmware_tests.both.door_case import KINDS, NAP_MS, Bench

THROWN = 0.1  # of the way at the most, from where the bolt is locked
OPEN = 0.9
LOOK_MS = 10
LATE_MS = (0, 50, 150)  # between two rounds of a busy loop
OPENS_WITHIN_MS = 1000 + Board.limit_ms
ENDS_WITHIN_MS = (Board.limit_ms + 1000) * (ATTEMPTS + 1)
WIRES = ("end_locked", "end_unlocked", "position", "closed")

places = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))


class Bolts(RuleBasedStateMachine):
    """One door, its program, and everybody who has a hand in it."""

    latest_ms = 0  # that the loop has ever been

    @initialize(kind=st.sampled_from(KINDS), x=places)
    def hang(self, kind, x):
        self.bench = Bench(kind[0], kind[1], x, check=self.check)
        self.door = self.bench.door
        # A servo has its pulses once more that it holds what it has reached.
        self.limit_ms = Board.limit_ms * (2 if kind[0] == "servo" else 1)

    def check(self):
        door = self.door
        state = self.bench.doorway.state
        slack_ms = max(self.latest_ms, NAP_MS) + LOOK_MS
        if state == LOCKED:
            assert door.x <= THROWN
        if state in (UNLOCKED, PULLED):
            assert door.x >= OPEN
        assert door.longest_ms <= self.limit_ms
        assert door.thrown_open_ms <= DEBOUNCE_MS + slack_ms

    @rule(ms=st.one_of(st.integers(1, 1000), st.integers(1, 12_000)))
    def wait(self, ms):
        self.bench.run(ms)

    @rule(action=st.sampled_from([LOCK, UNLOCK, PULL]), ms=st.integers(0, 1500))
    def act(self, action, ms):
        self.bench.doorway.act(action)
        self.bench.run(ms)

    @rule(place=places)
    def turn(self, place):
        """A hand at the thumb-turn, also while the motor runs."""
        if self.door.jam is None:
            self.door.hand = place

    @rule()
    def let_go(self):
        self.door.hand = None

    @rule(place=st.one_of(st.none(), st.floats(0, 1)))
    def jam(self, place):
        self.door.jam = place
        self.door.hand = None

    @rule(wire=st.sampled_from(WIRES))
    def cut(self, wire):
        self.door.cut.add(wire)

    @rule()
    def mend(self):
        self.door.cut.clear()

    @rule()
    def brown_out(self):
        """The board starts anew, the bolt wherever it is, and that takes it a while."""
        self.door.lost_power()
        self.door.advance(500)
        self.bench.boot()

    @rule(mv=st.integers(2800, 4200))
    def supply(self, mv):
        self.door.battery_mv = mv

    @rule()
    def swing(self):
        self.door.swing()

    @rule()
    def slam(self):
        self.door.slam()

    @rule(seconds=st.sampled_from([0, 1, 5]))
    def auto_lock(self, seconds):
        self.bench.doorway.auto_lock_ms = seconds * 1000

    @rule(is_held=st.booleans())
    def hold(self, is_held):
        self.bench.doorway.hold(is_held)

    @rule(ms=st.sampled_from(LATE_MS))
    def be_busy(self, ms):
        self.bench.late_ms = ms
        self.latest_ms = max(self.latest_ms, ms)

    @rule(ms=st.integers(1, 20_000))
    def stall(self, ms):
        """The loop does not come for a while, and a watchdog has not bitten yet."""
        self.door.advance(ms)
        assert self.door.longest_ms <= self.limit_ms
        self.latest_ms = max(self.latest_ms, min(ms, self.limit_ms))

    @rule()
    def leave(self):
        """Somebody inside wants to go; nothing but a jam or a hand could keep the bolt."""
        self.door.jam = self.door.hand = None
        self.bench.doorway.auto_lock_ms = 0
        self.door.push(60)
        self.bench.run(OPENS_WITHIN_MS)
        assert self.bench.doorway.state != LOCKED
        assert self.door.swing()

    def teardown(self):
        """Left alone it comes to rest."""
        if hasattr(self, "bench"):
            self.bench.doorway.auto_lock_ms = 0
            self.bench.run(ENDS_WITHIN_MS)
            assert self.door.driven_ms == 0


TestBolts = Bolts.TestCase
TestBolts.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
