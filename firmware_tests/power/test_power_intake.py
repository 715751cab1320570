"""Statements on littlefs: power cut at every operation while one is taken in, and at recovery."""

from binascii import unhexlify

from firmware.access.intake import Intake
from firmware.access.sync import Sync
from firmware.policy import reasons
from firmware.store.files import Files, settle
from firmware.store.grants import Grants
from firmware.store.seal import Seal
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from firmware_tests.both.statement_case import ISSUER, LOCK, RUNS, name_of, run_named
from firmware_tests.both.store_case import DEVICE_KEY
from firmware_tests.power.flash import BOARD_BLOCKS, CI_BLOCKS, MOUNT
from firmware_tests.power.sweep import sweep

LACKS = ("littlefs",)

# Of each cut's recovery, every operation or every such operation is cut, too.
SOAK = soak.count(2, 1) == 2
SECOND = 1 if SOAK else 24
BLOCKS = BOARD_BLOCKS if SOAK else CI_BLOCKS
CAPACITY = 40


class Lock:
    """A lock on a mounted flash, booted: `finished` is what became of a batch that was begun."""

    def __init__(self):
        self.files = [Files(MOUNT + name) for name in ("/g0", "/g1")]
        state = Files(MOUNT + "/state")
        more = Files(MOUNT + "/more")
        self.cache = Grants(self.files, state, DEVICE_KEY, LOCK, 4, 1, CAPACITY)
        self.sync = Sync((state, more), Seal(DEVICE_KEY))
        self.intake = Intake(LOCK, ISSUER, self.cache, self.sync)
        self.finished = self.intake.recover()

    def accept(self, token):
        return name_of(self.intake.accept(token))

    def says(self):
        """All that matters of what it keeps."""
        grants = [
            (grant.share, grant.key, grant.version, str(grant.issued), str(grant.lease))
            for grant in self.cache.grants()
        ]
        shares = []
        for number in range(10):
            state = self.cache.state(b"share-%d" % number)
            shares.append((state.revoked, state.floor, state.uses))
        remembered = [(each.sequence, each.share, each.key) for each in self.sync.remembered]
        return sorted(grants), shares, self.sync.applied, remembered


class Cut:
    """Statements before and one during which the power is cut; the result is old or new."""

    def __init__(self, before, token):
        self.before = before
        self.token = token
        self.lock = None

    def sweep(self, second=SECOND):
        """The number of cuts that were made."""
        return sweep(
            self.set_up,
            self.act,
            self.recover,
            self.check,
            BLOCKS,
            second,
            soak.seed(),
            self.ready,
        )

    def set_up(self):
        lock = Lock()
        for token in self.before:
            lock.accept(token)
        settle(Files(MOUNT))
        self.old = lock.says()
        self.new = None

    def ready(self):
        self.lock = Lock()

    def act(self, done):
        equal(self.lock.accept(self.token), "allowed")
        if self.new is None:  # the run without a cut is the first
            self.new = self.lock.says()
            true(self.new != self.old)
        done.append("accepted")

    def recover(self):
        return Lock()

    def check(self, lock, done):
        equal(lock.finished, reasons.ALLOWED)
        said = lock.says()
        if said != self.new:
            equal(said, self.old)
            equal(done, [])
        equal(lock.sync.journal(), None)
        equal(lock.cache.take_reports(), [])
        equal(lock.sync.lost, False)
        # It goes on, and comes to the same.
        equal(lock.accept(self.token), "allowed")
        equal(lock.says(), self.new)
        equal(Lock().says(), self.new)


def sweep_batches(name, least, second=SECOND):
    """Each batch of a published run that a lock applies, after what came before it."""
    cuts = applied = 0
    before = []
    for run in RUNS:
        if run["name"] != name:
            continue
        for step in run["steps"]:
            token = unhexlify(step["token"])
            if step["applied"] > applied:
                cuts += Cut(before[:], token).sweep(second)
            applied = step["applied"]
            before.append(token)
    print("cuts:", cuts)
    true(cuts >= least, cuts)


def test_batches_one_after_the_other():
    sweep_batches("batches continue each other, and each counts once", 100)


def test_a_batch_after_loose_statements():
    sweep_batches("loose statements that a batch has passed", 40)


def test_batches_that_pass_what_came_loose():
    sweep_batches("what came loose is newer than the batch that comes after", 60)


def test_batches_about_one_key_and_one_share():
    sweep_batches("one key after another, and one share", 60)


def test_batches_with_many_changes():
    sweep_batches("many changes at once", 400, 16 * SECOND)


def test_a_loose_revocation():
    tokens = [token for token, _ in run_named("loose statements that a batch has passed")]
    cuts = LooseRevocation(tokens[:14], tokens[14]).sweep()
    print("cuts:", cuts)
    true(cuts >= 10, cuts)


class LooseRevocation(Cut):
    """It is remembered first and then made, so that there is a third state, as safe as the first:
    remembered, not made, and not told to be."""

    def check(self, lock, done):
        said = lock.says()
        if said not in (self.old, self.new):
            equal((said[:3], done), (self.old[:3], []))
            equal(said[3], self.new[3])
        elif said == self.old:
            equal(done, [])
        equal(lock.cache.take_reports(), [])
        equal(lock.accept(self.token), "allowed")
        equal(lock.says(), self.new)


def test_a_loose_grant_and_a_renewal():
    tokens = [token for token, _ in run_named("loose statements that a batch has passed")]
    cuts = Cut([], tokens[0]).sweep()
    cuts += Cut(tokens[:3], tokens[3]).sweep()
    cuts += Cut(tokens[:13], tokens[13]).sweep()
    print("cuts:", cuts)
    true(cuts >= 24, cuts)
