"""The files of firmware_tests/vectors, on every runtime."""

import json
import os


def read(name):
    """What NAME.json says.

    It is read in one go: `json.load` asks the system for each byte, which takes seconds where
    MicroPython is a WebAssembly module.
    """
    path = "firmware_tests/vectors/" + name + ".json"
    content = bytearray(os.stat(path)[6])
    with open(path, "rb") as file:
        file.readinto(content)
    return json.loads(content)
