"""Statements of every kind on a lock with all its parts: reasons, sequence, nothing by halves."""

import json
from binascii import unhexlify

from firmware.access import sync as sync_module
from firmware.access.intake import LARGEST_BATCH, NO_KIND, Intake
from firmware.access.sync import MOST_REMEMBERED, Sync
from firmware.policy import reasons
from firmware.policy.decision import TRUSTED, UNKNOWN
from firmware.policy.instant import to_unix
from firmware.store import entry
from firmware.store.seal import Seal
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from firmware_tests.both.statement_case import (
    BATCH_RUNS,
    ISSUER,
    LOCK,
    RUNS,
    SNAPSHOT_RUNS,
    House,
    name_of,
    run_named,
)
from firmware_tests.both.store_case import RamFiles, cache, key_of
from firmware_tests.power.log_case import KEY, NOW, Memory, entries
from host_sim import words

REFUSALS = range(reasons.MALFORMED, reasons.TIME_SET)

ONE_AFTER_ANOTHER = "batches continue each other, and each counts once"
PASSED = "loose statements that a batch has passed"


def test_runs():
    """Each statement gets its reason; what is held and applied is as it should be; a refused one
    leaves the flash as it was."""
    for run in RUNS:
        house = House()
        for number, step in enumerate(run["steps"]):
            note = "%s, statement %d" % (run["name"], number + 1)
            before = house.contents()
            equal(house.accept(unhexlify(step["token"])), step["reason"], note)
            equal(house.held(), step["held"], note)
            equal(house.sync.applied, step["applied"], note)
            if getattr(reasons, step["reason"].upper()) in REFUSALS:
                equal(house.contents(), before, note)
            equal(house.cache.take_reports(), [], note)


def test_runs_with_a_boot_before_every_statement():
    for run in RUNS:
        house = House()
        for number, step in enumerate(run["steps"]):
            note = "%s, statement %d" % (run["name"], number + 1)
            equal(house.boot(), reasons.ALLOWED, note)
            equal(house.accept(unhexlify(step["token"])), step["reason"], note)
            equal((house.held(), house.sync.applied), (step["held"], step["applied"]), note)


def test_the_same_statement_again_changes_nothing():
    """Whoever brings it: only what a replay could wear out is looked at, and that is the flash."""
    for run in RUNS:
        house = House()
        for step in run["steps"]:
            token = unhexlify(step["token"])
            first = house.accept(token)
            before = house.contents()
            again = house.accept(token)
            if step["reason"] == "allowed":
                true(again in ("allowed", "old_sequence"), (run["name"], first, again))
            equal(house.contents(), before, run["name"])


def test_every_statement_of_the_issuer_is_entered():
    entered = 0
    for run in RUNS:
        house = House()
        for step in run["steps"]:
            before = house.log.sequence
            house.accept(unhexlify(step["token"]))
            house.log.flush()
            last = entries(house.log)[-1]
            if step["reason"] in ("unknown_issuer", "too_large"):  # not even looked at
                equal(house.log.sequence, before, run["name"])
            else:
                equal((last.sequence, last.kind), (before + 1, entry.STATEMENT), run["name"])
                equal(name_of(last.reason), step["reason"], run["name"])
                entered += 1
    true(entered > 100, entered)


def test_what_the_issuer_did_not_sign_is_one_entry_a_minute():
    """However much of it there is: nobody outside turns over the log."""
    house = House()
    good = run_named(PASSED)[0][0]
    forged = good[:-1] + bytes([good[-1] ^ 1])
    steps = run_named("revocations with a fault")
    foreign = [token for token, reason in steps if reason == "unknown_issuer"][0]
    before = house.log.sequence
    for second in range(180):
        for token in (b"", b"garbage", bytes(LARGEST_BATCH + 1), foreign, forged):
            true(house.accept(token) != "allowed", token)
        house.strangers.tick(NOW, second)
        house.log.flush()
    said = entries(house.log, before)
    equal([each.kind for each in said], [entry.STRANGERS] * 3)
    equal([each.count for each in said], [5, 300, 300])
    equal([words.name(each.reason) for each in said], ["bad_signature"] * 3)
    equal(house.accept(foreign), "unknown_issuer")
    house.strangers.tick(NOW, 180)
    house.log.flush()
    last = entries(house.log)[-1]
    equal((last.count, name_of(last.reason)), (296, "unknown_issuer"))


