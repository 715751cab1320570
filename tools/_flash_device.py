"""What `tools.flash` lets a board do; it runs there. `wanted` are the paths of the new firmware.

A new board has no firmware yet, so in place of its import the text of that module is sent along.
"""

import gc
import json
import os
from binascii import hexlify
from hashlib import sha256

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


def look(wanted: "list[str]") -> None:
    """Print what is there of the wanted files, what else is in their folder, the free bytes."""
    digests = {path: digest(path) for path in wanted}
    others = [path for path in below(OURS) if path not in digests]
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


def put() -> None:
    """From now on the new files count."""
    os.rename(FOLDER + "/list", READY)
    finish()
