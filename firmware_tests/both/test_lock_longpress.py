"""The long push of the button inside, to the millisecond."""

from firmware.lock.longpress import ASKS, CONFIRM_MS, CONFIRMED, HELD_MS, NOTHING, LongPress
from firmware_tests.both.check import equal


class Finger:
    """On a button, which is looked at each 100 ms and at each edge."""

    def __init__(self, is_on=False):
        self.ms = 0
        self._is_on = is_on
        self._press = LongPress(lambda: self.ms, lambda late, early: late - early)
        self._press.update(is_on)

    def wait(self, ms):
        """What was said meanwhile."""
        said = []
        end_ms = self.ms + ms
        while self.ms < end_ms:
            self.ms = min(self.ms + 100, end_ms)
            said.append(self._press.update(self._is_on))
        return [each for each in said if each != NOTHING]

    def push(self, ms):
        """What was said while it was held, and when it was let go."""
        self._is_on = True
        said = [self._press.update(True)]
        said += self.wait(ms)
        self._is_on = False
        said.append(self._press.update(False))
        return [each for each in said if each != NOTHING]


def test_it_asks_once_and_not_before_its_time():
    equal(Finger().push(HELD_MS - 1), [])
    equal(Finger().push(HELD_MS), [ASKS])
    equal(Finger().push(5 * HELD_MS), [ASKS])


def test_short_pushes_ask_nothing_however_many_and_whatever_follows():
    finger = Finger()
    equal(finger.push(500) + finger.wait(2 * HELD_MS), [])
    for _ in range(20):
        equal(finger.push(HELD_MS // 2) + finger.wait(100), [])


def test_a_push_in_time_confirms_once():
    for late_ms, wanted in ((100, [CONFIRMED]), (CONFIRM_MS - 1, [CONFIRMED]), (CONFIRM_MS, [])):
        finger = Finger()
        equal(finger.push(HELD_MS) + finger.wait(late_ms), [ASKS], late_ms)
        equal(finger.push(100), wanted, late_ms)
        equal(finger.wait(100) + finger.push(100), [], late_ms)


def test_the_time_to_confirm_begins_with_the_question_and_not_when_it_is_let_go():
    finger = Finger()
    equal(finger.push(HELD_MS + CONFIRM_MS) + finger.wait(100), [ASKS])
    equal(finger.push(100), [])


def test_it_may_be_asked_again():
    finger = Finger()
    equal(finger.push(HELD_MS) + finger.wait(2 * CONFIRM_MS), [ASKS])
    equal(finger.push(HELD_MS) + finger.wait(100) + finger.push(100), [ASKS, CONFIRMED])


def test_a_button_that_was_held_from_the_start_asks_nothing():
    finger = Finger(is_on=True)
    equal(finger.push(2 * HELD_MS), [])
    equal(finger.push(HELD_MS), [ASKS])
