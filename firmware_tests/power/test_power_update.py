"""Power cut at every flash operation while an update is put into place."""

import os

from firmware.hal import update
from firmware_tests.both.check import equal, raises, true
from firmware_tests.power.sweep import sweep
from host_sim.world.flash import MOUNT
from host_sim.world.flash import Flash as Chip

LACKS = ("littlefs",)

OLD = {"main.py": b"old", "firmware/a.mpy": b"old a", "firmware/gone.mpy": b"old"}
NEW = {"main.py": b"new", "firmware/a.mpy": b"new a" * 500, "lib/deep/b.mpy": b"new b"}


def _write(files):
    for path in files:
        with open(path, "wb") as file:
            file.write(files[path])


def _old_and_all_of_the_new():
    os.chdir(MOUNT)
    os.mkdir("firmware")
    os.mkdir(update.FOLDER)
    _write(OLD)
    names = sorted(NEW)
    _write({"update/%d" % number: NEW[names[number]] for number in range(len(names))})
    lines = ["- firmware/gone.mpy"] + ["%d %s" % each for each in enumerate(names)]
    _write({update.READY: "\n".join(lines).encode() + b"\n"})


def _finish():
    os.chdir(MOUNT)
    return update.finish()


def _all_is_new(finished, done):
    for path in NEW:
        with open(path, "rb") as file:
            equal(file.read(), NEW[path])
    raises(OSError, os.stat, "firmware/gone.mpy")
    equal(os.listdir(update.FOLDER), [])
    equal(update.finish(), False)


def test_an_update_may_be_cut_off_anywhere_and_the_next_start_finishes_it():
    cuts = sweep(
        _old_and_all_of_the_new, lambda done: done.append(_finish()), _finish, _all_is_new
    )
    print("cuts:", cuts)
    true(cuts > 30, cuts)


def test_no_list_no_update():
    chip = Chip()
    chip.format()
    chip.mount()
    try:
        os.chdir(MOUNT)
        os.mkdir(update.FOLDER)
        _write({"update/0": b"new", "update/list": b"0 main.py\n"})
        equal(update.finish(), False)
        raises(OSError, os.stat, "main.py")
    finally:
        chip.unmount()
