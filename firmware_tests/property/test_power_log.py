"""The log, the settings and the clock's floor with power cuts, against plain lists and numbers.

The lock runs on MicroPython and littlefs.
"""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from firmware_tests import soak
from firmware_tests.property.lock_process import LockProcess, cuts

RING = 128  # entries that the log of the tests' lock keeps at most
KEPT = RING - 64  # and at least
PENDING = 14
DAY_S = 86_400 * 20_000

_running: list[LockProcess] = []


@pytest.fixture(autouse=True, scope="module")
def _end_the_process():
    yield
    while _running:
        _running.pop().close()


class Machine(RuleBasedStateMachine):
    """One lock."""

    def __init__(self) -> None:
        super().__init__()
        if not _running:
            _running.append(LockProcess())
        self.lock = _running[0]

    @initialize(seed=st.integers(1, 1 << 20))
    def provision(self, seed: int) -> None:
        self.lock.ask("new", seed)


class Log(Machine):
    """Events that are safe, events that wait, and every number that anybody has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.safe: list[int] = []
        self.waiting: list[int] = []
        self.next = 0
        self.given = 0  # the highest number given out
        self.seen: dict[int, str] = {}  # links of entries that were on flash
        self.acknowledged = 0

    def after(self, cut: bool) -> None:
        """What must hold after anything."""
        state = self.lock.state
        kept = [number for _, number in state["events"]]
        if cut:
            # What waited may be lost from some event on, and what is safe may not.
            made = self.safe + self.waiting
            count = made.index(kept[-1]) + 1 if kept else 0
            assert count >= len(self.safe)
            self.safe, self.waiting = made[:count], []
        assert kept == self.safe[len(self.safe) - len(kept) :]
        log = state["log"]
        if len(kept) < len(self.safe):
            assert len(log) >= KEPT
        assert len(log) <= RING
        assert state["faults"] == []
        sequences = [entry[0] for entry in log]
        assert sequences == sorted(set(sequences))
        for sequence, _, _, _, link in log:
            assert self.seen.setdefault(sequence, link) == link
        self.given = max(self.given, sequences[-1])
        assert state["acknowledged"] == self.acknowledged

    @rule(count=st.integers(1, 9))
    def append(self, count: int) -> None:
        _, sequences = self.lock.ask("append", self.next, count)
        for sequence in sequences:
            if len(self.waiting) < PENDING - 1:
                assert sequence > self.given
            if sequence:
                assert sequence > self.given
                self.given = sequence
                self.waiting.append(self.next)
            self.next += 1

    @rule(cuts=cuts)
    def flush(self, cuts: Any) -> None:
        cut, _ = self.lock.ask("flush", cuts=cuts)
        if not cut:
            self.safe, self.waiting = self.safe + self.waiting, []
        self.after(cut)

    @rule(count=st.integers(20, 60), cuts=cuts)
    def write(self, count: int, cuts: Any) -> None:
        """So many that the ring turns, with some flushes."""
        self.flush([])
        self.waiting = list(range(self.next, self.next + count))
        self.next += count
        cut, _ = self.lock.ask("write", self.waiting[0], count, cuts=cuts)
        if not cut:
            self.safe, self.waiting = self.safe + self.waiting, []
        self.after(cut)

    @rule(place=st.integers(0, RING), cuts=cuts)
    def acknowledge(self, place: int, cuts: Any) -> None:
        log = self.lock.state["log"]
        sequence, _, _, _, link = log[place % len(log)]
        cut, taken = self.lock.ask("acknowledge", sequence, link, cuts=cuts)
        told = self.lock.state["acknowledged"]
        assert taken or cut
        assert told == max(self.acknowledged, sequence) or (cut and told == self.acknowledged)
        self.acknowledged = told
        self.after(cut)

    @rule(place=st.integers(0, RING))
    def acknowledge_what_is_not_there(self, place: int) -> None:
        log = self.lock.state["log"]
        _, taken = self.lock.ask("acknowledge", log[place % len(log)][0], "00" * 16)
        assert taken is False
        self.after(False)

    @rule(orderly=st.booleans(), cuts=cuts)
    def reboot(self, orderly: bool, cuts: Any) -> None:
        if orderly:
            cut, _ = self.lock.ask("close", cuts=cuts)
            if not cut:
                self.safe, self.waiting = self.safe + self.waiting, []
            self.after(cut)
        before = self.given
        self.lock.ask("boot")
        self.after(True)
        assert self.given > before


class Kept(Machine):
    """The settings' version and content, and the floor."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = [0, 0]
        self.floor: int | None = None

    def settle(self, cut: bool, settings: Any, floor: Any) -> None:
        """It is as it should be now; after a cut, or as it was."""
        state = self.lock.state
        found = (state["settings"], state["floor"])
        assert found == (settings, floor) or (cut and found == (self.settings, self.floor))
        assert state["damaged"] == [False, False, False]
        self.settings, self.floor = found

    @rule(version=st.integers(1, 9), auto_lock_s=st.sampled_from([0, 9]), cuts=cuts)
    def put(self, version: int, auto_lock_s: int, cuts: Any) -> None:
        cut, reason = self.lock.ask("put_settings", version, auto_lock_s, cuts=cuts)
        new = [version, auto_lock_s]
        if version > self.settings[0]:
            expected = "allowed"
        elif version < self.settings[0]:
            expected, new = "old_version", self.settings
        else:
            expected = "allowed" if new == self.settings else "changed_terms"
            new = self.settings
        assert cut or reason == expected
        self.settle(cut, new, self.floor)

    @rule(second=st.integers(0, 99), cuts=cuts)
    def raise_floor(self, second: int, cuts: Any) -> None:
        cut, _ = self.lock.ask("raise_floor", second, cuts=cuts)
        self.settle(cut, self.settings, max(DAY_S + second, self.floor or 0))

    @rule(second=st.integers(0, 99), cuts=cuts)
    def lower_floor(self, second: int, cuts: Any) -> None:
        cut, _ = self.lock.ask("lower_floor", second, cuts=cuts)
        self.settle(cut, self.settings, DAY_S + second)

    @rule()
    def reboot(self) -> None:
        self.lock.ask("boot")
        self.settle(False, self.settings, self.floor)


TestLog = Log.TestCase
TestLog.settings = settings(max_examples=soak.count(1_000, 20), stateful_step_count=25)
TestKept = Kept.TestCase
TestKept.settings = settings(max_examples=soak.count(1_000, 20), stateful_step_count=25)
