"""The grant cache on littlefs: power cut at every operation of every writer."""

import gc

from firmware.policy.instant import Instant
from firmware.store.files import Files
from firmware.store.grants import FOLDERS, Grants
from firmware.store.record import SLOT_BYTES
from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.store_case import (
    DEVICE_KEY,
    LOCK,
    Model,
    apply,
    check_same,
    full_grant,
    full_rule,
    grant_of,
    is_admitted,
    key_of,
    random_change,
    said,
    share_of,
)
from host_sim.world.flash import BOARD_BLOCKS, CI_BLOCKS, MOUNT, Flash
from firmware_tests.power.sweep import sweep

LACKS = ("littlefs",)

SOAK = soak.count(2, 1) == 2
BLOCKS = BOARD_BLOCKS if SOAK else CI_BLOCKS
KEYS = [key_of(number) for number in range(8)] + [key_of(20), key_of(21)]
SHARES = [share_of(number) for number in range(6)] + [share_of(20), share_of(21)]
AT = Instant(20_500, 7)


def folders():
    return [Files(MOUNT + "/g%d" % number) for number in range(2)], Files(MOUNT + "/j")


def opened(buckets=4, index_files=2):
    grants, apart = folders()
    return Grants(grants, apart, DEVICE_KEY, LOCK, buckets, index_files, 150)


def counted(share, key, version=1):
    made = grant_of(share, key, version)
    made.uses = 9
    return made


class Writer:
    """A cache that is changed under cuts: the model of before, and of after the change.

    `before` is a list of (method, arguments), and so is `change`, of which any number may be done
    when the power is cut, in order; but those that returned must be.
    """

    def __init__(self, before, change, fill=0):
        self.models = [Model()]
        for step in before:
            apply(self.models[0], step)
        for number in range(100, 100 + fill):  # so that the next hint moves others
            apply(self.models[0], ("put", grant_of(number, number)))
        for step in change:
            self.models.append(self.models[-1].copy())
            apply(self.models[-1], step)
        self.before = before
        self.change = change
        self.fill = fill
        self.cache = None

    def sweep(self, least=8):
        cuts = sweep(
            self.set_up,
            self.act,
            opened,
            self.check,
            BLOCKS,
            1,
            soak.seed(),
            self.ready,
        )
        print("cuts:", cuts)
        true(cuts >= least, cuts)

    def set_up(self):
        store = opened()
        for number in range(100, 100 + self.fill):
            store.put(grant_of(number, number))
        for step in self.before:
            true(apply(store, step) is not False, step)

    def ready(self):
        self.cache = opened()
        self.cache.count()

    def act(self, done):
        for step in self.change:
            apply(self.cache, step)
            done.append(step)

    def check(self, store, done):
        gc.collect()
        for model in self.models[len(done) : len(done) + 2]:
            if is_same(store, model):
                break
        else:
            raise AssertionError("neither old nor new")
        again = grant_of(7, 7)  # it can still be changed
        equal(store.put(again), True)
        model = model.copy()
        model.put(again)
        check_same(store, model, KEYS, SHARES)
        check_same(opened(), model, KEYS, SHARES)


def is_same(store, model):
    try:
        check_same(store, model, KEYS, SHARES)
    except AssertionError:
        return False
    return True


BEFORE = [
    ("put", grant_of(0, 0)),
    ("put", grant_of(1, 1)),
    ("put", counted(2, 2)),
    ("put", counted(2, 3)),
    ("count_use", share_of(2), True, AT),
    ("put", grant_of(3, 4, 2)),
]


def test_insert():
    Writer(BEFORE, [("put", grant_of(5, 5))]).sweep()


def test_insert_the_first():
    Writer([], [("put", grant_of(5, 5))]).sweep()


def test_insert_with_three_slots_and_a_count():
    big = full_grant(20, 20)
    big.parent = None
    Writer(BEFORE, [("put", big)]).sweep()


def test_insert_that_moves_hints_to_the_index():
    Writer(BEFORE, [("put", grant_of(5, 5))], fill=7).sweep()
    Writer(BEFORE, [("put", grant_of(5, 5))], fill=8).sweep()


def test_several_inserts_are_done_in_order():
    """As a batch does."""
    steps = [("put", grant_of(5, 5)), ("revoke", share_of(0), None, 1), ("put", grant_of(1, 6))]
    Writer(BEFORE, steps).sweep()


def test_update():
    renewed = grant_of(1, 1, 1, 9)
    renewed.lease = AT
    Writer(BEFORE, [("put", renewed)]).sweep()


def test_update_to_a_new_version_with_more_slots():
    changed = counted(2, 2, 2)
    changed.rules = [full_rule(number) for number in range(8)]
    Writer(BEFORE, [("put", changed)]).sweep()


def test_a_key_that_goes_to_another_share():
    """Two buckets change, or one if they are the same: both shares in turn go everywhere."""
    for share in range(20, 22):
        Writer(BEFORE, [("put", grant_of(share, 4, 1, 9))]).sweep()


def test_revoke_a_share():
    Writer(BEFORE, [("revoke", share_of(2), None, 1)]).sweep()
    Writer(BEFORE, [("revoke", share_of(5), None, 1)]).sweep()


def test_revoke_a_key():
    Writer(BEFORE, [("revoke", share_of(2), key_of(2), 1)]).sweep()
    Writer(BEFORE, [("revoke", share_of(2), key_of(6), 1)]).sweep()


def test_count_uses():
    use = ("count_use", share_of(2), True, AT)
    Writer(BEFORE, [use, use, use]).sweep()


def test_count_the_first_use():
    Writer(BEFORE[:4], [("count_use", share_of(2), True, AT)]).sweep()


