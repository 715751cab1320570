"""The audit log on littlefs: power cut at every operation of every writer."""

from firmware.crypto.slices import finish
from firmware.store import entry
from firmware.store.strangers import Strangers
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from host_sim.world.flash import BOARD_BLOCKS, CI_BLOCKS, MOUNT, Flash
from firmware_tests.power.log_case import (
    NOW,
    entries,
    event,
    events,
    folders,
    new,
    opened,
    records,
    sound,
)
from firmware_tests.power.sweep import sweep

LACKS = ("littlefs",)

# Of each cut's recovery, every operation or every such operation is cut, too.
SOAK = soak.count(2, 1) == 2
SECOND = 1 if SOAK else 16
BLOCKS = BOARD_BLOCKS if SOAK else CI_BLOCKS


def boot(writer, log, done):
    """The action of a Writer that sweeps the opening of its log."""
    writer.open()


class Writer:
    """A log that is written to under cuts: what it was told, and what it gave out."""

    def __init__(self, action, events_before=0, closed=False, capacity=128):
        self.action = action
        self.before = list(range(events_before))
        self.closed = closed
        self.capacity = capacity
        self.given = 0  # the highest sequence number that anybody has seen

    def sweep(self):
        cuts = 0
        for turn in range(soak.count(4, 1)):
            seed = soak.seed() + turn
            self.age = seed % 60
            cuts += sweep(
                self.set_up, self.act, self.recover, self.check, BLOCKS, SECOND, seed, self.ready
            )
        print("cuts:", cuts)
        true(cuts >= 8, cuts)

    def open(self):
        return opened(folders(MOUNT), self.capacity)

    def set_up(self):
        # littlefs rewrites a folder's block once it is full: at another operation in each turn.
        for folder in folders(MOUNT):
            for _ in range(self.age):
                folder.replace("age", b"another time")
        if not self.before:
            return
        log = self.open()
        for number in self.before:
            event(log, number)
            log.flush()
        if self.closed:
            log.close()
        self.last = log.sequence

    def ready(self):
        self.given = 0
        self.log = None if self.action is boot else self.open()

    def act(self, done):
        if self.log:
            self.given = self.log.sequence
        self.action(self, self.log, done)

    def write(self, log, done, first, count):
        """Events, all pending together, and one flush."""
        for number in range(first, first + count):
            self.given = max(self.given, event(log, number))
        log.flush()
        for number in range(first, first + count):
            done.append(("event", number))

    def recover(self):
        return self.open()

    def check(self, log, done):
        sound(log)
        kept = events(log)
        told = [number for what, number in done if what == "event"]
        # In order and complete from some number on, up to what was promised at least.
        equal(kept, list(range(kept[0], kept[0] + len(kept))) if kept else [])
        if self.before or told:
            true(kept[-1] >= (told or self.before)[-1], kept[-1])
            true(
                len(kept) >= min(len(self.before) + len(told), self.capacity - 64 - 40), len(kept)
            )
        for what, number in done:
            if what == "acknowledged":
                true(log.acknowledged >= number, log.acknowledged)
        true(log.sequence > self.given, (log.sequence, self.given))
        files = folders(MOUNT)[0]
        segments = [name for name in files.names() if len(name) == 8]
        true(len(segments) <= self.capacity // 64, segments)
        for name in segments:
            true(files.size(name) > 0, name)
        # The log goes on, and stops in good order.
        boots = [each.reason for each in entries(log) if each.kind == entry.BOOT]
        stopped = done and done[-1][0] == "closed"
        if not stopped:
            true(boots[-1] in (entry.UNCLEAN, entry.FIRST, entry.CLEAN), boots)
        event(log, 9999)
        log.close()
        equal(self.open().sequence, log.sequence + 1)


def test_an_append():
    Writer(lambda self, log, done: self.write(log, done, 20, 1), 20).sweep()


def test_a_batch():
    Writer(lambda self, log, done: self.write(log, done, 20, 12), 20).sweep()


def test_appends_one_after_the_other():
    def action(self, log, done):
        for number in range(20, 24):
            self.write(log, done, number, 1)

    Writer(action, 20).sweep()


def test_a_first_boot():
    Writer(boot).sweep()


def test_a_boot_after_an_orderly_stop():
    Writer(boot, 20, closed=True).sweep()


def test_a_new_segment():
    Writer(lambda self, log, done: self.write(log, done, 58, 8), 58).sweep()


def test_a_new_segment_that_drops_the_oldest():
    Writer(lambda self, log, done: self.write(log, done, 122, 8), 122).sweep()


def test_an_acknowledgement():
    def action(self, log, done):
        record = records(log)[10]
        true(log.acknowledge(entry.sequence(record), entry.link(record)))
        done.append(("acknowledged", entry.sequence(record)))

    Writer(action, 20).sweep()


def test_acknowledgements_until_the_folders_are_rewritten():
    def action(self, log, done):
        for record in records(log):
            true(log.acknowledge(entry.sequence(record), entry.link(record)))
            done.append(("acknowledged", entry.sequence(record)))

    Writer(action, 40).sweep()


def test_an_acknowledgement_and_the_drop_of_what_it_covers():
    def action(self, log, done):
        record = records(log)[100]
        true(log.acknowledge(entry.sequence(record), entry.link(record)))
        done.append(("acknowledged", entry.sequence(record)))
        self.write(log, done, 122, 8)

    Writer(action, 122).sweep()


def test_an_orderly_stop():
    def action(self, log, done):
        self.given = max(self.given, event(log, 20))
        log.close()
        done.append(("event", 20))
        done.append(("closed", 0))

    Writer(action, 20).sweep()


def test_a_scrub_and_strangers():
    def action(self, log, done):
        strangers = Strangers(log)
        strangers.note(7)
        strangers.tick(NOW, 0)
        finish(log.scrub(NOW))
        self.given = log.sequence
        log.flush()

    Writer(action, 20).sweep()


def test_a_cut_is_told_from_an_orderly_stop():
    flash = Flash(CI_BLOCKS)
    flash.format()
    flash.mount()
    log = opened(folders(MOUNT))
    event(log, 1)
    log.close()
    equal(new(folders(MOUNT)).open(NOW), entry.CLEAN)
    equal(new(folders(MOUNT)).open(NOW), entry.UNCLEAN)
    flash.unmount()


# --- cost ----------------------------------------------------------------------------------------


def test_an_append_costs_about_one_erase():
    flash = Flash(BOARD_BLOCKS)
    flash.format()
    flash.mount()
    log = opened(folders(MOUNT), 4096)
    for number in range(4200):  # until the ring turns
        event(log, number)
        if number % 8 == 7:
            log.flush()
    flash.clear_counts()
    count = 640
    for number in range(count):
        event(log, number)
        log.flush()
    flash.unmount()
    erases = flash.erases * 1000 // count
    print("per append, in thousandths: erases", erases, "programs", flash.programs * 1000 // count)
    print("bytes programmed per append:", flash.written // count, "reads", flash.reads // count)
    true(900 <= erases <= 1250, erases)
