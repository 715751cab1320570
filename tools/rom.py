"""The ROM partition of a board: the images that go into its two slots, block by block.

May import mpremote, whose writer makes the file systems.
"""

import hashlib
from collections.abc import Iterator

from mpremote.romfs import VfsRomWriter

BLOCK_BYTES = 4096  # is erased and written as a whole
LABEL = "romfs"  # by which MicroPython finds the partition
BYTES = 320 * 1024  # of the partition that `tools.image` adds: all that 4 MB of flash can spare
LARGE_BYTES = 1024 * 1024  # and where there is more of it


def image(files: dict[str, bytes]) -> bytes:
    """A ROM file system of these files, the same for the same files."""
    writer = VfsRomWriter()
    _write(writer, {tuple(path.split("/")): content for path, content in files.items()})
    made: bytes = writer.finalise()
    return made


def _write(writer: VfsRomWriter, files: dict[tuple[str, ...], bytes]) -> None:
    for name in sorted({path[0] for path in files}):
        if (name,) in files:
            writer.mkfile(name, files[(name,)])
            continue
        writer.opendir(name)
        _write(writer, {path[1:]: files[path] for path in files if path[0] == name})
        writer.closedir()


def slot_bytes(partition: int) -> int:
    """How long an image may be in a partition of so many bytes."""
    return partition // 2 // BLOCK_BYTES * BLOCK_BYTES


def blocks(content: bytes) -> Iterator[bytes]:
    """An image as the blocks of the flash, the last one with erased bytes behind it."""
    for start in range(0, len(content), BLOCK_BYTES):
        yield content[start : start + BLOCK_BYTES].ljust(BLOCK_BYTES, b"\xff")


def line(start: int, content: bytes) -> str:
    """What the board's file `slots` has of an image, for boot.py."""
    return f"{start} {len(content)} {hashlib.sha256(content).hexdigest()}\n"