def test_an_entry_says_which_statement():
    house = House()
    tokens = run_named("one phone of a share is ended, up to a version")
    for token, _ in tokens[:3]:
        house.accept(token)
    house.accept(run_named("revocations with a fault")[23][0])
    house.accept(run_named(ONE_AFTER_ANOTHER)[1][0])
    house.log.flush()
    grant, other, revoked, alien, batch = entries(house.log)[1:]
    equal([each.action for each in (grant, revoked, alien, batch)], [0, 1, NO_KIND, 2])
    equal(grant.share, b"share-1" + bytes(9))
    true(grant.subject != other.subject)
    equal((revoked.share, revoked.subject), (grant.share, grant.subject))
    equal((alien.share, alien.subject), (bytes(16), bytes(8)))


def test_a_lock_knows_only_the_kinds_that_it_has_a_part_for():
    kinds = [
        run_named("the time")[1][0],
        run_named("settings")[9][0],
        run_named("acknowledgements")[7][0],
        run_named("a share is ended, for every phone and for good")[3][0],
        run_named(ONE_AFTER_ANOTHER)[1][0],
    ]
    small = Intake(LOCK, ISSUER, cache(RamFiles(), RamFiles(), lock=LOCK))
    for token in kinds:
        equal(small.accept(token), reasons.UNKNOWN_KIND)
    equal(small.recover(), reasons.ALLOWED)
    equal(small.accept(run_named(PASSED)[0][0]), reasons.ALLOWED)
    equal(small.accept(bytes(LARGEST_BATCH)), reasons.TOO_LARGE)


def test_the_issue_of_what_is_taken_in_is_a_time_that_has_passed():
    for run in RUNS:
        house = House()
        for step in run["steps"]:
            floor = house.world.floor.unix or 0
            house.accept(unhexlify(step["token"]))
            raised = (house.world.floor.unix or 0) > floor
            if raised:
                true(step["reason"] in ("allowed", "bound_raised", "time_set"), step["reason"])
            if step["reason"] in ("allowed", "bound_raised"):
                true(house.world.floor.unix >= 1_607_947_200)


def test_an_answer_to_the_locks_nonce_sets_the_clock():
    house = House()
    equal(house.world.read()[2], UNKNOWN)
    for token, reason in run_named("the time"):
        equal(house.accept(token), reason)
    house.world.read()
    equal((house.world.now.trust, to_unix(house.world.now.at)), (TRUSTED, 1_607_947_299))


def test_settings_count_as_they_were_signed():
    house = House()
    for token, _ in run_named("settings"):
        house.accept(token)
    house.boot()
    kept = house.settings.current
    equal((kept.version, kept.zone, kept.next_zone), (3, "CET-1CEST,M3.5.0,M10.5.0/3", "UTC0"))
    equal(to_unix(kept.next_from), 1_607_947_200)
    equal((kept.auto_lock_s, kept.mode, kept.most_error_s), (90, 1, 300))


def test_an_acknowledgement_reaches_the_log():
    house = House()
    for token, _ in run_named("acknowledgements")[:-1]:
        equal(house.log.acknowledged, 0)
        house.accept(token)
    equal(house.log.acknowledged, 1)


# --- what a lock forgets -------------------------------------------------------------------------


def test_revocations_that_batches_have_passed_take_no_room():
    house = House()
    for token, _ in run_named(ONE_AFTER_ANOTHER):
        house.accept(token)
    equal(house.cache.slots(), 2)
    house = House()
    for token, _ in run_named("what came loose is newer than the batch that comes after")[:4]:
        house.accept(token)
    equal(len(house.sync.remembered), 1)
    equal(house.cache.state(b"share-1").revoked, True)
    house.accept(run_named("what came loose is newer than the batch that comes after")[4][0])
    equal(house.sync.remembered, [])
    equal(house.cache.state(b"share-1").revoked, False)
    equal(house.cache.slots(), 2)


def test_the_revocation_of_a_key_that_the_share_does_not_have_takes_no_room():
    house = House()
    for token, _ in run_named("one key after another, and one share")[:4]:
        house.accept(token)
    equal(house.cache.slots(), 3)


def test_a_revocation_that_came_loose_outlasts_an_earlier_one_in_a_batch():
    """Of another phone: its grant may still be on its way, loose."""
    tokens = run_named("many changes at once")
    house = House(capacity=40)
    house.accept(tokens[0][0])
    house.sync.remember(99, b"share-5", False)
    house.cache.revoke(b"share-5", bytes(16), 1)
    equal(house.accept(tokens[1][0]), "allowed")
    equal(house.cache.holding(b"share-5"), None)
    equal(house.cache.state(b"share-5", bytes(16)).floor, 2)


