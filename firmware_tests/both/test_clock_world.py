"""Any schedule of events, any oscillators within their tolerance: the clock is right, or unknown.

The issuer tells the truth and the clock chip is nobody's tool; everything else happens at random.
So besides the time itself, each event that says "somebody was wrong" would be a mistake.
"""

from firmware.clock.bound import CRYSTAL_PPM, SLEEP_PPM
from firmware.policy import reasons
from firmware.policy.decision import UNKNOWN
from firmware.policy.instant import from_unix
from firmware_tests import soak
from firmware_tests.both.check import equal, true
from firmware_tests.both.clock_world import DAY_MS, World

STEPS = 120
ACCUSATIONS = (
    reasons.TIME_JUMPED,
    reasons.TIME_TURNED_BACK,
    reasons.BOUNDS_CROSSED,
    reasons.RTC_BEHIND,
    reasons.RTC_AHEAD,
)


class Chance:
    """A world in which things happen at random."""

    def __init__(self, draw, with_chip):
        self.draw = draw
        self.world = World(
            with_chip,
            self.within(CRYSTAL_PPM),
            self.within(9),
            1 << 30,
            draw.below(1 << 30),
        )
        self.most_pause_ms = 1
        self.world.chip.pause = self.pause
        self.answers = []  # (instant, nonce), all that were ever signed
        self.known = 0
        self.story = []
        self.happenings = (
            self.moment, self.moment, self.hours, self.days, self.tick, self.tick, self.tick,
            self.visit, self.honest_answer, self.honest_answer, self.late_answer, self.old_answer,
            self.forgery, self.statement, self.network, self.sleep, self.power_cut,
            self.chip_fault, self.chip_fault_soon, self.chip_mended, self.slow_bus,
            self.lost_ticks,
        )  # fmt: skip

    def within(self, most):
        return self.draw.below(2 * most + 1) - most

    def step(self):
        """One thing happens; the clock must be right after it."""
        happening = self.happenings[self.draw.below(len(self.happenings))]
        event = happening()
        self.story.append((self.world.ms, happening.__name__, event))
        if event in ACCUSATIONS:
            self.fail("an accusation")
        for wait_ms in (0, self.draw.below(1000)):
            self.world.wait(wait_ms)
            if self.world.wrong_s():
                self.fail("the time is wrong")
        if self.world.floor.unix > self.world.true_s():
            self.fail("the floor is wrong")
        self.known += self.world.now.trust != UNKNOWN

    def fail(self, what):
        """Formatted only now: one of the runtimes does not collect garbage."""
        true(False, "%s after %s" % (what, self.story[-12:]))

    # --- time passes ----------------------------------------------------------------------------

    def moment(self):
        self.world.wait(self.draw.below(3000))

    def hours(self):
        self.world.wait(self.draw.below(DAY_MS))

    def days(self):
        self.world.wait(self.draw.below(6 * DAY_MS))

    def lost_ticks(self):
        if self.draw.below(10) == 0:
            self.world.wait(DAY_MS * 63 // 10 + self.draw.below(DAY_MS * 55 // 10))

    def tick(self):
        return self.world.clock.tick()

    def visit(self):
        self.world.clock.note()

    def sleep(self):
        world = self.world
        world.clock.pace(SLEEP_PPM)
        crystal_ppm = world.ticks_ppm
        world.ticks_ppm = self.within(SLEEP_PPM)
        world.wait(self.draw.below(DAY_MS // 10))
        world.ticks_ppm = crystal_ppm
        world.clock.pace(CRYSTAL_PPM)

    def power_cut(self):
        if self.draw.below(3) == 0:
            self.world.power_cut(self.draw.below(60 * DAY_MS))
            self.world.ticks_ppm = self.within(CRYSTAL_PPM)
            return self.world.event
        return None

    # --- somebody tells the time ----------------------------------------------------------------

    def ask(self):
        """A nonce goes out and is answered on its way, truly."""
        nonce = self.world.clock.ask()
        self.world.wait(self.draw.below(29_000))
        if self.draw.below(5) == 0:
            self.sleep_briefly()
        self.answers.append((self.world.instant(), nonce))

    def sleep_briefly(self):
        self.world.clock.pace(SLEEP_PPM)
        self.world.wait(self.draw.below(9_000))
        self.world.clock.pace(CRYSTAL_PPM)

    def honest_answer(self):
        started_ms = self.world.ms
        self.ask()
        self.world.wait(self.draw.below(20_000))
        event = self.world.clock.answered(*self.answers[-1])
        equal(event, reasons.TIME_SET)
        true(self.world.read()[1] <= (self.world.ms - started_ms) // 2000 + 3)
        return event

    def late_answer(self):
        self.ask()
        self.world.wait(60_000 + self.draw.below(DAY_MS))
        event = self.world.clock.answered(*self.answers[-1])
        equal(event, reasons.NONCE_EXPIRED)
        return event

    def old_answer(self):
        if not self.answers:
            return None
        event = self.world.clock.answered(*self.answers[self.draw.below(len(self.answers))])
        true(
            event in (reasons.NONCE_USED, reasons.NONCE_UNKNOWN, reasons.NONCE_EXPIRED), str(event)
        )
        return event

    def forgery(self):
        at = self.world.instant(self.within(1_000_000_000))
        event = self.world.clock.answered(at, self.draw.bytes(16))
        equal(event, reasons.NONCE_UNKNOWN)
        return event

    def statement(self):
        """Signed some time ago, without a nonce, as every grant is."""
        age_s = self.draw.below((2, 100, 10_000_000)[self.draw.below(3)])
        return self.world.clock.signed(self.world.instant(-age_s))

    def network(self):
        """From a server that is about right, or by anybody."""
        off_s = self.within((3, 100, 1_000_000)[self.draw.below(3)])
        return self.world.clock.network(from_unix(self.world.true_s() + off_s))

    # --- the chip -------------------------------------------------------------------------------

    def chip_fault(self):
        chip = self.world.chip
        if self.draw.below(4) == 0:
            (chip.stop, chip.battery_out, self.chip_dies)[self.draw.below(3)]()

    def chip_dies(self):
        self.world.chip.dead = True

    def chip_fault_soon(self):
        """Within the next transfers: in the middle of setting it, perhaps."""
        if self.draw.below(3) == 0:
            self.world.chip.calls_left = self.draw.below(8)

    def slow_bus(self):
        self.most_pause_ms = (1, 3, 2_000)[self.draw.below(3)]

    def pause(self):
        self.world.wait(self.draw.below(self.most_pause_ms))

    def chip_mended(self):
        chip = self.world.chip
        chip.dead = False
        chip.calls_left = -1
        chip.go()


def live(worlds, with_chip):
    """Let so many worlds live, and count how often the clock knew the time."""
    draw = soak.Random(soak.seed())
    known = 0
    for _ in range(worlds):
        chance = Chance(draw, with_chip)
        for _ in range(STEPS):
            chance.step()
        known += chance.known
    text = "known in %d of %d steps" % (known, worlds * STEPS)
    # It must not be right by knowing nothing.
    true(known * 2 > worlds * STEPS, text)
    print(text)


def test_with_a_chip_the_true_time_is_within_the_error_or_unknown():
    live(soak.count(1_000, 60), True)


def test_without_a_chip_the_true_time_is_within_the_error_or_unknown():
    live(soak.count(1_000, 40), False)
