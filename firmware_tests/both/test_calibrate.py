"""A person teaches a lock where its bolt ends, at the prompt."""

from firmware.calibrate import calibrate
from firmware.lock.states import LOCKED, UNLOCKED
from firmware.policy.grant import LOCK, UNLOCK
from firmware.store import ends
from firmware_tests.both.board_case import WHO, Board, RamFlash
from firmware_tests.both.check import equal, raises, true
from host_sim.world.door import Door


HELD = 2.0  # as far as it goes, and the latch's spring does not get it back


class Person:
    """Turns the bolt to these places, one after the other, as it is asked to."""

    def __init__(self, board, door, places):
        self.said = []
        self._board = board
        self._door = door
        self._places = list(places)

    def ask(self, text):
        place = self._places.pop(0)
        if place is None:
            return "no"
        self._door.hand = place
        self._door.advance(1000)
        return ""

    def calibrate(self):
        return calibrate(self._board.hardware, self._board.flash, self.ask, self.said.append)


def given(places, cut=()):
    door = Door("motor", "position", x=0.5)
    door.cut.update(cut)
    board = Board(door=door)
    return door, board, Person(board, door, places)


def test_a_bolt_that_was_taught_its_ends_moves_to_them():
    for places in ((0.0, 1.0, HELD), (0.0, 1.0, None)):
        door, board, person = given(places)
        true(person.calibrate())
        equal((len(person.said), person.said[0][:10]), (1, "locked 500"))
        door.hand = None
        board.boot()
        for action, state in ((LOCK, LOCKED), (UNLOCK, UNLOCKED)):
            board.lock.doorway.act(action)
            board.live(3)
            equal((board.lock.doorway.state, round(door.x)), (state, 1 - (state == LOCKED)))


def test_what_cannot_be_is_not_kept():
    for places, cut, text in (
        ((0.0, 0.2, None), (), "apart"),
        ((0.0, 1.0, 0.5), (), "beyond"),
        ((0.0, 1.0, HELD), ("position",), "wires"),
    ):
        _, board, person = given(places, cut)
        true(not person.calibrate())
        true(text in person.said[1], person.said)
        equal(ends.Ends(board.flash.pair, WHO.seal()).record, None)


def test_a_second_calibration_replaces_the_first():
    _, board, person = given((0.0, 1.0, None))
    person.calibrate()
    first = ends.Ends(board.flash.pair, WHO.seal()).record
    _, _, person = given((0.0, 1.0, HELD))
    person._board.flash = board.flash
    person.calibrate()
    true(ends.Ends(board.flash.pair, WHO.seal()).record not in (first, None))


def test_only_a_lock_with_a_sensor_of_its_position_can_be_taught():
    raises(ValueError, calibrate, Board(door=Door("motor", "ends")).hardware, RamFlash(), None)
    board = Board(door=Door("motor", "ends"))
    raises(ValueError, calibrate, board.hardware, board.flash, None)
    board = Board(door=Door("motor", "position"))
    raises(ValueError, calibrate, board.hardware, RamFlash(), None)
