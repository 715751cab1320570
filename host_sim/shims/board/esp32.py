"""MicroPython's `esp32`, as far as the firmware uses it: which pin ends a deep sleep.

It is told to the world in the file `wake`, see `machine`.
"""

import machine

WAKEUP_ALL_LOW = False


def wake_on_ext0(pin, level):
    """This pin does, at this level; only low is simulated."""
    if level != WAKEUP_ALL_LOW:
        raise ValueError("only a low level")
    machine.tell_world("wake", b"%d" % pin.number)
