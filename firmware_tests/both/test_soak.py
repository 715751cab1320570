"""Test data comes out alike on every runtime, or a seed would not repeat a failure."""

from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true


def test_a_seed_gives_the_same_numbers_everywhere():
    # The C++ standard's check of minstd_rand (ISO/IEC 14882, [rand.predef]).
    random = soak.Random(0)
    for _ in range(10000):
        number = random.below(2147483647)
    equal(number, 399268537)


def test_seeds_differ():
    true(soak.Random(1).bytes(8) != soak.Random(2).bytes(8))


def test_every_byte_occurs():
    equal(len(set(soak.Random(soak.seed()).bytes(8000))), 256)


def test_ordinary_runs_make_at_least_one_round_in_a_hundred():
    true(soak.count(500, 5) in (5, 500))
    raises(ValueError, soak.count, 501, 5)
