"""A bolt on its door, in a world that behaves: what it does, says, and gives up."""

from firmware.hal.board import Board
from firmware.lock.assembly import make_doorway
from firmware.lock.bolt import ATTEMPTS
from firmware.lock.doorway import AFTER_CLOSING_MS
from firmware.lock.states import (
    CLOSED,
    JAMMED,
    LOCKED,
    LOCKING,
    OPEN,
    PULLED,
    UNKNOWN,
    UNLOCKED,
    UNLOCKING,
)
from firmware.policy.grant import LOCK, MANAGE, PULL, UNLOCK
from firmware_tests.both.check import equal, true
from firmware_tests.both.door_case import KINDS, Bench

LIMIT_MS = Board.limit_ms


def state(bench):
    """What the door's bolt says it does."""
    return bench.doorway.state


def given_up(bench, action):
    """Do what cannot be done, until nothing moves."""
    return bench.act(action, (LIMIT_MS + 1000) * (ATTEMPTS + 1))


# --- every drive with every sensor ---------------------------------------------------------------


def test_it_locks_and_unlocks_and_says_so_when_it_is_there():
    for kind in KINDS:
        bench = Bench(*kind)
        equal(state(bench), UNLOCKED, kind)
        equal(bench.act(LOCK, 100), [], kind)
        equal(state(bench), LOCKING, kind)
        bench.run(2000)
        equal((state(bench), bench.new(), bench.door.is_locked()), (LOCKED, ["bolt_locked"], True))
        equal(bench.act(UNLOCK, 100), [], kind)
        equal(state(bench), UNLOCKING, kind)
        bench.run(2000)
        equal((state(bench), bench.new()), (UNLOCKED, ["bolt_unlocked"]), kind)
        true(bench.door.is_free(), kind)
        equal(bench.act(UNLOCK) + bench.act(MANAGE), [], kind)
        equal(bench.doorway.tick(), 0, "nothing is due at rest")


def test_a_latch_is_pulled_held_and_let_go_where_its_place_is_measured():
    for drive in ("motor", "servo"):
        bench = Bench(drive, "position", x=0.0)
        equal(bench.act(PULL, 2000), ["latch_pulled"])
        equal(state(bench), PULLED)
        bench.run(3000)
        equal((state(bench), bench.new()), (UNLOCKED, ["bolt_unlocked"]))
    bench = Bench("motor", "ends", x=0.0)
    equal(bench.act(PULL), ["bolt_unlocked"], "end stops know no latch")


def test_a_jam_is_tried_again_given_up_and_forgotten_when_the_bolt_moves():
    for kind in KINDS:
        bench = Bench(*kind)
        bench.door.jam = 0.4
        why = "bolt_slow" if kind[1] == "ends" else "bolt_stalled"
        equal(given_up(bench, LOCK), [why, "bolt_jammed"], kind)
        equal((state(bench), bench.counts["bolt_jammed"]), (JAMMED, ATTEMPTS), kind)
        true(bench.door.longest_ms <= LIMIT_MS + 10, bench.door.longest_ms)
        bench.door.jam = None
        equal(bench.act(LOCK), ["bolt_locked"], kind)


def test_what_is_in_the_way_for_a_moment_costs_an_attempt():
    bench = Bench("motor", "position")
    bench.door.jam = 0.4
    bench.act(LOCK, 800)
    true(bench.door.x < 0.45)
    bench.run(300)
    true(bench.door.x > 0.5, "it lets go")
    bench.door.jam = None
    bench.run(3000)
    equal((bench.new(), bench.counts["bolt_locked"]), (["bolt_locked"], 2))


