"""Grants in tedee's words: never wider than they are, and kept where those have no room."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from firmware.policy.decision import Decision, Now, Request, State, decide
from firmware.policy.grant import (
    ADMIN,
    ALL_RIGHTS,
    ANY_CHANNEL,
    GUEST,
    GUEST_RIGHTS,
    LOCAL,
    LOCK,
    PULL,
    REMOTE,
    UNLOCK,
    Grant,
    fault,
    same_terms,
)
from firmware.policy.instant import DAY_S, Instant, from_unix, to_unix
from firmware.policy.schedule import Rule
from firmware.policy.zone import Zone
from firmware_tests import soak
from firmware_tests.unit.given_grants import grants
from host_sim.cloud import tedee, tedee_terms
from host_sim.cloud.tedee import BadRequest
from host_sim.cloud.tedee_terms import NotExpressible

WARSAW = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
KEY = bytes(16)


def allows(grant: Grant, at: int, action: int, channel: int) -> bool:
    """The lock's own answer at a Unix second."""
    state = State(grant.lock)
    if grant.parent:
        state.parent, state.parent_state = Grant(grant.parent, grant.lock, KEY), State(grant.lock)
    decision = Decision()
    request = Request(grant.key, action, channel, True)
    decide(grant, request, Now(from_unix(at)), WARSAW, state, decision)
    return decision.allowed


def listed(grant: Grant) -> dict[str, Any]:
    """What a client reads, as texts and numbers."""
    said = tedee_terms.shown(grant)
    event = said.event
    return {
        "weekDays": event.week_days,
        "dayStartTime": tedee_terms.write_time(event.day_start_time, "2026-07-02"),
        "dayEndTime": tedee_terms.write_time(event.day_end_time, "2026-07-02"),
        "startDate": tedee_terms.write_instant(event.start_date),
        "endDate": tedee_terms.write_instant(event.end_date),
    }


def seems_open(event: dict[str, Any], at: int) -> bool:
    """How a client understands a listed event: its own arithmetic, none of ours."""
    moment = datetime.fromtimestamp(at, UTC)
    start, end = event["startDate"], event["endDate"]
    if start and moment < datetime.fromisoformat(start):
        return False
    if end and moment >= datetime.fromisoformat(end):
        return False
    days = 127 if event["weekDays"] is None else event["weekDays"]
    opens = _clock(event["dayStartTime"]) or timedelta()
    closes = _clock(event["dayEndTime"]) or timedelta(days=1)
    time = timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)
    today, yesterday = days >> moment.weekday() & 1, days >> (moment.weekday() - 1) % 7 & 1
    if opens < closes:
        return bool(today) and opens <= time < closes
    return bool(today and time >= opens) or bool(yesterday and time < closes)


def _clock(text: str | None) -> timedelta | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)


def moments(grant: Grant) -> st.SearchStrategy[int]:
    """Seconds around the edges of a grant, and any others."""
    edges = [at for at in (grant.start, grant.until) if at] or [from_unix(1_783_000_000)]
    near = st.sampled_from([to_unix(at) for at in edges])
    clock = [each for rule in grant.rules for each in (rule.start_s, rule.end_s)] or [0]
    days = st.builds(
        lambda at, days, second, off: at // DAY_S * DAY_S + days * DAY_S + second + off,
        near,
        st.integers(-15, 15),
        st.sampled_from(clock),
        st.integers(-7200, 7200) | st.integers(-1, 1),
    )
    return days | st.builds(lambda at, off: at + off, near, st.integers(-1, 1))


def lasting(grant: Grant) -> Grant:
    grant.lease = None  # which is renewed
    return grant


def plain(grant: Grant) -> Grant:
    """Near to it, and within tedee's words."""
    grant.rights = GUEST_RIGHTS if grant.level == GUEST else ALL_RIGHTS
    grant.channels |= LOCAL
    grant.uses = grant.after_first_use_s = grant.parent = None
    grant.rules = [utc(rule.weekdays, rule.start_s, rule.end_s) for rule in grant.rules[:1]]
    return grant


ANY = st.one_of(grants(), grants().map(plain)).map(lasting)


