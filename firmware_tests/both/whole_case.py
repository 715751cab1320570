"""What the tests of everything at once share: a board with phones, a cloud's post, and a door."""

from firmware.crypto import ecdh
from firmware.crypto.slices import finish
from firmware.link.clerk import Clerk
from firmware.link.frames import MOST_MESSAGE, Cutter, Joiner
from firmware.link.gatt import Gatt
from firmware.link.post import Post
from firmware.link.visits import Visits
from firmware_tests import soak
from firmware_tests.both.board_case import WHO, Board
from firmware_tests.both.check import true
from firmware_tests.both.soft_aes import aes as soft_aes
from firmware_tests.both.visit_case import LOCK, OPEN
from host_sim.phone.session import Verdict, Visit
from host_sim.phone.wallet import Wallet

PIECE = 244  # bytes of a notification
_MOST_STEPS = 5000  # between two words of a phone


class Radio:
    """What `hal.radio.Radio` has; `room` is how many notifications it still takes."""

    def __init__(self):
        self.events = []
        self.notified = {}
        self.dropped = []
        self.advertised = []
        self.started = None
        self.renewed = 0
        self.room = 1000
        self.is_full = False

    def start(self, *uuids):
        self.started = uuids

    def renew(self):
        self.renewed += 1

    def advertise(self, interval_us, data, answer):
        self.advertised.append((interval_us, data, answer))
        return not self.is_full

    def notify(self, link, piece):
        if not self.room:
            return False
        self.room -= 1
        self.notified.setdefault(link, []).append(piece)
        return True

    def drop(self, link):
        self.dropped.append(link)

    def deliver(self, to):
        if not self.events:
            return False
        name, *members = self.events.pop(0)
        getattr(to, name)(*members)
        return True


class OneThread:
    """A lock where nobody else is; it is not taken twice."""

    def __init__(self):
        self._taken = False

    def __enter__(self):
        true(not self._taken)
        self._taken = True

    def __exit__(self, *error):
        self._taken = False


class Whole(Board):
    """A board with everything; the test is its phones, its carrier and its cloud."""

    def __init__(self, flash=None, door=None, aes=soft_aes):
        self._aes = aes
        self._links = 0
        self.bytes = soak.Random(soak.seed()).bytes
        super().__init__(flash, door)

    def boot(self):
        super().boot()
        lock = self.lock
        self.post = Post(OneThread())
        self.clerk = Clerk(lock, self.post, "1")
        lock.connect(self.clerk)
        self.radio = Radio()
        self.gatt = Gatt(self.radio, WHO.lock, self.bytes)
        self.visits = Visits(
            lock, WHO, self._aes, self.bytes, lock.ticks, self.gatt.send, self.gatt.drop
        )
        self.gatt.visits = self.visits
        self.gatt.start()
        lock.meet(self.gatt)

    def wallet(self, scalar):
        """A phone with this private key, that knows the lock's."""
        self.work()
        wallet = Wallet(scalar, finish(ecdh.public(scalar, self.bytes)))
        wallet.know(LOCK, self.visits.point)
        return wallet

    def work(self):
        """All that there is to do, in no time."""
        idle = 0
        for _ in range(_MOST_STEPS):
            idle = idle + 1 if self.lock.step() and not self.radio.events else 0
            if idle == 2:  # a step that was the second's does no other work
                return

    def visit(self, wallet, items=OPEN):
        """A phone comes and goes; the reasons of its verdicts, none if it was not heard."""
        phone = Visit(wallet, wallet.locks[LOCK], self._aes, self.bytes)
        phone.ask(list(items))
        link = self._links = (self._links + 1) % 4
        cutter, joiner = Cutter(), Joiner()
        events = self.radio.events
        events += [("connected", link), ("sized", link, PIECE + 3)]
        events.append(("written", link, cutter.empty()))
        self.work()
        while link in self.radio.notified:
            said = []
            for piece in self.radio.notified.pop(link):
                self.radio.room += 1
                for message in joiner.join(piece, MOST_MESSAGE):
                    said += phone.received(message)
            for message in said:
                events += [("written", link, piece) for piece in cutter.cut(message, PIECE)]
            self.work()
        events.append(("disconnected", link))
        self.work()
        return [Verdict(content).reason for what, content in phone.answers if what <= 2]
