"""Power cut at every flash operation of a boot, and at every one of provisioning's last step."""

from binascii import hexlify

from firmware.crypto.p256 import InvalidPoint
from firmware.policy import reasons
from firmware.policy.grant import Grant
from firmware.policy.instant import Instant
from firmware.provision import provision
from firmware.store import entry, identity
from firmware.store.flash import Flash
from firmware_tests import soak
from firmware_tests.both.board_case import GRANTS, WHO, Board
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.statement_case import LOCK, run_named
from host_sim.world.flash import BOARD_BLOCKS, CI_BLOCKS, MOUNT
from host_sim.world.flash import Flash as Chip
from firmware_tests.power.sweep import sweep

LACKS = ("littlefs",)

SOAK = soak.count(2, 1) == 2
SECOND = 1 if SOAK else 16
BLOCKS = BOARD_BLOCKS if SOAK else CI_BLOCKS

KEY = bytes(16)


def _lived_in():
    """A lock with a counted grant, used once, that lost its power in the middle of a batch.

    A statement waits for it, too.
    """
    flash = Flash(MOUNT)
    identity.write(flash.pair, WHO)
    board = Board(flash)
    counted = Grant(b"counted", LOCK, KEY)
    counted.uses = 1
    counted.issued = Instant()
    true(board.lock.grants.put(counted))
    equal(board.lock.door.ask(board.request(KEY)), reasons.ALLOWED)
    board.leave("1.cose", GRANTS["an admin"])
    flash.pair[0].replace(
        "batch", run_named("batches continue each other, and each counts once")[1][0]
    )


def _boot():
    """Everything that follows a boot, until nothing is left to do."""
    board = Board(Flash(MOUNT))
    board.live(3)
    if any("OSError(5,)" in line for line in board.said):
        raise OSError(5)  # the lock itself would try again and again
    return board


def _settled(board, done):
    lock = board.lock
    equal(lock.door.ask(board.request(KEY)), reasons.USES_SPENT)
    shares = sorted([grant.share for grant in lock.grants.grants()])
    true(b"counted" in shares and len(shares) >= 3, shares)
    equal(board.flash.statements.names(), [])
    equal(board.flash.pair[0].read("batch"), None)
    reasons_of_boots = [reason for reason, _ in board.log(entry.BOOT)]
    equal(reasons_of_boots[0], entry.FIRST)
    true(entry.UNCLEAN in reasons_of_boots[1:], reasons_of_boots)
    lock.stop()
    again = Board(Flash(MOUNT))
    equal(again.log(entry.BOOT)[-1], (entry.CLEAN, 0))


def test_a_boot_may_be_cut_off_anywhere_and_the_next_one_finishes_it():
    cuts = sweep(_lived_in, lambda done: _boot(), _boot, _settled, BLOCKS, SECOND)
    print("cuts during a boot:", cuts)
    true(cuts > 100, cuts)


def test_an_identity_is_whole_or_there_is_none():
    def check(board, done):
        who = identity.read(Flash(MOUNT).pair)
        if who is not None or done:
            equal((who.lock, who.device_key), (WHO.lock, WHO.device_key))

    def write(done):
        identity.write(Flash(MOUNT).pair, WHO)
        done.append(True)

    def recover():
        return identity.read(Flash(MOUNT).pair)

    cuts = sweep(lambda: Flash(MOUNT), write, recover, check, CI_BLOCKS)
    true(cuts > 10, cuts)


def test_provisioning_makes_a_lock_once():
    chip = Chip()
    chip.format()
    chip.mount()
    try:
        issuer = hexlify(WHO.issuer.x + WHO.issuer.y).decode()
        raises(ValueError, provision, "", issuer, MOUNT, bytes)
        raises(ValueError, provision, "a" * 17, issuer, MOUNT, bytes)
        raises(InvalidPoint, provision, "front-door", "00" * 64, MOUNT, bytes)
        provision("front-door", issuer, folder=MOUNT, random=bytes)
        who = identity.read(Flash(MOUNT).pair)
        equal((who.lock, who.issuer.x, who.device_key), (b"front-door", WHO.issuer.x, bytes(32)))
        raises(ValueError, provision, "front-door", issuer, MOUNT, bytes)
        Board(Flash(MOUNT)).live(2)
    finally:
        chip.unmount()
