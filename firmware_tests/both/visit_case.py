"""What the tests of visits share: a lock with its visits, phones, and a radio that remembers."""

from hashlib import sha256

from firmware.crypto import ecdh
from firmware.crypto.slices import finish
from firmware.link.requests import ACT
from firmware.link.visits import Visits
from firmware.policy.grant import UNLOCK
from firmware_tests import soak
from firmware_tests.both.board_case import WHO, Board
from firmware_tests.both.soft_aes import aes as soft_aes
from host_sim.phone.session import Failed, Verdict, Visit
from host_sim.phone.wallet import Wallet

LOCK = "front-door"
OPEN = [(ACT, bytes([UNLOCK]))]


def scalar_of(name):
    """The private key that tools/vectors/grants.py has by this name."""
    return int.from_bytes(sha256(b"grant vectors, " + name).digest(), "big") >> 1


class Line:
    """A connection of a phone; `heard` and `said` are all messages, by the phone's side."""

    def __init__(self, scene, link, visit):
        self.link = link
        self.visit = visit
        self.heard = []
        self.said = []
        self.inbox = []
        self.outbox = []
        self.is_open = True
        self.failure = None
        self._scene = scene

    def take(self):
        """The phone hears what the lock said."""
        inbox, self.inbox = self.inbox, []
        for message in inbox:
            self.heard.append(message)
            if self.visit is not None and self.failure is None:
                try:
                    self.outbox += self.visit.received(message)
                except Failed as failure:
                    self.failure = failure

    def give(self):
        """The lock hears what the phone said."""
        outbox, self.outbox = self.outbox, []
        for message in outbox:
            self.said.append(message)
            self._scene.visits.received(self.link, message)

    def verdicts(self):
        """What the lock answered to ACT and EXPLAIN."""
        return [Verdict(content) for what, content in self.visit.answers if what <= 2]

    def kinds(self):
        """The first bytes of what was heard."""
        return [message[0] for message in self.heard]


class Scene:
    """A lock at a story's time, with the radio's side of its visits."""

    def __init__(self, aes=soft_aes, board=None):
        self.aes = aes
        self.board = board or Board()
        self.random = soak.Random(soak.seed()).bytes
        self.lines = []
        self.boot()
        secret = self.visits._secret
        self.point = finish(ecdh.public(secret, self.random))

    def boot(self):
        """The visits, as they are after the lock got power."""
        lock = self.board.lock
        self.visits = Visits(lock, WHO, self.aes, self.random, lock.ticks, self._send, self._drop)
        for line in self.lines:
            line.is_open = False

    def _line(self, link):
        return self.lines[link]

    def _send(self, link, message):
        line = self.lines[link]
        if line.is_open:
            line.inbox.append(message)
        return line.is_open

    def _drop(self, link):
        self.lines[link].is_open = False

    def wallet(self, name=b"phone"):
        """A phone that knows the lock's key."""
        scalar = scalar_of(name)
        wallet = Wallet(scalar, finish(ecdh.public(scalar, self.random)))
        wallet.know(LOCK, self.point)
        return wallet

    def connect(self, wallet=None, items=(), by_kid=False):
        """A phone comes near, or without a wallet somebody with a radio."""
        visit = None
        if wallet is not None:
            visit = Visit(wallet, wallet.locks[LOCK], self.aes, self.random, by_kid)
            visit.ask(list(items))
        line = Line(self, len(self.lines), visit)
        self.lines.append(line)
        self.visits.opened(line.link)
        return line

    def settle(self):
        """Everybody says and does all there is to say and do."""
        busy = True
        while busy:
            busy = False
            for line in self.lines:
                if line.inbox or line.outbox:
                    busy = True
                    line.take()
                    line.give()
            while self.visits.work():
                busy = True

    def visit(self, wallet, items=OPEN, by_kid=False):
        """A whole visit, to its end; the line."""
        line = self.connect(wallet, items, by_kid)
        self.settle()
        self.visits.closed(line.link)
        return line

    def pass_time(self, seconds):
        """Seconds go by, in each of which the lock and its visits tick."""
        for _ in range(seconds):
            self.board.live(1)
            self.visits.tick()

    def pulses(self):
        """How often the strike got current."""
        return len([level for _, level in self.board.hardware.pin.changes if level == 1])
