"""Every event of the clock happens."""

from firmware.policy import reasons
from firmware.policy.instant import Instant
from firmware_tests.both.check import equal
from firmware_tests.both.clock_world import DAY_MS, World
from host_sim import words


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
    reasons.TIME_SET: lambda: World().fetch(),
    reasons.TIME_JUMPED: lambda: answer(3600),
    reasons.TIME_TURNED_BACK: lambda: answer(-3600),
    reasons.BOUND_RAISED: lambda: World().clock.signed(World().instant()),
    reasons.BOUNDS_CROSSED: lambda: statement(3600),
    reasons.TIME_OLD: lambda: statement(-3600),
    reasons.NONCE_UNKNOWN: lambda: World().clock.answered(World().instant(), bytes(16)),
    reasons.NONCE_EXPIRED: lambda: World().fetch(0, 61_000),
    reasons.NONCE_USED: used,
    reasons.BAD_INSTANT: lambda: World().clock.signed(Instant(1, 0)),
    reasons.NTP_TAKEN: lambda: network(0),
    reasons.NTP_OUTSIDE: lambda: network(60),
    reasons.NTP_ALONE: lambda: network(None),
    reasons.RTC_READ: lambda: chip(lambda world: None),
    reasons.RTC_SET: written,
    reasons.RTC_ABSENT: lambda: World(with_chip=False).event,
    reasons.RTC_STOPPED: lambda: chip(lambda world: world.chip.stop()),
    reasons.RTC_UNREADABLE: lambda: chip(die),
    reasons.RTC_UNMARKED: lambda: chip(lambda world: world.chip.writeto_mem(0x68, 7, b"\0")),
    reasons.RTC_BEHIND: lambda: chip(lambda world: world.chip.jump(-60)),
    reasons.RTC_AHEAD: ahead,
    reasons.TICKS_LOST: lost,
    reasons.NOW_TRUSTED: lambda: change(1),
    reasons.NOW_HOLDOVER: lambda: change(30),
    reasons.NOW_UNKNOWN: lambda: change(200),
}


def test_every_event_happens():
    for number in PRODUCED:
        equal(PRODUCED[number](), number, words.name(number))
    equal(sorted(PRODUCED), [number for number, _, _ in words.TABLE if 128 <= number < 160])
