"""Runs first on the board; nothing here can raise, or main.py would not run."""

try:
    from firmware.hal import bare

    bare.safe()  # before the firmware loads, which takes seconds
    bare.full_speed()
except BaseException:  # noqa: BLE001  # whatever it is, main.py comes across it and can tell
    pass
