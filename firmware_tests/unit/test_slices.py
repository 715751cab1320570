"""The loop is never held for long: field multiplications of the longest slice, whoever asks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptolib import aes

from firmware.access.statements import COMMAND, GRANT, ISSUER, SNAPSHOT
from firmware.crypto import cbor, cose
from firmware.crypto.slices import SLICE
from firmware.link import post, session
from firmware.link.clerk import Clerk
from firmware.link.post import Post
from firmware.link.requests import PUT
from firmware.policy import reasons
from firmware.store import identity
from firmware.store.identity import Identity
from firmware_tests.both.board_case import GRANTS, Board, RamFlash
from firmware_tests.both.statement_case import ISSUER as ISSUERS_KEY
from firmware_tests.both.statement_case import LOCK, ROOT, RUNS, run_named
from firmware_tests.both.store_case import DEVICE_KEY
from firmware_tests.both.visit_case import OPEN, Line, Scene
from tools.bench.crypto import Count

GUEST = GRANTS["a guest without limits"]
BATCH = run_named("batches continue each other, and each counts once")[1][0]
KNOWN = 869  # multiplications that a signature of the issuer takes
TAKEN_IN = KNOWN + 3  # and its holder's key is looked at
BY_ANYBODY = 2800  # and at least by a key without a table


@pytest.fixture(scope="module")
def count() -> Iterator[Count]:
    count = Count()
    with count.everywhere():
        yield count


class Loop:
    """A lock with a clerk and phones; `slices` are the multiplications of its steps, each."""

    def __init__(self, count: Count, *, is_known: bool = True):
        flash = RamFlash()
        identity.write(flash.pair, Identity(LOCK, ISSUERS_KEY, DEVICE_KEY, ROOT))
        self.scene = Scene(aes, Board(flash))
        self.lock = self.scene.board.lock
        self.post = Post(_Alone())
        self.lock.connect(Clerk(self.lock, self.post, "1"))
        self.lock.meet(_Radio(self.scene))
        if is_known:
            self.lock.root.issuer.precompute()
        self._count = count
        self.scene.board.live(3)
        self.begin()

    def begin(self) -> None:
        self.slices: list[int] = []

    def step(self) -> int:
        before = self._count.multiplications
        slept_ms = self.lock.step()
        self.slices.append(self._count.multiplications - before)
        self.scene.board.hardware.ms += slept_ms
        return slept_ms

    def step_until(self, is_done: Callable[[], bool]) -> None:
        for _ in range(2000):
            if is_done():
                return
            self.step()
        raise AssertionError("nothing happens any more")

    def settle(self) -> None:
        while not self.step() or sum(self._carry(line) for line in self.scene.lines):
            pass

    def _carry(self, line: Line) -> bool:
        line.take()
        has_said = bool(line.outbox)
        line.give()
        return has_said

    def visit(self, wallet: Any, items: Any = OPEN) -> Line:
        line = self.scene.connect(wallet, items)
        self.settle()
        self.scene.visits.closed(line.link)
        return line

    def rest(self) -> None:
        """Until the strike is without current again."""
        self.scene.board.live(4)
        self.begin()

    def pulses(self) -> int:
        return self.scene.pulses()


class _Alone:
    """Nobody else is there to be kept out."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


class _Radio:
    """In place of the Gatt."""

    def __init__(self, scene: Scene):
        self.visits = scene.visits
        self.work = self.visits.work
        self.tick = self.visits.tick


def kind_of(token: bytes) -> Any:
    try:
        return cose.parse(token, 8192).typ
    except cose.CoseError:
        return None


def test_visits_hold_the_loop_no_longer_than_a_slice(count):
    loop = Loop(count)
    loop.lock.accept(GUEST)
    wallet = loop.scene.wallet()
    loop.begin()
    loop.visit(wallet)
    assert loop.pulses() == 1
    assert sum(loop.slices) > 8000
    assert max(loop.slices) <= SLICE
    loop.rest()
    assert [message[0] for message in loop.visit(wallet).said] == [session.RESUME]
    assert loop.pulses() == 2
    assert sum(loop.slices) == 0