def test_a_grant_that_came_loose_costs_its_batch_no_write():
    house = House()
    tokens = run_named("what came loose is newer than the batch that comes after")
    for token, _ in tokens[:-1]:
        house.accept(token)
    writes = house.shelf[0].writes
    equal(house.accept(tokens[-1][0]), "allowed")
    equal(house.shelf[0].writes, writes)


def test_so_many_revocations_are_remembered_and_no_more():
    places = (Memory(), Memory())
    sync = Sync(places, Seal(KEY))
    for number in range(MOST_REMEMBERED):
        true(sync.remember(number + 1, b"share-%d" % number, key_of(0) if number % 2 else None))
    equal(sync.remember(99, b"another", None), False)
    equal(sync.remember(99, b"share-1", key_of(1)), False)  # another key of a share is another
    true(sync.remember(99, b"share-1", None))  # in the place of that of its key
    true(sync.remember(3, b"share-1", key_of(0)))
    true(sync.remember(1, b"share-3", key_of(0)))
    true(sync.remember(40, b"share-5", key_of(0)))
    again = Sync(places, Seal(KEY))
    equal(len(again.remembered), MOST_REMEMBERED)
    kept = {each.share: (each.sequence, each.key) for each in again.remembered}
    equal(kept[b"share-1"], (99, None))
    equal((kept[b"share-2"], kept[b"share-3"]), ((3, None), (4, key_of(0))))
    equal((kept[b"share-5"], kept[b"share-7"]), ((40, key_of(0)), (8, key_of(0))))
    again.advance(MOST_REMEMBERED)
    equal(len(again.passed()), MOST_REMEMBERED - 2)
    again.advance(1)
    equal(Sync(places, Seal(KEY)).applied, MOST_REMEMBERED)
    again.drop_passed()
    left = [each.share for each in Sync(places, Seal(KEY)).remembered]
    equal(left, [b"share-1", b"share-5"])


def test_a_lock_with_no_place_for_a_revocation_refuses_it():
    house = House()
    for number in range(MOST_REMEMBERED):
        house.sync.remember(number + 100, b"other-%d" % number, None)
    before = house.contents()
    token = run_named("the revocation may come before the grant")[0][0]
    equal(house.accept(token), "cache_full")
    equal(house.contents(), before)


def test_uses_that_still_count_outlast_the_revocation_of_a_phone():
    """The share may come back with another phone, and must not begin to count anew."""
    tokens = run_named("what came loose is newer than the batch that comes after")
    for used in (False, True):
        house = House()
        house.accept(run_named("one phone of a share is ended, up to a version")[0][0])
        grant = next(house.cache.grants())
        grant.uses = 3
        house.cache.put(grant)
        house.cache.count_use(b"share-1", used, None)
        house.sync.remember(1, b"share-1", grant.key)
        house.cache.revoke(b"share-1", grant.key, 1)
        equal(house.cache.slots(), 2)
        equal(house.accept(tokens[3][0]), "allowed")
        equal(house.sync.remembered, [])
        equal(house.cache.state(b"share-1").uses, int(used))
        equal(house.held(), "2")
        equal(house.cache.slots(), 2 if used else 1)


# --- damage --------------------------------------------------------------------------------------


def test_one_damaged_copy_of_the_sequence_is_mended():
    for place in (0, 1):
        house = House()
        house.accept(run_named(ONE_AFTER_ANOTHER)[1][0])
        house.places[place].files["sync"][5] ^= 1
        house.boot()
        equal((house.sync.applied, house.sync.damaged, house.sync.lost), (4, True, False))
        house.boot()
        equal((house.sync.applied, house.sync.damaged), (4, False))


def test_a_lock_that_lost_its_sequence_only_renews():
    tokens = run_named(PASSED)
    house = House()
    for token, _ in tokens[:2]:
        house.accept(token)
    for place in house.places:
        place.files["sync"][5] ^= 1
    house.boot()
    equal((house.sync.lost, house.sync.applied), (True, 0))
    equal(house.accept(tokens[0][0]), "allowed")
    equal(house.accept(tokens[3][0]), "allowed")
    for token in (tokens[8][0], tokens[12][0], tokens[14][0]):
        equal(house.accept(token), "sequence_lost")
    for token, _ in run_named(ONE_AFTER_ANOTHER)[:3]:
        equal(house.accept(token), "sequence_lost")
    equal(house.held(), "23")


