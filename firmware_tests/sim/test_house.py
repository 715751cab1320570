"""A house: visits over its radio, its time, and what goes wrong in it."""

import pytest

from firmware.policy import reasons
from firmware.policy.grant import LOCAL, REMOTE, UNLOCK
from firmware.policy.zone import Zone
from host_sim.cloud.terms import local_datetime
from firmware.policy.instant import from_unix
from host_sim.house import people
from host_sim.house.house import House


def locked(home):
    """The door, locked by its owner."""
    assert home.visit("Anna", "lock").reason == reasons.ALLOWED
    home.until(lambda: home.state["bolt"] == "LOCKED")


def wall(home):
    """What the clock at the door shows."""
    now = from_unix(home.house.time.now_s())
    return local_datetime(now, Zone(people.ZONE))


def test_a_guest_opens_and_the_bolt_moves(home):
    locked(home)
    assert home.visit("Bob").reason == reasons.ALLOWED
    home.until(lambda: home.state["bolt"] == "UNLOCKED" and home.state["x"] > 0.9)
    assert home.visit("Bob", "pull").reason == reasons.ALLOWED
    home.until(lambda: home.state["x"] > 1.3)


def test_time_jumps_to_when_a_guest_may_come(home):
    came = home.visit("Clara")
    if came.reason == reasons.ALLOWED:
        home.do(home.house.jump(home.house.time.now_s() + 4 * 3600))
        came = home.visit("Clara")
    assert came.reason == reasons.OUTSIDE_RULES and came.next_s
    home.do(home.house.jump(came.next_s + 60))
    home.until(lambda: home.state["trust"] == "trusted")
    assert (wall(home).hour, wall(home).weekday() in (1, 3)) == (9, True)
    assert home.visit("Clara").reason == reasons.ALLOWED


def test_while_time_stands_still_the_bolt_does(home):
    locked(home)
    home.do(home.house.run_time(0))
    before = home.house.time.now_ms()
    assert home.visit("Bob").reason == reasons.ALLOWED
    home.until(lambda: home.state["bolt"] == "UNLOCKING")
    assert home.house.time.now_ms() == before
    assert (home.state["bolt"], home.state["x"] < 0.1) == ("UNLOCKING", True)
    home.do(home.house.run_time(1))
    home.until(lambda: home.state["bolt"] == "UNLOCKED")


def test_cloud_and_lock_live_through_a_night_of_another_length_and_a_year(home):
    house: House = home.house
    night_s = house.next_change_s()
    assert night_s
    for to_s in (night_s, night_s + 100 * 86_400):
        home.do(house.jump(to_s))
        home.until(lambda: home.state["is_online"] and home.state["trust"] == "trusted")
        with house.cloud.transaction(reads=True) as ctx:
            assert ctx.now >= to_s
        answer = home.do(house.lock.explain(house.key_of("Clara"), UNLOCK, LOCAL))
        (seen,) = [step["seen"] for step in answer["steps"] if step["name"] == "clock"]
        assert wall(home).strftime("%Y") in seen
    with pytest.raises(ValueError):
        home.do(house.jump(house.time.now_s() - 1))


@pytest.mark.parametrize("ways", [("wifi",), ("broker",), ("cloud",), ("wifi", "broker")])
def test_without_a_way_to_the_cloud_the_lock_goes_on_and_catches_up(home, ways):
    for way in ways:
        home.do(home.house.faults.set(way, True))
    home.until(lambda: not home.state["is_online"])
    assert home.visit("Bob").reason == reasons.ALLOWED
    for way in ways:
        home.do(home.house.faults.set(way, False))
    home.until(lambda: home.state["is_online"])
    assert home.do(home.house.settled())


