"""A house whose lock runs on CPython, for computers without MicroPython."""

import pytest

from firmware.policy import reasons
from firmware_tests.house import running
from host_sim.cloud.domain import sharing
from host_sim.house import people
from host_sim.house.faults import share_of


@pytest.fixture(scope="module")
def started():
    with running("cpython") as made:
        yield made


def test_the_bolt_moves(home):
    assert home.visit("Anna", "lock").reason == reasons.ALLOWED
    home.until(lambda: home.state["bolt"] == "LOCKED")
    assert home.visit("Bob").reason == reasons.ALLOWED
    home.until(lambda: home.state["bolt"] == "UNLOCKED" and home.state["x"] > 0.9)


def test_the_lock_hears_over_the_broker_and_fetches_what_it_missed(home):
    """A page over HTTPS brought all shares; this comes by MQTT over TLS."""
    assert home.until(lambda: home.state["is_online"] and home.state["trust"] == "trusted")
    home.house.phones["Emil"].is_online = False
    with home.house.cloud.transaction() as ctx:
        share = share_of(ctx, "Emil")
        assert share is not None
        sharing.end(ctx, people.find(ctx, people.OWNER), share)
    assert home.do(home.house.settled())
    assert home.visit("Emil").reason is None  # a stranger


def test_a_power_cut(home):
    home.until(home.house.lock.has_clock)
    home.do(home.house.faults.set("wifi", True))
    home.do(home.house.faults.set("power", True))
    assert home.visit("Bob").trouble == "no lock within reach"
    home.do(home.house.faults.set("power", False))
    home.until(lambda: home.state["is_on"] and home.state["trust"] == "holdover")
    assert home.visit("Bob").reason == reasons.ALLOWED
    home.do(home.house.faults.set("wifi", False))
    home.until(lambda: home.state["is_online"])
