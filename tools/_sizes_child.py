"""Run on MicroPython by tools/sizes.py: imports modules, prints the heap that each one takes."""

import gc
import sys


def _taken():
    gc.collect()
    return gc.mem_alloc()  # type: ignore[attr-defined]


before = _taken()
for name in sys.argv[1:]:
    __import__(name)
    print(name, _taken() - before)
    before = _taken()
