"""What the tests of the whole lock share: a board in a story's time, and flash in RAM."""

import json
from binascii import unhexlify

from firmware.app import Lock
from firmware.policy.decision import Request
from firmware.policy.grant import LOCAL, UNLOCK
from firmware.store import identity
from firmware.store.identity import Identity
from firmware_tests.both.statement_case import ISSUER, LOCK, run_named
from firmware_tests.both.store_case import DEVICE_KEY
from firmware_tests.power.log_case import Memory, entries
from host_sim.world.hardware import Hardware

WHO = Identity(LOCK, ISSUER, DEVICE_KEY)
START_S = 1_607_947_260  # a little before the vectors' answer to a nonce
ANSWER_S = 1_607_947_299  # what that answer says


def _grants():
    with open("firmware_tests/vectors/grants.json") as file:
        return {case["name"]: unhexlify(case["token"]) for case in json.load(file)["single"]}


GRANTS = _grants()


def instead(accept):
    """`accepting` of a lock that takes in statements this way."""

    def accepting(token):
        yield
        return accept(token)

    return accepting


class RamFlash:
    """The folders of `firmware.store.flash.Flash`, in RAM."""

    def __init__(self):
        self.log, self.state, self.ledger, self.statements = [Memory() for _ in range(4)]
        self.pair = (self.log, self.state)
        self.grants = [Memory()]
        self._is_wiped = False

    def wipe(self):
        self._is_wiped = True

    def is_wiped(self):
        return self._is_wiped


class Board:
    """A provisioned board; `lock` is the program on it, since the last `boot`.

    With a `flash` it is the one that this was on before; with a `door` it hangs on it.
    """

    def __init__(self, flash=None, door=None):
        self._nonces = 0
        self.flash = flash or RamFlash()
        if flash is None:
            identity.write(self.flash.pair, WHO)
        self.said = []
        self.hardware = Hardware(START_S, self._random, door)
        self.boot()

    def _random(self, count):
        self._nonces += 1
        return b"%016d" % self._nonces

    def boot(self):
        """Power comes, or comes back."""
        self.hardware.power_on()
        who = identity.read(self.flash.pair)
        self.lock = Lock(self.hardware, self.flash, who, self.said.append)
        self.lock.start()

    def live(self, seconds):
        """Let the lock do what it does, for so long."""
        end_ms = self.hardware.ms + seconds * 1000
        while self.hardware.ms < end_ms:
            self.hardware.ms += self.lock.step()

    def leave(self, name, token):
        """Put a statement where the lock looks for them."""
        self.flash.statements.replace(name, token)

    def set_time(self):
        """The vectors' answer to the first nonce, without any delay."""
        self._nonces = 0
        self.hardware.ms = ANSWER_S * 1000
        self.lock.clock.ask()
        return self.lock.accept(run_named("the time")[7][0])

    def ask(self, action=UNLOCK):
        """Somebody with the key of the last grant that was taken in."""
        keys = [grant.key for grant in self.lock.grants.grants()]
        return self.lock.door.ask(self.request(keys[-1], action))

    def request(self, key, action=UNLOCK):
        """Somebody at the door who has proven a key."""
        return Request(key, action, LOCAL, True)

    def log(self, kind):
        """(reason, count) of the entries of a kind."""
        self.lock.door.tick()
        return [(e.reason, e.count) for e in entries(self.lock.log) if e.kind == kind]
