"""What a test in `both/` says about a result; MicroPython's plain `assert` shows no values.

Imports nothing. Every helper raises AssertionError with both sides of the comparison in its
message, so a failure reads the same on every runtime; `__tracebackhide__` makes pytest show the
test's line and not this file's.
"""


def equal(actual, expected, note=""):
    """Fail unless `actual == expected` and both agree on being a bool.

    CPython calls `True == 1`, MicroPython's `bool` is not an int: code that mixes the two behaves
    differently on the lock, so a test must not take one for the other.
    """
    __tracebackhide__ = True
    same_kind = isinstance(actual, bool) == isinstance(expected, bool)
    if not (same_kind and actual == expected):
        raise AssertionError(_text(note, "got " + repr(actual), "expected " + repr(expected)))


def true(value, note=""):
    """Fail unless `value` is truthy."""
    __tracebackhide__ = True
    if not value:
        raise AssertionError(_text(note, "got " + repr(value), "expected something true"))


def raises(exception_class, function, *args):
    """Call `function(*args)`; fail unless it raises `exception_class`. Returns the exception.

    Any other exception passes through with its own traceback.
    """
    __tracebackhide__ = True
    try:
        result = function(*args)
    except exception_class as error:
        return error
    expected = "expected " + exception_class.__name__
    raise AssertionError(_text("", "returned " + repr(result), expected))


def _text(note, actual, expected):
    head = str(note) + ": " if note != "" else ""
    return head + actual + ", " + expected
