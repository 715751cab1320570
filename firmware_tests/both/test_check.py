"""The helpers fail when they should, on every runtime, or no other test here could."""

from firmware_tests.both.check import equal, raises, true


def message(function, *args):
    """What an AssertionError of the call says; None if there is none."""
    try:
        function(*args)
    except AssertionError as error:
        return str(error)
    return None


def test_equal():
    for same in (0, "a", b"a", None, True, [1, (2, b"3")], {1: "a"}):
        if message(equal, same, same) is not None:
            raise AssertionError(same)
    if message(equal, 1 + 1, 3) != "got 2, expected 3":
        raise AssertionError("different values")
    if message(equal, b"a", "b", "note") != "note: got b'a', expected 'b'":
        raise AssertionError("note")


def test_a_bool_is_not_a_number():
    for actual, expected in ((True, 1), (0, False)):
        if message(equal, actual, expected) is None:
            raise AssertionError(actual)


def test_true():
    if message(true, 1) is not None:
        raise AssertionError("1")
    if message(true, 0, "zero") != "zero: got 0, expected something true":
        raise AssertionError("0")


def test_raises_returns_the_exception():
    equal(raises(ValueError, int, "x").args != (), True)


def test_raises_fails_when_nothing_is_raised():
    equal(message(raises, ValueError, int, "7"), "returned 7, expected ValueError")


def test_raises_lets_other_exceptions_pass():
    try:
        raises(KeyError, int, "x")
    except ValueError:
        return
    raise AssertionError("swallowed")
