"""A whole lock on a mounted flash, with all that it keeps, provisioned and booted."""

from firmware.access.door import Door
from firmware.access.intake import Intake
from firmware.access.root import Root
from firmware.access.sync import Sync
from firmware.clock.clock import Clock
from firmware.clock.ticks import Ticks
from firmware.policy.decision import Request
from firmware.policy.grant import LOCAL, UNLOCK
from firmware.store import damage
from firmware.store.files import Files, settle
from firmware.store.floor import Floor
from firmware.store.grants import Grants
from firmware.store.log import Log
from firmware.store.seal import Seal
from firmware.store.settings import SettingsStore
from firmware.store.strangers import Strangers
from firmware_tests.both.statement_case import ISSUER, LOCK, ROOT, name_of
from firmware_tests.both.store_case import DEVICE_KEY, said
from host_sim.world.flash import MOUNT
from firmware_tests.power.log_case import KEY, NOW

FOLDERS = ("/g0", "/g1", "/state", "/more", "/log")
CAPACITY = 40
RING = 128
SHARES = [b"share-%d" % number for number in range(10)]


def provision(settled=True):
    """Make the folders, and settle them; it may be done again after a cut."""
    made = [Files(MOUNT + name) for name in FOLDERS] + [Files(MOUNT)]
    if settled:
        for folder in made:
            settle(folder)


class Bolt:
    """Counts how often it was moved."""

    def __init__(self):
        self.moves = 0

    def act(self, action):
        self.moves += 1


class Lock:
    """Boots when it is made: `opened` is what the log says about the stop before, `finished` what
    became of a batch that was begun. `chip` is its clock chip; the seconds stand still."""

    def __init__(self, issuer=ISSUER, lock=LOCK, key=DEVICE_KEY, chip=None):
        grants = [Files(MOUNT + name) for name in FOLDERS[:2]]
        state, more, log = [Files(MOUNT + name) for name in FOLDERS[2:]]
        seal = Seal(key)
        self.log = Log(log, state, KEY, RING)
        self.opened = self.log.open(NOW)
        self.second = 0
        ticks = Ticks(lambda: self.second * 1000, lambda late, early: late - early)
        self.floor = Floor((state, more), seal)
        self._nonces = 0
        self.clock = Clock(ticks, self._random, self.floor, chip)
        self.clock.start()
        self.nonce = self.clock.ask()
        self.settings = SettingsStore((state, more), seal)
        self.clock.limit(self.settings.current.most_error_s)
        self.cache = Grants(grants, state, key, lock, 4, 1, CAPACITY)
        self.cache.mode = self.settings.current.mode
        self.sync = Sync((state, more), seal)
        self.root = Root(ROOT, issuer, (state, more), seal)
        damage.enter(self.log, NOW, self.settings, self.floor, self.sync, self.root)
        self.strangers = Strangers(self.log)
        self.intake = Intake(
            lock,
            issuer,
            self.cache,
            self.sync,
            self.clock,
            self.settings,
            self.log,
            self.strangers,
            self.root,
        )
        self.finished = self.intake.recover()
        self.bolt = Bolt()
        zone = self.settings.current.clock_zone()
        self.door = Door(self.cache, self.log, self.strangers, self.clock, ticks, zone, self.bolt)
        self.log.flush()

    def _random(self, count):
        self._nonces += 1
        return b"%016d" % self._nonces

    def accept(self, token):
        """The name of the reason; what was entered is on flash."""
        reason = name_of(self.intake.accept(token))
        self.log.flush()
        return reason

    def unlock(self, key):
        """The reason of the door for a proven key."""
        return self.door.ask(Request(key, UNLOCK, LOCAL, True))

    def keeps(self):
        """All that a statement may change, but for the clock's floor and the log's entries."""
        shares = []
        for share in SHARES:
            state = self.cache.state(share)
            shares.append((state.revoked, state.floor, state.uses, str(state.first_use)))
        remembered = [(each.sequence, each.share, each.key) for each in self.sync.remembered]
        kept = self.settings.current
        issuer = self.root.issuer
        return (
            sorted([said(grant) + str(grant.key) for grant in self.cache.grants()]),
            shares,
            self.sync.applied,
            sorted(remembered),
            (kept.version, kept.zone, str(kept.next_from), kept.mode),
            self.log.acknowledged,
            (self.root.epoch, issuer and issuer.x),
        )
