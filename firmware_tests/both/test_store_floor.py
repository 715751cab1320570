"""The clock's floor: up only, unless lowered in so many words; two copies."""

from firmware.policy.instant import Instant
from firmware.store.floor import Floor
from firmware.store.seal import Seal
from firmware_tests.both.check import equal, raises
from firmware_tests.power.log_case import KEY, Memory

SEAL = Seal(KEY)


def places():
    return Memory(), Memory()


def test_no_floor_at_first():
    floor = Floor(places(), SEAL)
    equal((floor.read(), floor.damaged), (None, False))


def test_it_goes_up_only():
    where = places()
    floor = Floor(where, SEAL)
    for day, second, expected in (
        (20000, 5, (20000, 5)),
        (20000, 4, (20000, 5)),
        (19999, 86399, (20000, 5)),
        (20000, 6, (20000, 6)),
        (84005, 86399, (84005, 86399)),
    ):
        floor.raise_to(Instant(day, second))
        equal(floor.read(), Instant(*expected))
        equal(Floor(where, SEAL).read(), Instant(*expected))


def test_it_is_lowered_explicitly():
    where = places()
    floor = Floor(where, SEAL)
    floor.raise_to(Instant(20000, 5))
    floor.lower_to(Instant(19000, 7))
    equal(floor.read(), Instant(19000, 7))
    equal(Floor(where, SEAL).read(), Instant(19000, 7))


def test_what_changes_nothing_writes_nothing():
    where = places()
    floor = Floor(where, SEAL)
    floor.raise_to(Instant(20000, 5))
    where[0].fails = True
    floor.raise_to(Instant(20000, 5))
    floor.lower_to(Instant(20000, 5))
    raises(OSError, floor.raise_to, Instant(20000, 6))
    equal(floor.read(), Instant(20000, 5))


def test_the_caller_keeps_no_hold_on_it():
    floor = Floor(places(), SEAL)
    mine = Instant(20000, 5)
    floor.raise_to(mine)
    mine.day = 1
    floor.read().day = 2
    equal(floor.read(), Instant(20000, 5))


def test_the_newest_copy_counts_and_heals_the_older_one():
    for old in (0, 1):
        where = places()
        Floor(where, SEAL).raise_to(Instant(20000, 5))
        older = bytearray(where[old].files["floor"])
        Floor(where, SEAL).raise_to(Instant(20000, 6))
        where[old].files["floor"] = older
        equal(Floor(where, SEAL).read(), Instant(20000, 6), old)
        where[1 - old].files.clear()
        equal(Floor(where, SEAL).read(), Instant(20000, 6), old)


def test_damage_to_one_copy_is_healed_and_to_both_means_none():
    where = places()
    Floor(where, SEAL).raise_to(Instant(20000, 5))
    for folder in where:
        for bit in range(len(folder.files["floor"]) * 8):
            folder.files["floor"][bit >> 3] ^= 1 << (bit & 7)
            floor = Floor(where, SEAL)
            equal((floor.read(), floor.damaged), (Instant(20000, 5), True), bit)
            equal(Floor(where, SEAL).damaged, False, bit)
    for folder in where:
        folder.files["floor"][9] ^= 1
    floor = Floor(where, SEAL)
    equal((floor.read(), floor.damaged), (None, True))
    floor.raise_to(Instant(3, 4))
    equal(Floor(where, SEAL).read(), Instant(3, 4))
