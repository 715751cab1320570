"""The port to the file system: a folder of small files, each changed as a whole or not at all.

Imports only `os`. It rests on littlefs, which commits a file when it is closed: after a power cut
there is the old file or the new one, also for an append. Only a new file may be left behind empty,
so an empty file counts as none. Two files are never changed together, so what belongs together is
in one file. On a computer's file system a replacement is as safe; an
append is not, and need not be: the lock never runs there.

OSError passes through, also ENOSPC: nothing here makes up for a full or a broken flash.
"""

import os

_REPLACE = getattr(os, "replace", None)  # MicroPython has none, and littlefs needs none
_UNFINISHED = ".new"
_ENOENT = 2
_SETTLING = 160  # commits of a small file, in an erase block for twice as many at the most


class Files:
    """The files of the folder `root`, which is made if it is missing (its parent is not).

    Names are flat and short: `[a-z0-9.-]`, at most 16 characters.
    """

    def __init__(self, root: str) -> None:
        self._root = root + "/"
        try:
            os.stat(root)
        except OSError as error:
            if error.errno != _ENOENT:
                raise
            os.mkdir(root)

    def read(self, name: str) -> "bytes | None":
        """The whole file, None if there is none."""
        try:
            with open(self._root + name, "rb") as file:
                return file.read() or None
        except OSError as error:
            if error.errno == _ENOENT:
                return None
            raise

    def read_into(self, name: str, offset: int, buffer: "bytearray | memoryview") -> int:
        """Fill `buffer` from byte `offset` on; how many bytes there were, 0 for no file."""
        try:
            with open(self._root + name, "rb") as file:
                if offset:
                    file.seek(offset)
                return file.readinto(buffer)
        except OSError as error:
            if error.errno == _ENOENT:
                return 0
            raise

    def replace(self, name: str, data: "bytes | bytearray | memoryview") -> None:
        """Make `data`, not empty, the whole content, of a new file if there is none."""
        if _REPLACE is None:
            with open(self._root + name, "wb") as file:
                file.write(data)
            return
        with open(self._root + name + _UNFINISHED, "wb") as file:
            file.write(data)
        _REPLACE(self._root + name + _UNFINISHED, self._root + name)

    def append(self, name: str, data: "bytes | bytearray | memoryview") -> None:
        """Add all of `data` to the end, of a new file if there is none."""
        with open(self._root + name, "ab") as file:
            file.write(data)

    def size(self, name: str) -> int:
        """Bytes of a file, -1 if there is none."""
        try:
            return os.stat(self._root + name)[6] or -1
        except OSError as error:
            if error.errno == _ENOENT:
                return -1
            raise

    def names(self) -> "list[str]":
        """The names of all files, also of empty ones, in no order."""
        return [name for name in os.listdir(self._root[:-1]) if not name.endswith(_UNFINISHED)]

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens if there is none."""
        try:
            os.remove(self._root + name)
        except OSError as error:
            if error.errno != _ENOENT:
                raise


def settle(files: Files) -> None:
    """Make both halves of a folder's metadata valid, so that a damaged bit is survived.

    littlefs writes one half of the pair until it is full and then goes on in the other. Before
    that first change there is nothing to fall back to: one bit makes the whole file system
    unreadable (for a folder), or forget its folders (for the root). After enough writes both
    halves begin with everything. To be called once for each folder and then for the root, when the
    lock is provisioned.
    """
    for count in range(_SETTLING):
        files.replace("settle", b"%03d" % count)
    files.remove("settle")
