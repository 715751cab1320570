"""What an ESP32 does after a reset, on MicroPython's unix port: boot.py, main.py, the prompt.

The working directory is the flash. With the argument "raw" it is the soft reset of a raw REPL,
which leaves out main.py. `host_sim.serial_board` runs it.
"""

import os
import sys


def _load_chip():
    """Let `machine` and the like be there, and nothing else of this computer."""
    for name in ("machine", "esp32", "network", "bluetooth", "rom"):
        __import__(name)
    rom = sys.modules["rom"]
    for name in list(sys.modules):
        if name.split(".")[0] in ("firmware", "host_sim"):
            del sys.modules[name]
    sys.path[:] = ["", ".frozen", "lib"]  # an ESP32's, with / for the flash
    rom.start()


def _run(name):
    """Run a file if there is one; False if it ended with an exception."""
    try:
        os.stat(name)
    except OSError:
        return True
    try:
        execfile(name)  # noqa: F821
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001  # as MicroPython does
        sys.print_exception(error)
        return False
    return True


_load_chip()
with open(os.getenv("MACHINE_WORLD") + "/awake", "w"):
    pass  # whoever types is heard now
if _run("boot.py") and "raw" not in sys.argv:
    _run("main.py")
os.putenv("MICROPYINSPECT", "1")  # the unix port goes on with the prompt