@settings(max_examples=soak.count(10_000, 100))
@given(st.data(), ANY)
def test_no_share_looks_wider_than_it_is_and_a_sayable_one_not_narrower(data, grant):
    said, event = tedee_terms.shown(grant), listed(grant)
    said_all = set(said.not_expressible) <= {"duress"}
    for at in data.draw(st.lists(moments(grant), min_size=8, max_size=8)):
        # What belongs to a level, over the channels that seem open.
        actions = (UNLOCK, LOCK, PULL)
        channels = (LOCAL,) if said.remote_access_disabled else (LOCAL, REMOTE)
        real = all(allows(grant, at, action, way) for action in actions for way in channels)
        seems = seems_open(event, at)
        assert real or not seems
        if said_all:
            assert real == seems
            assert allows(grant, at, UNLOCK, REMOTE) == (seems and REMOTE in channels)


@settings(max_examples=soak.count(10_000, 100))
@given(ANY)
def test_who_sends_back_what_they_were_shown_changes_nothing(grant):
    said = tedee_terms.shown(grant)
    body = {
        "accessLevel": said.access_level,
        "remoteAccessDisabled": said.remote_access_disabled,
    }
    changed = deepcopy(grant)
    change = {"id": 1, **body, "repeatEvent": {"id": 1, **listed(grant)}}
    tedee_terms.change(changed, tedee.check(tedee.ShareChange, change).named())
    assert same_terms(changed, grant)
    tedee_terms.change(changed, tedee.check(tedee.Access, {**body, **listed(grant)}).named())
    assert same_terms(changed, grant)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "access_level": st.sampled_from((GUEST, ADMIN)),
        "remote_access_disabled": st.booleans(),
        "week_days": st.none() | st.integers(0, 128),
        "day_start_time": st.none() | st.integers(0, 86_400).map(Decimal),
        "day_end_time": st.none() | st.integers(0, 86_400).map(Decimal),
        "start_date": st.none() | st.builds(Instant, st.integers(20_000, 21_000)),
        "end_date": st.none() | st.builds(Instant, st.integers(20_000, 21_000)),
    },
)


@settings(max_examples=soak.count(10_000, 100))
@given(ANY, CHANGES)
def test_a_change_sets_what_it_names_and_keeps_the_rest_or_is_refused(grant, named):
    before, changed = tedee_terms.shown(grant), deepcopy(grant)
    try:
        tedee_terms.change(changed, named)
    except NotExpressible:
        assert {"rules", "channels"} & {*before.not_expressible}
        return
    assume(not fault(changed))
    for term in ("uses", "after_first_use_s", "duress", "parent", "holder", "version", "lease"):
        assert getattr(changed, term) == getattr(grant, term), term
    if "rules" in before.not_expressible:
        assert changed.rules == grant.rules
    if "channels" in before.not_expressible:
        assert changed.channels == grant.channels
    if "rights" in before.not_expressible:
        assert not changed.rights & ~grant.rights
    after = tedee_terms.shown(changed)
    shows = {**after.event.model_dump(), **after._asdict()}
    shown_before = {**before.event.model_dump(), **before._asdict()}
    for name in tedee.Access.model_fields:
        if name == "week_days" and (before.not_expressible or after.not_expressible):
            continue  # they may be 0, which is not for a client to say
        wanted = named.get(name, shown_before[name])
        assert same(name, shows, wanted), (name, shows, wanted)


def same(name: str, shows: dict[str, Any], wanted: Any) -> bool:
    """Equal, or another way to say it: from midnight, until midnight, on every day."""
    meant = {
        "day_start_time": {0: None},
        "day_end_time": dict.fromkeys((0, 86_340, 86_399, 86_400)),
        "week_days": {127: None},
    }.get(name)
    if meant is None:
        return bool(shows[name] == wanted)
    return meant.get(shows[name], shows[name]) == meant.get(wanted, wanted)


def grant_with(**terms: Any) -> Grant:
    grant = Grant(b"1", b"front-door", KEY)
    for name, value in terms.items():
        setattr(grant, name, value)
    return grant


def utc(weekdays: int, start_s: int = 0, end_s: int = DAY_S) -> Rule:
    return Rule(weekdays, start_s, end_s, utc=True)


