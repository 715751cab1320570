"""The lock as a whole, from boot to stop: what it enters, takes in, opens and survives."""

import json
import os
from binascii import hexlify

from firmware import app, heap
from firmware.access.intake import LARGEST_BATCH
from firmware.policy import reasons
from firmware.link.lines import Lines
from firmware.lock.states import LOCKED, UNKNOWN, UNLOCKED
from firmware.policy.decision import NORMAL, PASSAGE, VACATION
from firmware.policy.grant import LOCK as LOCK_IT
from firmware.policy.grant import UNLOCK as OPEN_IT
from firmware.policy.grant import Grant
from firmware.policy.instant import Instant, from_unix
from firmware.policy.zone import Wall
from firmware.store import ends, entry
from firmware.store.settings import Settings
from firmware_tests.both.board_case import ANSWER_S, GRANTS, START_S, WHO, Board, RamFlash
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.door_case import RECORD
from firmware_tests.both.statement_case import LOCK, run_named
from firmware_tests.power.log_case import event
from host_sim import words
from host_sim.world.door import Door
from host_sim.world.hardware import PULSE_MS, Hardware


def test_the_first_boot_is_entered_and_so_is_what_the_clock_chip_says():
    board = Board()
    equal(board.log(entry.BOOT), [(entry.FIRST, 0)])
    equal(board.log(entry.CLOCK), [(reasons.RTC_STOPPED, 0)])
    equal(board.hardware.pin.level, 0)


def test_an_orderly_stop_is_told_from_a_cut():
    board = Board()
    board.lock.stop()
    board.boot()
    equal([reason for reason, _ in board.log(entry.BOOT)], [entry.FIRST, entry.CLEAN])
    board.boot()
    equal([reason for reason, _ in board.log(entry.BOOT)][2:], [entry.UNCLEAN])


def test_a_grant_from_a_file_opens_with_one_pulse_of_the_right_length():
    board = Board()
    board.leave("a.cose", GRANTS["an admin"])
    board.live(2)
    equal(board.said, ["a.cose: 0"])
    before = board.hardware.ms
    equal(board.ask(), reasons.ALLOWED)
    board.live(10)
    equal(board.hardware.pin.changes[1:], [(before, 1), (before + PULSE_MS, 0)])
    equal(board.log(entry.DECISION), [(reasons.ALLOWED, 0)])


def test_a_count_survives_a_cut_right_after_the_pulse_began():
    board = Board()
    counted = Grant(b"share-1", LOCK, bytes(16))
    counted.uses = 2
    counted.issued = Instant()
    true(board.lock.grants.put(counted))
    for _ in range(2):
        equal(board.ask(), reasons.ALLOWED)
        equal(board.hardware.pin.level, 1)
        board.boot()  # no tick in between
        equal(board.hardware.pin.level, 0)
    equal(board.ask(), reasons.USES_SPENT)
    boots = [reason for reason, _ in board.log(entry.BOOT)]
    equal(boots, [entry.FIRST, entry.UNCLEAN, entry.UNCLEAN])


def test_signed_time_sets_the_boards_calendar_and_the_chip_does_at_the_next_boot():
    board = Board()
    board.live(2)
    equal(board.hardware.calendar.fields[0], 2000)
    equal(board.set_time(), reasons.TIME_SET)
    board.live(2)
    equal(board.hardware.calendar.fields[:6], (2020, 12, 14, 0, 12, 1))
    board.hardware.calendar.fields = (2000, 1, 1, 5, 0, 0, 0, 0)
    board.hardware.ms += 3_600_000
    board.boot()
    equal(board.hardware.calendar.fields[:5], (2020, 12, 14, 0, 13))
    told = [reason for reason, _ in board.log(entry.CLOCK)]
    equal(told[1:], [reasons.RTC_SET, reasons.NOW_TRUSTED, reasons.RTC_READ, reasons.NOW_HOLDOVER])


def test_a_calendar_that_drifts_is_set_again():
    board = Board()
    board.set_time()
    board.live(1)
    hour = list(board.hardware.calendar.fields)
    hour[4] += 1
    board.hardware.calendar.fields = tuple(hour)
    board.live(2)
    equal(board.hardware.calendar.fields[4], 12)


