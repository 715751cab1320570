"""Batches on a lock with hardly any room: whole, or refused before anything is written."""

from firmware.access import claims, statements
from firmware.access.batch import Batch
from firmware.crypto import cbor, cwt
from firmware.policy.grant import OWNER
from firmware.store.bucket import SLOTS
from firmware.store.record import SLOT_BYTES
from firmware.store.shelves import FOR_REVOCATIONS
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from firmware_tests.both.statement_case import LOCK, House
from firmware_tests.both.store_case import grant_of, key_of, said, share_of
from host_sim import words

AT_S = 1_780_000_000  # later than what `grant_of` makes
LARGE = 1000  # of a cache: then only its buckets are full


class Crowded(House):
    """A lock that takes changes whose signature somebody else has verified."""

    def __init__(self, buckets=2, capacity=LARGE):
        super().__init__(capacity, buckets)
        self.next = 1

    def fill(self, left, buckets=None):
        """Guests until each of these buckets has room for `left` more; their numbers."""
        shelves = self.cache._shelves
        among = set(buckets or range(self.buckets))
        placed = []
        for number in range(100, 2000):
            share = share_of(number)
            home = shelves.home_of(share)
            if set(shelves.candidates(share)) <= among and self.room_in(home) > left:
                equal(self.cache.put(grant_of(number, number)), True)
                placed.append(number)
        equal([self.room_in(bucket) for bucket in among], [left] * len(among))
        return placed

    def room_in(self, bucket):
        return SLOTS - 2 - self.cache._shelves.slots_in[bucket]

    def take(self, *changes):
        """The name of the reason for a batch of these, which is refused as a whole or taken."""
        numbered = []
        for place, (typ, claim) in enumerate(changes):
            claim[claims.TERMS][claims.SEQUENCE] = self.next + place
            numbered.append([typ, cbor.encode(claim)])
        terms = {0: self.next, 1: self.next + len(changes), 2: numbered}
        payload = cbor.encode({cwt.AUD: LOCK.decode(), cwt.IAT: AT_S, claims.TERMS: terms})
        before = (self.cache.digest(), self.sync.applied, self.contents())
        try:
            reason = self.intake._take(payload, statements.BATCH, payload)
        except claims.ClaimsError as error:
            reason = error.reason
        if reason:
            equal((self.cache.digest(), self.sync.applied, self.contents()), before)
            equal(self.sync.journal(), None)
        else:
            equal(self.sync.applied, terms[1])
            for grant in Batch(payload).grants():
                equal(said(self.cache.find(grant.key)), said(grant))
            self.next = terms[1] + 1
        return words.name(reason)


def granted(share, key, version=1, rules=0, **more):
    """A grant as a change of a batch; eight rules with dates take a second slot."""
    terms = {
        claims.VERSION: version,
        claims.LEVEL: more.get("level", 0),
        claims.RIGHTS: 7,
        claims.CHANNELS: 3,
    }
    if rules:
        terms[claims.RULES] = [[0, 31, n, 86_400, 18_262, 18_627] for n in range(rules)]
    if "uses" in more:
        terms[claims.USES] = more["uses"]
    said = {cwt.SUB: "someone", cwt.CTI: share_of(share), cwt.CNF: {3: key_of(key)}}
    if "issued_s" in more:
        said[cwt.IAT] = more["issued_s"]
    said[claims.TERMS] = terms
    return statements.GRANT, said


def revoked(share, key=None, version=1):
    terms = {statements.VERSION: version}
    if key is not None:
        terms[statements.KEY] = key_of(key)
    return statements.REVOCATION, {cwt.CTI: share_of(share), claims.TERMS: terms}


def test_it_fits_to_the_last_slot_of_each_bucket_and_not_beyond():
    for left in (0, 1, 3):
        house = Crowded()
        house.fill(left)
        room = [granted(number, number) for number in range(2 * left)]
        equal(house.take(*room, granted(99, 99)), "cache_full")
        equal(house.take(*room), "allowed")
        equal(house.cache._shelves.slots_in, bytearray([SLOTS - 2] * 2))
        equal(house.take(granted(99, 99)), "cache_full")
        equal(house.take(granted(99, 99, level=OWNER)), "allowed")