def test_a_snapshot_is_the_way_back_from_a_lost_sequence():
    tokens = run_named("one page takes the place of everything")
    house = House()
    house.accept(tokens[0][0])
    for place in house.places:
        place.files["sync"][5] ^= 1
    house.boot()
    equal(house.accept(tokens[5][0]), "sequence_lost")
    equal(house.accept(tokens[1][0]), "allowed")
    equal((house.held(), house.sync.applied, house.sync.needs_snapshot()), ("234", 9, False))
    house.boot()
    equal(house.accept(tokens[5][0]), "allowed")
    equal(house.held(), "1234")


def test_a_snapshot_is_the_way_back_from_damage():
    """What cannot be read is dropped before, and nothing else comes in until all is back."""
    pages = [run_named("three pages in their order")[place] for place in (5, 11, 12)]
    house = House(buckets=2)
    house.accept(run_named("one page takes the place of everything")[0][0])
    files = house.shelf[0]
    hit = sorted(name for name in files.contents if name[0] == "g")[0]
    whole = files.contents[hit]
    files.contents[hit] = whole[:70] + bytes([whole[70] ^ 1]) + whole[71:]
    house.boot()
    equal(house.cache.is_hurt(), True)
    equal(house.accept(pages[0][0]), "allowed")
    equal((house.cache.is_hurt(), house.cache.is_complete()), (False, False))
    equal(house.accept(run_named(ONE_AFTER_ANOTHER)[1][0]), "sequence_lost")
    equal(house.accept(pages[1][0]), "allowed")
    equal(house.cache.is_complete(), False)
    equal(house.accept(pages[2][0]), "allowed")
    equal((house.cache.is_hurt(), house.cache.is_complete()), (False, True))
    equal((house.held(), house.sync.applied), ("13558", 20))


def test_a_use_does_not_come_back_by_a_snapshot():
    page = run_named("one key of a share is not in it any more")[2][0]
    house = House()
    house.accept(run_named("a share is ended, for every phone and for good")[1][0])
    grant = next(house.cache.grants())
    grant.uses = 3
    house.cache.put(grant)
    house.cache.count_use(b"share-1", True, None)
    equal(house.accept(page), "changed_terms")  # the same version with a count is another grant
    equal(house.cache.state(b"share-1").uses, 1)


def test_what_a_sequence_cannot_be_is_lost():
    for content in (
        b"",
        bytes(55),
        bytes(56) + b"\x00",
        bytes(56) + b"\x00\x00\x00\x01\x05ab",
    ):
        places = (Memory(), Memory())
        sync_module.Copies(places, "sync", Seal(KEY)).write(content)
        equal(Sync(places, Seal(KEY)).lost, True, content)


def test_a_journal_is_trusted_no_more_than_a_statement():
    """Put there by somebody who can write to the flash: only what would be taken in, too."""
    tokens = run_named(ONE_AFTER_ANOTHER)
    good = tokens[1][0]
    bad = run_named("a batch with a fault")[3][0]
    thief = run_named("revocations with a fault")[25][0]
    loose = run_named(PASSED)[0][0]
    cases = [
        (good[:-1] + bytes([good[-1] ^ 1]), "bad_signature"),
        (b"garbage", "malformed"),
        (bad, "bad_rights"),
        (thief, "unknown_kind"),
        (loose, "unknown_kind"),
        (tokens[0][0], "sequence_gap"),
        (good, "allowed"),
    ]
    for token, reason in cases:
        house = House()
        before = house.contents()
        house.places[0].replace("batch", token)
        equal(name_of(house.boot()), reason)
        equal(house.sync.journal(), None)
        if reason != "allowed":
            equal(house.contents(), before, reason)
        equal(house.held(), "23" if reason == "allowed" else "")


# --- a flash that fails --------------------------------------------------------------------------


class Failing(RamFiles):
    """Fails for good after so many writes."""

    def __init__(self, house):
        super().__init__()
        self.house = house

    def replace(self, name, data):
        self.house.spend()
        super().replace(name, data)


class FailingPlace(Memory):
    def __init__(self, house):
        super().__init__()
        self.house = house

    def replace(self, name, data):
        self.house.spend()
        super().replace(name, data)

    def remove(self, name):
        self.house.spend()
        super().remove(name)


class Frail(House):
    """A house whose flash takes `left` writes more."""

    def __init__(self):
        self.left = 1 << 20
        super().__init__()
        self.shelf = (Failing(self), Failing(self))
        self.places = (FailingPlace(self), FailingPlace(self))
        self.boot()

    def image(self):
        """What is in the files, for `restore`."""
        shelves = [dict(files.contents) for files in self.shelf]
        return shelves, [{n: bytes(place.files[n]) for n in place.files} for place in self.places]

    def restore(self, image):
        """The files as they were, no writes limited, and a boot."""
        self.left = 1 << 20
        for files, contents in zip(self.shelf, image[0]):
            files.contents = dict(contents)
        for place, contents in zip(self.places, image[1]):
            place.files = {name: bytearray(contents[name]) for name in contents}
        self.boot()

    def spend(self):
        self.left -= 1
        if self.left < 0:
            raise OSError(5)


