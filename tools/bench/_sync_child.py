"""The part of the sync benchmark that runs on MicroPython: a whole lock on littlefs, that counts.

The first line of stdin is a JSON object of what it is provisioned with. Then it is a lock in touch
with its cloud, and answers each further line with what it took since the one before.
"""

import json
import sys

from firmware import app
from firmware.access.intake import LARGEST_BATCH
from firmware.access.statements import BATCH
from firmware.crypto import cose, p256
from firmware.hal.board import this
from firmware.hal.crash import Crash
from firmware.hal.hardware import Hardware
from firmware.provision import provision
from firmware.store.flash import Flash as Folders
from host_sim.world.flash import BOARD_BLOCKS, MOUNT, Flash

_verifying = p256.verifying
_accepting = app.Lock.accepting


class Counting(Hardware):
    """The desk's hardware, with the flash in view."""

    def __init__(self, flash):
        super().__init__(this())
        self._flash = flash
        self._verifications = 0
        self._batches = 0

    def verifying(self, digest, signature, key):
        """In place of the real one."""
        self._verifications += 1
        return _verifying(digest, signature, key)

    def accepting(self, lock, token):
        """In place of the lock's."""
        if cose.parse(token, LARGEST_BATCH).typ == BATCH:
            self._batches += 1
        return _accepting(lock, token)

    def clear(self):
        """Count from nothing."""
        self._verifications = self._batches = 0
        self._flash.clear_counts()

    def wait(self, ms):
        """A line is a question here; the lock sees none."""
        if super().wait(ms) is not None:
            counted = {
                "verifications": self._verifications,
                "batches": self._batches,
                "erases": self._flash.erases,
                "written": self._flash.written,
            }
            print(json.dumps(counted))
            self.clear()


def main():
    """Be the lock, until it is killed."""
    given = json.loads(sys.stdin.readline())
    flash = Flash(BOARD_BLOCKS)
    flash.format()
    flash.mount()
    provision(given["lock"], given["issuer"], folder=MOUNT, cloud=given["cloud"])
    hardware = Counting(flash)

    def say(text):
        hardware.clear()  # what came before is the boot
        print(text)

    p256.verifying = hardware.verifying
    accepting = hardware.accepting
    app.Lock.accepting = lambda *both: accepting(*both)  # type: ignore[method-assign]  # noqa: PLW0108
    app.run(hardware, Folders(MOUNT), say, Crash())


main()
