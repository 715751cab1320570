"""Runs the lock. However it ends, the bolt is safe first, and then the board starts anew.

The prompt is there for a board that is not provisioned yet, and for whoever holds the inside
button while it starts: nobody else gets past this file.
"""

import sys

from firmware.hal import bare

again = True
crash = None
try:
    from firmware.hal.crash import Crash

    crash = Crash()
    if bare.hanging_task():
        crash.note("hangs in " + bare.hanging_task())
    if bare.is_button_held():
        again = False
        print("Sharelock service: the prompt is yours; a restart makes it a lock again.")
        print("Last crash:", crash.why or "none")
    else:
        from firmware import app
        from firmware.hal.board import this
        from firmware.hal.hardware import Hardware
        from firmware.store.flash import Flash

        if this().has_console:
            bare.allow_ctrl_c()
        again = app.run(Hardware(this()), Flash("."), print, crash)
except BaseException as error:  # noqa: BLE001  # also Ctrl-C: nothing comes before the bolt
    bare.safe()
    print("Sharelock ends:", repr(error))
    if hasattr(sys, "print_exception"):
        sys.print_exception(error)
    if crash is not None and not isinstance(error, (KeyboardInterrupt, SystemExit)):
        crash.note(repr(error))
finally:
    bare.safe()
    if again:
        bare.restart()
bare.allow_ctrl_c()