def test_a_drive_loses_its_current_at_the_limit_when_the_loop_hangs():
    for kind in KINDS:
        for action, x in ((LOCK, 1.0), (UNLOCK, 0.0)):
            bench = Bench(*kind, x=x)
            bench.door.jam = 0.4
            bench.act(action, 50)
            true(not bench.door.is_free(), kind)
            bench.door.advance(LIMIT_MS - 51)
            true(not bench.door.is_free(), kind)
            bench.door.advance(20_000)
            true(bench.door.is_free(), kind)
            true(bench.door.longest_ms <= LIMIT_MS, bench.door.longest_ms)
            bench.door.jam = None
            bench.run(LIMIT_MS)
            done = "bolt_locked" if action == LOCK else "bolt_unlocked"
            equal((bench.new(), bench.counts[done]), ([done], 2), "it was an attempt like others")


def test_a_latch_that_is_held_is_let_go_when_the_loop_hangs():
    for drive in ("motor", "servo"):
        bench = Bench(drive, "position", x=0.0)
        bench.act(PULL)
        true(not bench.door.is_free(), drive)
        bench.door.advance(LIMIT_MS)
        true(bench.door.is_free(), drive)
        bench.run(3000)
        equal((state(bench), bench.new()), (UNLOCKED, ["bolt_unlocked"]))


def test_a_loop_that_comes_late_does_not_throw_the_bolt_when_it_lets_the_latch_go():
    bench = Bench("motor", "position", x=0.0)
    bench.act(PULL, 1500)
    bench.late_ms = 250
    least = 1.0
    for _ in range(30):
        bench.run(250)
        least = min(least, bench.door.x)
    true(0.5 < least < 0.9, least)
    true(bench.door.is_free())


def test_an_answer_in_the_middle_of_a_throw_turns_it_round():
    for kind in KINDS:
        bench = Bench(*kind)
        bench.act(LOCK, 400)
        bench.doorway.act(UNLOCK)
        bench.door.advance(1)
        equal((bench.door.driven_ms, state(bench)), (0, UNLOCKING), "it rests before it turns")
        equal(bench.act(UNLOCK), ["bolt_unlocked"], kind)
        bench.act(LOCK, 400)
        bench.doorway.stop()
        equal(state(bench), UNKNOWN, kind)
        bench.run(1000)
        equal((bench.door.driven_ms, bench.new()), (0, ["bolt_between"]), kind)


# --- hands ---------------------------------------------------------------------------------------


def test_a_bolt_that_is_turned_by_hand_is_noticed():
    bench = Bench("motor", "position", x=0.0)
    bench.door.hand = 1.0
    bench.run(100)
    equal(state(bench), UNKNOWN, "it is not locked any more")
    bench.run(1000)
    equal((state(bench), bench.new()), (UNLOCKED, ["turned_unlocked"]))
    bench.door.hand = 0.5
    bench.run(1000)
    equal((state(bench), bench.new()), (UNKNOWN, ["bolt_between"]))
    bench.door.hand = 0.0
    bench.run(1000)
    equal((state(bench), bench.new()), (LOCKED, ["turned_locked"]))


def test_the_motor_yields_to_a_hand_that_holds_against_it():
    bench = Bench("motor", "position", x=0.0)
    bench.door.hand = -1.0  # it never gets there
    equal(given_up(bench, UNLOCK)[-1], "bolt_jammed")
    equal(state(bench), JAMMED, "nobody believes an end that was never left")
    bench.door.hand = None
    equal(bench.act(UNLOCK), ["bolt_unlocked"])


def test_a_latch_that_slips_out_of_the_hold_is_not_said_to_be_pulled():
    bench = Bench("motor", "position", x=0.0)
    bench.act(PULL, 2000)
    equal(state(bench), PULLED)
    bench.door.hand = 1.0
    bench.run(150)
    equal(state(bench), UNLOCKING)


# --- faults --------------------------------------------------------------------------------------


def test_a_dead_end_stop_jams_and_never_says_locked():
    bench = Bench("motor", "ends")
    bench.door.cut.add("end_locked")
    equal(given_up(bench, LOCK), ["bolt_slow", "bolt_jammed"])
    true(bench.door.is_locked(), "it is; who knows?")
    equal(state(bench), JAMMED)


