"""The way through the door: its order, what is counted and entered, and who is shut out."""

from firmware.access.door import Door
from firmware.access.lockout import FIRST_S, FREE_DENIALS, LONGEST_S, MOST_KEYS, Lockouts
from firmware.clock.clock import Clock
from firmware.clock.ticks import Ticks
from firmware.policy import reasons
from firmware.policy.decision import Request
from firmware.policy.grant import ADMIN, GUEST, LOCAL, LOCK, MANAGE, OWNER, REMOTE, UNLOCK, Grant
from firmware.policy.schedule import Rule
from firmware.policy.zone import Zone
from firmware.store import entry
from firmware.store.log import Log
from firmware.store.strangers import Strangers
from firmware_tests.both.check import equal, true
from firmware_tests.both.clock_world import START_S, World
from firmware_tests.both.store_case import LOCK as LOCK_ID
from firmware_tests.both.store_case import RamFiles, cache, key_of
from firmware_tests.power.log_case import KEY, Memory, entries


class Journal(RamFiles):
    """Files that write down when they are written."""

    def __init__(self, happened):
        super().__init__()
        self._happened = happened

    def replace(self, name, data):
        super().replace(name, data)
        self._happened.append("flash")


class Bolt:
    """A bolt that writes down when it is moved, and what the log had by then."""

    def __init__(self, house):
        self._house = house

    def act(self, action):
        self._house.happened.append("bolt %d" % action)
        self._house.entered = self._house.log.sequence


class House:
    """A lock with one grant, in a world whose time is known."""

    def __init__(self, known=True, **terms):
        self.happened = []
        self.entered = 0
        self.files = Journal(self.happened)
        self.world = World(with_chip=False)
        ticks = Ticks(self.world.ticks_ms, self.world.ticks_diff)
        self.clock = Clock(ticks, self.world.random, self.world.floor)
        self.clock.start()
        if known:
            self.clock.answered(self.world.instant(), self.clock.ask())
        self.log = Log(Memory(), Memory(), KEY)
        self.log.open(self.world.now)
        self.grants = cache(self.files, RamFiles())
        self.grant(1, **terms)
        self.door = Door(
            self.grants,
            self.log,
            Strangers(self.log),
            self.clock,
            ticks,
            Zone("UTC0"),
            Bolt(self),
        )
        self.happened.clear()

    def grant(self, number, level=GUEST, **terms):
        grant = Grant(b"share-%d" % number, LOCK_ID, key_of(number), level)
        for name, value in terms.items():
            setattr(grant, name, value)
        grant.issued = self.world.instant()
        true(self.grants.put(grant))

    def ask(self, number=1, action=UNLOCK, channel=LOCAL, proven=True):
        return self.door.ask(Request(key_of(number), action, channel, proven))

    def wait(self, seconds):
        self.world.wait(seconds * 1000)

    def decisions(self):
        self.door.tick()
        return [e for e in entries(self.log) if e.kind == entry.DECISION]


def test_what_counts_is_on_flash_before_the_bolt_moves_and_entered_before_as_well():
    house = House(uses=2)
    before = house.log.sequence
    equal(house.ask(), reasons.ALLOWED)
    equal(house.happened[-1], "bolt %d" % UNLOCK)
    true("flash" in house.happened[:-1], house.happened)
    equal(house.entered, before + 1)


def test_without_a_limit_nothing_is_written_before_the_bolt_moves():
    house = House()
    equal(house.ask(), reasons.ALLOWED)
    equal(house.happened, ["bolt %d" % UNLOCK])


def test_a_denial_moves_nothing_and_counts_nothing():
    house = House(uses=2, rights=LOCK)
    equal(house.ask(), reasons.NO_RIGHT)
    equal(house.happened, [])
    equal(house.ask(action=LOCK), reasons.ALLOWED)
    equal(house.happened, ["bolt %d" % LOCK])


def test_a_use_that_cannot_be_written_opens_nothing():
    house = House(uses=2)
    house.files.full = True
    equal(house.ask(), reasons.NOT_COUNTED)
    equal(house.happened, [])
    equal(house.door.decision.allowed, False)
    house.files.full = False
    equal(house.ask(), reasons.ALLOWED)


def test_uses_run_out_and_survive_a_reboot():
    house = House(uses=1)
    equal(house.ask(), reasons.ALLOWED)
    equal(house.ask(), reasons.ALLOWED, "a repeat within half a minute")
    house.wait(31)
    equal(house.ask(), reasons.USES_SPENT)
    again = cache(house.files, RamFiles())
    equal(again.state(b"share-1").uses, 1)


