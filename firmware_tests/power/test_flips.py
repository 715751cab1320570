"""One bit flipped anywhere on the flash of a whole lock: noticed, entered, and nothing opens."""

import gc

from firmware.crypto.slices import finish
from firmware.policy import reasons
from firmware.policy.grant import Grant
from firmware.policy.instant import Instant
from firmware.store import entry
from firmware.store.settings import Settings
from firmware.store.shelves import SLOT
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from firmware_tests.both.statement_case import LOCK, run_named
from firmware_tests.both.store_case import key_of
from host_sim.world.flash import BLOCK_BYTES, Flash
from firmware_tests.power.lock_case import Lock, provision
from firmware_tests.power.log_case import NOW, entries, event, records

LACKS = ("littlefs",)
PARTS = {"test_a_bit_flipped_in_every_other_block": 10, "test_a_bit_flipped_in_the_others": 10}

ROUNDS = 100  # of which ordinary runs do one: every hundredth byte
BLOCKS = 96
COUNTED = (20, 21)  # numbers of shares and keys
SPENT = 22
ENDED = 23
WITHDRAWN = 24
STRANGER = 25


def share_of(number):
    return b"share-%d" % number


def put(lock, number, uses=None):
    grant = Grant(share_of(number), LOCK, key_of(number))
    grant.holder = b"person-%d" % number
    grant.issued = Instant(20_454, number)
    grant.uses = uses
    true(lock.cache.put(grant))


def populate():
    """A lock with something of everything, after an orderly stop."""
    lock = Lock()
    tokens = [token for token, _ in run_named("many changes at once")]
    for token in tokens:
        equal(lock.accept(token), "allowed")
    for number in COUNTED:
        put(lock, number, 9)
        for _ in range(3):
            true(lock.cache.count_use(share_of(number), True, None))
    put(lock, SPENT, 1)
    true(lock.cache.count_use(share_of(SPENT), True, None))
    for number, key in ((ENDED, None), (WITHDRAWN, key_of(WITHDRAWN))):
        put(lock, number)
        true(lock.sync.remember(100 + number, share_of(number), key))
        true(lock.cache.revoke(share_of(number), key, 1))
    settings = Settings()
    settings.version = 3
    equal(lock.settings.put(settings), reasons.ALLOWED)
    lock.floor.raise_to(Instant(20_454, 7))
    lock.sync.begin(tokens[1])
    for number in range(70):
        event(lock.log, number)
        if number % 7 == 0:
            lock.log.flush()
    lock.log.flush()
    record = records(lock.log)[9]
    true(lock.log.acknowledge(entry.sequence(record), entry.link(record)))
    lock.cache.confirm()
    lock.log.close()


class Before:
    """What the lock is, undamaged."""

    def __init__(self, flash):
        flash.mount()
        lock = Lock()
        self.keys = [bytes(grant.key) for grant in lock.cache.grants()]
        self.keys += [key_of(number) for number in (ENDED, WITHDRAWN, STRANGER)]
        self.shares = [share_of(number) for number in range(7, 26)]
        self.records = records(lock.log)[:-2]  # without the boot and what it did
        self.last = entry.sequence(self.records[-1])
        self.acknowledged = lock.log.acknowledged
        self.floors = [lock.cache.state(share).floor for share in self.shares]
        self.revoked = [lock.cache.state(share).revoked for share in self.shares]
        self.withdrawn = lock.cache.state(share_of(WITHDRAWN), key_of(WITHDRAWN)).floor
        self.uses = {
            number: lock.cache.state(share_of(number)).uses for number in COUNTED + (SPENT,)
        }
        self.answers = [lock.unlock(key) for key in self.keys]
        equal(self.answers[-3:], [reasons.UNKNOWN_SHARE] * 3)
        equal(self.answers.count(reasons.USES_SPENT), 1)
        true(self.answers.count(reasons.ALLOWED) >= 10, self.answers)
        lock.log.flush()
        equal([each.kind for each in entries(lock.log, self.last)].count(entry.DAMAGE), 0)
        flash.unmount()


def test_a_bit_flipped_in_every_other_block():
    flip_bits(0)


def test_a_bit_flipped_in_the_others():
    flip_bits(1)