def test_two_ends_at_once_are_no_place_and_then_it_only_opens():
    bench = Bench("motor", "ends", x=0.0)
    bench.door.pins["end_unlocked"].level = 0
    bench.door.pins["end_unlocked"].drive = lambda level: None  # welded
    bench.run(1000)
    equal((state(bench), bench.new()), (UNKNOWN, ["bolt_lost"]))
    equal(bench.act(UNLOCK, 5000), ["bolt_unlocked"])
    bench.door.hand = 0.0
    bench.run(1000)
    equal((state(bench), bench.new()), (UNKNOWN, ["bolt_lost"]))
    equal((bench.act(LOCK), bench.door.driven_ms), ([], 0))


def test_a_welded_locked_end_is_not_believed_when_the_drive_cannot_leave_it():
    bench = Bench("motor", "ends", x=0.0)
    bench.run(100)
    equal(state(bench), LOCKED)
    bench.door.pins["end_locked"].drive = lambda level: None
    bench.door.jam = 0.5
    given_up(bench, UNLOCK)
    equal((state(bench), bench.door.x > 0.4), (JAMMED, True))
    given_up(bench, LOCK)
    equal(state(bench), JAMMED)


def test_without_its_position_it_opens_blindly_once_and_does_not_lock():
    for drive in ("motor", "servo"):
        bench = Bench(drive, "position", x=0.0)
        bench.door.cut.add("position")
        bench.run(1000)
        equal((state(bench), bench.new()), (UNKNOWN, ["bolt_lost"]))
        bench.act(UNLOCK, LIMIT_MS + 1000)
        equal((state(bench), bench.door.driven_ms), (UNKNOWN, 0))
        true(bench.door.swing(), "it is open")
        bench.door.slam()
        bench.act(LOCK, 3000)
        true(bench.door.x > 0.9)


def test_a_position_that_is_lost_in_the_middle_of_a_throw_ends_it():
    for drive in ("motor", "servo"):
        bench = Bench(drive, "position")
        bench.act(LOCK, 300)
        bench.door.cut.add("position")
        bench.run(30)
        equal((bench.door.driven_ms < 20, state(bench)), (True, UNKNOWN))
        equal(bench.new(), ["bolt_lost"])


def test_a_position_that_is_lost_while_the_latch_is_let_go_does_not_lock():
    for drive in ("motor", "servo"):
        bench = Bench(drive, "position")
        bench.act(PULL, 2000)
        while state(bench) == PULLED:
            bench.run(10)
        bench.door.cut.add("position")
        bench.run(LIMIT_MS + 1000)
        true(bench.door.x > 0.9, bench.door.x)
        true(bench.door.is_free())


def test_a_bolt_that_bounces_back_has_not_arrived():
    bench = Bench("motor", "position")
    bench.doorway.act(LOCK)
    while bench.door.x > 0.06:
        bench.run(10)
    bench.door.hand = 0.5
    bench.run(140)
    equal((state(bench), bench.new()), (LOCKING, []))
    bench.door.hand = None
    bench.run(3000)
    equal((state(bench), bench.counts["bolt_locked"]), (LOCKED, 2))


def test_a_bolt_that_nobody_calibrated_opens_and_does_not_lock():
    for record in (None, b"", b"\x83\x01\x02\x03"):
        bench = Bench("motor", "position", x=0.0, record=record)
        equal((state(bench), bench.act(LOCK)), (UNKNOWN, ["bolt_lost"]))
        bench.act(UNLOCK, LIMIT_MS + 1000)
        true(bench.door.swing())


def test_a_motor_with_its_wires_exchanged_stops_soon():
    bench = Bench("motor", "position", x=0.5)
    bench.door.polarity = -1
    equal(given_up(bench, UNLOCK), ["bolt_wrong_way", "bolt_jammed"])
    true(bench.door.longest_ms < 400, bench.door.longest_ms)
    true(bench.door.x > 0.2)


def test_a_brown_out_in_the_middle_of_a_throw_is_noticed_and_does_not_move_by_itself():
    for kind in KINDS:
        bench = Bench(*kind)
        bench.act(LOCK, 400)
        bench.boot()
        bench.run(3000)
        equal((state(bench), bench.new()), (UNKNOWN, ["bolt_between"]), kind)
        equal(bench.act(LOCK), ["bolt_locked"], kind)


