"""Statements on littlefs: power cut at every operation while one is taken in, and at recovery."""

from binascii import unhexlify

from firmware.access.intake import LARGEST_BATCH
from firmware.access.statements import SNAPSHOT
from firmware.crypto import cose
from firmware.policy import reasons
from firmware.store import entry
from firmware.store.files import Files, settle
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from firmware_tests.both.statement_case import RUNS, run_named
from host_sim.world.flash import BOARD_BLOCKS, CI_BLOCKS, MOUNT
from firmware_tests.power.lock_case import Lock, provision
from firmware_tests.power.log_case import entries, sound
from firmware_tests.power.sweep import sweep

LACKS = ("littlefs",)

# Of each cut's recovery, every operation or every such operation is cut, too.
SOAK = soak.count(2, 1) == 2
SECOND = 1 if SOAK else 40
BLOCKS = BOARD_BLOCKS if SOAK else CI_BLOCKS


class Cut:
    """Statements before and one during which the power is cut; the result is old or new.

    `reason` is what the lock answers without a cut, `again` what else to the statement that it
    has already.
    """

    def __init__(self, before, token, reason="allowed", again="allowed"):
        self.before = before
        self.token = token
        self.reason = reason
        self.again = again
        self.lock = None

    def sweep(self, second=SECOND):
        """The number of cuts that were made."""
        return sweep(
            self.set_up,
            self.act,
            Lock,
            self.check,
            BLOCKS,
            second,
            soak.seed(),
            self.ready,
        )

    def set_up(self):
        provision(settled=False)
        lock = Lock()
        for token in self.before:
            lock.accept(token)
        settle(Files(MOUNT))
        self.old = lock.keeps()
        self.new = None

    def ready(self):
        self.lock = Lock()
        self.floor = self.lock.floor.read()

    def act(self, done):
        equal(self.lock.accept(self.token), self.reason)
        if self.new is None:  # the run without a cut is the first
            self.new = self.lock.keeps()
            self.raised = self.lock.floor.read()
            true(self.new != self.old or self.raised != self.floor)
        done.append(self.lock.log.sequence)

    def check(self, lock, done):
        equal(lock.finished, reasons.ALLOWED)
        equal(lock.sync.journal(), None)
        self.check_kept(lock, done)
        self.check_floor(lock, done)
        sound(lock.log)
        if done:
            true(done[0] in [each.sequence for each in entries(lock.log)], done)
        equal(
            (lock.cache.take_reports(), lock.sync.lost, lock.settings.lost, lock.floor.damaged),
            ([], False, False, False),
        )
        # It goes on, and comes to the same.
        reason = lock.accept(self.token)
        true(reason in (self.reason, self.again), reason)
        lock = Lock()
        equal((lock.keeps(), lock.floor.read()), (self.new, self.raised))

    def check_kept(self, lock, done):
        kept = lock.keeps()
        if kept != self.new:
            equal(kept, self.old)
            equal(done, [])

    def check_floor(self, lock, done):
        floor = lock.floor.read()
        if floor != self.raised:
            equal(floor, self.floor)
            equal(done, [])


def swept(cuts, least):
    print("cuts:", cuts)
    true(cuts >= least, cuts)


# --- grants, revocations and batches -------------------------------------------------------------


def sweep_batches(name, least):
    """Each batch of a published run that a lock applies, after what came before it."""
    cuts = applied = 0
    before = []
    for run in RUNS:
        if run["name"] != name:
            continue
        for step in run["steps"]:
            token = unhexlify(step["token"])
            if step["applied"] > applied:
                cuts += Cut(before[:], token).sweep()
            applied = step["applied"]
            before.append(token)
    swept(cuts, least)


def test_batches_one_after_the_other():
    sweep_batches("batches continue each other, and each counts once", 100)


def test_a_batch_after_loose_statements():
    sweep_batches("loose statements that a batch has passed", 40)


def test_batches_that_pass_what_came_loose():
    sweep_batches("what came loose is newer than the batch that comes after", 60)


def test_batches_about_one_key_and_one_share():
    sweep_batches("one key after another, and one share", 60)


def test_a_batch_with_many_changes():
    tokens = [token for token, _ in run_named("many changes at once")]
    swept(Cut(tokens[:1], tokens[1]).sweep(32 * SECOND), 200)


def test_a_loose_revocation():
    tokens = [token for token, _ in run_named("loose statements that a batch has passed")]
    swept(LooseRevocation(tokens[:14], tokens[14]).sweep(), 10)


