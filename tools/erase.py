"""Empties a board's flash: `python -m tools.erase PORT`, or `make erase PORT=...`; asks first.

What was written can still be read out of the chip until new files take its place; `esptool
erase-flash` leaves nothing, MicroPython included. May import its siblings.
"""

import sys

from .device import Device, DeviceError, named_port

_PROGRAM = """
import os
folders = [""]
for folder in folders:
    for each in os.ilistdir(folder or "."):
        path = folder + each[0]
        if each[1] & 0x4000:
            folders.append(path + "/")
        else:
            os.remove(path)
for folder in reversed(folders[1:]):
    os.rmdir(folder[:-1])
"""


def main() -> None:
    """Exits with 0, with 1 if it was not wanted or does not work, with 2 without a port."""
    port = named_port("erase")
    try:
        with Device(port) as device:
            print("Everything on the board goes: firmware, identity, shares, log.")
            if input("Erase it? [y/N] ").strip().lower() != "y":
                sys.exit("Nothing was erased.")
            device.run(_PROGRAM, 120)
            device.restart()
    except DeviceError as error:
        sys.exit(f"Error: {error}")
    except (KeyboardInterrupt, EOFError):
        sys.exit("\nNothing was erased.")
    print("The flash is empty.")


if __name__ == "__main__":
    main()
