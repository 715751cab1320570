"""One table of events; every one of them happens."""

from firmware.clock import events
from firmware.policy import reasons
from firmware.policy.instant import Instant
from firmware_tests.both.check import equal, true
from firmware_tests.both.clock_world import DAY_MS, World


def answer(jump_s):
    world = World()
    world.fetch()
    return world.clock.answered(world.instant(jump_s), world.clock.ask())


def statement(offset_s):
    world = World()
    world.fetch()
    return world.clock.signed(world.instant(offset_s))


def used():
    world = World()
    nonce = world.clock.ask()
    world.clock.answered(world.instant(), nonce)
    return world.clock.answered(world.instant(), nonce)


def network(offset_s):
    world = World(with_chip=False)
    if offset_s is None:
        return world.clock.network(world.instant())
    world.fetch()
    return world.clock.network(world.instant(offset_s))


def chip(happening):
    """What a boot says after something happened to a chip that had been set."""
    world = World()
    world.fetch()
    world.ticks()
    happening(world)
    world.power_cut(1000)
    return world.event


def die(world):
    world.chip.dead = True


def ahead():
    world = World()
    world.fetch()
    world.ticks()
    world.chip.jump(60)
    return world.live(seconds=3600)[0]


def lost():
    world = World()
    world.wait(8 * DAY_MS)
    return world.clock.tick()


def change(days):
    world = World(with_chip=False)
    world.fetch()
    told = world.live(days=days)
    return told[-1]


def written():
    world = World()
    world.fetch()
    return world.clock.tick()


PRODUCED = {
    events.TIME_SET: lambda: World().fetch(),
    events.TIME_JUMPED: lambda: answer(3600),
    events.TIME_TURNED_BACK: lambda: answer(-3600),
    events.BOUND_RAISED: lambda: World().clock.signed(World().instant()),
    events.BOUNDS_CROSSED: lambda: statement(3600),
    events.TIME_OLD: lambda: statement(-3600),
    events.NONCE_UNKNOWN: lambda: World().clock.answered(World().instant(), bytes(16)),
    events.NONCE_EXPIRED: lambda: World().fetch(0, 61_000),
    events.NONCE_USED: used,
    events.BAD_INSTANT: lambda: World().clock.signed(Instant(1, 0)),
    events.NTP_TAKEN: lambda: network(0),
    events.NTP_OUTSIDE: lambda: network(60),
    events.NTP_ALONE: lambda: network(None),
    events.RTC_READ: lambda: chip(lambda world: None),
    events.RTC_SET: written,
    events.RTC_ABSENT: lambda: World(with_chip=False).event,
    events.RTC_STOPPED: lambda: chip(lambda world: world.chip.stop()),
    events.RTC_UNREADABLE: lambda: chip(die),
    events.RTC_UNMARKED: lambda: chip(lambda world: world.chip.writeto_mem(0x68, 7, b"\0")),
    events.RTC_BEHIND: lambda: chip(lambda world: world.chip.jump(-60)),
    events.RTC_AHEAD: ahead,
    events.TICKS_LOST: lost,
    events.NOW_TRUSTED: lambda: change(1),
    events.NOW_HOLDOVER: lambda: change(30),
    events.NOW_UNKNOWN: lambda: change(200),
}


def test_every_event_happens():
    equal(sorted(PRODUCED), [number for number, _, _ in events.TABLE])
    for number, name, _ in events.TABLE:
        equal(PRODUCED[number](), number, name)


def test_numbers_and_names_are_unique_and_apart_from_the_reasons():
    numbers = [number for number, _, _ in events.TABLE]
    equal(numbers, list(range(128, 128 + len(numbers))))
    names = [name for _, name, _ in events.TABLE] + [name for _, name, _ in reasons.TABLE]
    equal(len(names), len(set(names)))
    true(max([number for number, _, _ in reasons.TABLE]) < 128)


def test_names_are_those_of_the_constants():
    for number, name, text in events.TABLE:
        equal(getattr(events, name.upper()), number)
        true(text.endswith("."), name)
