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


def state(home):
    return home.house.lock.state


def visit(home, name, action="unlock"):
    return home.do(home.house.visit(name, action))


def test_the_bolt_moves(home):
    assert visit(home, "Anna", "lock").reason == reasons.ALLOWED
    home.until(lambda: state(home)["bolt"] == "LOCKED")
    assert visit(home, "Bob").reason == reasons.ALLOWED
    home.until(lambda: state(home)["bolt"] == "UNLOCKED" and state(home)["x"] > 0.9)


def test_the_lock_hears_over_the_broker_and_fetches_what_it_missed(home):
    """A page over HTTPS brought all shares; this comes by MQTT over TLS."""
    assert home.until(lambda: state(home)["is_online"] and state(home)["trust"] == "trusted")
    home.house.phones["Emil"].is_online = False
    with home.house.cloud.transaction() as ctx:
        share = share_of(ctx, "Emil")
        assert share is not None
        sharing.end(ctx, people.find(ctx, people.OWNER), share)
    assert home.do(home.house.settled())
    assert visit(home, "Emil").reason is None  # a stranger


def test_a_power_cut(home):
    home.until(home.house.lock.has_clock)
    home.do(home.house.faults.set("wifi", True))
    home.do(home.house.faults.set("power", True))
    assert visit(home, "Bob").trouble == "no lock within reach"
    home.do(home.house.faults.set("power", False))
    home.until(lambda: state(home)["is_on"] and state(home)["trust"] == "holdover")
    assert visit(home, "Bob").reason == reasons.ALLOWED
    home.do(home.house.faults.set("wifi", False))
    home.until(lambda: state(home)["is_online"])
