"""Whatever raises: it is named, entered and got over, and meanwhile the door goes on.

Each part of a lock breaks in turn. The button inside has to open within seconds and a phone's
request at once; what main.py does with an exception that ends the program is done here, too.
"""

from firmware import tasks
from firmware.policy import reasons
from firmware.policy.grant import LOCK as LOCK_IT
from firmware.store import entry
from firmware_tests.both.board_case import GRANTS
from firmware_tests.both.check import equal, true
from firmware_tests.both.statement_case import run_named
from firmware_tests.both.visit_case import scalar_of
from firmware_tests.both.whole_case import Whole
from firmware_tests.power.log_case import entries
from host_sim.world.door import Door

LACKS = ("cryptolib",)

ENDS = "the program"  # what begins anew, in place of a task that is tried again
OPENS_WITHIN_S = 4
GONE = -1


class Broken(Exception):
    """What no part of a lock expects."""


# What breaks, from the board; its method; and who is named.
PARTS = (
    ("lock.clock", "tick", "clock"),
    ("lock.log", "flush", "door"),
    ("lock.log", "open", None),
    ("lock.log", "append", "note"),
    ("lock.strangers", "tick", "door"),
    ("lock.grants", "take_reports", "door"),
    ("lock.grants", "confirm", "door"),
    ("lock.remote", "tick", "remote"),
    ("lock._inbox", "work", "inbox"),
    ("lock.doorway", "tick", ENDS),
    ("lock.doorway._bolt", "tick", ENDS),
    ("lock._signal", "tick", ENDS),
    ("clerk", "tick", "clerk"),
    ("clerk", "work", "cloud"),
    ("post", "receive", "cloud"),
    ("gatt", "tick", "phones"),
    ("gatt", "work", "gatt"),
    ("visits", "tick", "phones"),
    ("visits", "work", "gatt"),
    ("radio", "deliver", "gatt"),
    ("hardware.calendar", "datetime", "calendar"),
    ("hardware.watchdog", "begin", ENDS),
    ("hardware.watchdog", "feed", ENDS),
)
# The same for errors of devices: the flash, the chip of the clock.
DEVICES = (
    ("lock.log", "flush", "door"),
    ("flash.statements", "names", "inbox"),
    ("flash.log", "append", "door"),
    ("flash.state", "replace", None),
    ("hardware.bus", "readfrom_mem_into", None),
    ("radio", "deliver", "gatt"),
)


class House(Whole):
    """A bolt that is locked, a phone with a grant, and main.py around the program."""

    def __init__(self):
        from cryptolib import aes

        self.door = Door("motor", "ends", x=0.0)
        self.ends = []
        super().__init__(door=self.door, aes=aes)
        self.lock.accept(GRANTS["an admin"])
        self.set_time()
        self.live(2)

    def live(self, seconds):
        end_ms = self.hardware.ms + seconds * 1000
        while self.hardware.ms < end_ms:
            try:
                left_ms = self.lock.step()
            except Exception as error:  # as main.py
                self.ends.append(repr(error))
                self.boot()
                left_ms = 0
            self.hardware.ms += left_ms or 1

    def part(self, path):
        found = self
        for name in path.split("."):
            found = getattr(found, name)
        return found

    def breaks(self, path, method, error, times=GONE):
        """Let a method raise from now on, or so often; returns what mends it."""
        part = self.part(path)
        good = getattr(part, method)
        left = [times]

        def bad(*arguments, **named):
            if not left[0]:
                return good(*arguments, **named)
            left[0] -= 1
            raise error

        def mend():
            setattr(part, method, good)

        setattr(part, method, bad)
        return mend

    def goes_on(self, note):
        """The button inside opens, and so does a phone."""
        self.door.push(100)
        self.live(OPENS_WITHIN_S)
        true(self.door.x > 0.9, (note, "the button", self.door.x))
        for action, x in ((LOCK_IT, 0.0), (1, 1.0), (LOCK_IT, 0.0)):
            equal(self.ask(action), reasons.ALLOWED, note)
            self.live(OPENS_WITHIN_S)
            true(abs(self.door.x - x) < 0.1, (note, action, self.door.x))

    def failed(self):
        """The tasks that the log says failed."""
        self.lock.door.tick()
        found = [
            e for e in entries(self.lock.log) if (e.kind, e.reason) == (entry.BOOT, entry.FAILED)
        ]
        return [bytes(e.subject).rstrip(b"\x00").decode() for e in found]


