"""What visits take of the heap: of a resumed one to the bolt, and of a flood for good."""

import gc

from firmware.link import session
from firmware_tests import soak
from firmware_tests.both import fuzz_case
from firmware_tests.both.board_case import GRANTS
from firmware_tests.both.check import equal, true
from firmware_tests.both.visit_case import OPEN, Scene

LACKS = ("cryptolib", "heap_counters")

TO_THE_BOLT = 4750  # bytes on 64 bits, twice an ESP32's


class Spy:
    """A bolt that notes how much was asked of the heap until it moves."""

    def __init__(self, bolt):
        self._bolt = bolt
        self.taken = 0

    def act(self, action):
        from micropython import mem_total

        self.taken = mem_total()
        self._bolt.act(action)


def _scene():
    from cryptolib import aes

    scene = Scene(aes)
    scene.board.lock.accept(GRANTS["a guest without limits"])
    return scene


def test_a_resumed_visit_takes_little_until_the_bolt_moves():
    from micropython import mem_total

    scene = _scene()
    wallet = scene.wallet()
    scene.visit(wallet)
    door = scene.board.lock.door
    spy = door._bolt = Spy(door._bolt)
    for _ in range(5):
        scene.pass_time(4)
        line = scene.connect(wallet, OPEN)
        line.take()
        (message,) = line.outbox
        line.outbox = []
        equal(message[0], session.RESUME)
        before = mem_total()
        scene.visits.received(line.link, message)
        scene.visits.work()
        true(0 < spy.taken - before <= TO_THE_BOLT, spy.taken - before)
        scene.settle()
        scene.visits.closed(line.link)


def test_nothing_is_kept_of_a_flood():
    from cryptolib import aes

    fuzz = fuzz_case.Fuzz(soak.Random(soak.seed()), aes)
    taken = []
    for _ in range(4):
        for _ in range(soak.count(50_000, 500)):
            fuzz.turn()
        fuzz.check()
        gc.collect()
        taken.append(gc.mem_alloc())
    # What was seen once is in place after the first round: compiled code, a name, a number.
    true(taken[3] - taken[1] < 1000, taken)