# --- the door ------------------------------------------------------------------------------------


def test_it_locks_by_itself_after_the_delay_and_soon_after_the_door_was_closed():
    bench = Bench("motor", "ends", x=0.0)
    bench.doorway.auto_lock_ms = 10_000
    bench.act(UNLOCK, 9000)
    equal(state(bench), UNLOCKED)
    bench.run(4000)
    equal((state(bench), bench.new()), (LOCKED, ["auto_lock", "bolt_locked"]))
    equal(bench.act(UNLOCK), ["bolt_unlocked"])
    true(bench.door.swing())
    bench.run(30_000)
    equal((bench.doorway.door, bench.new()), (OPEN, ["door_opened"]))
    true(bench.door.slam())
    bench.run(AFTER_CLOSING_MS - 100)
    equal((bench.doorway.door, bench.new()), (CLOSED, ["door_closed"]), "bounces are not told")
    bench.run(2000)
    equal((state(bench), bench.new()), (LOCKED, ["auto_lock", "bolt_locked"]))


def test_who_opens_an_open_door_again_has_it_locked_soon_after_closing():
    bench = Bench("motor", "ends")
    bench.doorway.auto_lock_ms = 60_000
    bench.door.swing()
    bench.run(200)
    bench.act(UNLOCK)
    bench.door.slam()
    bench.run(4000)
    equal(state(bench), LOCKED)


def test_without_a_contact_it_locks_only_for_who_asks():
    bench = Bench("motor", "ends")
    del bench.parts["closed"]
    bench.doorway = make_doorway(bench, None, bench._note)
    bench.doorway.auto_lock_ms = 1000
    bench.run(10_000)
    equal((state(bench), bench.doorway.door), (UNLOCKED, UNKNOWN))
    equal(bench.act(LOCK), ["bolt_locked"])


def test_who_unlocks_again_has_the_whole_delay_again():
    bench = Bench("motor", "ends")
    bench.doorway.auto_lock_ms = 5000
    bench.run(4000)
    equal(bench.act(UNLOCK, 4000), [])
    equal(bench.act(MANAGE, 1500)[0], "auto_lock")


def test_a_bolt_is_not_thrown_while_the_door_is_open():
    bench = Bench("motor", "ends")
    bench.door.swing()
    bench.run(100)
    equal(bench.act(LOCK, 5000), ["lock_waits"])
    equal((state(bench), bench.door.x), (UNLOCKED, 1.0))
    bench.door.slam()
    bench.run(4000)
    equal((state(bench), bench.new()), (LOCKED, ["door_closed", "auto_lock", "bolt_locked"]))


def test_a_door_that_opens_during_the_throw_takes_the_bolt_back():
    bench = Bench("motor", "position")
    bench.act(LOCK, 200)
    true(bench.door.swing())
    bench.run(2000)
    equal(bench.new(), ["door_opened", "lock_waits", "bolt_unlocked"])
    true(bench.door.x > 0.9)
    bench.door.slam()
    bench.run(4000)
    equal(state(bench), LOCKED)


def test_a_door_that_opens_although_it_is_locked_was_forced():
    bench = Bench("motor", "ends", x=0.0)
    bench.run(100)
    bench.door.is_open = True
    bench.run(200)
    equal(bench.new(), ["door_forced"])


def test_hold_open_unlocks_and_keeps_it_so_but_for_who_asks():
    bench = Bench("motor", "ends", x=0.0)
    bench.doorway.auto_lock_ms = 3000
    bench.doorway.hold(True)
    bench.run(10_000)
    equal((state(bench), bench.new()), (UNLOCKED, ["held_open", "bolt_unlocked"]))
    equal(bench.act(LOCK), ["bolt_locked"])
    bench.act(UNLOCK)
    bench.doorway.hold(True)
    bench.doorway.hold(False)
    bench.run(6000)
    equal((state(bench), bench.new()), (LOCKED, ["hold_over", "auto_lock", "bolt_locked"]))


