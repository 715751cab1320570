"""What the tests of the grant cache share: files in RAM, grants, and a model in plain dicts.

Runs on every runtime. The model is told everything that the cache is told, and keeps it simply.
"""

from hashlib import sha256

from firmware.policy import grant as policy
from firmware.policy.grant import Grant
from firmware.policy.instant import Instant
from firmware.policy.schedule import Rule
from firmware.store.grants import Grants
from firmware_tests.both.check import equal

LOCK = b"lock-1"
DEVICE_KEY = bytes(range(32))
BUCKETS = 4
CAPACITY = 100
JANUARY_2026 = 20_454  # day number


class RamFiles:
    """The port `firmware.store.files.Files` in RAM; it counts, and `contents` can be damaged."""

    def __init__(self):
        self.contents = {}
        self.writes = self.reads = 0
        self.broken = ()  # names that cannot be read
        self.full = False
        self.left = -1  # writes before the power is cut

    def _check(self, name):
        if name in self.broken:
            raise OSError(84)

    def read(self, name):
        self._check(name)
        return self.contents.get(name)

    def read_into(self, name, offset, buffer):
        self._check(name)
        self.reads += 1
        piece = self.contents.get(name, b"")[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        return len(piece)

    def replace(self, name, data):
        if self.full:
            raise OSError(28)
        if self.left == 0:
            raise OSError(5)
        self.left -= 1
        self.writes += 1
        self.contents[name] = bytes(data)

    def names(self):
        return list(self.contents)

    def remove(self, name):
        self.contents.pop(name, None)


def cache(files, apart, buckets=BUCKETS, index_files=2, capacity=CAPACITY, lock=LOCK):
    return Grants([files], apart, DEVICE_KEY, lock, buckets, index_files, capacity)


def key_of(number):
    """A 16-byte thumbprint."""
    return sha256(b"phone %d" % number).digest()[:16]


def share_of(number):
    return b"share-%d" % number


def grant_of(share, key, version=1, issued=0):
    """A guest's grant; numbers stand for ids."""
    made = Grant(share_of(share), LOCK, key_of(key))
    made.version = version
    made.holder = b"person-%d" % share
    made.issued = Instant(JANUARY_2026, issued)
    return made


def full_grant(share=1, key=1, rules=8):
    """One with everything in it, at the limits."""
    made = Grant(b"share-%010d" % share, LOCK, key_of(key), policy.ADMIN, policy.ALL_RIGHTS)
    made.version = policy.MOST_VERSION
    made.holder = b"h" * 32
    made.channels = policy.REMOTE
    made.issued = Instant(policy.LAST_DAY, 86_399)
    made.start = Instant(policy.FIRST_DAY, 0)
    made.until = Instant(policy.LAST_DAY, 1)
    made.lease = Instant(70_000, 65_536)
    made.rules = [full_rule(number) for number in range(rules)]
    made.uses = policy.MOST_USES
    made.after_first_use_s = 499_999_999
    made.duress = True
    made.parent = b"parent-%09d" % share
    return made


def full_rule(number):
    return Rule(
        127 - number,
        86_399 - number,
        86_400 if number % 3 else 1,
        number % 2 == 0,
        number % 4 < 2,
        policy.FIRST_DAY + number if number != 5 else None,
        policy.LAST_DAY - number if number != 6 else None,
    )


def said(grant):
    """All that a grant says, as text; None for none."""
    if grant is None:
        return None
    parts = [str(getattr(grant, term)) for term in policy.TERMS]
    parts += [str(grant.issued), str(grant.lease)]
    return " ".join(parts + [str(rule.fields()) for rule in grant.rules])


class Model:
    """The same in plain dicts: what a cache must answer, however often its power is cut."""

    def __init__(self):
        self.grants = {}  # key: (share, text of the grant, version, counted)
        self.floors = {}  # share: version
        self.revoked = {}
        self.withdrawn = {}  # (share, key): version
        self.uses = {}
        self.first_use = {}

    def copy(self):
        other = Model()
        for name in ("grants", "floors", "revoked", "withdrawn", "uses", "first_use"):
            getattr(other, name).update(getattr(self, name))
        return other

    def floor(self, share, key):
        """The lowest version accepted; 1 is as good as none."""
        lowest = self.floors.get(share, 0)
        if (share, key) in self.withdrawn:
            lowest = max(lowest, self.withdrawn[share, key] + 1)
        return max(lowest, 1)

    def admits(self, grant):
        lowest = self.floor(grant.share, grant.key)
        return grant.share not in self.revoked and grant.version >= lowest

    def put(self, grant):
        counted = grant.uses is not None or grant.after_first_use_s is not None
        self.grants[grant.key] = (grant.share, said(grant), grant.version, counted)
        self.floors[grant.share] = max(self.floors.get(grant.share, 0), grant.version)
        self.withdrawn.pop((grant.share, grant.key), None)
        if counted:
            self.uses.setdefault(grant.share, 0)
            self.first_use.setdefault(grant.share, None)

    def revoke(self, share, key, version):
        if key is None:
            self.revoked[share] = True
            self.floors[share] = max(self.floors.get(share, 0), version)
            for held in [held for held in self.grants if self.grants[held][0] == share]:
                del self.grants[held]
            for pair in [pair for pair in self.withdrawn if pair[0] == share]:
                del self.withdrawn[pair]
            return
        if share in self.revoked:
            return
        held = self.grants.get(key)
        if held is not None and held[0] == share:
            if held[2] > version:
                return
            del self.grants[key]
        self.withdrawn[share, key] = max(version, self.withdrawn.get((share, key), 0))
        self.floors[share] = max(self.floors.get(share, 0), version)

    def confirm(self):
        """Changes nothing that anybody sees."""

    def count_use(self, share, used, first_use):
        if not [held for held in self.grants.values() if held[0] == share and held[3]]:
            return None  # nobody counts the uses of such a share
        self.uses[share] += int(used)
        if first_use is not None and self.first_use[share] is None:
            self.first_use[share] = str(first_use)
        return True


def apply(store, change):
    """Make a change, a method's name and its arguments, in a cache or in the model."""
    return getattr(store, change[0])(*change[1:])


def random_change(random, number):
    """A change to `apply`, number `number`, about 6 shares and 8 keys."""
    kind = random.below(10)
    share, key, version = random.below(6), random.below(8), 1 + random.below(3)
    if kind < 6:
        made = grant_of(share, key, version, number)
        if random.below(3) == 0:
            made.uses = 1 + random.below(5)
        if random.below(4) == 0:
            made.rules = [full_rule(rule) for rule in range(random.below(9))]
        return "put", made
    if kind < 8:
        of_key = key_of(key) if kind == 6 or random.below(3) else None
        return "revoke", share_of(share), of_key, version
    first_use = Instant(20_000 + number, 5) if random.below(2) else None
    return "count_use", share_of(share), kind == 8, first_use


def is_admitted(model, change):
    """Whether a cache like the model can make a change."""
    if change[0] == "put":
        return model.admits(change[1])
    return change[0] != "count_use" or apply(model.copy(), change) is True


def check_same(store, model, keys, shares):
    """The cache answers as the model does, about these keys and shares and altogether."""
    for key in keys:
        held = model.grants.get(key)
        found = store.find(key)
        equal(said(found), held and held[1], str(key))
        if found is not None:
            state = store.state_at(found, 0)
            equal((state.revoked, max(state.floor, 1)), (False, model.floors[held[0]]), str(key))
            if held[3]:
                uses = (state.uses, state.first_use and str(state.first_use))
                equal(uses, (model.uses[held[0]], model.first_use[held[0]]), str(held[0]))
    for share in shares:
        state = store.state(share)
        equal(state.revoked, share in model.revoked, str(share))
        equal(max(state.floor, 1), model.floor(share, None), str(share))
        for key in keys:
            if share not in model.revoked:
                equal(max(store.state(share, key).floor, 1), model.floor(share, key), (share, key))
        held = [held for held in model.grants.values() if held[0] == share]
        best = store.holding(share)
        versions = sorted([entry[2] for entry in held])
        equal(best and best.version, versions[-1] if versions else None, str(share))
    listed = sorted([said(grant) for grant in store.grants()])
    equal(listed, sorted([held[1] for held in model.grants.values()]))
    equal(store.count(), len(model.grants))
    equal(store.take_reports(), [])
