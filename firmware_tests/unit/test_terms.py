"""The words of terms: what they mean, that they come back as they went, and what is no term."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from firmware.policy.grant import (
    ADMIN,
    ALL_RIGHTS,
    ANY_CHANNEL,
    GUEST_RIGHTS,
    LOCAL,
    PULL,
    UNLOCK,
    Grant,
    fault,
    same_terms,
)
from firmware.policy.instant import DAY_S
from firmware.policy.schedule import Rule, normal_end
from firmware.policy.zone import Zone
from firmware_tests.unit.given_grants import grants, instants, rules
from host_sim.cloud.terms import (
    Terms,
    TermsError,
    local_datetime,
    read_duration,
    read_instant,
    read_rule,
    write_days,
    write_rule,
    write_terms,
)
from host_sim.words import iso, readable

UTC = Zone("UTC0")
WARSAW = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
SYDNEY = Zone("AEST-10AEDT,M10.1.0,M4.1.0/3")


@given(rules())
def test_a_rule_comes_back_as_it_went(rule):
    rule.end_s = normal_end(rule.end_s)
    assume(rule.start_s != rule.end_s)
    assert read_rule(write_rule(rule)) == rule


@given(grants())
def test_terms_come_back_as_they_went(grant):
    if grant.parent:
        grant.parent = readable(grant.parent).encode()  # other ids are for machines alone
    other = Grant(grant.share, grant.lock, grant.key)
    other.holder, other.version = grant.holder, grant.version
    Terms.model_validate(write_terms(grant)).write(other, WARSAW)
    assert same_terms(grant, other)
    assert grant.lease == other.lease


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("daily", Rule()),
        ("mon-fri 08:00-16:00", Rule(31, 28_800, 57_600)),
        ("deny sat,sun", Rule(96, allow=False)),
        ("fri,sat 22:00-06:00", Rule(48, 79_200, 21_600)),
        ("fri-mon 08:00-16:00 utc", Rule(113, 28_800, 57_600, utc=True)),
        ("mon-mon", Rule(1)),
        ("mon,wed-fri,sun", Rule(93)),
        ("daily 08:00:01-09:59:59", Rule(127, 28_801, 35_999)),
        ("daily 12:00-24:00", Rule(127, 43_200, DAY_S)),
        ("daily from 2026-07-01 to 2026-08-31", Rule(first_day=20_635, last_day=20_696)),
        ("  DENY Mon  08:00-16:00 UTC  ", Rule(1, 28_800, 57_600, allow=False, utc=True)),
    ],
)
def test_a_rule_in_words(text, rule):
    assert read_rule(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sometimes",
        "8:00-16:00",
        "mon 8:00-16:00",
        "mon 08:00",
        "mon 08:00-16:00 cet",
        "mon 08:60-16:00",
        "mon 08:00-24:01",
        "mon 25:00-26:00",
        "mon 08:00-16:00:60",
        "mon-fri-sun",
        "mon,,tue",
        "abc",
        "mon-abc",
        "monday",
        "mon from 2026-02-30",
        "mon to 2026-01-01 from 2026-01-02",
        "allow mon",
        "mon 08:00-16:00 08:00-16:00",
        "mon \uff10\uff18:00-16:00",  # digits of another script
    ],
)
def test_what_is_no_rule_is_refused_with_the_text(text):
    with pytest.raises(TermsError) as error:
        read_rule(text)
    assert "write" in str(error.value) or "no " in str(error.value)


@pytest.mark.parametrize(
    ("mask", "text"),
    [(127, "daily"), (31, "mon-fri"), (96, "sat,sun"), (65, "mon,sun"), (85, "mon,wed,fri,sun")],
)
def test_weekday_masks_in_words(mask, text):
    assert write_days(mask) == text


def test_all_masks_are_different_words():
    assert len({write_days(mask) for mask in range(1, 128)}) == 127


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 s", 90), ("2h", 7200), ("1 d 12 h", 129_600), (" 5min ", 300), ("2 h 30 min 1 s", 9001)],
)
def test_durations(text, seconds):
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5 m", "-5 s", "1.5 h", "h", "5 s!", "1" * 5000 + " s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(TermsError):
        read_duration(text)


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-07-01T12:00Z", WARSAW, "2026-07-01T12:00:00Z"),
        ("2026-07-01T12:00+05:30", WARSAW, "2026-07-01T06:30:00Z"),
        ("2026-07-01T12:00", WARSAW, "2026-07-01T10:00:00Z"),
        ("2026-01-01 12:00:05", WARSAW, "2026-01-01T11:00:05Z"),
        ("2026-07-01", WARSAW, "2026-06-30T22:00:00Z"),
        ("2026-07-01", SYDNEY, "2026-06-30T14:00:00Z"),
        # twice on the wall clock: the first
        ("2026-10-25T02:30", WARSAW, "2026-10-25T00:30:00Z"),
        ("2026-04-05T02:30", SYDNEY, "2026-04-04T15:30:00Z"),
        # both sides of the hour that the clocks skip
        ("2026-03-29T01:59:59", WARSAW, "2026-03-29T00:59:59Z"),
        ("2026-03-29T03:00", WARSAW, "2026-03-29T01:00:00Z"),
    ],
)
def test_instants(text, zone, instant):
    assert iso(read_instant(text, zone)) == instant


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-03-29T02:30", WARSAW),  # never shown
        ("2026-10-04T02:30", SYDNEY),
        ("2026-07-01T12:00:00.5Z", UTC),  # rounding it might make a share wider
        ("2026-02-30", UTC),
        ("tomorrow", UTC),
        ("", UTC),
    ],
)
def test_what_is_no_instant_is_refused(text, zone):
    with pytest.raises(TermsError):
        read_instant(text, zone)


@given(instants, st.sampled_from([UTC, WARSAW, SYDNEY]))
def test_a_wall_clock_reading_leads_back_to_the_instant_or_its_twin(instant, zone):
    back = read_instant(local_datetime(instant, zone).isoformat(), zone)
    assert 0 <= back.until(instant) <= 3600
    assert local_datetime(back, zone) == local_datetime(instant, zone)


def terms(**members: Any) -> Grant:
    grant = Grant(b"1", b"front-door", b"")
    Terms.model_validate(members).write(grant, WARSAW)
    return grant


def test_what_is_left_out_does_not_limit():
    grant = terms()
    assert grant.rights == GUEST_RIGHTS and grant.channels == ANY_CHANNEL
    assert not grant.timed() and grant.uses is None and not fault(grant)


def test_an_admin_has_all_rights_unless_narrowed():
    assert terms(level="admin").rights == ALL_RIGHTS
    narrowed = terms(level="admin", rights=["unlock", "pull"], channels=["local"])
    assert (narrowed.level, narrowed.rights, narrowed.channels) == (ADMIN, UNLOCK | PULL, LOCAL)


@pytest.mark.parametrize(
    "members",
    [
        {"from": ""},
        {"until": ""},
        {"lease": ""},
        {"after_first_use": ""},
        {"level": "king"},
        {"rights": ["enter"]},
        {"channels": ["sea"]},
        {"rules": ["mon 8-16"]},
    ],
)
def test_what_is_no_term_is_refused(members):
    with pytest.raises(TermsError):
        terms(**members)


@pytest.mark.parametrize(
    "members",
    [{"untill": "2026-07-01"}, {"uses": "3"}, {"uses": 3.0}, {"uses": True}, {"rules": "mon"}],
)
def test_a_misspelt_or_mistyped_term_is_refused(members):
    with pytest.raises(ValidationError):
        terms(**members)


@pytest.mark.parametrize("members", [{"rights": []}, {"channels": []}])
def test_nothing_is_not_everything(members):
    assert fault(terms(**members))


def test_the_last_minute_of_the_day_belongs_to_it():
    assert write_terms(terms(rules=["mon 08:00-23:59"]))["rules"] == ["mon 08:00-24:00"]


def test_a_parents_id_that_is_no_text_is_written_in_hexadecimal():
    grant = terms()
    grant.parent = b"\x00\xff"
    assert write_terms(grant)["parent"] == "00ff"
    assert readable(b"a b") == "612062"
