"""The part of the visits' benchmark that runs on MicroPython: prints one JSON object.

Arguments: an empty folder for the lock's flash; digest, signature and key of a challenge that was
signed, in hexadecimal digits.
"""

import json
import os
import sys
import time
from binascii import unhexlify

from cryptolib import aes
from micropython import mem_total

from firmware.app import Lock
from firmware.crypto import cose, ecdh, p256
from firmware.crypto.slices import finish
from firmware.link import credential
from firmware.link.requests import ACT
from firmware.link.visits import Visits
from firmware.policy.decision import Request
from firmware.policy.grant import LOCAL, UNLOCK, Grant
from firmware.policy.instant import Instant
from firmware.store import identity
from firmware.store.flash import Flash
from host_sim.phone.session import Visit
from host_sim.phone.wallet import Wallet
from host_sim.world.hardware import Hardware

ROUNDS = 20


class Bolt:
    """Notes when it was told to move, and what was asked of the heap by then."""

    def act(self, action):
        self.us = _us()
        self.taken = mem_total()


class Air:
    """A lock and one phone, and what passes between them."""

    def __init__(self, folder):
        issuer = credential.key_of_point(finish(ecdh.public(1, os.urandom)))
        who = identity.Identity(b"front-door", issuer, os.urandom(identity.KEY_BYTES))
        flash = Flash(folder)
        identity.write(flash.pair, who)
        self.lock = Lock(Hardware(1_767_607_200, os.urandom), flash, who, _nobody_listens)
        self.lock.start()
        self.bolt = self.lock.door._bolt = Bolt()
        self.visits = Visits(
            self.lock, who, aes, os.urandom, self.lock.ticks, self._send, self._send
        )
        scalar = ecdh.scalar_of(os.urandom(ecdh.SEED_BYTES))
        self.wallet = Wallet(scalar, finish(ecdh.public(scalar, os.urandom)))
        secret = credential.private_key(who.device_key)
        self.known = self.wallet.know("front-door", finish(ecdh.public(secret, os.urandom)))
        self.key = cose.thumbprint(credential.key_of_point(self.wallet.point))[:16]
        grant = Grant(b"share-1", b"front-door", self.key)
        grant.issued = Instant(20_454, 0)
        self.lock.grants.put(grant)
        self._heard = []
        while self.visits.work():
            pass

    def _send(self, link, message=b""):
        self._heard.append(message)
        return True

    def visit(self):
        """One visit: bytes from the lock and from the phone, messages of each, and the cost."""
        phone = Visit(self.wallet, self.known, aes, os.urandom)
        phone.ask([(ACT, bytes([UNLOCK]))])
        self._heard = []
        self.visits.opened(1)
        told = []
        asked = []
        turns = 0
        began = (0, 0)
        while self._heard:
            heard, self._heard = self._heard, []
            said = []
            for message in heard:
                told.append(len(message))
                said += phone.received(message)
            asked += [len(message) for message in said]
            turns += 1 if said else 0
            began = (_us(), mem_total()) if said else began
            for message in said:
                self.visits.received(1, message)
            while self.visits.work():
                pass
        self.visits.closed(1)
        self.lock.door.tick()
        return {
            "us": _passed_us(began[0], self.bolt.us),
            "garbage": self.bolt.taken - began[1],
            "from lock": (sum(told), len(told)),
            "from phone": (sum(asked), len(asked)),
            "turns": turns,
        }

    def challenge(self, digest, signature, point):
        """The plain way: the phone signs the lock's nonce, each time."""
        began = (_us(), mem_total())
        key = p256.PublicKey(point[:32], point[32:])
        if not p256.verify(digest, signature, key):
            raise ValueError("not valid")
        self.lock.door.ask(Request(self.key, UNLOCK, LOCAL, True))
        return {
            "us": _passed_us(began[0], self.bolt.us),
            "garbage": self.bolt.taken - began[1],
        }


def _nobody_listens(text):
    pass


def _us():
    return time.ticks_us()  # type: ignore[attr-defined]


def _passed_us(early, late):
    return time.ticks_diff(late, early)  # type: ignore[attr-defined]


def best(function):
    """The fastest of some rounds."""
    rounds = [function() for _ in range(ROUNDS)]
    return min(rounds, key=lambda found: found["us"])


def main(folder, *signed):
    """All three ways, in turns."""
    air = Air(folder)
    challenge = [unhexlify(part) for part in signed]

    def first():
        air.known.ratchet = None
        return air.visit()

    first()
    print(
        json.dumps(
            {
                "first": best(first),
                "resumed": best(air.visit),
                "challenge": best(lambda: air.challenge(*challenge)),
            }
        )
    )


main(*sys.argv[1:])
