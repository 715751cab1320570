"""Run on MicroPython by tools/sizes.py: imports modules, prints the heap that each one takes.

The first argument is an image of a ROM file system to import from, or empty for the search path.
"""

import gc
import sys


def _mount(path):
    import vfs

    with open(path, "rb") as file:
        vfs.mount(vfs.VfsRom(memoryview(file.read())), "/rom")
    sys.path.insert(0, "/rom")


def _taken():
    gc.collect()
    return gc.mem_alloc()  # type: ignore[attr-defined]


if sys.argv[1]:
    _mount(sys.argv[1])
before = _taken()
for name in sys.argv[2:]:
    __import__(name)
    print(name, _taken() - before)
    before = _taken()
