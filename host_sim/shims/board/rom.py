"""The ROM partition of an ESP32, as `vfs.rom_ioctl` of a MicroPython built with ROMFS gives it.

It is the file `romfs` in the folder MACHINE_WORLD, empty for a board whose flash has no such
partition; without that file the MicroPython is one that was built without ROMFS. The partition is
mapped into memory: who has a view of it sees what is written. The file `rom_cut` has the number of
blocks after which the power goes, in the middle of the next one.
"""

import errno
import os
import sys
import vfs

import machine

BLOCK_BYTES = 4096
_WORLD = os.getenv("MACHINE_WORLD")
_BLOCK_COUNT = 4  # the ioctl of a MicroPython block device
_SEGMENTS, _SEGMENT = 1, 2  # those of vfs.rom_ioctl


class Partition(bytearray):
    """An `esp32.Partition` that can be read as memory."""

    def ioctl(self, operation, argument):
        """How many blocks there are."""
        if operation != _BLOCK_COUNT:
            raise ValueError("this one only counts its blocks")
        return len(self) // BLOCK_BYTES

    def writeblocks(self, number, data):
        """Erase whole blocks, and program them."""
        start = number * BLOCK_BYTES
        if len(data) % BLOCK_BYTES or not 0 <= start <= len(self) - len(data):
            raise OSError(errno.EINVAL)
        self._keep(start, b"\xff" * len(data))
        left = machine.world("rom_cut")
        if left == b"0":
            self._keep(start, data[: len(data) // 2])
            machine.reset()
        if left:
            machine.tell_world("rom_cut", b"%d" % (int(left) - 1))
        self._keep(start, data)

    def _keep(self, start, data):
        self[start : start + len(data)] = data
        with open(_WORLD + "/romfs", "r+b") as file:
            file.seek(start)
            file.write(data)


class _Vfs:
    """MicroPython's `vfs`, whose names cannot be changed, and one name more."""

    def __init__(self, partition):
        for name in dir(vfs):
            if name[0] != "_":
                setattr(self, name, getattr(vfs, name))
        self._partition = partition

    def rom_ioctl(self, operation, number=0):
        """The number of ROM partitions, or the one that there is."""
        if operation == _SEGMENTS:
            return 1 if self._partition else 0
        if operation != _SEGMENT or not self._partition or number:
            return -errno.EINVAL
        return self._partition


def start():
    """Let `vfs` be a board's, and mount what is in the partition, as MicroPython does."""
    try:
        with open(_WORLD + "/romfs", "rb") as file:
            partition = Partition(file.read())
    except (OSError, TypeError):  # no such file, no world
        return
    sys.modules["vfs"] = _Vfs(partition)
    try:
        vfs.mount(vfs.VfsRom(memoryview(partition)), "/rom")
    except OSError:  # there is no file system in it
        return
    sys.path += ["/rom", "/rom/lib"]
