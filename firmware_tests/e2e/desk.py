"""For MicroPython, before boot.py and main.py: what a test does to a lock from within.

More verbs on its console. `later` lets time pass, for loop and thread; `names` makes the
name server slow, or lead elsewhere: MicroPython's unix port asks the system's, which a test cannot
stop, so this waits where that would, in the thread; `memory` tells what the heap holds; `facts`
tells how far the lock is.
"""

import gc
import socket
import sys
import time
from binascii import hexlify


class _Time:
    ahead_ms = 0

    def ticks_ms(self):
        return time.ticks_add(time.ticks_ms(), self.ahead_ms)

    def __getattr__(self, name):
        return getattr(time, name)


class _Names:
    stall_ms = 0
    port = 0  # where every name leads; 0: where it belongs
    asked = 0

    def getaddrinfo(self, host, port):
        self.asked += 1
        time.sleep_ms(self.stall_ms)
        return socket.getaddrinfo(host, self.port or port)

    def __getattr__(self, name):
        return getattr(socket, name)


sys.modules["time"] = clock = _Time()  # before anything of the firmware asks it

from firmware.link import carrier, lines, wire  # noqa: E402

wire.socket = names = _Names()
carrier.LONGEST_PAUSE_MS = 1000  # many sessions end here; how the pauses grow is tested elsewhere


class Lines(lines.Lines):
    """A console that does more."""

    def __init__(self, lock):
        super().__init__(lock)
        self.verbs.update(
            {
                "later": self._later,
                "names": self._names,
                "memory": self._memory,
                "facts": self._facts,
            }
        )

    def _later(self, request):
        seconds = request["s"]
        if seconds > 120:  # nobody is to live through days
            clock.ahead_ms += 1000 * seconds
            return {}
        for _ in range(seconds):
            clock.ahead_ms += 1000
            self._lock.step()
        return {}

    def _names(self, request):
        names.stall_ms, names.port = request["stall_ms"], request["port"]
        return {}

    def _memory(self, request):
        gc.collect()
        return {"bytes": gc.mem_alloc()}

    def _facts(self, request):
        lock = self._lock
        lock.clock.read(lock._now)
        return {
            "applied": lock.sync.applied,
            "digest": hexlify(lock.grants.digest()).decode(),
            "log": lock.log.sequence,
            "kept": lock.log.acknowledged,
            "trust": lock._now.trust,
            "names": names.asked,
        }


lines.Lines = Lines
