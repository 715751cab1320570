"""A lock on a littlefs without a free block: the door goes on, and all else when there is room."""

import os

from firmware.policy import reasons
from firmware.store import entry, identity
from firmware.store.flash import Flash
from firmware_tests.both.board_case import GRANTS, WHO, Board
from firmware_tests.both.check import equal, true
from firmware_tests.power.log_case import entries, event
from host_sim.world.flash import MOUNT
from host_sim.world.flash import Flash as Chip

LACKS = ("littlefs",)

FILLER = MOUNT + "/filler"
ENOSPC = 28
OPENINGS = 100  # more than a segment of the log has room for


def _fill():
    """Take all the room that there is."""
    written = 0
    with open(FILLER, "wb") as file:
        try:
            while True:
                file.write(bytes(4096))
                file.flush()
                written += 1
        except OSError as error:
            equal(error.errno, ENOSPC)
    true(written > 0)


def test_a_flash_that_is_full_keeps_nobody_out_and_is_told():
    chip = Chip()
    chip.format()
    chip.mount()
    try:
        identity.write(Flash(MOUNT).pair, WHO)
        board = Board(Flash(MOUNT))
        board.lock.accept(GRANTS["an admin"])
        board.live(2)
        _fill()
        for _ in range(2):
            for _ in range(OPENINGS):
                equal(board.ask(), reasons.ALLOWED)
                board.live(1)
            true(any("OSError(%d,)" % ENOSPC in line for line in board.said), board.said)
            board.boot()
        os.remove(FILLER)
        board.leave("1.cose", GRANTS["the last version"])
        board.live(5)
        true("1.cose: 0" in board.said, board.said)
        number = event(board.lock.log, 1)
        board.lock.log.flush()
        found = list(entries(board.lock.log))
        equal(found[-1].sequence, number)
        true((entry.GAP, entry.QUEUE) in [(each.kind, each.reason) for each in found])
    finally:
        chip.unmount()
