"""Every zone of the tz database, 2020 to 2045: its string here, in zoneinfo, and reality."""

import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from firmware.policy.instant import from_unix, to_unix
from firmware.policy.zone import Wall, Zone
from firmware_tests import soak
from firmware_tests.oracle import posix, zones
from firmware_tests.oracle.model import iso

FIRST, TODAY, LAST = zones.unix(2020), zones.unix(2026), zones.unix(2046)

# Zones whose own string is wrong at some time after 2026-01-01: a lock there needs its next zone.
# A release of the tz database that changes the set fails here, so that somebody looks.
LEAVING = {
    # Until a last change in 2026, from which on their string holds.
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "America/Edmonton",
    "America/Inuvik",
    "America/Rainy_River",
    "America/Vancouver",
    "America/Winnipeg",
    "America/Yellowknife",
    "Canada/Central",
    "Canada/Mountain",
    "Canada/Pacific",
    # In one winter.
    "America/Havana",
    "Cuba",
    # For a month of every year, which follows the moon.
    "Asia/Gaza",
    "Asia/Hebron",
}


@cache
def footers() -> dict[str, list[str]]:
    """The strings in use, with the zones that end in each."""
    found = defaultdict(list)
    for name in zones.names():
        found[zones.footer(name)].append(name)
    return dict(found)


@cache
def changes(text: str) -> list[int]:
    return zones.changes(zones.posix(text), FIRST, LAST)


def near(instants):
    return sorted({at + step for at in instants for step in (-1, 0, 1)})


def offset_s(zone: Zone, at: int, wall: Wall) -> int:
    zone.local(from_unix(at), wall)
    return to_unix(wall) - at


def offsets_of(zone: ZoneInfo) -> Callable[[int], int]:
    return lambda at: zones.offset(zone, at)


def wrong(zone: Zone, expected: Callable[[int], int], instants: Iterable[int]) -> list[str]:
    """Where a Zone and a function from instants to offsets disagree."""
    wall = Wall()
    return [
        f"{zone.text} at {iso(at)}: {offset_s(zone, at, wall)} instead of {expected(at)}"
        for at in instants
        if offset_s(zone, at, wall) != expected(at)
    ]


def test_the_database_is_all_there():
    assert len(zones.names()) > 590
    assert len(footers()) > 90


def test_every_string_around_every_change_is_as_in_zoneinfo():
    tried = 0
    for text in footers():
        instants = near([FIRST, *changes(text), LAST])
        assert wrong(Zone(text), offsets_of(zones.posix(text)), instants) == []
        tried += len(instants)
    assert tried > 5000, tried


def test_every_string_around_every_change_is_as_in_the_list_of_changes():
    for text in footers():
        assert wrong(Zone(text), posix.offsets(text), near([FIRST, *changes(text), LAST])) == []


def test_random_instants_are_as_in_zoneinfo():
    source = random.Random(soak.seed())
    texts = sorted(footers())
    count = soak.count(1_000_000, 20_000)
    cached = {text: (Zone(text), zones.posix(text)) for text in texts}
    wall = Wall()
    for _ in range(count):
        text = source.choice(texts)
        zone, expected = cached[text]
        at = source.randrange(FIRST, LAST)
        assert offset_s(zone, at, wall) == zones.offset(expected, at), (text, at)


def test_steady_reaches_exactly_to_the_next_change():
    wall = Wall()
    for text in footers():
        zone = Zone(text)
        for at, after in zip(changes(text), changes(text)[1:], strict=False):
            for begin in (at, (at + after) // 2, after - 1):
                zone.local(from_unix(begin), wall)
                assert wall.steady_s == after - begin, (text, iso(begin))


def moments_that_matter(name: str, since: int) -> list[int]:
    """Around every change that a zone or its string makes: between them both keep their offset."""
    text = zones.footer(name)
    listed = [at for at in zones.listed_changes(name) if since <= at < LAST]
    return near([since, *listed, *(at for at in changes(text) if at >= since)])


@cache
def leaving(since: int) -> set[str]:
    """The zones whose reality is not what their string says, from an instant on."""
    found = set()
    for text, names in footers().items():
        for name in names:
            real, own = zones.real(name), zones.posix(text)
            moments = moments_that_matter(name, since + 1)
            if any(zones.offset(real, at) != zones.offset(own, at) for at in moments):
                found.add(name)
    return found


def test_the_zones_that_leave_their_string_are_the_known_ones():
    assert leaving(TODAY) == LEAVING


def test_all_other_zones_keep_to_their_string_from_2026_on():
    tried = 0
    for text, names in footers().items():
        for name in sorted(set(names) - LEAVING):
            real = zones.real(name)
            moments = moments_that_matter(name, TODAY + 1)
            assert wrong(Zone(text), offsets_of(real), moments) == [], name
            tried += len(moments)
    assert tried > 10_000, tried


def fixed(ahead_s: int) -> str:
    """A string for one offset for ever."""
    east, rest = ahead_s >= 0, abs(ahead_s)
    return "<XXX>%s%d:%02d:%02d" % ("-" if east else "+", rest // 3600, rest // 60 % 60, rest % 60)


def test_a_next_zone_follows_reality_over_each_pair_of_changes():
    pairs = 0
    for name in sorted(leaving(FIRST)):
        real = zones.real(name)
        cuts = [FIRST, *zones.changes(real, FIRST, LAST), LAST]
        for begin, change, end in zip(cuts, cuts[1:], cuts[2:], strict=False):
            before, after = zones.offset(real, begin), zones.offset(real, change)
            zone = Zone(fixed(before), Zone(fixed(after)), from_unix(change))
            instants = [
                begin,
                (begin + change) // 2,
                change - 1,
                change,
                change + 1,
                (change + end) // 2,
                end - 1,
            ]
            assert wrong(zone, offsets_of(real), instants) == [], name
            wall = Wall()
            zone.local(from_unix(begin), wall)
            assert wall.steady_s == change - begin
            pairs += 1
    assert pairs > 100, pairs


def test_a_next_zone_may_have_daylight_saving_of_its_own():
    tried = 0
    for name in sorted(leaving(FIRST)):
        real, text = zones.real(name), zones.footer(name)
        own, moments = zones.posix(text), moments_that_matter(name, FIRST + 1)
        last = max(at for at in moments if zones.offset(real, at) != zones.offset(own, at))
        home = min((at for at in moments if at > last), default=LAST)
        zone = Zone(fixed(zones.offset(real, last)), Zone(text), from_unix(home))
        assert wrong(zone, offsets_of(real), [at for at in moments if at >= last]) == [], name
        tried += 1
    assert tried > 40, tried


@pytest.fixture
def c_library():
    """Sets the process's own zone, which the C library reads from TZ, and puts it back."""
    before = os.environ.get("TZ")

    def use(text):
        os.environ["TZ"] = text
        time.tzset()
        return lambda at: time.localtime(at).tm_gmtoff

    yield use
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "AAA0BBB,J59/0,J60/0",
        "AAA0BBB,59/0,60/0",
        "AAA0BBB,J60,J300",
        "AAA-3BBB,60/1:02:03,300/-2",
        "AAA3:30BBB,M3.1.6/26,M11.5.3/-3",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
    ],
)
def test_days_by_number_are_as_in_the_c_library_and_in_the_list_of_changes(text, c_library):
    expected = c_library(text)
    instants = range(zones.unix(2023, 1, 3), zones.unix(2029), 1800)
    listed = posix.offsets(text)
    assert [at for at in instants if listed(at) != expected(at)] == []
    assert wrong(Zone(text), expected, instants) == []
