"""The grant cache on files in RAM: what it keeps, what it refuses, and what damage does to it."""

from binascii import unhexlify
from hashlib import sha256

from firmware.access.intake import Intake
from firmware.crypto import p256
from firmware.policy import grant as policy
from firmware.policy.decision import Decision, Now, Request, decide
from firmware.policy.grant import LOCAL, UNLOCK
from firmware.policy.instant import Instant
from firmware.policy.zone import Zone
from firmware.store import grants as grants_module
from firmware.store.bucket import SLOTS
from firmware.store.record import SLOT_BYTES
from firmware.store.shelves import BUCKET, FOR_OWNERS, FOR_REVOCATIONS, INDEX, LEDGER, SETBACK
from firmware.store.shelves import SLOT as DAMAGED_SLOT
from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.store_case import (
    BUCKETS,
    LOCK,
    Model,
    RamFiles,
    apply,
    cache,
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
from firmware_tests.both.vectors import read
from host_sim import words

AT = Instant(20_500, 7)
LATER = Instant(20_501, 0)


class Shelf:
    """A cache in RAM that can be opened again, as after a reboot."""

    def __init__(self, **geometry):
        self.files = RamFiles()
        self.apart = RamFiles()
        self.geometry = geometry
        self.open()

    def open(self):
        self.cache = cache(self.files, self.apart, **self.geometry)
        return self.cache

    def put(self, *numbers):
        """Version-1 grants with share, key and person of the same number."""
        for number in numbers:
            equal(self.cache.put(grant_of(number, number)), True)

    def buckets(self):
        return sorted([name for name in self.files.contents if name.startswith("g")])


def counted(share, key, uses=3, version=1):
    made = grant_of(share, key, version)
    made.uses = uses
    return made


# --- what it keeps -----------------------------------------------------------------------------


def test_every_field_of_a_grant_comes_back():
    for rules in range(9):
        shelf = Shelf()
        full = full_grant(1, 1, rules)
        bare = grant_of(2, 2)
        bare.issued = None
        bare.holder = b""
        bare.share = b"s"
        for made in (full, bare):
            text = said(made)
            equal(shelf.cache.put(made), True)
            equal(said(shelf.cache.find(made.key)), text)
            equal(said(shelf.open().find(made.key)), text)
            equal(said(shelf.cache.holding(made.share)), text)


def test_every_field_matters_alone():
    """Each optional field, present alone: none is taken for another."""
    for name, value in (
        ("issued", Instant(policy.FIRST_DAY, 1)),
        ("start", AT),
        ("until", AT),
        ("lease", AT),
        ("uses", 1),
        ("after_first_use_s", 1),
        ("duress", True),
        ("parent", b"p"),
        ("holder", b"x" * 32),
        ("rules", [full_rule(4)]),
        ("rules", [full_rule(n) for n in range(3)]),
        ("level", policy.ADMIN),
        ("rights", policy.LOCK),
        ("channels", policy.LOCAL),
        ("version", policy.MOST_VERSION),
    ):
        shelf = Shelf()
        made = grant_of(1, 1)
        setattr(made, name, value)
        equal(shelf.cache.put(made), True)
        equal(said(shelf.open().find(made.key)), said(made), name)


def test_lent_objects_carry_nothing_over():
    """A grant decoded after any other one says what it said alone."""
    shelf = Shelf(buckets=2)
    made = [full_grant(1, 1), grant_of(2, 2), full_grant(3, 3, 3), counted(4, 4)]
    made[2].parent = made[2].start = made[2].uses = None
    made[1].rules = [full_rule(4)]
    made[1].rules[0].first_day, made[1].rules[0].last_day = full_rule(5).first_day, 500_000_000
    made[3].rules = [full_rule(0), full_rule(1)]
    for rule in made[3].rules:
        rule.first_day, rule.last_day = -1, 500_000_000
    for grant in made:
        shelf.cache.put(grant)
    for first in made:
        for second in made:
            shelf.cache.find(first.key)
            equal(said(shelf.cache.find(second.key)), said(second))


def test_what_fits_one_slot_two_or_three():
    for rules, slots in ((0, 1), (4, 1), (5, 2), (8, 2)):
        shelf = Shelf()
        made = grant_of(1, 1)
        made.share = b"0123456789abcdef"
        made.lease = AT
        made.rules = [full_rule(5) for _ in range(rules)]
        for rule in made.rules:
            rule.last_day = grants_module.record.NO_LAST_DAY
        equal(shelf.cache.put(made), True)
        equal(shelf.cache.slots(), slots, rules)
    shelf = Shelf()
    shelf.cache.put(full_grant())
    equal(shelf.cache.slots(), 3 + 1)  # with its count


def test_ids_that_do_not_fit_are_refused():
    for name, value in (
        ("key", b"k" * 15),
        ("share", b""),
        ("share", b"s" * 17),
        ("holder", b"h" * 33),
        ("parent", b""),
        ("parent", b"p" * 17),
        ("rules", [full_rule(0)] * 9),
    ):
        shelf = Shelf()
        made = grant_of(1, 1)
        setattr(made, name, value)
        raises(ValueError, shelf.cache.put, made)
        equal((shelf.cache.slots(), shelf.files.contents), (0, {}))


def test_share_ids_that_differ_in_trailing_zeros_are_two():
    shelf = Shelf()
    one, other = grant_of(1, 1), grant_of(2, 2)
    one.share, other.share = b"a", b"a\x00"
    shelf.cache.put(one)
    shelf.cache.put(other)
    shelf.cache.revoke(b"a", None, 1)
    equal(shelf.cache.find(one.key), None)
    equal(shelf.cache.find(other.key).share, b"a\x00")


def test_bytes_elsewhere_in_a_slot_are_no_key_and_no_share():
    shelf = Shelf(buckets=2)
    posing = grant_of(1, 1)
    posing.holder = key_of(2) + key_of(3)
    posing.share = key_of(4)
    posing.parent = share_of(9) + bytes(16 - len(share_of(9)))
    shelf.cache.put(posing)
    for key in (2, 3, 4):
        equal(shelf.cache.find(key_of(key)), None)
    equal(shelf.cache.holding(share_of(9)), None)
    equal(shelf.cache.holding(key_of(1)), None)
    shelf.put(2)
    equal(said(shelf.cache.find(key_of(2))), said(grant_of(2, 2)))


# --- versions and revocations ------------------------------------------------------------------


def test_a_version_never_goes_back_for_any_key_of_the_share():
    shelf = Shelf()
    shelf.put(1)
    shelf.cache.put(grant_of(1, 2, 5))
    for opened in (shelf.cache, shelf.open()):
        equal(opened.state(share_of(1)).floor, 5)
        old = opened.find(key_of(1))
        equal((old.version, opened.state_at(old, 0).floor), (1, 5))
        raises(ValueError, opened.put, grant_of(1, 3, 4))
        equal(opened.find(key_of(3)), None)


def test_what_was_superseded_stays_so_when_the_newer_record_is_damaged():
    shelf = Shelf()
    shelf.put(1)
    shelf.cache.put(grant_of(1, 2, 5))
    name = shelf.buckets()[0]
    at = shelf.files.contents[name].find(key_of(2))
    opened = damaged(shelf, name, at)
    equal(opened.find(key_of(2)), None)
    equal(Door(opened).unlock(1, 0), "superseded")


def test_a_version_outlives_its_grants():
    shelf = Shelf()
    shelf.cache.put(grant_of(1, 1, 7))
    shelf.cache.put(grant_of(2, 1))  # the key goes to another share
    shelf.cache.put(grant_of(3, 3, 4))
    shelf.cache.revoke(share_of(3), key_of(3), 4)
    for opened in (shelf.cache, shelf.open()):
        equal(opened.find(key_of(1)).share, share_of(2))
        equal((opened.holding(share_of(1)), opened.state(share_of(1)).floor), (None, 7))
        raises(ValueError, opened.put, grant_of(1, 2, 6))
        equal((opened.find(key_of(3)), opened.state(share_of(3)).floor), (None, 4))
        equal(opened.state(share_of(3), key_of(3)).floor, 5)
        raises(ValueError, opened.put, grant_of(3, 3, 4))
    equal(shelf.cache.put(grant_of(3, 4, 4)), True)
    equal(shelf.cache.put(grant_of(3, 3, 5)), True)


def test_a_version_outlives_the_revocation_of_a_key_that_it_superseded():
    shelf = Shelf()
    shelf.cache.put(grant_of(1, 1, 2))
    shelf.cache.put(grant_of(1, 2, 3))
    shelf.cache.put(grant_of(2, 2, 1, 9))  # the only key with version 3 goes
    shelf.cache.revoke(share_of(1), key_of(1), 2)
    for opened in (shelf.cache, shelf.open()):
        equal(
            (opened.state(share_of(1)).floor, opened.state(share_of(1), key_of(1)).floor), (3, 3)
        )
        raises(ValueError, opened.put, grant_of(1, 3, 2))


def test_a_revoked_share_is_over_for_all_its_keys():
    shelf = Shelf()
    for key in (1, 2, 3):
        shelf.cache.put(grant_of(1, key))
    shelf.put(4)
    equal(shelf.cache.slots(), 4)
    equal(shelf.cache.revoke(share_of(1), None, 1), True)
    for opened in (shelf.cache, shelf.open()):
        for key in (1, 2, 3, 5):
            equal(opened.find(key_of(key)), None)
            raises(ValueError, opened.put, grant_of(1, key, 9))
        equal((opened.count(), opened.slots()), (1, 2))
        true(opened.state(share_of(1)).revoked)
        true(opened.find(key_of(4)))


def test_a_revocation_may_come_first():
    shelf = Shelf()
    shelf.cache.revoke(share_of(1), None, 2)
    shelf.cache.revoke(share_of(2), key_of(2), 2)
    for opened in (shelf.cache, shelf.open()):
        raises(ValueError, opened.put, grant_of(1, 1, 3))
        raises(ValueError, opened.put, grant_of(2, 2, 2))
    equal(shelf.cache.put(grant_of(2, 2, 3)), True)
    equal(shelf.cache.put(grant_of(2, 3, 3)), True)


def test_an_old_revocation_of_a_key_changes_nothing():
    shelf = Shelf()
    shelf.cache.put(grant_of(1, 1, 3))
    writes = shelf.files.writes
    equal(shelf.cache.revoke(share_of(1), key_of(1), 2), True)
    equal((shelf.cache.find(key_of(1)).version, shelf.files.writes), (3, writes))


def test_forget_is_for_what_has_no_grant():
    shelf = Shelf()
    shelf.put(1)
    shelf.cache.revoke(share_of(2), None, 1)
    equal(shelf.cache.forget(share_of(1)), False)
    equal(shelf.cache.forget(share_of(9)), False)
    equal(shelf.cache.forget(share_of(2)), True)
    equal((shelf.open().state(share_of(2)).revoked, shelf.cache.slots()), (False, 1))
    true(shelf.cache.find(key_of(1)))


# --- counts ------------------------------------------------------------------------------------


def test_uses_and_first_use_are_the_shares():
    shelf = Shelf()
    shelf.cache.put(counted(1, 1))
    shelf.cache.put(counted(1, 2))
    equal(shelf.cache.count_use(share_of(1), True, None), True)
    equal(shelf.cache.count_use(share_of(1), True, AT), True)
    equal(shelf.cache.count_use(share_of(1), False, LATER), True)
    for opened in (shelf.cache, shelf.open()):
        for key in (1, 2):
            state = opened.state_at(opened.find(key_of(key)), 0)
            equal((state.uses, state.first_use, state.revoked), (2, AT, False))
    shelf.cache.put(counted(1, 1, 9, 2))
    shelf.cache.revoke(share_of(1), key_of(2), 2)
    equal(shelf.open().state(share_of(1)).uses, 2)


def test_the_count_belongs_to_no_key():
    """Its record has zeros in the place of the key."""
    shelf = Shelf()
    made = counted(1, 1)
    made.key = bytes(16)
    shelf.cache.put(made)
    shelf.cache.count_use(share_of(1), True, None)
    shelf.cache.put(made)
    shelf.cache.revoke(share_of(1), bytes(16), 0)
    equal(shelf.cache.find(bytes(16)).uses, 3)
    equal(shelf.open().state(share_of(1)).uses, 1)


def test_what_is_not_counted_cannot_be():
    shelf = Shelf()
    shelf.put(1)
    shelf.cache.put(counted(2, 2))
    shelf.cache.revoke(share_of(2), None, 1)
    for share in (1, 2, 3):
        equal(shelf.cache.count_use(share_of(share), True, None), False, share)


def test_uses_do_not_wrap():
    shelf = Shelf()
    shelf.cache.put(counted(1, 1, policy.MOST_USES))
    name = shelf.buckets()[0]
    for _ in range(3):
        shelf.cache.count_use(share_of(1), True, None)
    bucket = shelf.cache._bucket
    slot = grants_module.shares.seek(bucket, share_of(1), grants_module.STANDING, 0)
    bucket.page[slot * SLOT_BYTES + 42 : slot * SLOT_BYTES + 44] = b"\xff\xfe"
    for expected in (0xFFFF, 0xFFFF):
        shelf.cache.count_use(share_of(1), True, None)
        equal(shelf.cache.state(share_of(1)).uses, expected)
    equal(shelf.open().state(share_of(1)).uses, 0xFFFF)
    true(name in shelf.files.contents)


class Door:
    """Asks, and counts what is to be counted, as the unlock path does."""

    def __init__(self, opened):
        self.cache = opened
        self.decision = Decision()

    def unlock(self, key, time_s, record=True):
        grant = self.cache.find(key_of(key))
        request = Request(key_of(key), UNLOCK, LOCAL, True)
        now = Now(Instant(20_500, time_s))
        state = self.cache.state_at(grant, time_s)
        decide(grant, request, now, Zone("UTC0"), state, self.decision)
        if self.decision.allowed and record:
            true(self.cache.record(self.decision, now.at, time_s))
        return words.name(self.decision.reason)


def test_a_use_is_counted_once_in_thirty_seconds_and_never_given_back():
    shelf = Shelf()
    shelf.cache.put(counted(1, 1, 2))
    door = Door(shelf.cache)
    equal(door.unlock(1, 100), "allowed")
    equal(door.unlock(1, 129), "allowed")  # the same use
    equal(door.unlock(1, 131), "allowed")
    equal(door.unlock(1, 170), "uses_spent")
    equal(Door(shelf.open()).unlock(1, 170), "uses_spent")


def test_a_share_that_was_passed_on_counts_for_both():
    shelf = Shelf()
    shelf.cache.put(counted(1, 1, 2))
    child = counted(2, 2, 9)
    child.parent = share_of(1)
    child.after_first_use_s = 1000
    shelf.cache.put(child)
    door = Door(shelf.cache)
    equal(door.unlock(2, 100), "allowed")
    equal(shelf.open().state(share_of(2)).first_use, Instant(20_500, 100))
    equal((shelf.cache.state(share_of(1)).uses, shelf.cache.state(share_of(2)).uses), (1, 1))
    door = Door(shelf.cache)
    equal(door.unlock(2, 200), "allowed")
    equal(door.unlock(2, 300), "parent_denies")
    shelf.cache.revoke(share_of(1), None, 1)
    equal(Door(shelf.open()).unlock(2, 300), "parent_denies")


def test_the_last_uses_of_eight_shares_are_remembered():
    shelf = Shelf()
    for number in range(9):
        shelf.cache.put(counted(number, number, 1))
    door = Door(shelf.cache)
    for number in range(9):
        equal(door.unlock(number, 100 + number), "allowed")
    equal(door.unlock(8, 109), "allowed")
    equal(door.unlock(1, 109), "allowed")
    equal(door.unlock(0, 109), "uses_spent")


# --- full --------------------------------------------------------------------------------------


def test_full_is_an_error_and_owners_and_revocations_still_fit():
    shelf = Shelf(buckets=8)
    placed = 0
    while shelf.cache.put(grant_of(placed, placed)):
        placed += 1
    equal((placed, shelf.cache.slots(), shelf.cache.count()), (100, 100, 100))
    before = dict(shelf.files.contents)
    equal(shelf.cache.put(grant_of(500, 500)), False)
    equal(shelf.files.contents == before, True)

    shelf.open()
    grown = grant_of(3, 3, 2)
    grown.rules = [full_rule(n) for n in range(8)]
    equal(shelf.cache.put(grown), False)  # no second slot: the old terms stay
    equal(shelf.cache.find(key_of(3)).version, 1)
    equal(shelf.cache.put(grant_of(3, 3, 2)), True)  # one for one

    revoked = 0
    while shelf.cache.revoke(share_of(1000 + revoked), None, 1):
        revoked += 1
    equal(revoked, FOR_REVOCATIONS)
    owners = 0
    while owners < FOR_OWNERS + 1:
        owner = grant_of(2000 + owners, 2000 + owners)
        owner.level = policy.OWNER
        if not shelf.cache.put(owner):
            break
        owners += 1
    equal(owners, FOR_OWNERS)
    for number in range(placed):
        true(shelf.cache.find(key_of(number)), number)
    equal(shelf.cache.revoke(share_of(5), None, 1), True)  # in place of its grant
    equal(shelf.cache.count(), placed + owners - 1)


def test_guests_leave_room_in_each_bucket():
    shelf = Shelf(buckets=2, capacity=1000)
    placed = 0
    while shelf.cache.put(grant_of(placed, placed)):
        placed += 1
    true(placed >= 2 * (SLOTS - 2) - 1, placed)
    owner = grant_of(500, 500)
    owner.level = policy.OWNER
    equal(shelf.cache.put(owner), True)


def test_an_error_of_the_flash_passes_through_and_nothing_has_changed():
    shelf = Shelf()
    shelf.put(1, 2)
    shelf.cache.put(counted(3, 3))
    for port in (shelf.apart, shelf.files):
        port.full = True
        raises(OSError, shelf.cache.put, grant_of(4, 4))
        equal(shelf.cache.find(key_of(4)), None)
        raises(OSError, shelf.cache.revoke, share_of(1), None, 1)
        equal(said(shelf.cache.find(key_of(1))), said(grant_of(1, 1)))
        raises(OSError, shelf.cache.count_use, share_of(3), True, None)
        equal(shelf.cache.state(share_of(3)).uses, 0)
        port.full = False
    shelf.put(4)
    for opened in (shelf.cache, shelf.open()):
        equal((opened.count(), opened.take_reports()), (4, []))


# --- all of it ---------------------------------------------------------------------------------


def test_the_list_has_all_and_lookups_may_come_between():
    shelf = Shelf()
    shelf.put(*range(30))
    listed = []
    for grant in shelf.cache.grants():
        listed.append(said(grant))
        shelf.cache.find(key_of(len(listed)))
        shelf.cache.holding(share_of(len(listed)))
    equal(sorted(listed), sorted([said(grant_of(n, n)) for n in range(30)]))


def test_the_digest_is_that_of_the_clouds_list():
    shelf = Shelf()
    made = [grant_of(n, n, 1 + n, n) for n in range(5)]
    for grant in made[::-1]:
        shelf.cache.put(grant)
    total = 0
    for grant in made:  # from the description in docs/storage.md
        text = bytes([len(grant.share)]) + grant.share + grant.key
        text += grant.version.to_bytes(4, "big")
        total += int.from_bytes(sha256(text).digest(), "big")
    expected = (total % 2**256).to_bytes(32, "big")
    equal(shelf.cache.digest(), expected)
    equal(shelf.open().digest(), expected)
    made[3].lease = AT
    shelf.cache.put(made[3])
    equal(shelf.cache.digest(), expected)
    shelf.cache.revoke(share_of(0), None, 1)
    true(shelf.cache.digest() != expected)


def test_a_renewed_lease_takes_one_slot_and_no_new_hint():
    shelf = Shelf()
    shelf.put(1)
    for issued in range(1, 40):
        renewed = grant_of(1, 1, 1, issued)
        renewed.lease = Instant(21_000, issued)
        equal(shelf.cache.put(renewed), True)
    equal(shelf.cache.slots(), 1)
    equal(said(shelf.open().find(key_of(1))), said(renewed))
    equal(sorted(shelf.files.contents), shelf.buckets())  # no index file was needed


# --- against a model ---------------------------------------------------------------------------


def test_it_answers_as_plain_dicts_do():
    random = soak.Random(soak.seed())
    keys = [key_of(number) for number in range(10)]
    shares = [share_of(number) for number in range(7)]
    for _ in range(soak.count(400, 6)):
        shelf, model = Shelf(), Model()
        for step in range(80):
            one_step(shelf, model, random_change(random, step))
            if random.below(12) == 0:
                shelf.open()
            if step % 8 == 7:
                check_same(shelf.cache, model, keys, shares)


def one_step(shelf, model, change):
    """The same to both."""
    if is_admitted(model, change):
        equal(apply(shelf.cache, change), True)
        apply(model, change)
    elif change[0] == "put":
        raises(ValueError, apply, shelf.cache, change)


# --- behind the intake -------------------------------------------------------------------------


def test_the_published_sequences_of_statements():
    vectors = read("grants")
    issuer = unhexlify(vectors["issuer"])
    key = p256.PublicKey(issuer[:32], issuer[32:])
    key.precompute()
    lock = vectors["lock"].encode()
    for sequence in vectors["sequences"]:
        kept = grants_module.Grants(
            [RamFiles()], RamFiles(), bytes(32), lock, 4, 1, sequence["capacity"]
        )
        intake = Intake(lock, key, kept)
        for place, statement in enumerate(sequence["statements"]):
            reason = words.name(intake.accept(unhexlify(statement["token"])))
            note = "%s, statement %d" % (sequence["name"], place + 1)
            equal(reason, statement["reason"], note)


# --- damage ------------------------------------------------------------------------------------


def damaged(shelf, name, at, bit=0):
    content = bytearray(shelf.files.contents[name])
    content[at] ^= 1 << bit
    shelf.files.contents[name] = bytes(content)
    return shelf.open()


def test_a_flipped_bit_is_found_and_costs_one_record():
    """Each byte of a bucket with records of one slot, two and three, and a counted share."""
    shelf = Shelf(buckets=2)
    shelf.put(1, 2, 3)
    shelf.cache.put(full_grant(7, 7))
    two = grant_of(8, 8)
    two.rules = [full_rule(n) for n in range(5)]
    shelf.cache.put(two)
    texts = [said(grant) for grant in shelf.cache.grants()]
    keys = [key_of(n) for n in (1, 2, 3, 7, 8)]
    random = soak.Random(soak.seed())
    for name in shelf.buckets():
        whole = shelf.files.contents[name]
        for at in range(0, len(whole), soak.count(1, 1)):
            opened = damaged(shelf, name, at, random.below(8))
            equal(len(list(opened.scan())), 2)
            reports = opened.take_reports()
            equal([report[0] for report in reports], [DAMAGED_SLOT], at)
            equal(reports[0], (DAMAGED_SLOT, int(name[1:]), at // SLOT_BYTES))
            found = [said(opened.find(key)) for key in keys]
            lost = [text for text in found if text not in texts]
            true(lost in ([], [None]), at)
            if not lost:  # then it was the count of share 7
                grant = opened.find(key_of(7))
                true(opened.state_at(grant, 0).revoked, at)
            shelf.files.contents[name] = whole
    shelf.open()
    equal((shelf.cache.count(), shelf.cache.take_reports()), (5, []))


def test_changes_beside_a_damaged_slot_do_not_make_it_good():
    shelf = Shelf(buckets=2)
    shelf.put(*range(10))
    name = shelf.buckets()[0]
    opened = damaged(shelf, name, 3 * SLOT_BYTES + 50)
    missing = [n for n in range(10) if opened.find(key_of(n)) is None]
    equal(len(missing), 1)
    for number in range(10):
        if number not in missing:
            opened.put(grant_of(number, number, 2))
    shelf.open()
    equal(shelf.cache.find(key_of(missing[0])), None)
    equal(shelf.cache.count(), 9)
    equal([report[0] for report in shelf.cache.take_reports()], [DAMAGED_SLOT])


def test_while_a_revocation_may_be_unreadable_no_key_is_new():
    shelf = Shelf(buckets=2)
    shelf.put(1)
    over = [share_of(number) for number in range(2, 10)]
    for share in over:
        shelf.cache.revoke(share, None, 1)
    shelf.cache.revoke(share_of(1), key_of(9), 1)
    for name in shelf.buckets():
        whole = shelf.files.contents[name]
        for slot in range(len(whole) // SLOT_BYTES):
            opened = damaged(shelf, name, slot * SLOT_BYTES + 70)
            for share in over:
                true(opened.state(share).revoked, (name, slot))
            raises(ValueError, opened.put, grant_of(2, 2, 2))
            raises(ValueError, opened.put, grant_of(1, 9, 1))
            shelf.files.contents[name] = whole
    shelf.open()


def test_a_moved_slot_and_a_copied_file_are_noticed():
    shelf = Shelf(buckets=3)
    shelf.put(*range(20))
    first, second = shelf.buckets()[:2]
    whole = shelf.files.contents[first]
    there = shelf.cache.count()
    swapped = whole[SLOT_BYTES : 2 * SLOT_BYTES] + whole[:SLOT_BYTES] + whole[2 * SLOT_BYTES :]
    shelf.files.contents[first] = swapped
    equal(shelf.open().count(), there - 2)
    true((DAMAGED_SLOT, int(first[1:]), 0) in shelf.cache.take_reports())
    shelf.files.contents[first] = whole[:-SLOT_BYTES]  # the last one taken out
    true(shelf.open().count() < there)
    true(shelf.cache.take_reports())
    shelf.files.contents[first] = shelf.files.contents[second]
    true(shelf.open().count() < there)
    true((DAMAGED_SLOT, int(first[1:]), 0) in shelf.cache.take_reports())


def test_an_older_slot_put_back_is_noticed_and_it_alone():
    shelf = Shelf(buckets=2)
    shelf.put(*range(12))
    name = shelf.buckets()[0]
    old = shelf.files.contents[name]
    victims = [said(grant) for grant in shelf.cache.grants()][:2]
    victim = shelf.cache.find(key_of(int(victims[1].split("share-")[1].split("'")[0])))
    key, share = victim.key, victim.share
    shelf.cache.put(grant_of(int(share[6:]), int(share[6:]), 1, 5))  # the same size: same slots
    new = shelf.files.contents[name]
    equal(len(new), len(old))
    slot = old.find(key) // SLOT_BYTES
    at = slot * SLOT_BYTES
    shelf.files.contents[name] = new[:at] + old[at : at + SLOT_BYTES] + new[at + SLOT_BYTES :]
    opened = shelf.open()
    equal(opened.count(), 11)
    equal(opened.take_reports(), [(DAMAGED_SLOT, int(name[1:]), slot)])


def test_an_older_bucket_put_back_is_noticed_and_gives_no_use_back():
    shelf = Shelf(buckets=2)
    shelf.cache.put(counted(1, 1, 2))
    name = shelf.buckets()[0]
    old = shelf.files.contents[name]
    for _ in range(2):
        shelf.cache.count_use(share_of(1), True, None)
    shelf.files.contents[name] = old
    opened = shelf.open()
    opened.count()
    equal(opened.take_reports(), [(SETBACK, int(name[1:]) % 8, 0)])
    true(opened.state_at(opened.find(key_of(1)), 0).revoked)
    equal(Door(opened).unlock(1, 0), "revoked")
    del shelf.files.contents[name]
    shelf.open().count()
    equal(shelf.cache.take_reports(), [(SETBACK, int(name[1:]) % 8, 0)])


def filled(count=60):
    """Enough keys for index files."""
    shelf = Shelf(buckets=3, capacity=200)
    shelf.put(*range(count))
    true([name for name in shelf.files.contents if name.startswith("k")])
    return shelf


def test_inserting_makes_a_damaged_index_file_again():
    shelf = filled()
    for name in [name for name in shelf.files.contents if name.startswith("k")]:
        content = shelf.files.contents[name]
        shelf.files.contents[name] = content[:7] + b"\x55" + content[8:]
    shelf.open()
    shelf.put(*range(60, 110))
    equal(sorted([report[0] for report in shelf.cache.take_reports()]), [INDEX, INDEX])
    shelf.open()
    for number in range(110):
        true(shelf.cache.find(key_of(number)), number)
    equal(shelf.cache.take_reports(), [])


def test_a_share_is_in_one_bucket_also_when_hints_are_moved_in_between():
    shelf = Shelf(buckets=3, capacity=200)
    for number in range(40):
        equal(shelf.cache.put(grant_of(number, number)), True)
        equal(shelf.cache.put(grant_of(number, 100 + number)), True)
    for number in range(40):
        shelf.cache.revoke(share_of(number), None, 1)
        equal(shelf.cache.find(key_of(number)), None)
        equal(shelf.cache.find(key_of(100 + number)), None)
    equal(shelf.cache.count(), 0)


def test_without_its_index_it_finds_everything_and_says_so():
    shelf = filled()
    whole = dict(shelf.files.contents)
    names = [name for name in whole if name.startswith("k")]

    def forget(name):
        del shelf.files.contents[name]

    def flip(name):
        content = bytearray(shelf.files.contents[name])
        for at in range(5, len(content), 128):
            content[at] ^= 4
        shelf.files.contents[name] = bytes(content)

    def shorten(name):
        shelf.files.contents[name] = shelf.files.contents[name][:100]

    def swap(name):
        others = [other for other in names if other != name]
        shelf.files.contents[name] = shelf.files.contents[others[0]]

    for harm in (forget, flip, shorten, swap):
        for name in names:
            harm(name)
            shelf.open()
            for number in range(60):
                true(shelf.cache.find(key_of(number)), (harm, name, number))
            equal(shelf.cache.take_reports(), [(INDEX, int(name[1:]), 0)])
            for _ in shelf.cache.reindex():
                pass
            shelf.open()
            for number in range(60):
                true(shelf.cache.find(key_of(number)), number)
            equal((shelf.cache.count(), shelf.cache.take_reports()), (60, []))
            shelf.files.contents = dict(whole)
            shelf.open()
            for _ in shelf.cache.reindex():
                pass
            whole = dict(shelf.files.contents)


def test_an_older_index_file_is_noticed():
    shelf = filled(40)
    old = {name: data for name, data in shelf.files.contents.items() if name.startswith("k")}
    shelf.put(*range(40, 120))
    for name in old:
        true(old[name] != shelf.files.contents[name], name)
        shelf.files.contents[name] = old[name]
    shelf.open()
    for number in range(120):
        true(shelf.cache.find(key_of(number)), number)
    equal(sorted([report[0] for report in shelf.cache.take_reports()]), [INDEX] * len(old))


def test_without_its_ledger_it_finds_everything_and_says_so():
    shelf = filled()
    whole = shelf.apart.contents["ledger"]
    for broken in (b"", whole[:-1], whole[:50] + b"\x55" + whole[51:]):
        shelf.apart.contents["ledger"] = broken
        for _ in range(2):  # and does not forget it when it writes a new one
            shelf.open()
            for number in range(60):
                true(shelf.cache.find(key_of(number)), number)
            true((LEDGER, 0, 0) in shelf.cache.take_reports())
            shelf.cache.put(grant_of(1, 1, 1, len(broken)))
        for _ in shelf.cache.reindex():
            pass
        equal((shelf.open().count(), shelf.cache.take_reports()), (60, []))


def test_an_older_ledger_put_back_is_noticed():
    shelf = filled(20)
    old = shelf.apart.contents["ledger"]
    shelf.put(*range(20, 30))
    shelf.apart.contents["ledger"] = old
    opened = shelf.open()
    opened.count()
    true((LEDGER, 0, 0) in opened.take_reports())
    for number in range(30):
        true(opened.find(key_of(number)), number)


def test_a_bucket_that_littlefs_cannot_read_is_passed_over_and_mended():
    shelf = Shelf(buckets=3)
    shelf.put(*range(20))
    name = shelf.buckets()[0]
    shelf.files.broken = (name,)
    opened = shelf.open()
    listed = [grant.key for grant in opened.grants()]
    true(0 < len(listed) < 20)
    for number in range(20):
        equal(opened.find(key_of(number)) is not None, key_of(number) in listed)
    equal(opened.count(), len(listed))
    reports = opened.take_reports()
    true((BUCKET, int(name[1:]), 0) in reports, reports)
    shelf.files.broken = ()
    del shelf.files.contents[name]  # as littlefs does when it is asked to remove it
    opened = shelf.open()
    equal(opened.mend(), 0)
    equal(opened.count(), len(listed))
    equal([report[0] for report in opened.take_reports()], [SETBACK, LEDGER])


def test_mending_drops_what_cannot_be_read_and_keeps_the_rest():
    shelf = Shelf(buckets=2)
    shelf.put(*range(10))
    shelf.cache.put(counted(20, 20))
    two = grant_of(21, 21)
    two.rules = [full_rule(n) for n in range(8)]
    shelf.cache.put(two)
    name = [name for name in shelf.buckets() if key_of(21) in shelf.files.contents[name]][0]
    content = shelf.files.contents[name]
    at = content.find(key_of(21)) + SLOT_BYTES  # its second slot
    opened = damaged(shelf, name, at)
    equal(opened.find(key_of(21)), None)
    equal(opened.mend(), 2)
    name = [name for name in shelf.buckets() if key_of(20) in shelf.files.contents[name]][0]
    at = shelf.files.contents[name].find(share_of(20) + bytes(8))
    first = shelf.files.contents[name].find(b"\x00" * 16 + share_of(20)) // SLOT_BYTES
    opened = damaged(shelf, name, first * SLOT_BYTES + 43)
    true(at >= 0 and opened.state_at(opened.find(key_of(20)), 0).revoked)
    equal(opened.mend(), 1)
    for again in (opened, shelf.open()):
        equal(Door(again).unlock(20, 100), "uses_spent")
        again.take_reports()
        equal((again.count(), again.slots(), again.take_reports()), (11, 12, []))
        for number in range(10):
            true(again.find(key_of(number)), number)


def hurt(shelf, harm):
    """Damage that makes the count of share 1 unknown."""
    name = [name for name in shelf.buckets() if share_of(1) in shelf.files.contents[name]][0]
    whole = shelf.files.contents[name]
    count = whole.find(bytes(16) + share_of(1)) // SLOT_BYTES
    grant = whole.find(key_of(1)) // SLOT_BYTES
    for slot in {"count": [count], "both": [count, grant]}.get(harm, []):
        at = slot * SLOT_BYTES + 50
        whole = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    shelf.files.contents[name] = whole
    if harm == "bucket":
        shelf.files.broken = (name,)
    if harm == "older":
        shelf.files.contents[name] = shelf.old[name]


def test_what_is_put_back_after_mending_has_no_use_left():
    limited = counted(1, 1, policy.MOST_USES)
    timed = grant_of(1, 1)
    timed.after_first_use_s = 499_999_999
    for made, reason in ((limited, "uses_spent"), (timed, "first_use_over")):
        for harm in ("count", "both", "bucket", "older"):
            shelf = Shelf(buckets=2)
            shelf.cache.put(made)
            owner = grant_of(2, 2)
            owner.level = policy.OWNER
            shelf.cache.put(owner)
            shelf.old = dict(shelf.files.contents)
            shelf.cache.count_use(share_of(1), True, AT)
            shelf.cache.confirm()
            hurt(shelf, harm)
            shelf.open().mend()
            shelf.files.broken = ()
            shelf.open()
            shelf.cache.take_reports()
            for grant in (made, owner):
                equal(shelf.cache.put(grant), True)
            for again in (shelf.cache, shelf.open()):
                equal(Door(again).unlock(1, 100), reason, harm)
                equal(Door(again).unlock(2, 100), "allowed", harm)
            shelf.cache.restored()
            shelf.open().put(counted(3, 3))
            equal(Door(shelf.cache).unlock(3, 100), "allowed", harm)
            equal(Door(shelf.cache).unlock(1, 100), reason, harm)


def test_mending_what_is_well_spends_nothing():
    shelf = Shelf()
    shelf.cache.put(counted(1, 1))
    equal(shelf.cache.mend(), 0)
    shelf.open().put(counted(2, 2))
    for number in (1, 2):
        equal(Door(shelf.cache).unlock(number, 100), "allowed")


def test_groups_of_hints_run_over_and_stale_ones_are_dropped():
    """One index file has 1 312 cells: some groups run over before, and all is made again after."""
    for rounds in (1150, 1500):
        shelf = Shelf(buckets=2, index_files=1, capacity=60)
        for number in range(rounds):
            if number >= 50:
                shelf.cache.revoke(share_of(number - 50), None, 1)
                shelf.cache.forget(share_of(number - 50))
            equal(shelf.cache.put(grant_of(number, number)), True, number)
        for number in range(rounds - 50, rounds):
            true(shelf.open().find(key_of(number)), number)
        equal(shelf.cache.find(key_of(5)), None)
        equal(shelf.cache.take_reports(), [])


def test_keys_cannot_be_aimed_at_a_bucket():
    """Another device's key places the same shares elsewhere."""
    homes = []
    for secret in (bytes(32), b"\x01" * 32):
        store = grants_module.Grants([RamFiles()], RamFiles(), secret, LOCK, BUCKETS * 10, 1, 100)
        homes.append([store._shelves.candidates(share_of(number)) for number in range(50)])
    same = [1 for one, other in zip(homes[0], homes[1]) if one == other]
    true(len(same) < 5, same)
    for first, second in homes[0] + homes[1]:
        true(first != second)
