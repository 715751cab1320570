"""Runs the lock. However it ends, the bolt is safe first, and then the board starts anew.

Wi-Fi set-up and the prompt are there for a board that is not provisioned yet, and for whoever
holds the inside button while it starts: nobody else gets past `restart`.
"""

import sys

from firmware.hal import bare

again = True
crash = hardware = None
try:
    from firmware import heap

    heap.collect_soon()
    from firmware.hal.crash import Crash

    crash = Crash()
    if bare.hanging_task():
        crash.note("hangs in " + bare.hanging_task())
    if bare.is_button_held():
        again = False
        print("Sharelock service: a restart makes it a lock again.")
        print("Last crash:", crash.why or "none")
    else:
        from firmware import app
        from firmware.hal.board import this
        from firmware.hal.hardware import Hardware
        from firmware.store.flash import Flash

        if this().has_console:
            bare.allow_ctrl_c()
        hardware = Hardware(this())
        again = app.run(hardware, Flash("."), print, crash)
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
try:
    from firmware import app, service
    from firmware.hal.board import this
    from firmware.hal.console import Line
    from firmware.hal.hardware import Hardware
    from firmware.store.flash import Flash

    hardware = hardware or Hardware(this())
    service.run(hardware, Flash("."), Line(), app.ABOUT, bare.sleep_until_pushed, print)
except BaseException as error:  # noqa: BLE001  # the prompt is for firmware that is broken, too
    print("Sharelock cannot serve:", repr(error))
bare.safe()
bare.allow_ctrl_c()
