"""A whole lock on littlefs, as a process that lives some days: one line of JSON in, many out.

Runs on MicroPython. That line has `openings` of a day, `quarters` of days to live, the `issuer`,
the `phones`' private keys, and `batches` in hexadecimal digits, one for each hour; `cloud` tells
whether there is one, which takes the log and acknowledges it. Each line of the answer is what
there was after a quarter of a day: bytes of heap, of files, and blocks of the file system in use.
"""

import gc
import json
import os
import sys
from binascii import unhexlify

from cryptolib import aes

from firmware.crypto.p256 import PublicKey
from firmware.link import post
from firmware.policy import reasons
from firmware.policy.grant import LOCK as LOCK_IT
from firmware.link.requests import ACT
from firmware.store import entry, identity
from firmware.store.flash import Flash
from firmware.store.identity import Identity
from firmware.store.log import CAPACITY
from firmware_tests import soak
from firmware_tests.both.board_case import WHO
from firmware_tests.both.visit_case import OPEN
from firmware_tests.both.whole_case import Whole
from firmware_tests.power.log_case import event
from host_sim.world.flash import BLOCK_BYTES, MOUNT

QUARTER_S = 21_600
HOUR_S = 3600
OFFLINE_S = 300  # between two tries to have a session
BLOCKS = 512
IDLE_MS = 10_000  # the longest that passes at once
_ERASED = b"\xff" * BLOCK_BYTES


class Chip:
    """A block device of 2 MB that takes the same room from its first day on."""

    def __init__(self):
        self._cells = memoryview(bytearray(BLOCKS * BLOCK_BYTES))
        self.erases = 0

    def readblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        buffer[:] = self._cells[at : at + len(buffer)]
        return 0

    def writeblocks(self, block, buffer, offset=0):
        at = block * BLOCK_BYTES + offset
        self._cells[at : at + len(buffer)] = buffer
        return 0

    def ioctl(self, operation, argument):
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return BLOCK_BYTES
        if operation == 6:
            at = argument * BLOCK_BYTES
            self._cells[at : at + BLOCK_BYTES] = _ERASED
            self.erases += 1
        return 0


class Life(Whole):
    """The lock, its phones, its cloud, and the time that passes."""

    def __init__(self, told, chip):
        self.told = told
        self.chip = chip
        self.random = soak.Random(soak.seed())
        key = unhexlify(told["issuer"])
        flash = Flash(MOUNT)
        who = Identity(WHO.lock, PublicKey(key[:32], key[32:]), WHO.device_key)
        identity.write(flash.pair, who)
        super().__init__(flash, aes=aes)
        who.issuer.precompute()
        self.batches = list(told["batches"])
        self.phones = [self.wallet(scalar) for scalar in told["phones"]]
        self.answers = {}
        self.offline_s = 0
        self.hour_s = 0

    def age(self):
        """It has been here for a while: the ring of the log is full."""
        log = self.lock.log
        while log.sequence < CAPACITY + 200:
            for number in range(10):
                event(log, number)
            log.flush()

    def pass_time(self, seconds):
        """Nobody comes."""
        end_ms = self.hardware.ms + seconds * 1000
        while self.hardware.ms < end_ms:
            self.work()
            left_ms = self.lock.step()
            self.carry()
            if left_ms == 50:
                left_ms = min(IDLE_MS, end_ms - self.hardware.ms)
            self.hardware.ms += left_ms

    def carry(self):
        """What the carrier and the cloud do."""
        item = self.post.collect()
        while item is not None:
            kind, where, what = item
            if self.told["cloud"] and where == b"up/log":
                last = entry.Entry(what[-entry.BYTES :])
                self.lock.log.acknowledge(last.sequence, bytes(last.link))
            elif where == b"up/hello" and (nonce := json.loads(what)["nonce"]):
                clock = self.lock.clock
                clock.read(self.lock._now)
                clock.answered(self.lock._now.at, unhexlify(nonce))
                self.clerk._nonce = None
            item = self.post.collect()
        if not self.told["cloud"] and self.hardware.ms // 1000 >= self.offline_s:
            self.offline_s = self.hardware.ms // 1000 + OFFLINE_S
            self.post.deliver(post.OFFLINE, b"OSError(113,)")

    def hourly(self):
        """A batch from the cloud, or by a phone."""
        if self.batches:
            token = unhexlify(self.batches.pop(0))
            if self.told["cloud"]:
                self.post.deliver(post.STATEMENT, token)
            elif self.lock.accept(token) != reasons.ALLOWED:
                raise ValueError("batch")

    def opening(self):
        """Somebody comes; most of them may."""
        phone = self.phones[self.random.below(len(self.phones))]
        items = [(ACT, bytes([LOCK_IT]))] if self.random.below(4) == 0 else OPEN
        for reason in self.visit(phone, items):
            self.answers[reason] = self.answers.get(reason, 0) + 1

    def quarter(self):
        count = self.told["openings"] // 4
        for number in range(count):
            self.pass_time(QUARTER_S // count - 4)
            if number * 6 // count != (number - 1) * 6 // count:
                self.hourly()
            self.opening()
            self.pass_time(4)
        return self.measure()

    def measure(self):
        """After what a test alone keeps is gone."""
        self.pass_time(60)
        self.hardware.pin.changes.clear()
        self.radio.advertised.clear()
        self.radio.dropped.clear()
        if self.said:
            raise ValueError(self.said)
        gc.collect()
        heap = gc.mem_alloc()
        names = 0
        size = 0
        for folder in os.listdir(MOUNT):
            for name in os.listdir(MOUNT + "/" + folder):
                names += 1
                size += os.stat(MOUNT + "/" + folder + "/" + name)[6]
        told = os.statvfs(MOUNT)
        return {
            "heap": heap,
            "files": names,
            "bytes": size,
            "blocks": told[2] - told[3],
            "erases": self.chip.erases,
            "acknowledged": self.lock.log.acknowledged,
            "applied": self.lock.sync.applied,
            "answers": {str(reason): count for reason, count in self.answers.items()},
        }


def main():
    import vfs

    told = json.loads(sys.stdin.readline())
    chip = Chip()
    vfs.VfsLfs2.mkfs(chip)
    vfs.mount(vfs.VfsLfs2(chip), MOUNT)
    life = Life(told, chip)
    if told["cloud"]:
        life.post.deliver(post.ONLINE)
    life.hourly()
    life.age()
    for _ in range(told["quarters"]):
        print(json.dumps(life.quarter()))


main()