def test_each_decision_is_entered_with_its_reason_share_and_key():
    house = House(rights=LOCK)
    house.ask()
    house.ask(action=LOCK)
    first, second = house.decisions()
    equal((first.reason, first.action), (reasons.NO_RIGHT, UNLOCK | LOCAL << 6))
    equal((second.reason, second.action), (reasons.ALLOWED, LOCK | LOCAL << 6))
    equal(first.share[:7], b"share-1")
    equal(first.subject, key_of(1)[:8])


def test_the_time_of_what_is_entered_has_passed_for_good():
    house = House()
    house.wait(300)
    house.door.tick()
    equal(house.world.floor.unix, START_S, "nothing was entered")
    house.ask()
    house.door.tick()
    true(START_S + 298 <= house.world.floor.unix <= START_S + 300)


def test_strangers_are_one_entry_a_minute_and_shut_nobody_out():
    house = House()
    for _ in range(50):
        equal(house.ask(number=9), reasons.UNKNOWN_SHARE)
        equal(house.ask(proven=False), reasons.KEY_UNPROVEN)
    house.wait(61)
    house.door.tick()
    equal(house.decisions(), [])
    strangers = [e for e in entries(house.log) if e.kind == entry.STRANGERS]
    equal([(e.count, e.reason) for e in strangers], [(100, reasons.KEY_UNPROVEN)])
    equal(house.ask(), reasons.ALLOWED)


def test_a_key_is_shut_out_longer_each_time_and_nobody_else_is():
    house = House(rules=[Rule(127, 0, 60)])
    house.grant(2)
    for _ in range(FREE_DENIALS + 1):
        equal(house.ask(), reasons.OUTSIDE_RULES)
    equal(house.ask(), reasons.LOCKED_OUT)
    equal(house.ask(number=2), reasons.ALLOWED)
    house.wait(FIRST_S - 1)
    equal(house.ask(), reasons.LOCKED_OUT, "being shut out does not prolong it")
    house.wait(1)
    equal(house.ask(), reasons.OUTSIDE_RULES)
    house.wait(FIRST_S)
    equal(house.ask(), reasons.LOCKED_OUT, "twice as long")
    house.wait(FIRST_S)
    equal(house.ask(), reasons.OUTSIDE_RULES)


def test_owners_are_never_shut_out():
    house = House(level=OWNER, rights=LOCK | MANAGE)
    for _ in range(4 * FREE_DENIALS):
        equal(house.ask(), reasons.NO_RIGHT)
    equal(house.ask(action=LOCK), reasons.ALLOWED)


def test_what_the_clock_lacks_shuts_nobody_out():
    house = House(known=False, rules=[Rule()])
    for _ in range(4 * FREE_DENIALS):
        equal(house.ask(), reasons.CLOCK_UNKNOWN)


def test_lockouts_are_forgotten_when_something_is_allowed():
    shut = Lockouts()
    for _ in range(FREE_DENIALS):
        shut.denied(b"a", 0)
    equal(shut.left_s(b"a", 0), 0)
    shut.allowed(b"a")
    for _ in range(FREE_DENIALS):
        shut.denied(b"a", 0)
    equal(shut.left_s(b"a", 0), 0)
    shut.denied(b"a", 100)
    equal(shut.left_s(b"a", 100), FIRST_S)
    equal(shut.left_s(b"b", 100), 0)


def test_lockouts_grow_to_an_hour():
    shut = Lockouts()
    lengths = []
    for number in range(FREE_DENIALS + 12):
        shut.denied(b"a", number * 10_000)
        lengths.append(shut.left_s(b"a", number * 10_000))
    equal(lengths[FREE_DENIALS:], [min(LONGEST_S, FIRST_S << n) for n in range(12)])


def test_many_keys_do_not_free_the_one_that_is_shut_out_longest():
    shut = Lockouts()
    for _ in range(FREE_DENIALS + 5):
        shut.denied(b"a", 0)
    for number in range(10 * MOST_KEYS):
        shut.denied(b"key %d" % number, 1)
    true(shut.left_s(b"a", 1) > 0)


def test_a_channel_that_is_closed_is_a_denial_like_others():
    house = House(channels=LOCAL, level=ADMIN)
    equal(house.ask(channel=REMOTE), reasons.CHANNEL_CLOSED)
    equal(house.happened, [])
    equal([e.action for e in house.decisions()], [UNLOCK | REMOTE << 6])
