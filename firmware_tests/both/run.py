"""The harness's child on MicroPython: runs test functions of one module, one per line of stdin.

    micropython firmware_tests/both/run.py firmware_tests.both.test_x [MODULE]

A line is the function's name, which of its parts to run, and how many parts there are. Imports
nothing but MODULE if there is one, `soak` and the module under test. After each function it prints
one line that begins with MARK: "passed" or "failed", and then "last" if the next function should
get a new child because the heap here fills up. What is printed before that line belongs to the
function; no such line means that it died.
"""

import sys

from micropython import mem_current  # type: ignore[attr-defined]  # not on the ESP32

from firmware_tests import soak

MARK = "\x1e"

# Bytes asked for and not given back, of which 32-bit MicroPython's blocks make up to twice as many
# of its 512 MB. (gc.mem_free() would be exact, and takes 100 ms on such a heap.)
FULL = 100000000


def run(module_name, function_name, part, parts):
    """Returns whether the function returned. Prints the traceback if it did not."""
    try:
        soak.part = int(part)
        soak.parts = int(parts)
        module = __import__(module_name, None, None, (function_name,))
        getattr(module, function_name)()
        return True
    except BaseException as error:  # sys.exit() in a test is a failure, too
        sys.print_exception(error)
        return False


def main(module_name):
    for line in sys.stdin:
        verdict = "passed" if run(module_name, *line.split()) else "failed"
        last = mem_current() > FULL
        # The line break ends whatever the test left unfinished.
        print("\n" + MARK + verdict + (" last" if last else ""))


if len(sys.argv) > 2:
    __import__(sys.argv[2])
main(sys.argv[1])