def test_a_lock_that_lost_the_time_says_so_until_it_is_told(home):
    home.do(home.house.faults.set("clock", True))
    home.until(lambda: home.state["is_online"] and home.state["trust"] == "unknown")
    assert home.visit("Clara").reason == reasons.CLOCK_UNKNOWN
    assert home.visit("Bob").reason == reasons.ALLOWED  # at any time
    home.do(home.house.carry("Emil"))  # who has it from the cloud
    home.until(lambda: home.state["trust"] == "trusted")
    home.do(home.house.lock.lose_clock())
    home.until(lambda: home.state["trust"] == "unknown")
    home.do(home.house.faults.set("clock", False))
    home.do(home.house.jump(home.house.time.now_s() + 120))
    home.until(lambda: home.state["trust"] == "trusted")


def test_a_power_cut_takes_the_lock_off_the_air_and_leaves_the_clock_chip(home):
    home.until(home.house.lock.has_clock)
    home.do(home.house.faults.set("wifi", True))
    home.do(home.house.faults.set("power", True))
    assert not home.state["is_on"]
    came = home.visit("Bob")
    assert (came.reason, came.trouble) == (None, "no lock within reach")
    with pytest.raises(OSError):
        home.do(home.house.lock.explain(bytes(16), UNLOCK, LOCAL))
    home.do(home.house.faults.set("power", False))
    home.until(lambda: home.state["is_on"] and home.state["trust"] == "holdover")
    assert home.visit("Bob").reason == reasons.ALLOWED


def test_a_jam_stops_the_bolt_half_way(home):
    locked(home)
    home.do(home.house.faults.set("jam", True))
    assert home.visit("Bob").reason == reasons.ALLOWED
    home.until(lambda: home.state["bolt"] == "JAMMED")
    assert 0 < home.state["x"] < 0.6
    home.do(home.house.faults.set("jam", False))
    assert home.visit("Bob").reason == reasons.ALLOWED
    home.until(lambda: home.state["bolt"] == "UNLOCKED")


def test_a_low_battery_is_seen_and_told(home):
    home.do(home.house.faults.set("battery", True))
    home.do(home.house.run_time(60))  # what is told is a mean

    def told():
        with home.house.cloud.transaction(reads=True) as ctx:
            device = people.device_of(ctx, home.house.device)
            return 0 < device.state["battery_mv"] < 3600 and 0 < device.state["battery"] < 8

    home.until(told)


def test_events_have_numbers_without_a_gap(home):
    home.visit("Anna", "lock")
    home.until(lambda: home.house.events.kept("visit"))
    numbers = [event.number for event in home.house.events.kept()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    (*_, last) = home.house.events.kept("visit")
    assert (last.what["who"], last.what["ok"]) == ("Anna", True)


TUESDAY_S = 1_795_507_200  # 2026-11-24T08:00:00Z, 9 o'clock at the door


@pytest.mark.parametrize(
    ("at_s", "channel", "reason", "next_s"),
    [
        (TUESDAY_S - 1, LOCAL, reasons.OUTSIDE_RULES, TUESDAY_S),
        (TUESDAY_S, LOCAL, reasons.ALLOWED, None),
        (TUESDAY_S + 3 * 3600 - 1, REMOTE, reasons.ALLOWED, None),
        (TUESDAY_S + 3 * 3600, LOCAL, reasons.OUTSIDE_RULES, TUESDAY_S + 48 * 3600),
    ],
)
def test_the_lock_explains_any_instant(home, at_s, channel, reason, next_s):
    house = home.house
    answer = home.do(house.lock.explain(house.key_of("Clara"), UNLOCK, channel, at_s))
    assert (answer["reason"], answer["next"]) == (reason, next_s)
    names = [step["name"] for step in answer["steps"]]
    assert names[:3] == ["key", "share", "revocation"] and names[-1] == "clock error"
    (rules,) = [step for step in answer["steps"] if step["name"] == "allow rules"]
    assert rules["reason"] == reason
    before = house.events.kept("visit")
    assert home.do(house.lock.explain(bytes(16), UNLOCK, LOCAL))["reason"] == reasons.UNKNOWN_SHARE
    assert house.events.kept("visit") == before  # nobody was at the door