def test_one_full_bucket_among_many_refuses_it():
    house = Crowded(buckets=6)
    house.cache.count()
    house.fill(0, (0, 1))
    shelves = house.cache._shelves
    numbers = [n for n in range(200) if set(shelves.candidates(share_of(n))) == {0, 1}]
    others = [n for n in range(40) if not set(shelves.candidates(share_of(n))) & {0, 1}]
    fine = [granted(number, number) for number in others[:4]]
    for place in range(5):
        changes = fine[:place] + [granted(numbers[0], numbers[0])] + fine[place:]
        equal(house.take(*changes), "cache_full")
    equal(house.take(*fine), "allowed")


def test_second_slots_and_counts_are_counted():
    for change, slots in (
        (granted(1, 1, rules=8), 2),
        (granted(1, 1, uses=3), 2),
        (granted(1, 1, rules=8, uses=3), 3),
    ):
        for left in (slots - 1, slots):
            house = Crowded()
            house.fill(left)
            equal(house.take(change), "allowed" if left == slots else "cache_full")


def test_phones_of_one_new_share_go_to_one_bucket():
    phones = [granted(1, key, uses=9) for key in range(4)]  # and one slot for the count
    house = Crowded()
    house.fill(4)
    equal(house.take(*phones), "cache_full")
    house = Crowded()
    house.fill(5)
    equal(house.take(*phones), "allowed")
    equal(house.take(*[granted(2, 10 + key) for key in range(6)]), "cache_full")


def test_a_replacement_needs_only_what_it_has_not():
    house = Crowded()
    placed = house.fill(0)[:3]
    same = [granted(number, number, 2) for number in placed]
    equal(house.take(*same), "allowed")
    grown = [granted(number, number, 3, rules=8) for number in placed]
    equal(house.take(*grown), "cache_full")
    equal(house.take(granted(placed[0], placed[0], 3)), "allowed")
    ended = revoked(placed[1], placed[1], 2)
    equal(house.take(ended, granted(placed[1], placed[1], 3, rules=8)), "cache_full")
    equal(house.take(ended, granted(placed[1], placed[1], 3)), "allowed")


def test_a_revoked_share_leaves_room_only_once_it_is_forgotten():
    """Until the end of the batch, a slot says that it is over."""
    house = Crowded()
    first, second = house.fill(0)[:2]
    equal(house.take(revoked(first), granted(1, 1), granted(2, 2)), "cache_full")
    equal(house.take(revoked(first), revoked(second, second)), "allowed")
    true(house.take(granted(1, 1)) == "allowed" or house.take(granted(2, 2)) == "allowed")


def test_a_revoked_share_with_several_slots_leaves_the_others():
    house = Crowded()
    for key in range(4):
        house.cache.put(grant_of(1, key))
    house.fill(0)
    shelves = house.cache._shelves
    shelves.find_share(share_of(1))
    home = shelves.bucket.number
    there = [n for n in range(2, 60) if set(shelves.candidates(share_of(n))) >= {home}]
    # One of two is revoked by its key before: that slot is freed once.
    ends = (revoked(1, 0), revoked(1, 0), revoked(1))
    equal(house.take(*ends, *[granted(n, n) for n in there[:4]]), "cache_full")
    equal(house.take(*ends, *[granted(n, n) for n in there[:3]]), "allowed")


def test_a_key_on_its_way_between_shares_is_counted_where_it_may_be():
    """The slot that it leaves may be taken by the floor of its old share: not counted on."""
    house = Crowded()
    placed = house.fill(0)
    equal(house.take(granted(1, placed[0])), "cache_full")
    house = Crowded()
    placed = house.fill(1)
    moved = granted(1, placed[0])
    equal(house.take(moved, granted(2, 2), granted(3, 3)), "cache_full")
    equal(house.take(moved), "allowed")
    equal(house.take(granted(4, 4)), "allowed")


def test_a_key_that_its_old_share_loses_in_the_same_batch():
    """It was issued for the new share earlier than for the old one, which is over by then."""
    house = Crowded()
    house.cache.put(grant_of(1, 1))
    house.fill(0)
    moved = granted(2, 1, issued_s=1_607_947_200)
    equal(house.take(revoked(1), moved), "cache_full")
    house = Crowded()
    house.cache.put(grant_of(1, 1))
    house.fill(1)
    equal(house.take(revoked(1), moved), "allowed")


def test_the_cache_as_a_whole_may_be_full():
    house = Crowded(buckets=6, capacity=20)
    fine = [granted(number, number) for number in range(20)]
    equal(house.take(*fine, granted(30, 30)), "cache_full")
    equal(house.take(*fine), "allowed")
    equal(house.take(revoked(3), granted(30, 30)), "cache_full")
    equal(house.take(granted(30, 30, level=OWNER)), "allowed")