def test_confirm_changes_nothing():
    change = ("put", grant_of(21, 4, 1, 9))
    Writer(BEFORE + [change], [("confirm",)]).sweep(4)


def test_reindex_and_mend_lose_nothing():
    """With nothing damaged, they change nothing that anybody sees, wherever they are cut."""

    class Mending(Writer):
        def act(self, done):
            self.cache.mend()

        def check(self, store, done):
            store.count()
            store.take_reports()  # that the ledger was in doubt
            check_same(store, self.models[0], KEYS, SHARES)

    Mending(BEFORE, [], fill=12).sweep()


def test_nothing_is_written_by_looking():
    flash = Flash(BLOCKS)
    flash.format()
    flash.mount()
    store = opened()
    for step in BEFORE:
        apply(store, step)
    store = opened()
    flash.clear_counts()
    for key in KEYS:
        store.state_at(store.find(key), 0)
    store.state(SHARES[0], KEYS[0])
    store.holding(SHARES[0])
    store.digest()
    store.count()
    equal((flash.programs, flash.erases), (0, 0))
    flash.unmount()


# --- random changes, with cuts among them ------------------------------------------------------


def test_random_changes_with_cuts_among_them():
    """Against plain dicts: after each cut the change under way is done or not, the others are."""
    random = soak.Random(soak.seed())
    cuts = 0
    for _ in range(soak.count(200, 2)):
        flash = Flash(BLOCKS, 1 + random.below(1 << 20))
        flash.format()
        flash.mount()
        store, model = opened(), Model()
        for number in range(100):
            step = random_change(random, number)
            if not is_admitted(model, step):
                continue
            after = model.copy()
            apply(after, step)
            if random.below(2):
                flash.cut_at(random.below(12), random.below(2) == 1)
            try:
                equal(apply(store, step), True)
                model = after
            except OSError:
                true(flash.off)
                cuts += 1
                store = rebooted(flash, random)
                if not is_same(store, model):
                    check_same(store, after, KEYS, SHARES)
                    model = after
            flash.cut_at(-1, False)
            gc.collect()
        flash.power_on()
        check_same(store, model, KEYS, SHARES)
        flash.unmount()
    print("cuts:", cuts)
    true(cuts >= 20, cuts)


def rebooted(flash, random):
    """Power on; every other time it is cut again while the lock boots."""
    while True:
        flash.unmount()
        flash.power_on()
        flash.mount()
        if random.below(2):
            flash.cut_at(random.below(20), random.below(2) == 1)
        try:
            return opened()
        except OSError:
            true(flash.off)


def fill_up(files):
    for number in range(BOARD_BLOCKS):
        files.replace("more%d" % number, bytes(4096))


# --- the board ---------------------------------------------------------------------------------


def test_counts_of_flash_operations_when_it_is_full():
    """10 000 grants on the whole flash; in ordinary runs a tenth, in a tenth of the buckets."""
    count = soak.count(10_000, 1_000)
    flash = Flash(BOARD_BLOCKS)
    flash.format()
    flash.mount()
    shelves = [Files(MOUNT + "/g%d" % number) for number in range(FOLDERS)]
    apart = Files(MOUNT + "/j")
    geometry = (count * 3 // 100, max(1, count * 12 // 10_000), count)
    store = Grants(shelves, apart, DEVICE_KEY, LOCK, *geometry)
    for number in range(count):
        if number == count - 100:
            flash.clear_counts()
        equal(store.put(grant_of(number, number)), True, number)
        gc.collect()
    equal(store.put(grant_of(count, count)), False)
    inserts = flash.erases
    store = Grants(shelves, apart, DEVICE_KEY, LOCK, *geometry)
    equal((store.count(), store.slots(), store.take_reports()), (count, count, []))
    reads = []
    for number in range(0, count, count // 100):
        flash.clear_counts()
        equal(said(store.find(key_of(number))), said(grant_of(number, number)))
        reads.append(flash.reads)
    flash.clear_counts()
    for number in range(0, count, count // 100):
        store.revoke(share_of(number), None, 1)
    print("erases per insert %d %%, per revocation %d %%" % (inserts, flash.erases))
    print("reads per lookup: at most %d; slots in a bucket: %d" % (max(reads), fullest(store)))
    true(inserts <= 200, inserts)
    true(flash.erases <= 200, flash.erases)
    true(max(reads) <= 600, max(reads))
    true(fullest(store) <= 40, fullest(store))
    flash.unmount()


def fullest(store):
    return max(store._shelves.slots_in)


def test_the_store_leaves_room_for_firmware_and_log():
    """Every bucket and index file, 64 KB of firmware in 48 files, 4 096 log entries."""
    flash = Flash(BOARD_BLOCKS)
    flash.format()
    flash.mount()
    for number in range(48):
        Files(MOUNT + "/f%d" % (number % 8)).replace("%d.mpy" % number, b"\x55" * 1366)
    log = Files(MOUNT + "/log")
    for number in range(64):
        log.replace("s%02d" % number, b"\x33" * 4096)
    grants = [Files(MOUNT + "/g%d" % number) for number in range(FOLDERS)]
    for number in range(300):
        grants[number % FOLDERS].replace("g%03d" % number, b"\x11" * (42 * SLOT_BYTES))
    for number in range(12):
        grants[number % FOLDERS].replace("k%02d" % number, b"\x22" * 4096)
    Files(MOUNT + "/j").replace("ledger", bytes(128))
    for _ in range(3):  # and for the copies that changes need
        for number in range(0, 300, 7):
            grants[number % FOLDERS].replace("g%03d" % number, b"\x44" * (42 * SLOT_BYTES))
    error = raises(OSError, fill_up, log)
    equal(error.errno, 28)
    flash.unmount()
