"""Commands from afar on a whole lock: carried out once, for the challenge of the minute."""

from binascii import unhexlify

from firmware.policy import reasons
from firmware.policy.decision import VACATION
from firmware.store import entry
from firmware_tests.both.board_case import Board
from firmware_tests.both.check import equal, true
from firmware_tests.both.statement_case import name_of, run_named
from firmware_tests.both.vectors import read
from firmware_tests.power.log_case import entries


RUNS = read("commands")["runs"]
COMMAND = 7  # its kind in the log
ONCE = RUNS[0]["steps"]
HELD, UNLOCK = ONCE[1], ONCE[4]


def _take(board, step):
    if step["wait_s"]:
        board.live(step["wait_s"])
    return name_of(board.lock.accept(unhexlify(step["token"])))


def _pulses(board):
    return [level for _, level in board.hardware.pin.changes].count(1)


def test_runs():
    """Each statement gets its reason; what is refused moves nothing."""
    for run in RUNS:
        board = Board()
        for number, step in enumerate(run["steps"]):
            note = "%s, statement %d" % (run["name"], number + 1)
            pulses = _pulses(board)
            equal(_take(board, step), step["reason"], note)
            if step["reason"] == "allowed":
                board.live(4)
            else:
                equal(_pulses(board), pulses, note)


def test_unlock_and_pull_open_and_lock_does_not():
    board = Board()
    opened = []
    for step in ONCE:
        before = _pulses(board)
        _take(board, step)
        opened.append(_pulses(board) - before)
        board.live(4)
    equal(opened, [0, 0, 0, 0, 1, 0, 0, 1, 0, 0])


def test_a_boot_makes_what_is_on_its_way_stale():
    board = Board()
    _take(board, HELD)
    challenge = board.lock.remote.challenge
    board.boot()
    true(board.lock.remote.challenge != challenge)
    equal(_take(board, UNLOCK), "allowed")  # it names the second challenge
    board.boot()
    equal(_take(board, UNLOCK), "old_challenge")


def test_the_statement_and_the_decision_are_both_entered():
    board = Board()
    _take(board, HELD)
    _take(board, ONCE[0])  # the first challenge goes
    for _ in range(2):
        _take(board, UNLOCK)
    board.lock.door.tick()
    told = [e for e in entries(board.lock.log) if e.kind == entry.DECISION]
    equal([(e.reason, e.action >> entry.CHANNEL_SHIFT) for e in told], [(reasons.ALLOWED, 2)] * 2)
    equal(told[0].share, b"share-1" + bytes(9))
    said = [e for e in entries(board.lock.log) if e.kind == entry.STATEMENT]
    equal([e.action for e in said], [0, COMMAND, COMMAND, COMMAND])
    equal([name_of(e.reason) for e in said[1:]], ["allowed", "allowed", "challenge_used"])
    equal(said[3].share, b"share-1" + bytes(9))


def test_a_command_repeated_for_ever_does_not_lock_out_its_holder():
    board = Board()
    _take(board, RUNS[2]["steps"][0])
    for _ in range(20):
        _take(board, RUNS[2]["steps"][4])
    equal(board.ask(2), reasons.ALLOWED)


def test_a_mode_counts_for_commands():
    board = Board()
    _take(board, HELD)
    for token, _ in run_named("settings"):
        board.lock.accept(token)
    equal(board.lock.settings.current.mode, VACATION)
    equal(_take(board, RUNS[1]["steps"][1]), "old_challenge")
    equal(_take(board, UNLOCK), "mode")
