"""The least of a board, for the benchmark of a lock's heap: nothing else is to be in that heap.

An image for the ESP32 has `machine` and `network` outside of it, and more that the 32-bit build
lacks. Imports nothing of the project.
"""

import errno
import sys


class Part:
    """A pin at rest, a timer, a bus with nothing on it, a calendar, a Wi-Fi that is joined, a lock
    of `_thread` where there is one thread.
    """

    IN = OUT = PULL_UP = ONE_SHOT = 0

    def __init__(self, *_, **__):
        pass

    def value(self, *_):
        return 1

    def irq(self, _):
        pass

    def init(self, **_):
        pass

    def feed(self):
        pass

    def memory(self, *_):
        return b""

    def datetime(self, *_):
        return (2026, 1, 1, 3, 0, 0, 0, 0)

    def readfrom_mem_into(self, *_):
        raise OSError(errno.ENODEV)

    writeto_mem = readfrom_mem_into

    def isconnected(self):
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Parts:
    """`machine` and `network`, and what a program only has to find by name."""

    Pin = Timer = I2C = RTC = WDT = WLAN = aes = simple = usocket = Part
    STA_IF = SOCK_STREAM = 0

    @staticmethod
    def freq(*_):
        return 240_000_000

    @staticmethod
    def hostname(*_):
        return ""

    @staticmethod
    def allocate_lock():
        return Part()

    @staticmethod
    def stack_size(_):
        pass

    @staticmethod
    def start_new_thread(*_):
        pass


def put(*others):
    """Let imports find them, and these modules."""
    for name in ("machine", "network") + others:
        sys.modules[name] = Parts  # type: ignore[assignment]