def test_a_batch_on_a_flash_that_fails_is_finished_with_the_next_signed_statement():
    tokens = run_named(ONE_AFTER_ANOTHER)
    first, second = tokens[1][0], tokens[5][0]
    failures = 0
    while True:
        house = Frail()
        house.accept(first)
        house.left = failures
        try:
            house.accept(second)
            break
        except OSError:
            failures += 1
        house.left = 1 << 20
        applied = house.sync.applied
        true(applied in (4, 7), applied)
        begun = house.sync.journal() is not None
        equal(house.accept(first), "allowed")
        equal(
            (house.held(), house.sync.applied), ("34", 7) if begun or applied == 7 else ("23", 4)
        )
        equal(house.accept(second), "allowed")
        equal((house.held(), house.sync.applied, house.sync.journal()), ("34", 7, None))
        equal(house.cache.slots(), 2)
    true(failures >= 8, failures)


def test_a_batch_is_the_same_after_a_cut_anywhere():
    """Each batch of every run that is applied, cut at each write of a file, and booted."""
    _cut_runs(BATCH_RUNS, 100)


def test_the_last_page_is_the_same_after_a_cut_anywhere():
    _cut_runs(SNAPSHOT_RUNS, 40)


def _cut_runs(runs, least):
    cuts = 0
    for run in runs:
        steps = run["steps"]
        for number, step in enumerate(steps):
            before = steps[number - 1]["applied"] if number else 0
            if step["applied"] == before:
                continue
            cuts += _cut_everywhere(run, number)
    print("cuts:", cuts)
    true(cuts > least, cuts)


def _cut_everywhere(run, number):
    steps = run["steps"]
    token = unhexlify(steps[number]["token"])
    house = Frail()
    for step in steps[:number]:
        house.accept(unhexlify(step["token"]))
    old = _said(house)
    image = house.image()
    house.accept(token)
    new = _said(house)
    writes = 0
    done = False
    while not done:
        house.restore(image)
        house.left = writes
        try:
            house.accept(token)
            done = True
        except OSError:
            pass
        house.left = 1 << 20
        equal(house.boot(), reasons.ALLOWED)
        said = _said(house)
        equal(said, new if done or said != old else old, (run["name"], writes))
        writes += 1
    return writes


def _said(house):
    """All that matters of what a lock keeps."""
    grants = []
    for grant in house.cache.grants():
        grants.append((grant.share, grant.key, grant.version, str(grant.issued), str(grant.lease)))
    shares = []
    for number in range(20):
        state = house.cache.state(b"share-%d" % number)
        shares.append((state.revoked, state.floor, state.uses))
    remembered = [(each.sequence, each.share, each.key) for each in house.sync.remembered]
    return sorted(grants), shares, house.sync.applied, remembered, house.cache.slots()


# --- reasons -------------------------------------------------------------------------------------


def test_every_reason_for_a_refusal_is_produced():
    with open("firmware_tests/vectors/grants.json") as file:
        grants = json.load(file)
    produced = ["sequence_lost", "cache_damaged", "retained"]  # above, in test_access_batch, link
    for case in grants["single"]:
        produced.append(case["reason"])
    for run in grants["sequences"]:
        produced += [step["reason"] for step in run["statements"]]
    with open("firmware_tests/vectors/commands.json") as file:
        commands = json.load(file)
    for run in RUNS + commands["runs"]:
        produced += [step["reason"] for step in run["steps"]]
    for number, name, _ in words.TABLE:
        if number in REFUSALS:
            true(name in produced, name)


def test_mutated_statements_raise_nothing_and_change_nothing():
    random = soak.Random(soak.seed())
    tokens = []
    for run in RUNS:
        tokens += [unhexlify(step["token"]) for step in run["steps"]]
    house = House()
    for token, _ in run_named(PASSED)[:2]:
        house.accept(token)
    before = house.contents()
    for _ in range(soak.count(20_000, 400)):
        token = bytearray(tokens[random.below(len(tokens))])
        token[random.below(len(token))] ^= 1 << random.below(8)
        true(house.accept(bytes(token)) != "allowed", token)
    equal(house.contents(), before)