def test_a_bolt_that_jams_is_not_locked_by_itself_again_and_again():
    bench = Bench("motor", "position")
    bench.doorway.auto_lock_ms = 1000
    bench.door.jam = 0.5
    bench.run(60_000)
    equal(bench.new(), ["auto_lock", "bolt_stalled", "bolt_jammed"])


def test_a_bolt_that_nobody_sees_does_not_fill_the_log():
    bench = Bench("motor", "position")
    bench.doorway.auto_lock_ms = 1000
    bench.door.cut.add("position")
    bench.run(60_000)
    equal((bench.new(), bench.door.longest_ms), (["bolt_lost"], 0))


# --- the button inside ---------------------------------------------------------------------------


def test_the_button_opens_whatever_the_bolt_is_at():
    for kind in KINDS:
        for ms in (0, 100, 500, 850, 2000):
            bench = Bench(*kind)
            bench.act(LOCK, ms)
            bench.door.push(100)
            bench.run(3000)
            equal((state(bench), bench.new()[0]), (UNLOCKED, "button_pushed"), (kind, ms))


def test_a_push_counts_that_was_over_before_the_loop_looked():
    bench = Bench("motor", "ends", x=0.0)
    bench.run(100)
    bench.door.push(80)
    bench.door.advance(400)
    bench.run(2000)
    equal((state(bench), bench.new()), (UNLOCKED, ["button_pushed", "bolt_unlocked"]))


def test_a_spike_is_no_push():
    bench = Bench("motor", "ends", x=0.0)
    for _ in range(20):
        bench.door.push(5)
        bench.run(45)
    equal((state(bench), bench.new()), (LOCKED, []))


def test_while_somebody_holds_the_button_it_does_not_lock_by_itself():
    bench = Bench("motor", "ends")
    bench.doorway.auto_lock_ms = 1000
    bench.door.pins["button"].drive(0)
    bench.run(10_000)
    equal((state(bench), bench.new()), (UNLOCKED, ["button_pushed"]))
    bench.door.pins["button"].drive(1)
    bench.run(5000)
    equal(state(bench), LOCKED)


def test_a_restart_waits_for_what_moves_or_is_to():
    bench = Bench()

    def calm():
        bench.run(100)
        return bench.doorway.is_calm()

    equal(calm(), True)
    bench.doorway.act(LOCK)
    equal(calm(), False)
    bench.run(3000)
    equal((state(bench), calm()), (LOCKED, True))
    bench.doorway.act(UNLOCK)
    bench.run(3000)
    bench.door.swing()
    equal(calm(), True)
    bench.doorway.act(LOCK)
    equal(calm(), False)
    bench.door.slam()
    bench.run(5000)
    equal((state(bench), calm()), (LOCKED, True))
    bench.door.pins["button"].drive(0)
    bench.run(3000)
    equal((state(bench), calm()), (UNLOCKED, False))
    bench.door.pins["button"].drive(1)
    equal(calm(), True)


# --- battery and cover ---------------------------------------------------------------------------


def test_an_empty_battery_locks_when_asked_and_not_by_itself():
    bench = Bench("motor", "ends")
    bench.doorway.auto_lock_ms = 60_000
    bench.door.battery_mv = 3300
    bench.run(200_000)
    equal((state(bench), "auto_lock" in bench.new()), (LOCKED, True), "one reading is no proof")
    bench.act(UNLOCK, 200_000)
    equal(state(bench), UNLOCKED)
    equal(bench.act(LOCK), ["bolt_locked"])


def test_a_cover_that_is_opened_is_told_and_a_cut_wire_is_the_same():
    bench = Bench("motor", "ends")
    bench.door.pins["tamper"].drive(1)
    bench.run(200)
    bench.door.pins["tamper"].drive(0)
    bench.run(200)
    equal(bench.new(), ["tampered", "tamper_over"])
