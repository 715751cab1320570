"""What the clock believes, from whom, and the reason that each attempt to mislead it produces."""

from firmware.clock.bound import CRYSTAL_PPM, SLEEP_PPM
from firmware.clock.clock import PHONES, Clock
from firmware.clock.ticks import Ticks
from firmware.policy import reasons
from firmware.policy.decision import HOLDOVER, TRUSTED, UNKNOWN
from firmware.policy.instant import Instant, from_unix
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.clock_world import DAY_MS, START_S, UNIX, World

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


def known(**options):
    """A world whose clock has just been set, and its chip with it."""
    world = World(**options)
    equal(world.fetch(), reasons.TIME_SET)
    world.ticks()
    return world


# --- signed time that answers the nonce ---------------------------------------------------------


def test_nothing_is_known_before_the_first_answer():
    world = World(with_chip=False)
    equal(world.event, reasons.RTC_ABSENT)
    _, error_s, trust = world.read()
    equal((trust, error_s > 3600, world.now.known()), (UNKNOWN, True, False))


def test_an_answer_sets_the_time_to_the_middle_of_its_journey():
    for e_s in range(0, 60, 7):
        world = World(with_chip=False)
        nonce = world.clock.ask()
        answer = world.instant()
        world.wait(e_s * 1000)
        equal(world.clock.answered(answer, nonce), reasons.TIME_SET)
        unix, error_s, trust = world.read()
        equal(unix, START_S + (e_s + 1) // 2, str(e_s))
        equal(error_s, (e_s + 2) // 2, str(e_s))
        equal(trust, TRUSTED if error_s <= 5 else HOLDOVER)


def test_an_answer_is_right_whenever_it_was_signed_on_its_journey():
    for phase_ms in range(0, 1000, 111):
        for there_ms in (0, 1, 400, 9_000, 30_000):
            for back_ms in (0, 1, 400, 9_000, 29_000):
                world = World(with_chip=False)
                world.wait(phase_ms)
                equal(world.fetch(there_ms, back_ms), reasons.TIME_SET)
                for wait_ms in (0, 1, 600, 998, 1):
                    world.wait(wait_ms)
                    equal(world.wrong_s(), 0, "%d %d %d" % (phase_ms, there_ms, back_ms))
                    true(world.now.error_s <= (there_ms + back_ms) // 2000 + 2)


def test_a_nonce_is_good_for_sixty_seconds():
    for wait_ms, event in (
        (59_900, reasons.TIME_SET),
        (60_001, reasons.NONCE_EXPIRED),
        (3_600_000, reasons.NONCE_EXPIRED),
        (DAY_MS, reasons.NONCE_EXPIRED),
    ):
        world = World(with_chip=False)
        equal(world.fetch(0, wait_ms), event, str(wait_ms))
        equal(world.read()[2] == UNKNOWN, event == reasons.NONCE_EXPIRED)


def test_a_nonce_is_good_once():
    world = World(with_chip=False)
    nonce = world.clock.ask()
    first = world.instant()
    equal(world.clock.answered(first, nonce), reasons.TIME_SET)
    world.wait(20_000)
    before = world.read()
    for at in (first, world.instant(), world.instant(3600)):
        equal(world.clock.answered(at, nonce), reasons.NONCE_USED)
        equal(world.read(), before)


def test_only_the_last_nonce_counts():
    world = World(with_chip=False)
    old = world.clock.ask()
    new = world.clock.ask()
    for nonce in (old, b"", bytes(16), b"x" * 16, new[:15], new + b"x", None):
        equal(world.clock.answered(world.instant(), nonce), reasons.NONCE_UNKNOWN)
        equal(world.read()[2], UNKNOWN)
    equal(world.clock.answered(world.instant(), new), reasons.TIME_SET)


def test_an_answer_is_not_expected_when_nobody_asked():
    world = World(with_chip=False)
    for nonce in (b"", bytes(16), None):
        equal(world.clock.answered(world.instant(), nonce), reasons.NONCE_UNKNOWN)


def test_a_phones_nonce_and_the_clouds_leave_each_other_alive():
    world = World(with_chip=False)
    clouds, phones = world.clock.ask(), world.clock.ask(PHONES)
    equal(world.clock.answered(world.instant(), phones), reasons.TIME_SET)
    equal(world.clock.answered(world.instant(), clouds), reasons.TIME_SET)
    for nonce, reason in ((clouds, reasons.NONCE_USED), (phones, reasons.NONCE_UNKNOWN)):
        equal(world.clock.answered(world.instant(), nonce), reason)
    first, second = world.clock.ask(PHONES), world.clock.ask(PHONES)
    equal(world.clock.answered(world.instant(), first), reasons.NONCE_UNKNOWN)
    world.wait(MINUTE_MS + 1)
    world.clock.ask()
    equal(world.clock.answered(world.instant(), second), reasons.NONCE_EXPIRED)


def test_a_nonce_does_not_survive_a_reboot():
    world = World(with_chip=False)
    nonce = world.clock.ask()
    world.power_cut(1000)
    equal(world.clock.answered(world.instant(), nonce), reasons.NONCE_UNKNOWN)


def test_a_refused_answer_leaves_the_nonce_alive():
    world = World(with_chip=False)
    nonce = world.clock.ask()
    equal(world.clock.answered(world.instant(), b"x" * 16), reasons.NONCE_UNKNOWN)
    equal(world.clock.answered(Instant(10_956, 86_399), nonce), reasons.BAD_INSTANT)
    equal(world.clock.answered(Instant(84_006, 0), nonce), reasons.BAD_INSTANT)
    equal(world.clock.answered(world.instant(), nonce), reasons.TIME_SET)


def test_a_delayed_answer_costs_accuracy_and_not_truth():
    world = known()
    equal(world.read()[1], 1)
    world.live(seconds=3600)
    equal(world.fetch(100, 59_000), reasons.TIME_SET)
    equal(world.wrong_s(), 0)
    equal((world.now.error_s, world.now.trust), (30, HOLDOVER))


def test_an_answer_moves_the_time_forwards_and_backwards():
    for jump_s, event in ((3_600, reasons.TIME_JUMPED), (-3_600, reasons.TIME_TURNED_BACK)):
        world = known()
        nonce = world.clock.ask()
        equal(world.clock.answered(world.instant(jump_s), nonce), event)
        equal(world.read()[0], world.true_s() + jump_s)
        equal(world.floor.unix, world.true_s() + jump_s)
        equal(world.now.trust, TRUSTED)


# --- signed time without nonce ------------------------------------------------------------------


def test_without_a_nonce_signed_time_sets_no_clock():
    world = World(with_chip=False)
    equal(world.clock.signed(world.instant()), reasons.BOUND_RAISED)
    equal(world.read()[2], UNKNOWN)
    equal(world.read()[0], START_S)
    equal(world.floor.unix, START_S)


def test_without_a_nonce_it_cuts_off_the_early_end():
    world = known(with_chip=False)
    world.live(days=30)
    _, before_s, _ = world.read()
    equal(world.clock.signed(world.instant(-20)), reasons.BOUND_RAISED)
    equal(world.wrong_s(), 0)
    true(20 < world.now.error_s < before_s - 30, str(world.now.error_s))


def test_an_old_statement_is_no_news():
    """Replayed, carried late, or from before a floor: none moves anything."""
    world = known()
    world.live(seconds=100)
    before = world.read()
    for age_s in (2, 3, 100, 86_400, 10_000_000):
        equal(world.clock.signed(world.instant(-age_s)), reasons.TIME_OLD, str(age_s))
    equal(world.read(), before)
    equal(world.clock.signed(Instant(0, 0)), reasons.BAD_INSTANT)


def test_a_statement_from_the_future_makes_the_time_unknown():
    world = known(with_chip=False)
    equal(world.clock.signed(world.instant(60)), reasons.BOUNDS_CROSSED)
    equal(world.read()[2], UNKNOWN)
    equal(world.ticks(), [reasons.NOW_UNKNOWN])
    equal(world.fetch(), reasons.TIME_TURNED_BACK)
    equal(world.wrong_s(), 0)
    equal(world.now.trust, TRUSTED)


def test_the_first_second_that_is_impossible_crosses():
    world = known(with_chip=False)
    world.wait(700)  # 10:00:01.000, and at most 10:00:02.0
    unix, error_s, _ = world.read()
    equal(world.clock.signed(from_unix(unix + error_s)), reasons.BOUND_RAISED)
    equal(world.clock.signed(from_unix(unix + error_s + 1)), reasons.BOUNDS_CROSSED)


# --- the floor ----------------------------------------------------------------------------------


def test_the_floor_outlives_the_battery():
    world = known(with_chip=False)
    world.live(days=2)
    world.clock.note()
    floor = world.floor.unix
    true(world.true_s() - 12 <= floor <= world.true_s())
    world.power_cut(HOUR_MS)
    unix, _, trust = world.read()
    equal((unix, trust), (floor, UNKNOWN))
    equal(world.clock.signed(from_unix(floor)), reasons.TIME_OLD)


def test_a_pulled_battery_and_an_old_answer_revive_nothing():
    """Recorded today, replayed tomorrow after a loss of power: its nonce is dead."""
    world = World(with_chip=False)
    nonce = world.clock.ask()
    recorded = world.instant()
    equal(world.clock.answered(recorded, nonce), reasons.TIME_SET)
    world.live(days=1)
    world.clock.note()
    world.power_cut(MINUTE_MS)
    equal(world.clock.answered(recorded, nonce), reasons.NONCE_UNKNOWN)
    equal(world.clock.signed(recorded), reasons.TIME_OLD)
    equal(world.read()[2], UNKNOWN)
    true(world.read()[0] >= START_S + 86_400 - 70)


def test_only_an_answer_to_the_nonce_lowers_the_floor():
    world = World(with_chip=False)
    equal(world.clock.signed(world.instant(DAY_MS)), reasons.BOUND_RAISED)
    high = world.floor.unix
    world.clock.signed(world.instant())
    world.clock.network(world.instant())
    world.clock.answered(world.instant(), bytes(16))
    world.live(seconds=10)
    world.clock.note()
    true(world.floor.unix >= high)
    equal(world.fetch(), reasons.TIME_TURNED_BACK)
    equal(world.floor.unix, world.true_s())


def test_the_floor_is_written_seldom():
    world = known()
    writes = world.floor.writes
    for _ in range(60):
        world.live(seconds=10)
        world.clock.note()
    true(world.floor.writes - writes <= 10)
    true(world.true_s() - world.floor.unix <= 63)


def test_an_event_never_lowers_the_floor():
    world = World(with_chip=False)
    world.clock.signed(world.instant())
    for _ in range(5):
        world.wait(1)
        world.clock.note()
        equal(world.floor.unix, START_S)


def test_a_lock_without_time_counts_its_floor_up():
    world = World(with_chip=False)
    world.clock.signed(world.instant())
    world.live(days=1)
    world.clock.note()
    true(START_S + 86_400 - 5 <= world.floor.unix <= START_S + 86_400)
    world.power_cut(1000)
    true(world.read()[0] >= START_S + 86_400 - 5)


def test_a_flash_that_refuses_the_floor_does_not_refuse_the_time():
    world = World(with_chip=False)
    world.floor.broken = True
    raises(OSError, world.fetch)
    equal(world.wrong_s(), 0)
    equal(world.now.trust, TRUSTED)
    world.floor.broken = False
    world.clock.note()
    equal(world.floor.unix, world.true_s())


def test_without_a_floor_the_lock_begins_in_2000():
    equal(World(with_chip=False).read()[0], 946684800)


# --- network time -------------------------------------------------------------------------------


def test_network_time_alone_tells_nothing():
    world = World(with_chip=False)
    equal(world.clock.network(world.instant()), reasons.NTP_ALONE)
    equal(world.read()[2], UNKNOWN)


def test_network_time_moves_within_the_span_and_the_error_still_covers_it():
    world = known(with_chip=False)
    world.live(days=30)
    unix, error_s, _ = world.read()
    for lean_s in (-error_s + 1, -50, 0, 3, error_s - 1):
        equal(world.clock.network(from_unix(unix + lean_s)), reasons.NTP_TAKEN)
        equal(world.read(), (unix + lean_s, error_s + abs(lean_s), HOLDOVER))
    for lean_s in (-error_s - 1, error_s + 1, 86_400, -86_400):
        equal(world.clock.network(from_unix(unix + lean_s)), reasons.NTP_OUTSIDE)
    equal(world.read()[0], unix + error_s - 1)  # the one before


def test_network_time_neither_keeps_a_clock_alive_nor_kills_it():
    world = known(with_chip=False)
    days = 0
    while world.read()[2] != UNKNOWN:
        unix = world.true_s()
        equal(world.clock.network(from_unix(unix)), reasons.NTP_TAKEN)
        world.clock.read(world.now)
        true(world.now.error_s <= 600)
        world.live(days=1)
        days += 1
    # 600 s by a crystal of 40 ppm, with network time every day or without.
    true(169 <= days <= 170, str(days))


def test_network_time_at_the_edge_does_not_make_the_time_unknown():
    world = known(with_chip=False)
    world.live(days=150)
    unix, error_s, _ = world.read()
    equal(world.clock.network(from_unix(unix + error_s - 1)), reasons.NTP_TAKEN)
    _, error_s, trust = world.read()
    equal((error_s, trust), (600, HOLDOVER))
    equal(world.wrong_s(), 0)


def test_an_answer_forgets_network_time():
    world = known(with_chip=False)
    world.live(days=30)
    world.clock.network(world.instant(50))
    world.fetch()
    equal(world.wrong_s(), 0)
    equal(world.now.error_s, 1)


# --- the chip -----------------------------------------------------------------------------------


def test_a_chip_never_set_is_not_believed():
    equal(World().event, reasons.RTC_STOPPED)
    equal(World().read()[2], UNKNOWN)


def test_the_chip_carries_the_time_over_a_loss_of_power():
    for chip_ppm in (-9, 0, 9):
        for days in (0, 1, 30, 365):
            world = known(chip_ppm=chip_ppm)
            world.power_cut(days * DAY_MS + 12_345)
            equal(world.event, reasons.RTC_READ)
            equal(world.wrong_s(), 0)
            equal(world.now.trust, HOLDOVER)
            true(world.now.error_s <= days * 86_400 * 10 // 1_000_000 + 4, str(days))


def test_the_chip_is_right_whenever_it_is_set_and_read():
    """Set at the worst moment within a second, read at the worst moment of the chip's."""
    for phase_ms in (0, 500, 999):
        for back_ms in (0, 10, 990, 1500, 9_990):
            for write_ms in (0, 9, 990):
                for read_ms in (0, 5, 500, 999, 3_600_999):
                    world = World()
                    world.wait(phase_ms)
                    equal(world.fetch(0, back_ms), reasons.TIME_SET)
                    world.wait(write_ms)
                    equal(world.clock.tick(), reasons.RTC_SET)
                    world.power_cut(read_ms)
                    equal(world.event, reasons.RTC_READ)
                    for wait_ms in (0, 15, 485, 485):
                        world.wait(wait_ms)
                        equal(world.wrong_s(), 0)


def slow(world, pause_ms):
    world.chip.pause = lambda: world.wait(pause_ms)


def test_a_slow_bus_costs_accuracy_and_not_truth():
    for pause_ms in (1, 500, 7_000):
        world = World()
        slow(world, pause_ms)
        equal(world.fetch(), reasons.TIME_SET)
        equal(world.clock.tick(), reasons.RTC_SET)
        equal(world.wrong_s(), 0)
        world.power_cut(1000)
        equal(world.event, reasons.RTC_READ)
        equal(world.wrong_s(), 0)
        true(world.now.error_s <= pause_ms * 8 // 1000 + 3)
        world = known()  # set quickly, read slowly
        slow(world, pause_ms)
        world.power_cut(1000)
        equal(world.event, reasons.RTC_READ)
        equal(world.wrong_s(), 0)
        true(world.now.error_s <= pause_ms // 1000 + 3)


def test_only_signed_time_sets_the_chip():
    world = known()
    world.power_cut(HOUR_MS)
    world.ticks()
    world.chip.stop()
    world.chip.go()
    equal(world.live(days=1), [reasons.RTC_STOPPED])


def test_an_oscillator_that_stopped_means_unknown():
    world = known()
    world.chip.stop()
    world.power_cut(DAY_MS)
    equal(world.event, reasons.RTC_STOPPED)
    equal(world.read()[2], UNKNOWN)
    world.chip.go()
    world.power_cut(1000)
    equal(world.event, reasons.RTC_STOPPED)


def test_an_empty_battery_means_unknown():
    world = known()
    world.chip.battery_out()
    world.power_cut(DAY_MS)
    equal(world.event, reasons.RTC_STOPPED)
    equal(world.read()[2], UNKNOWN)


def test_a_dead_chip_means_unknown_at_boot_and_holdover_after_signed_time():
    world = known()
    world.chip.dead = True
    world.power_cut(1000)
    equal(world.event, reasons.RTC_UNREADABLE)
    equal(world.read()[2], UNKNOWN)
    equal(world.fetch(), reasons.TIME_SET)
    equal(world.ticks(), [reasons.NOW_TRUSTED])  # that the chip is dead was said at boot
    equal(world.live(days=2), [reasons.NOW_HOLDOVER])
    equal(world.wrong_s(), 0)


def test_a_dead_chip_is_asked_no_more_than_twice_an_hour():
    world = known()
    world.chip.dead = True
    world.chip.calls_left = 1000
    for _ in range(3600):
        world.wait(1000)
        world.clock.tick()
    true(998 <= world.chip.calls_left <= 999, str(world.chip.calls_left))


def test_a_chip_that_comes_back_is_set_again():
    world = known()
    world.chip.stop()
    equal(world.live(days=1), [reasons.RTC_STOPPED])  # and not at every attempt
    world.chip.go()
    equal(world.live(days=1)[0], reasons.RTC_SET)
    world.power_cut(HOUR_MS)
    equal(world.event, reasons.RTC_READ)
    equal(world.wrong_s(), 0)


def test_a_chip_turned_back_is_noticed_by_its_own_mark():
    world = known()
    world.chip.jump(-3600)
    world.power_cut(1000)
    equal(world.event, reasons.RTC_BEHIND)
    equal(world.read()[2], UNKNOWN)


def test_a_chip_turned_back_below_the_floor_is_noticed():
    world = known()
    world.live(days=10)
    world.clock.note()
    world.chip.jump(-3600)
    world.power_cut(1000)
    equal(world.event, reasons.RTC_BEHIND)
    equal(world.read()[2], UNKNOWN)


def test_a_chip_once_caught_is_not_believed_again_until_it_is_set():
    for jump_s, event in ((-600, reasons.RTC_BEHIND), (600, reasons.RTC_AHEAD)):
        world = known()
        world.power_cut(HOUR_MS)  # from here on, all that the lock knows comes from the chip
        equal(world.event, reasons.RTC_READ)
        equal(world.ticks(), [reasons.NOW_HOLDOVER])
        world.clock.note()
        world.chip.jump(jump_s)
        equal(world.live(seconds=3600), [event, reasons.NOW_UNKNOWN])
        world.chip.jump(-jump_s)
        equal(world.live(days=1), [reasons.RTC_UNMARKED])
        world.power_cut(1000)
        equal(world.event, reasons.RTC_UNMARKED)
        equal(world.read()[2], UNKNOWN)
        equal(world.fetch(), reasons.TIME_SET)
        equal(world.ticks(), [reasons.RTC_SET, reasons.NOW_TRUSTED])
        world.power_cut(1000)
        equal(world.event, reasons.RTC_READ)


def test_a_chip_that_jumps_does_not_shake_signed_time():
    for jump_s, event in ((-600, reasons.RTC_BEHIND), (600, reasons.RTC_AHEAD)):
        world = known()
        world.chip.jump(jump_s)
        equal(world.live(seconds=3600), [event, reasons.RTC_SET])
        equal(world.wrong_s(), 0)
        equal(world.now.trust, TRUSTED)
        world.power_cut(1000)
        equal(world.event, reasons.RTC_READ)
        equal(world.wrong_s(), 0)


def test_a_chip_that_cannot_be_disowned_is_caught_again():
    world = known()
    world.power_cut(HOUR_MS)
    equal(world.ticks(), [reasons.NOW_HOLDOVER])
    world.chip.jump(600)
    world.chip.calls_left = 1
    equal(world.live(seconds=3600), [reasons.RTC_UNREADABLE])
    world.chip.dead = False
    world.chip.calls_left = -1
    equal(world.live(seconds=3600), [reasons.RTC_AHEAD, reasons.NOW_UNKNOWN])


def test_a_floor_in_the_future_makes_the_chip_look_late():
    world = known()
    world.floor.unix = world.true_s() + 86_400
    world.power_cut(1000)
    equal(world.event, reasons.RTC_BEHIND)
    equal(world.read()[2], UNKNOWN)
    equal(world.fetch(), reasons.TIME_TURNED_BACK)


def test_a_running_chip_holds_the_error_down():
    """40 ppm of the crystal alone would be 104 s in a month."""
    for ticks_ppm, chip_ppm in ((40, -9), (-40, 9), (40, 9), (-40, -9)):
        world = known(ticks_ppm=ticks_ppm, chip_ppm=chip_ppm)
        world.live(days=30)
        equal(world.wrong_s(), 0)
        true(world.now.error_s <= 28, str(world.now.error_s))


# --- holdover -----------------------------------------------------------------------------------


def test_thirty_days_of_holdover_without_a_chip():
    for ticks_ppm in (-40, -10, 0, 10, 40):
        world = known(with_chip=False, ticks_ppm=ticks_ppm)
        equal(world.ticks(), [])
        equal(world.live(days=30), [reasons.NOW_HOLDOVER])
        equal(world.wrong_s(), 0)
        true(106 <= world.now.error_s <= 109, str(world.now.error_s))


def test_holdover_ends_at_the_limit():
    for limit_s, days in ((60, 16), (600, 169), (3600, 1016)):
        world = known(with_chip=False, ticks_ppm=40)
        true(world.clock.limit(limit_s))
        world.live(days=days - 1)
        equal(world.read()[2], HOLDOVER)
        equal(world.wrong_s(), 0)
        equal(world.live(days=2), [reasons.NOW_UNKNOWN])
        equal(world.read()[2], UNKNOWN)


def test_limits_that_are_none_are_refused():
    world = known(with_chip=False)
    for limit_s in (-1, 0, 59, 3601, 1 << 40):
        equal(world.clock.limit(limit_s), False)
    world.live(days=100)
    equal(world.read()[2], HOLDOVER)


def test_sleep_costs_five_percent():
    for ticks_ppm in (-50_000, 50_000):
        world = known(with_chip=False)
        world.clock.pace(SLEEP_PPM)
        world.ticks_ppm = ticks_ppm
        world.live(seconds=3600)
        equal(world.wrong_s(), 0)
        true(179 <= world.now.error_s <= 200, str(world.now.error_s))
        world.ticks_ppm = 0
        world.clock.pace(CRYSTAL_PPM)
        before_s = world.now.error_s
        world.live(days=1)
        equal(world.wrong_s(), 0)
        true(world.now.error_s <= before_s + 5)


def test_a_sleep_while_the_answer_is_on_its_way_is_counted():
    world = World(with_chip=False)
    nonce = world.clock.ask()
    answer = world.instant()
    world.clock.pace(SLEEP_PPM)
    world.ticks_ppm = -50_000
    world.wait(50_000)
    world.clock.pace(CRYSTAL_PPM)
    world.ticks_ppm = 0
    world.wait(1_000)
    equal(world.clock.answered(answer, nonce), reasons.TIME_SET)
    equal(world.wrong_s(), 0)


# --- ticks --------------------------------------------------------------------------------------


def test_the_wrap_of_ticks_goes_unnoticed():
    for ticks in (0, (1 << 30) - 1, (1 << 30) - 500, (1 << 30) - 2000, (1 << 29) - 1):
        world = known(with_chip=False, ticks=ticks)
        for _ in range(20):
            world.wait(6 * DAY_MS)
            equal(world.ticks()[1:], [])
            equal(world.wrong_s(), 0)
        equal(world.now.trust, HOLDOVER)


def test_other_periods_wrap_as_well():
    world = known(with_chip=False, period=UNIX, ticks=UNIX - 1000)
    world.wait(300 * 1000)
    equal(world.wrong_s(), 0)


def test_ticks_that_nobody_read_for_a_week_mean_unknown():
    for days in (7, 9, 12):
        world = known(with_chip=False)
        world.wait(days * DAY_MS)
        equal(world.read()[2], UNKNOWN)
        equal(world.ticks(), [reasons.TICKS_LOST, reasons.NOW_UNKNOWN])
        true(START_S <= world.read()[0] <= world.true_s())


def test_the_chip_helps_out_when_ticks_are_lost():
    world = known()
    world.wait(9 * DAY_MS)
    equal(world.read()[2], UNKNOWN)
    equal(world.ticks(), [reasons.TICKS_LOST, reasons.NOW_HOLDOVER])
    equal(world.wrong_s(), 0)


def test_an_answer_across_lost_ticks_is_not_taken():
    world = known(with_chip=False)
    nonce = world.clock.ask()
    answer = world.instant()
    world.wait(9 * DAY_MS)
    equal(world.clock.answered(answer, nonce), reasons.NONCE_UNKNOWN)
    equal(world.read()[2], UNKNOWN)


# --- changes of trust ---------------------------------------------------------------------------


def test_each_change_of_trust_is_told_once():
    world = World(with_chip=False)
    equal(world.ticks(), [])
    world.fetch()
    equal(world.ticks(), [reasons.NOW_TRUSTED])
    equal(world.live(days=200), [reasons.NOW_HOLDOVER, reasons.NOW_UNKNOWN])
    world.fetch()
    equal(world.ticks(), [reasons.NOW_TRUSTED])


def test_a_clock_that_was_not_started_knows_nothing():
    world = World(with_chip=False)
    clock = Clock(Ticks(world.ticks_ms, world.ticks_diff), world.random, world.floor)
    clock.read(world.now)
    equal(world.now.trust, UNKNOWN)