@pytest.mark.parametrize(("is_known", "least"), [(True, KNOWN), (False, BY_ANYBODY)])
def test_no_statement_that_a_phone_brings_holds_it_longer(count, is_known, least):
    taken = set()
    for run in RUNS:
        loop = Loop(count, is_known=is_known)
        courier = loop.scene.wallet(b"phone 9")
        line = loop.scene.connect(courier, [(PUT, b"")])
        loop.settle()
        for step in run["steps"]:
            token = bytes.fromhex(step["token"])
            if not line.is_open:
                line = loop.scene.connect(courier, [(PUT, b"")])
                loop.settle()
            loop.begin()
            line.outbox += line.visit.ask([(PUT, token)])
            loop.settle()
            assert max(loop.slices) <= SLICE, run["name"]
            if sum(loop.slices) >= least:
                taken.add(kind_of(token))
    assert {kind for kind in taken if kind} >= set(range(GRANT, SNAPSHOT + 1)) - {COMMAND}


def test_a_flood_over_mqtt_holds_it_no_longer_and_lets_a_phone_in_between(count):
    loop = Loop(count)
    loop.lock.accept(GUEST)
    wallet = loop.scene.wallet()
    loop.visit(wallet)
    loop.rest()
    assert loop.post.deliver(post.PAGE, cbor.encode([GUEST] * 25))
    line = loop.scene.connect(wallet, OPEN)
    line.take()
    loop.step_until(lambda: sum(loop.slices) > 10 * KNOWN + 300)
    between = len(loop.slices)
    line.give()
    loop.step_until(lambda: loop.pulses() == 2)
    assert len(loop.slices) == between + 1
    loop.step_until(lambda: sum(loop.slices) == 25 * TAKEN_IN)
    loop.settle()
    assert line.verdicts()[0].reason == reasons.ALLOWED
    assert max(loop.slices) <= SLICE


def test_what_one_phone_brings_lets_another_in_between(count):
    loop = Loop(count)
    loop.lock.accept(GUEST)
    wallet = loop.scene.wallet()
    courier = loop.scene.connect(loop.scene.wallet(b"phone 9"), [(PUT, b"")])
    there = loop.scene.connect(wallet, OPEN)
    loop.settle()
    assert loop.pulses() == 1
    loop.rest()
    courier.outbox += courier.visit.ask([(PUT, token) for token in [GUEST] * 3])
    there.outbox += there.visit.ask(OPEN)
    courier.give()
    loop.step_until(lambda: sum(loop.slices) > 2 * KNOWN + 300)
    between = len(loop.slices)
    there.give()
    loop.step_until(lambda: loop.pulses() == 2)
    assert len(loop.slices) == between + 1
    loop.settle()
    assert [content[0] for _, content in courier.visit.answers[1:]] == [reasons.ALLOWED] * 3


def test_who_brings_something_and_goes_leaves_nothing_undone(count):
    loop = Loop(count)
    line = loop.scene.connect(loop.scene.wallet(b"phone 9"), [(PUT, b"")])
    loop.settle()
    line.outbox += line.visit.ask([(PUT, BATCH)])
    line.give()
    loop.begin()
    loop.step_until(lambda: sum(loop.slices) > 300)
    loop.scene.visits.closed(line.link)
    loop.settle()
    assert sum(loop.slices) < KNOWN
    assert loop.lock.sync.applied == 0
    assert loop.lock.accept(BATCH) == reasons.ALLOWED


def test_a_signer_who_is_not_the_issuer_any_more_when_the_check_ends_does_not_count(count):
    loop = Loop(count)
    steps = loop.lock.accepting(BATCH)
    next(steps)
    new = next(
        token
        for token, reason in run_named("one issuer after another")
        if kind_of(token) == ISSUER and reason == "allowed"
    )
    assert loop.lock.accept(new) == reasons.ALLOWED
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    assert end.value.value == reasons.UNKNOWN_ISSUER
    assert loop.lock.sync.applied == 0
