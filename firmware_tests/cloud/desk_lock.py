"""A whole lock on CPython, as the cloud sees it: it takes statements, and says what it has."""

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from firmware.app import Lock
from firmware.crypto.p256 import PublicKey
from firmware.policy.decision import Request
from firmware.policy.grant import LOCAL
from firmware.store import entry, identity
from firmware.store.export import HEAD_BYTES
from firmware.store.flash import Flash
from host_sim.world.hardware import Hardware

CHUNK = 64  # entries


class DeskLock:
    """Provisioned with what `enrolment` says (of the native API), on a flash in a folder.

    `hardware` has its time, which is right; what it knows of it came in signed statements.
    """

    def __init__(self, folder: Path, enrolment: dict[str, str], now: int):
        self.id = enrolment["lock"]
        self.secret = enrolment["secret"]
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        flash = Flash(str(folder))
        if identity.read(flash.pair) is None:
            key = bytes.fromhex(enrolment["issuer"])
            issuer = PublicKey(key[:32], key[32:])
            identity.write(flash.pair, identity.Identity(self.id.encode(), issuer, os.urandom(32)))
        self.hardware = Hardware(now, os.urandom)
        who = identity.read(flash.pair)
        assert who is not None
        who.issuer.precompute()
        self.lock = Lock(self.hardware, flash, who, lambda text: None)
        self.lock.start()

    def take(self, token: bytes) -> dict[str, Any]:
        """What it publishes as a result."""
        reason = self.lock.accept(token)
        named = sha256(token).digest()[:8].hex()
        return {"statement": named, "reason": reason, "applied": self.applied}

    def knock(self, key: bytes, action: int, channel: int = LOCAL) -> int:
        """The reason for a phone with a key at the door."""
        return self.lock.door.ask(Request(key, action, channel, True))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds)):
            self.hardware.wait(1000)
            for _ in range(200):
                if self.lock.step():
                    break

    @property
    def applied(self) -> int:
        """How far it has come."""
        return self.lock.intake._sync.applied

    def hello(self) -> dict[str, Any]:
        """What it publishes of itself."""
        lock = self.lock
        return {
            "applied": self.applied,
            "digest": lock.grants.digest().hex(),
            "settings": lock.settings.current.version,
            "issuer": 0,
            "log": lock.log.sequence,
            "kept": lock.log.acknowledged,
            "nonce": lock.clock.ask().hex(),
            "challenge": lock.remote.challenge.hex(),
            "lost": lock.intake._sync.lost,
            "page": 0,
            "version": "test",
        }

    def export(self, after: int | None = None) -> bytes:
        """A chunk of its log after a number, by default of what was not acknowledged."""
        self.lock.log.flush()
        reader = self.lock.log.reader(self.lock.log.acknowledged if after is None else after)
        buffer = bytearray(HEAD_BYTES + CHUNK * entry.BYTES)
        buffer[:HEAD_BYTES] = reader.head()
        length = reader.read_into(memoryview(buffer)[HEAD_BYTES:])
        return bytes(buffer[: HEAD_BYTES + length])

    def state(self) -> bytes:
        """What it publishes for people."""
        return json.dumps({"lock": "LOCKED", "battery": 3912, "charge": 65, "door": None}).encode()
