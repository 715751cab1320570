"""What the tests of the intake share: a lock with all its parts, and the signed statements."""

from binascii import unhexlify

from firmware.access.intake import Intake
from firmware.access.root import Root
from firmware.access.sync import Sync
from firmware.crypto import p256
from firmware.store.grants import Grants
from firmware.store.log import Log
from firmware.store.seal import Seal
from firmware.store.settings import SettingsStore
from firmware.store.strangers import Strangers
from firmware_tests.both.clock_world import World
from firmware_tests.both.store_case import DEVICE_KEY, RamFiles
from firmware_tests.both.vectors import read
from firmware_tests.power.log_case import KEY, NOW, Memory
from host_sim import words


VECTORS = read("statements")
BATCH_RUNS = VECTORS["runs"]
SNAPSHOT_RUNS = read("snapshots")["runs"]
RUNS = BATCH_RUNS + SNAPSHOT_RUNS
LOCK = VECTORS["lock"].encode()


def _key(name):
    key = unhexlify(VECTORS[name])
    return p256.PublicKey(key[:32], key[32:])


ISSUER = _key("issuer")
ISSUER.precompute()
ROOT = _key("root")


def run_named(name):
    """The tokens of a run, with their reasons."""
    for run in RUNS:
        if run["name"] == name:
            return [(unhexlify(step["token"]), step["reason"]) for step in run["steps"]]
    raise ValueError(name)


def name_of(result):
    """The name of a reason, or of the clock's event."""
    return words.name(result)


class House:
    """A lock with all its parts, on files that stay over a boot."""

    def __init__(self, capacity=VECTORS["capacity"], buckets=4):
        self.capacity = capacity
        self.buckets = buckets
        self.shelf = (RamFiles(), RamFiles())
        self.places = (Memory(), Memory())
        self.world = World(with_chip=False)
        self.clock = self.world.clock
        self.clock.ask()
        self.boot()

    def boot(self):
        """Power comes back; returns what `recover` says."""
        self.cache = Grants(
            [self.shelf[0]], self.shelf[1], DEVICE_KEY, LOCK, self.buckets, 1, self.capacity
        )
        self.log = Log(self.places[0], self.places[1], KEY)
        self.log.open(NOW)
        self.settings = SettingsStore(self.places, Seal(KEY))
        self.strangers = Strangers(self.log)
        self.sync = Sync(self.places, Seal(KEY))
        self.intake = Intake(
            LOCK,
            ISSUER,
            self.cache,
            self.sync,
            self.clock,
            self.settings,
            self.log,
            self.strangers,
            Root(ROOT, ISSUER, self.places, Seal(KEY)),
        )
        return self.intake.recover()

    def accept(self, token):
        return name_of(self.intake.accept(token))

    def held(self):
        """The shares of all grants, one digit each."""
        return "".join(sorted([grant.share.decode()[-1] for grant in self.cache.grants()]))

    def contents(self):
        """Everything on flash but the log, as comparable values."""
        shelves = [sorted(files.contents.items()) for files in self.shelf]
        rest = []
        for place in self.places:
            for name in ("sync", "settings", "batch", "issuer"):
                if name in place.files:
                    rest.append((name, bytes(place.files[name])))
        return shelves, rest
