"""A program for a board: its GATT service says back what it hears. Ends with its input.

The argument is the lock's id. Prints who comes and goes, a line each; `wait N` as a message keeps
the loop busy for N ms.
"""

import os
import sys
import time

import machine  # noqa: F401  # completes CPython's `time`

from firmware.hal.console import Console
from firmware.hal.radio import find
from firmware.link.gatt import Gatt


class Echo:
    """In place of the Visits."""

    def __init__(self, gatt):
        self._gatt = gatt

    def opened(self, link):
        print("opened", link)

    def closed(self, link):
        print("closed", link)

    def received(self, link, message):
        if message.startswith(b"wait "):
            time.sleep_ms(int(message[5:]))
        self._gatt.send(link, message)

    def work(self):
        return False

    def tick(self):
        pass


def main():
    radio = find(time.sleep_ms)
    gatt = Gatt(radio, sys.argv[1].encode(), os.urandom)
    gatt.visits = Echo(gatt)
    gatt.start()
    console = Console(radio.stream)
    print("ready")
    ticked = time.ticks_ms()
    while True:
        while gatt.work():
            pass
        if time.ticks_diff(time.ticks_ms(), ticked) >= 1000:
            ticked = time.ticks_ms()
            gatt.tick()
        if console.wait(50) is not None:
            sys.exit()


main()
