"""Freezes the lock into an image of MicroPython: `make BOARD=... FROZEN_MANIFEST=.../manifest.py`.

The names are those of MicroPython's manifest files. Frozen, the bytecode stays in flash, and
`boot.py` and `main.py` run from the image.
"""

include("$(PORT_DIR)/boards/manifest.py")  # brings umqtt.simple and requests
package("firmware", base_path=".")
module("boot.py")
module("main.py")
