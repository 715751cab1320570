"""Power cut at every flash operation of a factory reset: the lock as it was, or none."""

import os

from firmware.store import identity, wifi, wipe
from firmware.store.flash import Flash
from firmware_tests.both.board_case import WHO
from firmware_tests.both.check import equal, true
from firmware_tests.power.sweep import sweep
from host_sim.world.flash import MOUNT

LACKS = ("littlefs",)

FIRMWARE = {"main.py": b"main", "crash": b"1 ValueError()", "firmware/a.mpy": b"a" * 5000}


def _a_lock():
    os.chdir(MOUNT)
    flash = Flash(MOUNT)
    identity.write(flash.pair, WHO)
    wifi.write(flash.pair, "Home", "correct horse")
    for folder in [flash.ledger, flash.statements] + flash.grants:
        folder.replace("some", bytes(300))
    os.mkdir("firmware")
    for path in FIRMWARE:
        with open(path, "wb") as file:
            file.write(FIRMWARE[path])


def _files():
    """What is in the folders of a lock."""
    found = []
    for folder in os.listdir(MOUNT):
        if folder not in ("firmware", "main.py", "crash"):
            found += [folder + "/" + name for name in os.listdir(MOUNT + "/" + folder)]
    return sorted(found)


def _wipe(done):
    wipe.begin(MOUNT)
    done.append(True)
    wipe.finish(MOUNT)


def _start():
    wipe.finish(MOUNT)
    return identity.read(Flash(MOUNT).pair)


def _is_old_or_none(who, done):
    equal(wipe.is_begun(MOUNT), False)
    if who is None:
        equal(_files(), [])
        true("crash" not in os.listdir(MOUNT))
    else:
        equal(done, [], "it was told that all goes")
        equal((who.lock, wifi.read(Flash(MOUNT).pair)[0]), (WHO.lock, "Home"))
        true(len(_files()) > 10)
    for path in ("main.py", "firmware/a.mpy"):
        with open(MOUNT + "/" + path, "rb") as file:
            equal(file.read(), FIRMWARE[path])


def test_a_factory_reset_may_be_cut_off_anywhere():
    cuts = sweep(_a_lock, _wipe, _start, _is_old_or_none, second_every=3)
    print("cuts:", cuts)
    true(cuts > 50, cuts)
