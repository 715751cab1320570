"""Bodies of tedee's share API: what each form means, and what is refused and why."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.policy import reasons
from firmware.policy.grant import (
    ALL_RIGHTS,
    ANY_CHANNEL,
    GUEST_RIGHTS,
    LOCAL,
    Grant,
    fault,
)
from firmware.policy.instant import DAY_S, Instant
from firmware.policy.schedule import EVERY_DAY, Rule
from host_sim import scenario
from host_sim.cloud.tedee import BadJson, BadRequest, read_change, read_json, read_new
from host_sim.words import iso

SAMPLES = Path(scenario.__file__).parent / "scenarios" / "tedee"
NULLS = dict.fromkeys(["weekDays", "dayStartTime", "dayEndTime", "startDate", "endDate"])


def body(**members: Any) -> str:
    return json.dumps({"deviceId": 1, "accessLevel": 0, "userEmail": "a@example.com", **members})


def grant_of(text: str, utc: bool = True) -> Grant:
    grant = Grant(b"1", b"front-door", b"")
    read_new(text).write_terms(grant, utc)
    return grant


def window(**members: Any) -> list[Rule]:
    return list(grant_of(body(repeatEvent=members)).rules)


def told(instant: Instant | None) -> str:
    assert instant
    return iso(instant)


def problem(text: str) -> str:
    with pytest.raises(BadRequest) as error:
        read_new(text)
    return str(error.value)


def hms(hours: int, minutes: int = 0, seconds: int = 0) -> int:
    return 3600 * hours + 60 * minutes + seconds


# --- what a body means --------------------------------------------------------------------------


@pytest.mark.parametrize("event", [{}, {"repeatEvent": {}}, {"repeatEvent": NULLS}])
def test_without_limits_it_is_permanent(event):
    grant = grant_of(body(**event))
    assert not grant.timed() and grant.rules == [] and not fault(grant)


@pytest.mark.parametrize(
    ("members", "rule"),
    [
        ({"weekDays": 31}, Rule(31)),
        ({"weekDays": 127}, Rule()),
        ({"dayStartTime": "2020-12-01T08:00:00.000Z"}, Rule(EVERY_DAY, hms(8))),
        ({"dayEndTime": "2020-12-31T16:00:00.000Z"}, Rule(EVERY_DAY, 0, hms(16))),
        (
            {"weekDays": 48, "dayStartTime": "15:00:00Z", "dayEndTime": "18:00:00Z"},
            Rule(48, hms(15), hms(18)),
        ),
        (
            {"dayStartTime": "22:00:00Z", "dayEndTime": "06:00:00Z"},
            Rule(EVERY_DAY, hms(22), hms(6)),
        ),
        ({"dayStartTime": "17:00:00.000Z"}, Rule(EVERY_DAY, hms(17))),
        ({"dayStartTime": "17:00:00+00:00"}, Rule(EVERY_DAY, hms(17))),
        ({"dayEndTime": "24:00:00Z"}, Rule()),
        ({"dayEndTime": "23:59:00Z"}, Rule()),
        ({"dayEndTime": "23:59:59.999Z"}, Rule()),
        ({"dayEndTime": "23:58:00Z"}, Rule(EVERY_DAY, 0, hms(23, 58))),
    ],
)
def test_any_part_of_a_window_makes_a_rule_in_utc(members, rule):
    rule.utc = True
    assert window(**{**NULLS, **members}) == [rule]
    assert window(**members) == [rule]


def test_dates_alone_make_no_rule():
    grant = grant_of(body(repeatEvent={"startDate": "2020-12-14T08:00:00Z"}))
    assert (
        grant.rules == []
        and grant.start
        and told(grant.start) == "2020-12-14T08:00:00Z"
        and not grant.until
    )


def test_the_window_can_be_taken_as_the_wall_clocks():
    assert not grant_of(body(repeatEvent={"weekDays": 31}), utc=False).rules[0].utc


def test_the_date_before_a_time_of_day_is_ignored():
    far, near = "2020-12-01T08:00:00Z", "1999-01-01T08:00:00Z"
    assert (
        window(dayStartTime=far) == window(dayStartTime=near) == window(dayStartTime="08:00:00Z")
    )


def test_fractions_round_inwards():
    event = {
        "dayStartTime": "2020-12-01T08:00:00.001Z",
        "dayEndTime": "2020-12-31T20:00:00.999Z",
        "startDate": "2020-12-01T08:09:57.781Z",
        "endDate": "2020-12-31T23:10:57.781Z",
    }
    grant = grant_of(body(repeatEvent=event))
    assert (grant.rules[0].start_s, grant.rules[0].end_s) == (hms(8, 0, 1), hms(20))
    assert told(grant.start) == "2020-12-01T08:09:58Z"
    assert told(grant.until) == "2020-12-31T23:10:57Z"


@pytest.mark.parametrize("digits", ["", ".0", ".000", ".000000000"])
def test_a_fraction_of_nothing_is_none(digits):
    assert window(dayStartTime=f"08:00:00{digits}Z")[0].start_s == hms(8)
    grant = grant_of(body(repeatEvent={"startDate": f"2020-12-01T08:00:00{digits}Z"}))
    assert told(grant.start) == "2020-12-01T08:00:00Z"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("08:00:00.200Z", "08:00:00.700Z"),
        ("08:00:00Z", "08:00:00Z"),
        ("08:00:00.5Z", "08:00:01.2Z"),
    ],
)
def test_a_window_without_a_whole_second_is_refused_and_not_turned_inside_out(start, end):
    grant = grant_of(body(repeatEvent={"dayStartTime": start, "dayEndTime": end}))
    assert fault(grant) == reasons.EMPTY_WINDOW


def test_a_window_that_is_overnight_by_a_fraction_stays_so():
    (rule,) = window(dayStartTime="08:00:00.900Z", dayEndTime="08:00:00.100Z")
    assert (rule.start_s, rule.end_s) == (hms(8, 0, 1), hms(8))


@given(
    st.integers(0, DAY_S * 1000 - 1),
    st.integers(0, DAY_S * 1000 - 1),
    st.integers(0, DAY_S * 1000 - 1),
)
def test_rounding_never_makes_a_window_wider(start_ms, end_ms, at_ms):
    def text(ms):
        return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}Z"

    grant = grant_of(
        body(repeatEvent={"dayStartTime": text(start_ms), "dayEndTime": text(end_ms)})
    )
    if fault(grant):
        return
    (rule,) = grant.rules
    at_s = at_ms // 1000
    if rule.start_s < rule.end_s:
        holds = rule.start_s <= at_s < rule.end_s
    else:
        holds = at_s >= rule.start_s or at_s < rule.end_s
    last_minute = end_ms >= hms(23, 59) * 1000  # which means the whole of it
    asked = (
        start_ms <= at_s * 1000 < end_ms
        if start_ms < end_ms
        else at_s * 1000 >= start_ms or at_s * 1000 < end_ms
    )
    assert asked or last_minute or not holds


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2020-12-14T08:09:57Z", "2020-12-14T08:09:57Z"),
        ("2020-12-14T08:09:57+01:00", "2020-12-14T07:09:57Z"),
        ("2020-12-14T23:30:00-01:00", "2020-12-15T00:30:00Z"),
    ],
)
def test_dates_are_instants_in_any_zone(text, instant):
    assert told(grant_of(body(repeatEvent={"endDate": text})).until) == instant


@pytest.mark.parametrize(
    ("level", "rights"), [(0, GUEST_RIGHTS), (1, ALL_RIGHTS), (2, ALL_RIGHTS)]
)
def test_levels_bring_their_rights(level, rights):
    grant = grant_of(body(accessLevel=level))
    assert (grant.level, grant.rights, fault(grant)) == (level, rights, 0)


def test_an_owner_with_a_limit_is_for_the_lock_to_refuse():
    grant = grant_of(body(accessLevel=2, repeatEvent={"weekDays": 31}))
    assert fault(grant) == reasons.OWNER_TIMED


@pytest.mark.parametrize(("disabled", "channels"), [(True, LOCAL), (False, ANY_CHANNEL)])
def test_remote_access_can_be_disabled(disabled, channels):
    assert grant_of(body(remoteAccessDisabled=disabled)).channels == channels


@pytest.mark.parametrize("mask", [0, 128, -1, 1 << 70])
def test_a_mask_that_is_no_set_of_days_is_never_every_day(mask):
    assert fault(grant_of(body(repeatEvent={"weekDays": mask}))) == reasons.BAD_WEEKDAYS


def test_a_start_of_midnight_at_the_end_is_refused():
    grant = grant_of(body(repeatEvent={"dayStartTime": "24:00:00Z", "dayEndTime": "06:00:00Z"}))
    assert fault(grant) == reasons.BAD_WINDOW


# --- changes ------------------------------------------------------------------------------------

SHARE = read_new(
    body(
        accessLevel=1,
        remoteAccessDisabled=True,
        repeatEvent={
            "weekDays": 31,
            "dayStartTime": "08:00:00Z",
            "dayEndTime": "16:00:00Z",
            "startDate": "2020-12-01T08:00:00Z",
            "endDate": "2020-12-31T20:00:00Z",
        },
    )
)


def changed(**members):
    return SHARE.changed(read_change(json.dumps({"id": 1, **members})))


@pytest.mark.parametrize("members", [{}, {"repeatEvent": {}}, {"repeatEvent": {"id": 5}}])
def test_a_change_that_names_nothing_keeps_everything(members):
    assert changed(**members) == SHARE


@pytest.mark.parametrize(
    "name", ["weekDays", "dayStartTime", "dayEndTime", "startDate", "endDate"]
)
def test_null_clears_one_field_and_keeps_the_others(name):
    event = changed(repeatEvent={name: None}).repeat_event
    for field, info in type(event).model_fields.items():
        if field == "id":
            continue
        kept = getattr(SHARE.repeat_event, field)
        assert getattr(event, field) == (None if info.alias == name else kept)


def test_a_change_sets_what_it_names():
    share = changed(accessLevel=0, remoteAccessDisabled=False, repeatEvent={"weekDays": 96})
    assert (share.access_level, share.remote_access_disabled) == (0, False)
    assert share.repeat_event.week_days == 96
    assert share.repeat_event.day_start_time == hms(8)
    assert (share.device_id, share.user_email) == (1, "a@example.com")


def test_changes_add_up_before_they_are_rounded():
    once = changed(repeatEvent={"dayStartTime": "08:00:00.200Z"})
    twice = once.changed(read_change('{"id": 1, "repeatEvent": {"dayEndTime": "08:00:00.700Z"}}'))
    grant = Grant(b"1", b"front-door", b"")
    twice.write_terms(grant)
    assert fault(grant) == reasons.EMPTY_WINDOW


@pytest.mark.parametrize(
    "members", [{"deviceId": 1}, {"userEmail": "b@example.com"}, {"repeatEvent": None}]
)
def test_a_change_of_what_cannot_be_changed_is_refused(members):
    with pytest.raises(BadRequest):
        changed(**members)


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"deviceId": "1"}, "deviceId"),
        ({"deviceId": 0}, "deviceId"),
        ({"deviceId": True}, "deviceId"),
        ({"accessLevel": 3}, "accessLevel"),
        ({"accessLevel": 0.0}, "accessLevel"),
        ({"accessLevel": None}, "accessLevel"),
        ({"userEmail": "nobody"}, "userEmail"),
        ({"userEmail": "a b@example.com"}, "userEmail"),
        ({"remoteAccessDisabled": "false"}, "remoteAccessDisabled"),
        ({"remoteAccessDisabled": 0}, "remoteAccessDisabled"),
        ({"repeatEvent": None}, "repeatEvent"),
        ({"repeatEvent": []}, "repeatEvent"),
        ({"repeatEvent": {"weekDays": "31"}}, "repeatEvent.weekDays"),
        ({"repeatEvent": {"weekDays": 31.0}}, "repeatEvent.weekDays"),
        ({"repeatEvent": {"weekDays": True}}, "repeatEvent.weekDays"),
        ({"repeatEvent": {"weekDays": [1, 2]}}, "repeatEvent.weekDays"),
        ({"repeatEvent": {"dayStartTime": 8}}, "repeatEvent.dayStartTime"),
        ({"repeatEvent": {"dayStartTime": "8:00:00Z"}}, "repeatEvent.dayStartTime"),
        ({"repeatEvent": {"dayStartTime": "08:00Z"}}, "repeatEvent.dayStartTime"),
        ({"repeatEvent": {"dayStartTime": "08:00:00"}}, "repeatEvent.dayStartTime"),
        ({"repeatEvent": {"dayStartTime": "08:00:00+01:00"}}, "repeatEvent.dayStartTime"),
        ({"repeatEvent": {"dayStartTime": "08:60:00Z"}}, "repeatEvent.dayStartTime"),
        ({"repeatEvent": {"dayStartTime": "08:00:60Z"}}, "repeatEvent.dayStartTime"),
        ({"repeatEvent": {"dayStartTime": ""}}, "repeatEvent.dayStartTime"),
        ({"repeatEvent": {"dayEndTime": "24:00:01Z"}}, "repeatEvent.dayEndTime"),
        ({"repeatEvent": {"dayEndTime": "24:00:00.001Z"}}, "repeatEvent.dayEndTime"),
        ({"repeatEvent": {"startDate": "2020-12-14"}}, "repeatEvent.startDate"),
        ({"repeatEvent": {"startDate": "08:00:00Z"}}, "repeatEvent.startDate"),
        ({"repeatEvent": {"startDate": "2020-12-14T08:00:00"}}, "repeatEvent.startDate"),
        ({"repeatEvent": {"startDate": "2020-02-30T08:00:00Z"}}, "repeatEvent.startDate"),
        ({"repeatEvent": {"endDate": 1607933397}}, "repeatEvent.endDate"),
        ({"repeatEvent": {"endDate": "2020-12-14T25:00:00Z"}}, "repeatEvent.endDate"),
        ({"repeatEvent": {"endDate": "2020-12-14T08:00:00+24:00"}}, "repeatEvent.endDate"),
        ({"repeatEvent": {"enddate": None}}, "repeatEvent.enddate"),
        ({"repeatEvent": {"weekdays": 31}}, "repeatEvent.weekdays"),
        ({"remoteAccess": True}, "remoteAccess"),
        ({"id": 1}, "id"),
    ],
)
def test_a_wrong_field_is_refused_with_its_place(members, place):
    assert problem(body(**members)).startswith(f"{place}: ")


@pytest.mark.parametrize("name", ["deviceId", "accessLevel", "userEmail"])
def test_a_missing_field_is_refused_with_its_name(name):
    members = json.loads(body())
    del members[name]
    assert problem(json.dumps(members)).startswith(f"{name}: ")


def test_every_problem_is_told():
    with pytest.raises(BadRequest) as error:
        read_new(body(deviceId=0, accessLevel=7))
    assert len(error.value.problems) == 2


@pytest.mark.parametrize("text", ["[]", "null", "1", '"x"'])
def test_a_body_is_an_object(text):
    assert problem(text).startswith("body: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1\n "b": 2}', "line 2, column 2: expecting ',' delimiter"),
        ("", "line 1, column 1: expecting value"),
        ('{"a": 1,}', "line 1"),
        ("{'a': 1}", "line 1, column 2"),
        ('{"a": 01}', "line 1"),
        ('{"a": 1} x', "line 1, column 10: extra data"),
        ('{"a": "\t"}', "line 1"),
        ('{"weekDays": 1, "weekDays": 2}', "weekDays: given more than once"),
        ('{"a": {"b": 1, "c": 2, "b": 3}}', "b: given more than once"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": [-Infinity]}', "-Infinity is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5000, "too many digits"),
        (b'{"a": "\xff"}', "byte 8 is not UTF-8"),
        ("\ufeff{}", "line 1, column 1"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text, said):
    with pytest.raises(BadRequest) as error:
        read_json(text)
    assert said in str(error.value)


def test_the_position_of_a_syntax_error_is_known():
    with pytest.raises(BadJson) as error:
        read_json('{"a": 1 "b": 2}')
    assert error.value.position == 8


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_any_value_in_any_field_is_read_or_refused(value):
    for field in ("deviceId", "userEmail", "remoteAccessDisabled", "repeatEvent"):
        _read_or_refuse(body(**{field: value}))
    for field in NULLS:
        _read_or_refuse(body(repeatEvent={field: value}))


@given(st.text(alphabet='{}[]",:0123456789eE+-.truefalsn \\u\n'))
def test_any_text_is_read_or_refused(text):
    _read_or_refuse(text)


def _read_or_refuse(text: str) -> None:
    try:
        read_new(text)
    except BadRequest as error:
        assert str(error)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31)))
def test_an_instant_is_what_python_says_it_is(moment):
    moment = moment.replace(microsecond=0)
    grant = grant_of(body(repeatEvent={"startDate": f"{moment.isoformat()}Z"}))
    assert told(grant.start) == f"{moment.isoformat()}Z"


# --- the samples of the API's documentation -----------------------------------------------------


CREATE = sorted(path for path in SAMPLES.glob("*.json") if "update" not in path.name)


@pytest.mark.parametrize("path", CREATE, ids=lambda path: path.stem)
def test_no_printed_sample_of_a_new_share_is_json_and_each_says_where(path):
    assert problem(path.read_text()).startswith("line ")


@pytest.mark.parametrize(
    ("name", "rules", "start", "until"),
    [
        (
            "create-guest-custom",
            [Rule(7, hms(8), hms(20), utc=True)],
            "2020-12-01T08:09:58Z",
            "2020-12-31T23:10:57Z",
        ),
        ("create-guest-time-restricted", [], "2020-12-14T08:09:58Z", "2020-12-31T08:10:57Z"),
        ("create-permanent-administrator", [], None, None),
        ("manage-add-access", [Rule(10, hms(8, 9, 58), hms(8, 10, 57), utc=True)], None, None),
    ],
)
def test_a_printed_sample_with_its_comma_means_what_its_title_says(name, rules, start, until):
    text = (SAMPLES / f"{name}.json").read_text()
    mended = re.sub(r'Email": "[^"]*"', 'Email": "a@example.com",', text)
    grant = grant_of(mended)
    assert grant.rules == rules and not fault(grant)
    assert (grant.start and iso(grant.start)) == start
    assert (grant.until and iso(grant.until)) == until


def test_the_printed_sample_of_a_change_is_read_as_it_is():
    change = read_change((SAMPLES / "manage-update-access.json").read_text())
    event = SHARE.changed(change).repeat_event
    assert event.week_days == 10 and event.start_date is None
    assert event.rules() == [Rule(10, hms(8, 9, 58), hms(8, 10, 57), utc=True)]