def told(house):
    """The tasks that somebody at the prompt was told of."""
    return [line.split(":")[0] for line in house.said]


def test_a_fault_in_any_part_is_named_entered_and_got_over():
    for path, method, name in PARTS:
        house = House()
        note = path + "." + method
        house.breaks(path, method, Broken(note), 2)
        house.live(5)
        house.goes_on(note)
        if name is None:
            equal((house.said, house.ends), ([], []), note)
        elif name == ENDS:
            equal(house.said, [], note)
            true(house.ends and note in house.ends[0], (note, house.ends))
        else:
            house.live(2 * tasks.REST_S)
            entered = [] if method == "append" else [name]
            equal((told(house), house.failed(), house.ends), ([name], entered, []), note)
            true(note in house.said[0], house.said)


def test_a_fault_that_stays_begins_the_program_anew_and_the_door_goes_on():
    for path, method, name in PARTS:
        if name in (None, ENDS, "note") or path.startswith("hardware"):
            continue
        house = House()
        note = path + "." + method
        house.breaks(path, method, Broken(note))
        house.live(1)
        house.goes_on(note)
        house.live(tasks.MOST_FAULTS * tasks.REST_S)
        equal((told(house), len(house.ends)), ([name], 1), note)
        boots = [reason for reason, _ in house.log(entry.BOOT)]
        if method != "flush":
            equal(boots, [entry.FIRST, entry.FAILED, entry.UNCLEAN], note)
        house.goes_on(note)


def test_a_device_that_is_lost_is_tried_again_and_the_door_goes_on():
    for path, method, name in DEVICES:
        house = House()
        note = path + "." + method
        mend = house.breaks(path, method, OSError(19))
        house.live(10)
        house.goes_on(note)
        house.live(60)
        equal((told(house), house.ends), ([] if name is None else [name], []), note)
        mend()
        house.live(10)
        house.goes_on(note)
        equal(house.failed(), [] if name is None else [name], note)


def test_a_fault_with_a_phones_words_ends_no_more_than_its_visit():
    house = House()
    wallet = house.wallet(scalar_of(b"phone"))
    house.lock.accept(GRANTS["a guest without limits"])
    equal(house.visit(wallet), [reasons.ALLOWED])
    house.live(5)
    for path, method in (("visits", "received"), ("visits", "_answer"), ("lock.door", "ask")):
        house.breaks(path, method, Broken(method), 1)
        equal(house.visit(wallet), [], method)
        house.goes_on(method)
        house.live(tasks.FORGET_S)
        equal(house.visit(wallet), [reasons.ALLOWED], method)
        house.live(5)
    equal(house.ends, [])


def test_a_full_flash_keeps_nobody_from_the_door():
    for when in ("before it starts", "while it runs"):
        house = House()
        folders = [house.flash.log, house.flash.state, house.flash.ledger] + house.flash.grants
        for folder in folders + [house.flash.statements]:
            folder.fails = True
        if when == "before it starts":
            house.boot()
        house.lock.accept(run_named("the time")[7][0])
        house.goes_on(when)
        house.live(600)
        house.goes_on(when)
        equal(house.ends, [], when)
        for folder in folders + [house.flash.statements]:
            folder.fails = False
        house.live(5)
        house.goes_on(when)
        kinds = [(e.kind, e.reason) for e in entries(house.lock.log)]
        true((entry.GAP, entry.QUEUE) in kinds, kinds)
        house.boot()
        equal(house.log(entry.BOOT)[-1][0], entry.UNCLEAN)
