"""Makes room for the firmware in an image of MicroPython: `python -m tools.image FIRMWARE.bin`.

Adds a partition for the ROM file system behind the last one, and changes nothing else; MicroPython
has its files in what is left. Formats are Espressif's: "Firmware Image Format" of esptool and
"Partition Tables" of ESP-IDF. May import its siblings.
"""

import hashlib
import struct
import sys
from pathlib import Path
from typing import NamedTuple

from . import rom
from .build import TARGET

_TABLE = 0x8000  # of the flash
_TABLE_BYTES = 0xC00
_PAGE = 0x10000  # of what is mapped into memory
_LEAST_FILES = 1 << 20  # bytes of flash for a lock's records
_SMALL_FLASH = 4 << 20
_HEADER = struct.Struct("<BxxB8xH")  # magic, flash size, chip
_MAGIC = 0xE9
_CHIPS = {0: ("ESP32", 0x1000), 5: ("ESP32-C3", 0), 9: ("ESP32-S3", 0)}  # where an image begins
_ENTRY = struct.Struct("<2sBBII16sI")
_VALID = b"\xaa\x50"
_CHECKSUM = b"\xeb\xeb" + b"\xff" * 14
_DATA = 1
_SUBTYPE = 0x8F  # of no meaning: MicroPython asks for the label
_FIXED = ("vfs", "ffat")


class ImageError(Exception):
    """Why an image cannot be used, in a sentence."""


class Partition(NamedTuple):
    """A line of the partition table."""

    type: int
    subtype: int
    offset: int
    size: int
    label: str
    flags: int = 0

    def packed(self) -> bytes:
        """As it is in the flash."""
        label = self.label.encode()
        return _ENTRY.pack(
            _VALID, self.type, self.subtype, self.offset, self.size, label, self.flags
        )


def _md5(entries: bytes) -> bytes:
    return hashlib.md5(entries, usedforsecurity=False).digest()


def read(image: bytes) -> tuple[int, int, list[Partition]]:
    """Where in the flash an image begins, how many bytes the flash has, and the partitions.

    Raises ImageError.
    """
    magic, size, chip = _HEADER.unpack_from(image.ljust(_HEADER.size, b"\0"))
    if magic != _MAGIC or chip not in _CHIPS:
        known = ", ".join(name for name, _ in _CHIPS.values())
        raise ImageError(f"it is no image for one of {known}")
    start = _CHIPS[chip][1]
    table = image[_TABLE - start : _TABLE - start + _TABLE_BYTES]
    found: list[Partition] = []
    while table[len(found) * _ENTRY.size :].startswith(_VALID):
        fields = _ENTRY.unpack_from(table, len(found) * _ENTRY.size)
        _, kind, subtype, offset, length, label, flags = fields
        found.append(Partition(kind, subtype, offset, length, label.rstrip(b"\0").decode(), flags))
    entries = table[: len(found) * _ENTRY.size]
    if not table[len(entries) :].startswith(_CHECKSUM + _md5(entries)) or not found:
        raise ImageError("it has no partition table; is it the .bin for a whole flash?")
    return start, 1 << 20 + (size >> 4), found


def with_rom(image: bytes) -> bytes:
    """The image with a ROM partition. Raises ImageError."""
    start, flash_bytes, partitions = read(image)
    labels = {each.label for each in partitions}
    if rom.LABEL in labels:
        raise ImageError("it has a ROM partition already")
    for label in labels.intersection(_FIXED):
        raise ImageError(
            f"its partition {label} fixes where the files are, as before MicroPython 1.26; "
            "take a newer one"
        )
    if b"VfsRom" not in image:
        raise ImageError(
            "its MicroPython was built without the ROM file system, as stock images are; "
            "docs/hardware.md says how to build one with it"
        )
    end = max(each.offset + each.size for each in partitions)
    offset = -(-end // _PAGE) * _PAGE
    size = rom.BYTES if flash_bytes <= _SMALL_FLASH else rom.LARGE_BYTES
    left, least = flash_bytes - offset, size + _LEAST_FILES
    if left < least:
        raise ImageError(
            f"a flash of {flash_bytes >> 20} MB has {left >> 10:,} KB behind its last partition, "
            f"too few: it takes {least >> 10:,}"
        )
    partitions.append(Partition(_DATA, _SUBTYPE, offset, size, rom.LABEL))
    entries = b"".join(each.packed() for each in partitions)
    table = entries + _CHECKSUM + _md5(entries)
    at = _TABLE - start
    return image[:at] + table.ljust(_TABLE_BYTES, b"\xff") + image[at + _TABLE_BYTES :]


def main() -> None:
    """Exits with 0, with 1 if the image cannot be used, with 2 if none is named."""
    if len(sys.argv) != 2 or not sys.argv[1]:
        print("Name an image of MicroPython: make image FIRMWARE=...bin", file=sys.stderr)
        sys.exit(2)
    source = Path(sys.argv[1])
    try:
        made = with_rom(source.read_bytes())
    except (OSError, ImageError) as error:
        sys.exit(f"Error: {source}: {error}")
    target = TARGET / f"{source.stem}-rom.bin"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(made)
    start, flash_bytes, partitions = read(made)
    for each in partitions:
        print(f"  {each.label:16}{each.offset:#10x}{each.size // 1024:8,} KB")
    end = partitions[-1].offset + partitions[-1].size
    print(f"  {'(files)':16}{end:#10x}{(flash_bytes - end) // 1024:8,} KB, or what there is")
    print("This puts it onto a board, of which nothing is left:")
    print("  esptool --port PORT erase-flash")
    print(f"  esptool --port PORT write-flash {start:#x} {target}")


if __name__ == "__main__":
    main()
