"""Mutated messages to visits in every state, mutated writes to the service below them, and mutated
requests of a stranger with a key."""

from firmware.crypto import edhoc
from firmware.link import session
from firmware.link.frames import Cutter
from firmware.link.gatt import Gatt
from firmware.link.requests import ACT, CARRY, EXPLAIN, LOG, NONCE, PUT, STATUS, Requests
from firmware_tests import soak
from firmware_tests.both.board_case import GRANTS
from firmware_tests.both.check import equal, true
from firmware_tests.both.visit_case import OPEN, Line, Scene


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


class _Deaf:
    """A radio that sends whatever it is given, to nobody."""

    def __init__(self):
        self.dropped = False

    def start(self, *uuids):
        pass

    def renew(self):
        pass

    def advertise(self, interval_us, data, answer):
        return True

    def notify(self, link, piece):
        return True

    def drop(self, link):
        self.dropped = True

    def deliver(self, to):
        return False


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
        self._radio = _Deaf()
        self._gatt = Gatt(self._radio, b"front-door", scene.random)
        self._gatt.visits = scene.visits
        self._gatt.start()
        self._line = Line(scene, len(scene.lines), None)  # of whoever writes to that
        scene.lines.append(self._line)
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
        """A message for a visit in some state, one in pieces, or a frame by a stranger's key."""
        way = self._random.below(4)
        if way == 0:
            self._ask()
        elif way == 1:
            self._write()
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

    def _write(self):
        random, gatt, link = self._random, self._gatt, self._line.link
        self._radio.dropped = False
        cutter = Cutter()
        gatt.connected(link)
        gatt.sized(link, 23 + random.below(230))
        writes = [cutter.empty()]
        writes += cutter.cut(self._corpus[random.below(len(self._corpus))], 20 + random.below(230))
        for _ in range(1 + random.below(2)):
            at = random.below(len(writes))
            way = random.below(4)
            if way == 0:
                writes.insert(at, writes[random.below(len(writes))])
            elif way == 1:
                writes.append(writes.pop(at))
            else:
                writes[at] = _mutated(random, writes[at])
        for write in writes:
            gatt.written(link, write)
            gatt.work()
            if self._radio.dropped:
                break
        gatt.disconnected(link)
        self._line.inbox = []
        self._line.is_open = True
        equal((len(gatt._centrals), self.scene.visits._find(link)), (0, None))

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