def test_settings_count_at_once_and_after_a_boot():
    board = Board()
    for token, _ in run_named("settings"):
        board.lock.accept(token)
    settings = board.lock.settings.current
    equal(settings.zone[:5], "CET-1")
    wall = Wall()
    for _ in range(2):
        board.lock.door.zone.local(from_unix(ANSWER_S - 86_400), wall)
        equal(wall.second // 3600, 13)
        equal(board.lock.grants.mode, settings.mode)
        equal(board.lock.clock._limit_s, settings.most_error_s)
        board.boot()


def test_the_mode_keeps_people_out_as_soon_as_it_is_set():
    board = Board()
    board.lock.accept(GRANTS["a guest without limits"])
    equal(board.ask(), reasons.ALLOWED)
    for token, _ in run_named("settings"):
        board.lock.accept(token)
    equal(board.lock.settings.current.mode, VACATION)
    equal(board.ask(), reasons.MODE)
    board.boot()
    equal(board.ask(), reasons.MODE)


def test_a_batch_that_was_cut_off_is_finished_at_boot():
    board = Board()
    token = run_named("batches continue each other, and each counts once")[1][0]
    board.flash.pair[0].replace("batch", token)
    board.boot()
    true(board.lock.grants.count() > 0)
    equal(board.flash.pair[0].read("batch"), None)


# --- the inbox -----------------------------------------------------------------------------------


def test_statements_are_taken_by_name_answered_and_removed():
    board = Board()
    board.leave("2.cose", GRANTS["a guest who may only lock"])
    board.leave("1.cose", bytes(20))
    board.leave("3.cose", bytes(2 * LARGEST_BATCH))
    board.leave("notes.txt", b"mine")
    board.live(5)
    wanted = [reasons.MALFORMED, reasons.ALLOWED, reasons.TOO_LARGE]
    equal(board.said, ["%d.cose: %d" % (n + 1, reason) for n, reason in enumerate(wanted)])
    equal(board.flash.statements.names(), ["notes.txt"])


def test_a_statement_that_is_found_again_changes_nothing():
    board = Board()
    board.leave("a.cose", GRANTS["an admin"])
    board.live(2)
    digest = board.lock.grants.digest()
    board.leave("a.cose", GRANTS["an admin"])  # the cut came before it was removed
    board.boot()
    board.live(2)
    equal(board.said, ["a.cose: 0"] * 2)
    equal(board.lock.grants.digest(), digest)


def test_nothing_without_a_deadline_is_begun_while_the_bolt_moves():
    board = Board()
    board.lock.accept(GRANTS["an admin"])
    board.live(1)
    board.ask()
    board.leave("a.cose", GRANTS["an admin"])
    board.live(2)
    equal(board.said, [])
    equal(board.log(entry.DECISION), [(reasons.ALLOWED, 0)], "the log cannot wait")
    board.live(3)
    equal(board.said, ["a.cose: 0"])


# --- a bolt with a drive -------------------------------------------------------------------------


def bolts(board):
    """What the log has about the bolt since the boot."""
    return [words.name(reason) for reason, _ in board.log(entry.BOLT)]


def test_a_grant_moves_the_bolt_and_the_log_tells_what_it_did():
    board = Board(door=Door("motor", "ends", x=0.0))
    board.lock.accept(GRANTS["an admin"])
    board.live(1)
    equal(board.lock.doorway.state, LOCKED)
    equal(board.ask(), reasons.ALLOWED)
    equal(board.lock.step(), 10, "somebody looks at it often while it moves")
    board.live(3)
    equal((board.lock.doorway.state, bolts(board)), (UNLOCKED, ["bolt_unlocked"]))
    equal(board.lock.step(), 50, "and then there is time")


def held(board, door, ms):
    """Somebody holds the button for so long, and the lock goes on meanwhile."""
    door.pins["button"].drive(0)
    board.live(ms // 1000)
    door.pins["button"].drive(1)
    board.live(1)


def test_all_is_forgotten_when_the_button_was_held_let_go_and_pushed_again():
    door = Door("motor", "ends", x=0.0)
    board = Board(door=door)
    board.live(1)
    door.pins["button"].drive(0)
    board.live(2)
    equal(board.lock.doorway.state, UNLOCKED, "at once, whatever follows")
    board.live(6)
    equal(bolts(board).count("reset_asked"), 0)
    board.live(3)
    equal(bolts(board).count("reset_asked"), 1)
    board.live(30)  # it is stuck
    door.pins["button"].drive(1)
    board.live(1)
    held(board, door, 1000)
    equal(board.flash.is_wiped(), False, "that was too late")
    held(board, door, 11_000)
    raises(SystemExit, held, board, door, 1000)
    equal((board.flash.is_wiped(), board.said), (True, ["factory reset"]))
    said = []
    equal(app.run(Desk(), board.flash, said.append, Crashes()), False)
    true("not provisioned" in said[0], said)


def test_a_button_that_was_held_when_power_came_asks_nothing():
    door = Door("motor", "ends", x=0.0)
    door.pins["button"].drive(0)
    board = Board(door=door)
    board.live(12)
    equal(bolts(board), [])


def test_a_flash_that_cannot_be_wiped_is_told_and_the_lock_goes_on():
    door = Door("motor", "ends", x=0.0)
    board = Board(door=door)
    board.lock._wipe = lambda: os.remove("no such file")
    held(board, door, 11_000)
    held(board, door, 1000)
    true(board.said[0].startswith("reset: "), board.said)
    held(board, door, 1000)
    equal(board.flash.is_wiped(), False)


def test_the_button_inside_opens_without_any_grant_and_is_entered():
    door = Door("motor", "ends", x=0.0)
    board = Board(door=door)
    board.live(1)
    door.push(100)
    board.live(3)
    equal((board.lock.doorway.state, bolts(board)), (UNLOCKED, ["button_pushed", "bolt_unlocked"]))


def test_settings_say_when_the_bolt_locks_by_itself():
    board = Board(door=Door("motor", "ends"))
    for token, _ in run_named("settings"):
        board.lock.accept(token)
    delay_s = board.lock.settings.current.auto_lock_s
    true(delay_s > 0)
    board.live(delay_s - 1)
    equal(board.lock.doorway.state, UNLOCKED)
    board.live(4)
    equal((board.lock.doorway.state, bolts(board)), (LOCKED, ["auto_lock", "bolt_locked"]))


def test_in_the_mode_passage_the_bolt_stays_unlocked():
    board = Board(door=Door("motor", "ends", x=0.0))
    settings = Settings()
    for version, mode in ((1, PASSAGE), (2, NORMAL)):
        settings.version = version
        settings.mode = mode
        settings.auto_lock_s = 5
        equal(board.lock.settings.put(settings), reasons.ALLOWED)
        board.lock._apply_settings()
        board.live(20)
    told = ["held_open", "bolt_unlocked", "hold_over", "auto_lock", "bolt_locked"]
    equal(bolts(board), told)


def test_a_strike_is_not_held_by_any_mode():
    board = Board()
    settings = Settings()
    settings.version = 1
    settings.mode = PASSAGE
    settings.auto_lock_s = 1
    equal(board.lock.settings.put(settings), reasons.ALLOWED)
    board.lock._apply_settings()
    board.live(5)
    equal(([level for _, level in board.hardware.pin.changes], bolts(board)), ([0], []))


def test_a_stop_in_the_middle_of_a_throw_leaves_no_current_and_the_next_boot_notices():
    door = Door("motor", "ends")
    board = Board(door=door)
    board.lock.accept(GRANTS["an admin"])
    equal(board.ask(LOCK_IT), reasons.ALLOWED)
    board.live(0.4)
    board.lock.stop()
    equal((door.pins["to_lock"].level, door.pins["to_open"].level), (0, 0))
    board.boot()
    board.live(2)
    equal((board.lock.doorway.state, bolts(board)), (UNKNOWN, ["bolt_between"]))


def test_people_see_and_hear_whether_they_may():
    board = Board()
    shown = []
    board.hardware.parts["lamp"] = shown.append
    board.hardware.power_on = lambda: None
    board.boot()
    board.lock.accept(GRANTS["a guest who may only lock"])
    for action, pattern in ((LOCK_IT, [1, 0]), (OPEN_IT, [1, 0, 1, 0, 1, 0])):
        shown.clear()
        board.ask(action)
        board.live(2)
        equal(shown, pattern)


def test_a_calibration_counts_from_the_next_start_on():
    door = Door("motor", "position", x=0.0)
    board = Board(door=door)
    equal(board.lock.doorway.state, UNKNOWN)
    ends.write(board.flash.pair, WHO.seal(), RECORD)
    board.boot()
    equal((board.lock.doorway.state, board.log(entry.DAMAGE)), (LOCKED, []))
    board.flash.state.files["bolt"][6] ^= 1
    board.boot()
    equal(board.lock.doorway.state, LOCKED)
    board.flash.log.files["bolt"][6] ^= 1
    board.boot()
    equal(board.lock.doorway.state, LOCKED, "the damaged copy was mended")
    for folder in board.flash.pair:
        folder.files["bolt"][6] ^= 1
    board.boot()
    equal(board.lock.doorway.state, UNKNOWN)
    equal(board.log(entry.DAMAGE), [(entry.ENDS_COPIES, 0)] * 3)


# --- a broken flash ------------------------------------------------------------------------------


def test_a_broken_flash_is_told_once_keeps_statements_and_opens_the_door():
    board = Board()
    board.lock.accept(GRANTS["an admin"])
    board.live(1)
    board.leave("a.cose", GRANTS["an admin"])
    flash = board.flash
    folders = [flash.log, flash.state, flash.ledger, flash.statements] + flash.grants
    for folder in folders:
        folder.fails = True
    equal(board.ask(), reasons.ALLOWED)
    board.live(10)
    equal(board.said, ["%s: %r" % (task, OSError(5)) for task in ("door", "inbox")])
    equal(board.hardware.pin.level, 0)
    for folder in folders:
        folder.fails = False
    board.live(2)
    equal(board.said[2:], ["a.cose: 0"])
    true((reasons.ALLOWED, 0) in board.log(entry.DECISION))
    equal(board.log(entry.BOOT)[1:], [(entry.FAILED, 0)] * 2)


def test_damage_of_small_records_is_entered():
    board = Board()
    board.lock.accept(run_named("settings")[9][0])
    board.lock.stop()
    board.flash.state.files["settings"][9] ^= 1
    board.boot()
    equal(board.log(entry.DAMAGE), [(entry.SETTINGS_COPIES, 0)])


def test_all_buckets_are_looked_at_in_the_background():
    board = Board()
    board.lock.accept(GRANTS["an admin"])
    board.lock.stop()
    for name, content in board.flash.grants[0].files.items():
        if name[0] == "g":
            content[50] ^= 1
    board.boot()
    equal(board.log(entry.DAMAGE), [])
    board.live(3)
    equal(len(board.log(entry.DAMAGE)), 1)


# --- run -----------------------------------------------------------------------------------------


class Desk(Hardware):
    """A board with a console, at which somebody types these lines and then Ctrl-C."""

    def __init__(self, *lines):
        super().__init__(START_S, bytes)
        self.has_console = True
        self._lines = list(lines)

    def wait(self, ms):
        super().wait(ms)
        if self.ms < (START_S + 2) * 1000:
            return None
        if not self._lines:
            raise KeyboardInterrupt
        return self._lines.pop(0)


class Crashes:
    """A `hal.crash.Crash` without a file."""

    def __init__(self, count=0):
        self.count = count
        self.why = "ValueError()"

    def forget(self):
        self.count = 0


def _typed(board, *lines):
    """What a lock on the flash of a board says to these lines, until Ctrl-C."""
    said = []
    raises(KeyboardInterrupt, app.run, Desk(*lines), board.flash, said.append, Crashes())
    return said


def test_without_an_identity_there_is_no_lock_and_a_word_about_it():
    said = []
    equal(app.run(Desk(), RamFlash(), said.append, Crashes()), False)
    true("not provisioned" in said[0], said)


def test_a_lock_that_is_ready_collects_garbage_only_when_there_is_no_room():
    told = []
    before = heap._THRESHOLD
    heap._THRESHOLD = told.append
    try:
        _typed(Board())
    finally:
        heap._THRESHOLD = before
    equal(told, [-1])


def test_ctrl_c_is_an_orderly_stop():
    board = Board()
    equal(_typed(board), ["ready"])
    board.boot()
    equal(board.log(entry.BOOT)[-1], (entry.CLEAN, 0))


class Days(Hardware):
    """A board at which Ctrl-C comes after so many seconds."""

    def __init__(self, seconds):
        super().__init__(START_S, bytes)
        self._end_ms = self.ms + seconds * 1000

    def wait(self, ms):
        super().wait(ms)
        if self.ms >= self._end_ms:
            raise KeyboardInterrupt


def test_crashes_are_entered_and_forgotten_once_it_runs_well():
    board = Board()
    crashes = Crashes(app.SAFE_AFTER - 1)
    said = []
    board.leave("a.cose", GRANTS["an admin"])
    days = Days(app.HEALTHY_S - 1)
    raises(KeyboardInterrupt, app.run, days, board.flash, said.append, crashes)
    equal((said, crashes.count), (["ready", "a.cose: 0"], app.SAFE_AFTER - 1))
    days = Days(app.HEALTHY_S + 1)
    raises(KeyboardInterrupt, app.run, days, board.flash, said.append, crashes)
    equal(crashes.count, 0)
    board.boot()
    entered = [each for each in board.log(entry.BOOT) if each[0] == entry.CRASHED]
    equal(entered, [(entry.CRASHED, app.SAFE_AFTER - 1)] * 2)


def test_after_some_crashes_in_a_row_only_the_door_is_served_and_later_all_is_tried_again():
    board = Board()
    board.leave("a.cose", GRANTS["an admin"])
    crashes = Crashes(app.SAFE_AFTER)
    said = []
    days = Days(app.SAFE_S - 1)
    raises(KeyboardInterrupt, app.run, days, board.flash, said.append, crashes)
    equal(said, ["safe mode: ValueError()", "ready"])
    equal((board.flash.statements.names(), days.watchdog.is_on), (["a.cose"], True))
    raises(SystemExit, app.run, Days(app.SAFE_S + 1), board.flash, said.append, crashes)
    equal(crashes.count, 0)
    raises(KeyboardInterrupt, app.run, Days(5), board.flash, said.append, crashes)
    equal(said[-1], "a.cose: 0")


def test_the_watchdog_is_fed_once_a_second_after_all_tasks_and_not_while_one_hangs():
    board = Board()
    dog = board.hardware.watchdog
    before = dog.fed
    board.live(10)
    true(9 <= dog.fed - before <= 11, dog.fed)

    class Hangs(BaseException):
        pass

    def hang(now=None):
        raise Hangs  # it does not come back

    board.lock.door.tick = hang
    before = dog.fed
    raises(Hangs, board.live, 3)
    equal((dog.fed, dog.tasks[-1]), (before, b"door"))


class Thread:
    """A network whose thread is over, for a reason that is told once."""

    def __init__(self, *reasons):
        self.reasons = list(reasons)

    def look(self):
        return self.reasons.pop(0) if self.reasons else ""

    def is_lost(self):
        return False


class Nobody:
    """A clerk without a cloud."""

    def note_door(self, is_busy):
        pass

    def tick(self):
        pass

    def work(self):
        return False


def test_damage_deep_in_the_log_is_found_while_the_lock_runs():
    board = Board()
    board.lock.accept(GRANTS["an admin"])
    log = board.lock.log
    while log.sequence < 200:
        event(log, 1)
        log.flush()
    board.flash.log.files["00000001"][5 * entry.BYTES + 40] ^= 1
    reads = []
    read_into = board.flash.log.read_into
    board.flash.log.read_into = lambda *what: reads.append(what) or read_into(*what)
    most = 0
    for _ in range(5 * app.SCRUB_S):
        board.hardware.ms += 1000
        board.lock.step()  # the second's
        while not board.lock.step():
            most = max(most, len(reads))
            reads.clear()
    equal(board.log(entry.DAMAGE), [(entry.RECORDS, 1)])
    true(0 < most <= 4, most)
    equal(board.ask(), reasons.ALLOWED)


def test_a_network_thread_that_is_over_is_told_and_entered_and_the_door_goes_on():
    board = Board()
    board.hardware.network = Thread("", "MemoryError()")
    board.lock.connect(Nobody())
    board.lock.accept(GRANTS["an admin"])
    board.live(4)
    equal(board.said, ["network: MemoryError()"])
    equal(board.log(entry.BOOT)[1:], [(entry.FAILED, 0)])
    equal(board.ask(), reasons.ALLOWED)


def test_a_desk_asks_by_lines():
    board = Board()
    token = hexlify(GRANTS["at the door only"]).decode()
    said = _typed(
        board,
        b'{"do": "nonce"}',
        '{"do": "statement", "token": "%s"}' % token,
        '{"do": "act", "key": "%s", "action": 1, "channel": 1, "proven": true}' % ("00" * 16),
        "no JSON",
        '{"do": "dance"}',
        '{"do": "statement"}',
    )
    answers = [json.loads(line) for line in said[1:]]
    equal(answers[0], {"nonce": "00" * 16})
    equal(answers[1], {"reason": reasons.ALLOWED})
    equal(answers[2], {"reason": reasons.UNKNOWN_SHARE, "next": None})
    equal([list(answer) for answer in answers[3:]], [["error"]] * 3)


def test_what_would_be_allowed_later_says_when():
    board = Board()
    board.set_time()
    board.lock.accept(GRANTS["a rule over midnight"])
    key = hexlify(next(board.lock.grants.grants()).key).decode()
    line = '{"do": "act", "key": "%s", "action": 1, "channel": 1, "proven": true}' % key
    lines = Lines(board.lock)
    answer = json.loads(lines.answer(line))
    equal(answer["reason"], reasons.OUTSIDE_RULES)
    board.hardware.ms = (answer["next"] - 60) * 1000  # in four days the crystal may be 14 s off
    equal(json.loads(lines.answer(line))["reason"], reasons.OUTSIDE_RULES)
    board.hardware.ms = (answer["next"] + 60) * 1000
    equal(json.loads(lines.answer(line)), {"reason": reasons.ALLOWED, "next": None})
