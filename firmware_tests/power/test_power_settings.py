"""Settings and the clock's floor on littlefs, with the power cut at every operation."""

from firmware.policy import reasons
from firmware.policy.instant import Instant
from firmware.store.floor import Floor
from firmware.store.seal import Seal
from firmware.store.settings import Settings, SettingsStore
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from host_sim.world.flash import BOARD_BLOCKS, CI_BLOCKS, MOUNT, Flash
from firmware_tests.power.log_case import KEY, folders
from firmware_tests.power.sweep import sweep

LACKS = ("littlefs",)

BLOCKS = BOARD_BLOCKS if soak.count(2, 1) == 2 else CI_BLOCKS
SEAL = Seal(KEY)
LONG = "<+0330>-3:30<+0430>,J79/24,J263/24"


def store():
    return SettingsStore(folders(MOUNT), SEAL)


def floor():
    return Floor(folders(MOUNT), SEAL)


def version(number):
    settings = Settings()
    settings.version = number
    settings.zone = settings.next_zone = LONG
    settings.next_from = Instant(20000 + number, 0)
    return settings


def swept(setup, action, recover, check):
    cuts = sweep(setup, action, recover, check, BLOCKS, 1, soak.seed())
    print("cuts:", cuts)
    true(cuts >= 4, cuts)


def put(number):
    equal(store().put(version(number)), reasons.ALLOWED)


def test_settings_are_old_or_new():
    for before in (0, 3):

        def setup(before=before):
            if before:
                put(before)

        def act(done):
            put(4)
            done.append(4)

        def check(found, done, before=before):
            true(found.current.version in (done or (before, 4)), found.current.version)
            equal((found.damaged, found.lost), (False, False))
            if found.current.version:
                equal(found.current.next_from, Instant(20000 + found.current.version, 0))
            equal(found.put(version(3)) == reasons.OLD_VERSION, found.current.version > 3)
            put(5)
            equal(store().current.version, 5)

        swept(setup, act, store, check)


def test_the_floor_is_old_or_new_and_never_lower():
    def act(done):
        one = floor()
        for second in range(6, 76):
            one.raise_to(Instant(20000, second))
            done.append(second)

    def check(found, done):
        true((done or [5])[-1] <= found.read().second <= (done or [5])[-1] + 1, found.read())
        equal(found.damaged, False)

    swept(lambda: floor().raise_to(Instant(20000, 5)), act, floor, check)


def test_lowering_the_floor_is_done_or_not():
    def check(found, done):
        true(found.read().day in (done or (20000, 19000)), found.read())

    def act(done):
        floor().lower_to(Instant(19000, 5))
        done.append(19000)

    swept(lambda: floor().raise_to(Instant(20000, 5)), act, floor, check)


def test_writing_the_floor_is_cheap():
    flash = Flash(BOARD_BLOCKS)
    flash.format()
    flash.mount()
    one = floor()
    one.raise_to(Instant(20000, 0))
    flash.clear_counts()
    for second in range(1, 1001):
        one.raise_to(Instant(20000, second))
    flash.unmount()
    print("erases per 1000 new floors:", flash.erases, "programs:", flash.programs)
    true(0 < flash.erases < 200, flash.erases)