def test_random_batches_that_are_taken_are_taken_whole():
    """`take` looks at every grant after a batch, and at everything after a refusal."""
    random = soak.Random(soak.seed())
    outcomes = {}
    for _ in range(soak.count(300, 6)):
        house = Crowded(buckets=3)
        house.fill(random.below(4))
        version = 1
        for _ in range(12):
            version += 1
            changes = []
            shares = [random.below(130) for _ in range(1 + random.below(6))]
            for share in shares:
                if random.below(3) == 0:
                    changes.append(revoked(share, random.below(130), version))
                key = random.below(130)
                more = {"issued_s": AT_S + version}
                if random.below(4) == 0:
                    more["uses"] = 5
                if random.below(2):
                    changes.append(granted(share, key, version, 8 * random.below(2), **more))
            reason = house.take(*changes)
            outcomes[reason] = outcomes.get(reason, 0) + 1
    print(outcomes)
    true(outcomes["allowed"] > 5 and outcomes["cache_full"] > 5, outcomes)


def test_what_cannot_be_read_refuses_it():
    house = Crowded()
    placed = house.fill(4)
    files = house.shelf[0]
    name = "g000"
    whole = files.contents[name]
    files.contents[name] = whole[: 2 * SLOT_BYTES + 70] + b"\x55" + whole[2 * SLOT_BYTES + 71 :]
    house.boot()
    lost = [number for number in placed if house.cache.find(key_of(number)) is None]
    equal(len(lost), 1)
    kept = [n for n in placed if house.cache.find(key_of(n)) is not None][:2]
    renewed = granted(kept[0], kept[0], 2)
    for change in (granted(1, 1), revoked(lost[0]), revoked(1), granted(lost[0], lost[0])):
        equal(house.take(renewed, change), "cache_damaged")
    equal(house.take(renewed, revoked(kept[1])), "allowed")
    files.contents[name] = whole
    files.broken = (name,)
    house.boot()
    equal(house.take(granted(1, 1)), "cache_damaged")


# --- loose revocations ---------------------------------------------------------------------------


def revoke(house, sequence, share, key=None):
    _, claim = revoked(share, key)
    claim[cwt.AUD] = LOCK.decode()
    claim[cwt.IAT] = AT_S
    claim[claims.TERMS][claims.SEQUENCE] = sequence
    change = statements.Revocation(cbor.encode(claim))
    return words.name(house.intake._revoke(change))


def test_a_revocation_that_finds_no_room_is_not_remembered():
    house = Crowded(capacity=10)
    for number in range(10):
        house.cache.put(grant_of(number, number))
    for number in range(FOR_REVOCATIONS):
        equal(house.cache.revoke(share_of(50 + number), None, 1), True)
    before = house.contents()
    equal(revoke(house, 7, 200), "cache_full")
    equal(revoke(house, 7, 1, 200), "cache_full")
    equal((house.contents(), house.sync.remembered), (before, []))
    equal(revoke(house, 7, 1), "allowed")  # in the place of its grant
    equal([each.sequence for each in house.sync.remembered], [7])


def test_the_revocation_of_one_of_two_phones_is_forgotten_alone():
    house = Crowded()
    house.cache.put(grant_of(1, 1))
    house.cache.put(grant_of(1, 2))
    house.cache.put(grant_of(1, 3))
    equal(revoke(house, 2, 1, 1), "allowed")
    equal(revoke(house, 9, 1, 3), "allowed")
    equal(house.cache.slots(), 3)
    for last, slots in ((8, 2), (20, 1)):
        house.next = house.sync.applied + 1
        while house.sync.applied < last:
            equal(house.take(), "allowed")
        equal(house.cache.slots(), slots)
        true(house.cache.find(key_of(2)))
        equal(house.cache.find(key_of(1)), None)
    equal(house.sync.remembered, [])


def test_a_phone_that_was_superseded_stays_so_when_a_revocation_is_forgotten():
    house = Crowded()
    house.cache.put(grant_of(1, 1))
    house.cache.put(grant_of(1, 2, 5))
    house.cache.revoke(share_of(1), key_of(2), 5)
    old = house.cache.find(key_of(1))
    equal(house.cache.state_at(old, 0).floor, 5)
    equal(house.cache.forget(share_of(1), key_of(2)), True)
    equal(house.cache.forget(share_of(1), key_of(2)), False)
    old = house.cache.find(key_of(1))
    true(house.cache.state_at(old, 0).floor > old.version)
