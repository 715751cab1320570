"""Runs the lock. However it ends, the bolt is safe first, and then the board starts anew.

Only a board that is not provisioned yet stays at the prompt, for `firmware.provision`.
"""

import sys

from firmware.hal import bare

again = True
try:
    from firmware import app
    from firmware.hal.board import this
    from firmware.hal.hardware import Hardware
    from firmware.store.flash import Flash

    again = app.run(Hardware(this()), Flash("."), print)
except BaseException as error:  # noqa: BLE001  # also Ctrl-C: nothing comes before the bolt
    bare.safe()
    print("Sharelock ends:", repr(error))
    if hasattr(sys, "print_exception"):
        sys.print_exception(error)
finally:
    bare.safe()
    if again:
        bare.restart()
