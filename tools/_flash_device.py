"""What `tools.flash` lets a board do; it runs there. `wanted` are the paths of the new firmware.

A new board has no firmware yet, so in place of its import the text of that module is sent along.
"""

import gc
import json
import os
from binascii import a2b_base64, hexlify
from hashlib import sha256
from io import BytesIO

import vfs

from firmware.hal.update import FOLDER, READY, finish

OURS = "firmware"  # a folder in which nothing else has a place


def digest(path: str) -> "str | None":
    """The SHA-256 of a file, None if there is none."""
    total = sha256()
    buffer = memoryview(bytearray(512))
    try:
        with open(path, "rb") as file:
            count = file.readinto(buffer)
            while count:
                total.update(buffer[:count])
                count = file.readinto(buffer)
    except OSError:
        return None
    return hexlify(total.digest()).decode()


def below(folder: str) -> "list[str]":
    """The paths of all files in a folder; none if there is no such folder."""
    found = []
    todo = [folder]
    while todo:
        folder = todo.pop()
        try:
            entries = list(os.ilistdir(folder))
        except OSError:
            continue
        for each in entries:
            path = folder + "/" + each[0]
            if each[1] & 0x4000:
                todo.append(path)
            else:
                found.append(path)
    return found


def listed(manifest: str) -> "list[str]":
    """The paths that the last update put there."""
    try:
        with open(manifest) as file:
            return [line.split()[1] for line in file]
    except OSError:
        return []


def look(wanted: "list[str]", manifest: str) -> None:
    """Print what is there of the wanted files, what is no longer wanted, the free bytes."""
    digests = {path: digest(path) for path in wanted}
    others = [path for path in set(below(OURS) + listed(manifest)) if path not in digests]
    gc.collect()
    room = os.statvfs(".")
    print(json.dumps({"digests": digests, "others": others, "free": room[0] * room[3]}))


def clean() -> None:
    """Make an empty folder for what comes; an update that is complete is finished first."""
    finish()
    for path in below(FOLDER):
        os.remove(path)
    if FOLDER not in os.listdir():
        os.mkdir(FOLDER)


def check(numbers: range) -> None:
    """Print the digests of what came."""
    print(json.dumps([digest(FOLDER + "/%d" % number) for number in numbers]))


def partition() -> "object | None":
    """The ROM partition; None if the flash has none, or MicroPython no ROM file system."""
    if not hasattr(vfs, "rom_ioctl") or vfs.rom_ioctl(1) < 1:
        return None
    found = vfs.rom_ioctl(2, 0)
    return found if hasattr(found, "writeblocks") else None


def digest_of(start: int, size: int) -> str:
    """The SHA-256 of what is in the ROM partition, as it is mapped into memory."""
    return hexlify(sha256(memoryview(partition())[start : start + size]).digest()).decode()


def rom(slots: str) -> None:
    """Print the size of the ROM partition and which of its slots are whole, as boot.py sees it."""
    found = {"can": hasattr(vfs, "rom_ioctl"), "size": 0, "whole": []}
    part = partition()
    if part:
        found["size"] = part.ioctl(4, 0) * 4096
        try:
            with open(slots) as file:
                for line in file:
                    start, size, wanted = line.split()
                    if digest_of(int(start), int(size)) == wanted:
                        found["whole"].append(line)
        except OSError:
            pass
    print(json.dumps(found))


def blocks(start: int, count: int) -> None:
    """Print the digests of blocks of the ROM partition."""
    print(json.dumps([digest_of(start + each * 4096, 4096) for each in range(count)]))


def store(start: int, packed: bytes) -> None:
    """Write a block to the ROM partition."""
    from deflate import RAW, DeflateIO

    block = DeflateIO(BytesIO(a2b_base64(packed)), RAW, 9).read()
    partition().writeblocks(start // 4096, block)


def put() -> None:
    """From now on the new files count."""
    os.rename(FOLDER + "/list", READY)
    finish()