def flip_bits(odd):
    """It is noticed and opens nothing."""
    random = soak.Random(soak.seed())
    flash = Flash(BLOCKS, soak.seed())
    flash.format()
    flash.mount()
    provision()
    populate()
    flash.unmount()
    image = flash.image()
    flash.clear_counts()
    before = Before(flash)
    used = [block for block in range(BLOCKS) if flash.looked_at[block]][odd::2]
    found = {}
    first = soak.seed() - soak.part + soak.part * ROUNDS // soak.parts
    for turn in range(soak.count(ROUNDS, 1)):
        for at in range((first + turn) % ROUNDS, len(used) * BLOCK_BYTES, ROUNDS):
            block, byte = used[at // BLOCK_BYTES], at % BLOCK_BYTES
            bit = byte * 8 + random.below(8)
            flash.restore(image)
            flash.flip(block, bit)
            try:
                what = after_flip(flash, before)
            except Exception:
                print("block", block, "bit", bit)
                raise
            found[what] = found.get(what, 0) + 1
            gc.collect()
    print("flips:", sum(found.values()), found, "blocks:", len(used))
    true(found["nothing"] and found["noticed"], found)
    equal((found.get("no mount", 0), found.get("no boot", 0)), (0, 0))


def after_flip(flash, before):
    """What became of it."""
    try:
        flash.mount()
    except OSError:
        return "no mount"
    try:
        try:
            lock = Lock()
        except OSError:
            return "no boot"
        return check(lock, before)
    finally:
        flash.unmount()


def check(lock, before):
    lock.cache.count()  # the scan after boot
    same = kept_is_as_it_was(lock, before)
    moves = missing = 0
    for key, answer in zip(before.keys, before.answers):
        now = lock.unlock(key)
        if answer != reasons.ALLOWED:
            true(now != reasons.ALLOWED, "opens what was closed")
        elif now == reasons.ALLOWED:
            moves += 1
        else:
            missing += 1
    equal(lock.bolt.moves, moves)
    reports = lock.cache.take_reports()
    lock.cache._shelves.reports = reports
    if reports and [report for report in reports if report[0] != SLOT] == []:
        true(missing <= 1, "more than one record is missing: %d" % missing)
    lock.log.flush()
    lock.door.tick()
    for _ in range(3):
        finish(lock.log.scrub(NOW))
    lock.log.flush()
    same = log_is_as_it_was(lock.log, before) and same and not missing
    said = [each for each in entries(lock.log) if each.kind == entry.DAMAGE]
    refused = lock.finished != reasons.ALLOWED  # the journal, and that is entered
    true(same or said or refused, "something is missing, and nothing is entered")
    return "noticed" if said or refused else "nothing"


def kept_is_as_it_was(lock, before):
    """Nothing goes back; whether all of it is there."""
    same = True
    for share, floor, revoked in zip(before.shares, before.floors, before.revoked):
        state = lock.cache.state(share)
        true(state.revoked or (state.floor >= floor and not revoked), share)
        same = same and state.revoked == revoked
    state = lock.cache.state(share_of(WITHDRAWN), key_of(WITHDRAWN))
    true(state.revoked or state.floor >= before.withdrawn, "a key comes back")
    for number in before.uses:
        grant = lock.cache.find(key_of(number))
        state = lock.cache.state_at(grant, 0)
        if grant is None or state.revoked:
            same = False
        else:
            equal(state.uses, before.uses[number], "a use is given back")
    equal((lock.sync.lost, lock.sync.applied), (False, 30))
    equal(len(lock.sync.remembered), 2)
    equal((lock.settings.lost, lock.settings.current.version), (False, 3))
    equal(lock.floor.read(), Instant(20_454, 7))
    return same


def log_is_as_it_was(log, before):
    """Numbers go on, and what is there was written; whether all of it is there."""
    true(log.sequence > before.last, (log.sequence, before.last))
    equal(log.acknowledged, before.acknowledged)
    known = set(before.records)
    old = [record for record in records(log) if entry.sequence(record) <= before.last]
    foreign = [record for record in old if record not in known]
    true(len(foreign) <= 1, len(foreign))
    return len(old) - len(foreign) == len(known)
