"""Mutated messages to visits in every state, and mutated requests of a stranger with a key."""

from firmware.crypto import edhoc
from firmware.link import session
from firmware.link.requests import ACT, CARRY, EXPLAIN, LOG, NONCE, PUT, STATUS, Requests
from firmware_tests import soak
from firmware_tests.both.board_case import GRANTS
from firmware_tests.both.check import equal, true
from firmware_tests.both.visit_case import OPEN, Scene


def _mutated(random, message):
    """A few bits, bytes or lengths of it are others."""
    changed = bytearray(message)
    for _ in range(1 + random.below(3)):
        kind = random.below(6)
        at = random.below(len(changed) + 1)
        if kind == 0 and changed:
            changed[at % len(changed)] ^= 1 << random.below(8)
        elif kind == 1 and changed:
            changed[at % len(changed)] = random.below(256)
        elif kind == 2:
            changed = changed[:at]
        elif kind == 3:
            changed = changed[:at] + random.bytes(1 + random.below(20)) + changed[at:]
        elif kind == 4:
            changed = changed[:at] + changed[at + 1 + random.below(20) :]
        else:
            changed += random.bytes(random.below(40))
    return bytes(changed)


def _item(what, content):
    return bytes([what]) + len(content).to_bytes(2, "big") + content


class Fuzz:
    """A lock with a guest, and somebody at its radio. `turn` is one message of theirs."""

    def __init__(self, random, aes):
        self._random = random
        scene = self.scene = Scene(aes)
        scene.board.lock.accept(GRANTS["a guest without limits"])
        wallet = scene.wallet()
        self._corpus = [bytes([kind]) + bytes(30) for kind in range(1, 0x24)]
        for _ in range(2):
            self._corpus += scene.visit(wallet, [(EXPLAIN, b"\x01")]).said
        half = scene.connect(scene.wallet(b"phone 9"), OPEN)
        while session.MESSAGE_2 not in half.kinds():
            half.take()
            half.give()
            scene.visits.work()
        known = scene.connect(wallet, [(EXPLAIN, b"\x01")])
        scene.settle()
        self._fresh = scene.connect()
        self._lines = [self._fresh, half, known]
        self._states = []
        for line in self._lines:
            visit = scene.visits._find(line.link)
            self._states.append((visit, visit.responder, visit.session))
        self._requests = Requests(scene.visits._desk)
        self._requests.proven(bytes(16))
        asked = ((ACT, 1), (EXPLAIN, 1), (NONCE, 0), (STATUS, 0), (LOG, 4), (CARRY, 0))
        self._frames = [b"".join([_item(what, b"\x01" * size) for what, size in asked])]
        for token in GRANTS.values():
            if 0 < len(token) < 400:
                # What is signed would be entered; nothing gets back to the signature from here.
                self._frames.append(_item(PUT, token[:-16] + bytes(16)))
        self.before = self._state()

    def _state(self):
        scene = self.scene
        lock = scene.board.lock
        return (
            scene.pulses(),
            lock.log.sequence,
            lock.grants.digest(),
            lock.sync.applied,
            lock.settings.current.version,
            len(scene.visits._places._places),
        )

    def turn(self):
        """A message for a visit in some state, or a frame by a key without a grant."""
        if self._random.below(4) == 0:
            self._ask()
        else:
            self._say()

    def _ask(self):
        frame = _mutated(self._random, self._frames[self._random.below(len(self._frames))])
        try:
            for _ in self._requests.serve(frame):
                pass
        except ValueError:
            pass

    def _say(self):
        random, visits = self._random, self.scene.visits
        number = random.below(len(self._lines))
        visit, responder, one = self._states[number]
        # As it was, without the work that led there.
        if visit not in visits._visits:
            visits._visits.append(visit)
        visit.waiting = []
        visit.tries = 0
        visit.steps = None
        visit.session = one
        visit.responder = responder
        if responder is not None:
            responder.state = edhoc.WAIT_3
        visits.received(
            visit.link, _mutated(random, self._corpus[random.below(len(self._corpus))])
        )
        for _ in range(3):
            visits.work()
        true(len(visits._visits) <= len(self._lines))

    def check(self):
        """Nothing that counts has changed."""
        equal(self._state(), self.before)


def run(rounds, aes):
    """So many messages; the Fuzz at the end."""
    fuzz = Fuzz(soak.Random(soak.seed()), aes)
    for number in range(rounds):
        fuzz.turn()
        if number % 1000 == 0:
            fuzz.check()
    fuzz.check()
    return fuzz