@pytest.mark.parametrize(
    ("terms", "names"),
    [
        ({}, ()),
        ({"rules": [utc(31)]}, ()),
        ({"rules": [Rule(31)]}, ("rules",)),
        ({"rules": [utc(1), utc(2)]}, ("rules",)),
        ({"rules": [Rule(1, utc=True, allow=False)]}, ("rules",)),
        ({"rules": [Rule(1, utc=True, first_day=20_000)]}, ("rules",)),
        ({"rules": [Rule(1, utc=True, last_day=20_000)]}, ("rules",)),
        ({"uses": 1}, ("uses",)),
        ({"after_first_use_s": 60}, ("afterFirstUse",)),
        ({"rights": LOCK}, ("rights",)),
        ({"level": ADMIN}, ("rights",)),
        ({"level": ADMIN, "rights": ALL_RIGHTS}, ()),
        ({"channels": LOCAL}, ()),
        ({"channels": REMOTE}, ("channels",)),
        ({"parent": b"2"}, ("parent",)),
        ({"duress": True}, ("duress",)),
    ],
)
def test_what_cannot_be_said_is_named(terms, names):
    said = tedee_terms.shown(grant_with(**terms))
    assert said.not_expressible == names
    assert (said.event.week_days == tedee_terms.NO_DAY) == (names not in ((), ("duress",)))


@pytest.mark.parametrize(
    ("rule", "event"),
    [
        (utc(10, 29_398, 29_457), (10, "08:09:58", "08:10:57")),
        (utc(127, 28_800, 57_600), (None, "08:00:00", "16:00:00")),
        (utc(31), (31, None, None)),
        (utc(127), (127, None, None)),
        (utc(31, 0, 57_600), (31, None, "16:00:00")),
        (utc(31, 57_600, DAY_S), (31, "16:00:00", None)),
        (utc(31, 79_200, 21_600), (31, "22:00:00", "06:00:00")),
    ],
)
def test_a_window_is_listed_as_it_is(rule, event):
    told = listed(grant_with(rules=[rule]))
    days, start, end = event
    assert told["weekDays"] == days
    assert told["dayStartTime"] == (start and f"2026-07-02T{start}.000Z")
    assert told["dayEndTime"] == (end and f"2026-07-02T{end}.000Z")


def test_instants_are_listed_with_milliseconds():
    told = listed(grant_with(start=from_unix(1_607_933_398), until=from_unix(1_609_402_257)))
    assert told["startDate"] == "2020-12-14T08:09:58.000Z"
    assert told["endDate"] == "2020-12-31T08:10:57.000Z"


def test_a_higher_level_brings_its_rights_unless_they_were_narrowed():
    plain, narrow = grant_with(), grant_with(rights=LOCK)
    for grant in (plain, narrow):
        tedee_terms.change(grant, {"access_level": ADMIN})
    assert (plain.rights, narrow.rights) == (ALL_RIGHTS, LOCK)
    tedee_terms.change(plain, {"access_level": GUEST})
    assert plain.rights == GUEST_RIGHTS


def test_a_share_for_remote_access_only_does_not_become_one_for_both():
    grant = grant_with(channels=REMOTE)
    tedee_terms.change(grant, {"remote_access_disabled": True})
    assert grant.channels == REMOTE
    with pytest.raises(NotExpressible, match="^remoteAccessDisabled: "):
        tedee_terms.change(grant, {"remote_access_disabled": False})


def test_remote_access_is_taken_away_and_given_back():
    grant = grant_with()
    tedee_terms.change(grant, {"remote_access_disabled": True})
    assert grant.channels == LOCAL
    tedee_terms.change(grant, {"remote_access_disabled": False})
    assert grant.channels == ANY_CHANNEL


def test_several_rules_are_kept_or_the_change_is_refused():
    grant = grant_with(rules=[utc(1), utc(2)])
    until = from_unix(1_900_000_000)
    tedee_terms.change(grant, {"week_days": 0, "day_start_time": None, "end_date": until})
    assert grant.rules == [utc(1), utc(2)] and grant.until == until
    for named in ({"week_days": None}, {"week_days": 31}, {"day_end_time": Decimal(60)}):
        with pytest.raises(NotExpressible, match="^repeatEvent: "):
            tedee_terms.change(grant, named)


def test_uses_are_kept_when_the_hours_change():
    grant = grant_with(uses=3, rules=[utc(31, 28_800, 57_600)])
    tedee_terms.change(grant, {"week_days": 1, "day_end_time": Decimal(36_000)})
    assert grant.uses == 3 and grant.rules == [utc(1, 28_800, 36_000)]


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        # It began at 8:00:00.2, and is to end at 8:00:00.7.
        (utc(127, 28_801, 57_600), {"day_end_time": Decimal("28800.7")}),
        # It ended at 16:00:00.7, and is to begin at 16:00:00.3.
        (utc(127, 28_800, 57_600), {"day_start_time": Decimal("57600.3")}),
    ],
)
def test_less_than_a_second_does_not_become_nearly_a_day(rule, named):
    with pytest.raises(BadRequest, match="no whole second"):
        tedee_terms.change(grant_with(rules=[rule]), named)
