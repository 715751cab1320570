"""What was shared natively with any terms is shown by tedee's and ARTIK's APIs, never wider."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.policy.decision import Decision, Now, Request, State, decide
from firmware.policy.grant import LOCAL, LOCK, PULL, REMOTE, UNLOCK, Grant, fault
from firmware.policy.instant import from_unix
from firmware.policy.zone import Zone
from firmware_tests import soak
from firmware_tests.cloud.native import API, add_lock, give, ok
from firmware_tests.cloud.test_native_shares import WARSAW
from firmware_tests.cloud.world import World
from host_sim.cloud import tedee
from host_sim.cloud.domain import sharing, terms
from host_sim.cloud.domain.model import Device
from host_sim.cloud.web.limits import Limit

BOB = "bob@example.org"
PLAIN = {"level": "guest", "rights": ["unlock", "lock", "pull"], "channels": ["local", "remote"]}
BEGIN = 1_798_000_000  # in December 2026, between two changes of the clocks
DAY_S = 86_400
ZONE = Zone(WARSAW)

_times = st.integers(0, 23).map(lambda hour: f"{hour:02}:00")
_days = st.sampled_from(["daily", "mon-fri", "sat,sun", "fri", "mon,wed"])


@st.composite
def _rules(draw):
    words = [draw(st.sampled_from(["", "", "deny"])), draw(_days)]
    if draw(st.booleans()):
        start, end = draw(st.lists(_times, min_size=2, max_size=2, unique=True))
        words.append(f"{start}-{end}")
    words.append(draw(st.sampled_from(["", "utc", "utc"])))
    if not draw(st.integers(0, 4)):
        words.append("from 2026-12-25")
    return " ".join(word for word in words if word)


def _some(values):
    return st.lists(st.sampled_from(values), min_size=1, max_size=len(values), unique=True)


# Each seldom, so that what an API can say comes up, too.
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "rights": st.one_of(
            st.just(["unlock", "lock", "pull"]), _some(["unlock", "lock", "pull"])
        ),
        "channels": _some(["local", "remote"]),
        "from": st.sampled_from(["2026-12-20T12:00:00Z", "2026-12-27T00:00"]),
        "until": st.sampled_from(["2027-01-01T00:00Z", "2027-01-05T12:34:56Z"]),
        "rules": st.lists(_rules(), max_size=2),
        "uses": st.one_of(st.none(), st.none(), st.just(3)),
        "after_first_use": st.sampled_from([None, None, "2 h"]),
        "duress": st.sampled_from([None, True]),
    },
)
MOMENTS = st.lists(
    st.tuples(st.integers(-5, 20 * 24), st.sampled_from([-1, 0, 1, 1_800])).map(
        lambda drawn: BEGIN - BEGIN % 3_600 + drawn[0] * 3_600 + drawn[1]
    ),
    min_size=12,
    max_size=12,
)


@pytest.fixture(scope="module")
def world(databases, tmp_path_factory):
    with databases.copy() as url, World(url, tmp_path_factory.mktemp("across")) as world:
        world.service.limits.person = Limit(10**9)
        yield world


@pytest.fixture(scope="module")
def anna(world):
    return world.person("anna@example.org")


@pytest.fixture(scope="module")
def door(anna):
    return add_lock(anna, WARSAW)


@pytest.fixture(scope="module")
def number(world, door):
    """The door's number in tedee's API."""
    with world.transaction() as context:
        return context.session.query(Device).filter_by(uid=door).one().id


def answers(grant, moments):
    """What the lock says to every question: fresh, and after so many uses long ago."""
    said = []
    for at in moments:
        used = State(grant.lock)
        used.uses, used.first_use, used.since_use_s = 3, from_unix(at - 9 * DAY_S), 9 * DAY_S
        for state in (State(grant.lock), used):
            for action in (UNLOCK, LOCK, PULL):
                for channel in (LOCAL, REMOTE):
                    decision = Decision()
                    request = Request(grant.key, action, channel, True)
                    decide(grant, request, Now(from_unix(at)), ZONE, state, decision)
                    said.append(decision.allowed)
    return said


def as_tedee_reads(item):
    """What a client of tedee's API makes of a listed share; None if it is never active."""
    members = ("deviceId", "userEmail", "accessLevel", "remoteAccessDisabled", "repeatEvent")
    grant = Grant(b"share", b"lock", bytes(16))
    tedee.read_new(json.dumps({name: item[name] for name in members})).write_terms(grant)
    return None if fault(grant) else grant


def terms_of(made):
    """What limits a share, without what does not."""
    return {name: value for name, value in made["terms"].items() if value is not None}


@settings(
    max_examples=soak.count(2_000, 60),
)
@given(TERMS, MOMENTS)
def test_no_api_shows_a_share_wider_than_it_is(world, anna, door, number, words, moments):
    if anna.post(f"{API}/devices/{door}/preview", json={"terms": words}).status_code != 200:
        return  # no lock takes such terms
    made = give(anna, door, BOB, words)
    with world.transaction() as context:
        share = sharing.find(context, world.who(context, anna), made["id"])
        real = answers(terms.grant(share), moments)

    listed = anna.get(f"/api/v1.30/my/deviceShare?deviceId={number}").json()["result"]
    (item,) = [each for each in listed if each["userEmail"] == BOB]
    read = as_tedee_reads(item)
    shown = [False] * len(real) if read is None else answers(read, moments)
    assert [one for one, other in zip(shown, real, strict=True) if one and not other] == []
    if not item["notExpressible"]:
        assert shown == real

    (one,) = ok(anna.get(f"/v1.1/devices/{door}/shares"))["data"]["shares"]
    assert one["status"] == "PENDING" and one["id"] == made["id"]
    if one["expressible"]:
        assert all(real)
    assert one["expressible"] == (terms_of(made) == PLAIN)

    assert anna.delete(f"{API}/shares/{made['id']}").status_code == 204
