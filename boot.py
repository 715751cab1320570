"""Runs first on the board; nothing here can raise, or main.py would not run."""

try:
    import micropython

    micropython.kbd_intr(-1)  # nobody at the serial line stops what comes
except BaseException:  # noqa: BLE001  # as below
    pass
try:
    from firmware.hal import update

    update.finish()
except BaseException:  # noqa: BLE001  # as below; the next start tries it again
    pass
try:
    from firmware.store import wipe

    wipe.finish(".")
except BaseException:  # noqa: BLE001  # the same; until then the board is no lock
    pass
try:
    from firmware.hal import bare

    bare.safe()  # before the firmware loads, which takes seconds
    bare.full_speed()
except BaseException:  # noqa: BLE001  # whatever it is, main.py comes across it and can tell
    pass