class LooseRevocation(Cut):
    """It is remembered first and then made, so that there is a third state, as safe as the first:
    remembered, not made, and not told to be."""

    def check_kept(self, lock, done):
        kept = lock.keeps()
        if kept not in (self.old, self.new):
            equal((kept[:3] + kept[4:], done), (self.old[:3] + self.old[4:], []))
            equal(kept[3], self.new[3])
        elif kept == self.old:
            equal(done, [])


def test_a_loose_grant_and_a_renewal():
    tokens = [token for token, _ in run_named("loose statements that a batch has passed")]
    cuts = Cut([], tokens[0]).sweep()
    cuts += Cut(tokens[:3], tokens[3]).sweep()
    cuts += Cut(tokens[:13], tokens[13]).sweep()
    swept(cuts, 40)


def test_snapshots():
    """Each page of two published runs that takes something away or brings something."""
    cuts = 0
    for name in ("one page takes the place of everything", "three pages in their order"):
        before = []
        held = ""
        for step in [each for run in RUNS if run["name"] == name for each in run["steps"]]:
            token = unhexlify(step["token"])
            if cose.parse(token, LARGEST_BATCH).typ == SNAPSHOT and step["held"] != held:
                cuts += Cut(before[:], token).sweep()
            held = step["held"]
            before.append(token)
    swept(cuts, 150)


# --- the other kinds -----------------------------------------------------------------------------


def test_settings():
    tokens = [token for token, _ in run_named("settings")]
    cuts = Cut([], tokens[9]).sweep()
    cuts += Cut(tokens[:13], tokens[13]).sweep()
    swept(cuts, 40)


def test_a_new_issuer():
    tokens = [token for token, _ in run_named("one issuer after another")]
    cuts = Cut([], tokens[13]).sweep()
    cuts += Cut(tokens[12:14], tokens[20]).sweep()
    swept(cuts, 40)


def test_an_acknowledgement():
    token = run_named("acknowledgements")[7][0]
    cuts = Cut([], token).sweep()
    cuts += Cut([run_named("the time")[1][0]], token).sweep()
    swept(cuts, 30)


def test_the_time_without_and_with_a_nonce():
    tokens = [token for token, _ in run_named("the time")]
    cuts = Cut([], tokens[1], "bound_raised", "time_old").sweep()
    cuts += Cut([tokens[1]], tokens[7], "time_set").sweep()
    swept(cuts, 30)


def test_a_statement_that_is_refused_changes_nothing_but_the_log():
    tokens = [token for token, _ in run_named("settings")]

    class Refusal(Cut):
        def act(self, done):
            equal(self.lock.accept(self.token), self.reason)
            self.new, self.raised = self.old, self.floor
            equal(self.lock.keeps(), self.old)
            done.append(self.lock.log.sequence)

    swept(Refusal(tokens[:10], tokens[11], "changed_terms").sweep(), 2)


# --- boot ----------------------------------------------------------------------------------------


def test_a_boot():
    """After an orderly stop, with a batch in the journal that was begun and not applied."""
    tokens = [token for token, _ in run_named("batches continue each other, and each counts once")]

    class Boot(Cut):
        def set_up(self):
            super().set_up()
            lock = Lock()
            lock.sync.begin(self.token)
            lock.log.close()

        def ready(self):
            """The boot is what is cut."""

        def act(self, done):
            lock = Lock()
            equal((lock.opened, lock.finished), (entry.CLEAN, reasons.ALLOWED))
            done.append(lock.log.sequence)
            self.new = lock.keeps()
            self.raised = lock.floor.read()
            true(self.new != self.old)

        def check_kept(self, lock, done):
            equal(lock.keeps(), self.new)

        def check_floor(self, lock, done):
            equal(lock.floor.read(), self.raised)

    swept(Boot([tokens[1]], tokens[5]).sweep(), 20)


def test_provisioning():
    """Cut anywhere and done again, it leaves a lock that boots for the first time."""

    def check(lock, done):
        true(lock.opened in (entry.FIRST, entry.UNCLEAN), lock.opened)
        equal(lock.finished, reasons.ALLOWED)

    def provisioned():
        provision()
        return Lock()

    cuts = sweep(
        lambda: None,
        lambda done: provision(),
        provisioned,
        check,
        BLOCKS,
        1000,
        soak.seed(),
        first_every=1 if SOAK else 97,
    )
    swept(cuts, 10)
