"""The part of the crypto benchmark that runs on MicroPython, from .mpy files.

`-m _crypto_child WHAT`: "import", "any" or "known" do only that, for finding the smallest heap;
"measure" prints bytes allocated and best microseconds for the known issuer, then for any key.
Imports the firmware, and the key and signature that the benchmark wrote.
"""

import sys
import time

import _crypto_case as case  # type: ignore[import-not-found]  # written by the benchmark
from micropython import mem_total

from firmware.crypto import p256

ROUNDS = 40


def measure(key):
    best_us = 1 << 29
    for _ in range(ROUNDS):
        before = mem_total()
        start = time.ticks_us()  # type: ignore[attr-defined]
        valid = p256.verify(case.DIGEST, case.SIGNATURE, key)
        best_us = min(best_us, time.ticks_diff(time.ticks_us(), start))  # type: ignore[attr-defined]
        allocated = mem_total() - before
        if not valid:
            raise ValueError("not valid")
    return allocated, best_us


def known_issuer():
    table = bytearray(p256.TABLE_BYTES)
    with open(case.TABLE_FILE, "rb") as file:
        file.readinto(table)
    return p256.PublicKey(case.X, case.Y, table)


def main(what):
    if what == "measure":
        known = measure(known_issuer())
        print(*known, *measure(p256.PublicKey(case.X, case.Y)))
    elif what == "import":
        print(True)
    else:
        key = known_issuer() if what == "known" else p256.PublicKey(case.X, case.Y)
        print(p256.verify(case.DIGEST, case.SIGNATURE, key))


main(sys.argv[1])
