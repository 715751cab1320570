"""`lockctl grant preview`: intervals on the wall clock, and weeks as grids."""

import json
import re
from pathlib import Path

import pytest
from freezegun import freeze_time

from firmware_tests.unit.desk import WARSAW, Desk
from host_sim import scenario
from host_sim.story import key_of

SAMPLES = Path(scenario.__file__).parent / "scenarios" / "tedee"
NIGHT = ("--rule", "daily 22:00-06:00")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def preview(desk, terms, *options):
    return desk.json("grant", "preview", desk.grant(*terms), "--zone", WARSAW, *options)


def intervals(desk, terms, *options):
    told = preview(desk, terms, *options)["intervals"]
    return [(one["start"][:19], one["end"] and one["end"][:19], one["seconds"]) for one in told]


def test_intervals_have_local_times_and_lengths(desk):
    terms = ("--rule", "mon-fri 08:00-16:00", "--rule", "deny fri 12:00-13:00")
    assert intervals(desk, terms, "--from", "2026-07-02", "--days", 5) == [
        ("2026-07-02T08:00:00", "2026-07-02T16:00:00", 28_800),
        ("2026-07-03T08:00:00", "2026-07-03T12:00:00", 14_400),
        ("2026-07-03T13:00:00", "2026-07-03T16:00:00", 10_800),
        ("2026-07-06T08:00:00", "2026-07-06T16:00:00", 28_800),
    ]


def test_a_night_in_spring_is_shorter_and_one_in_autumn_longer(desk):
    spring = intervals(desk, NIGHT, "--from", "2026-03-28T12:00", "--count", 2)
    assert [seconds for _, _, seconds in spring] == [7 * 3600, 8 * 3600]
    autumn = intervals(desk, NIGHT, "--from", "2026-10-24T12:00", "--count", 2)
    assert [seconds for _, _, seconds in autumn] == [9 * 3600, 8 * 3600]


def test_offsets_tell_the_two_hours_apart(desk):
    told = preview(desk, ("--rule", "sun 02:15-02:45"), "--from", "2026-10-25", "--days", 1)
    assert [(one["start"], one["end"]) for one in told["intervals"]] == [
        ("2026-10-25T02:15:00+02:00", "2026-10-25T02:45:00+02:00"),
        ("2026-10-25T02:15:00+01:00", "2026-10-25T02:45:00+01:00"),
    ]


def test_a_change_of_the_clocks_is_told(desk):
    told = preview(desk, NIGHT, "--from", "2026-03-28", "--days", 2)
    assert told["clock_changes"] == [
        {"at": "2026-03-29T03:00:00+02:00", "before_s": 3600, "after_s": 7200}
    ]
    output = desk.run(
        "grant", "preview", desk.path("anna.cwt"), "--zone", WARSAW, "--from", "2026-03-28"
    ).stdout
    assert "Week of 2026-03-23  clocks go forward by 1 h on Sun 2026-03-29" in output
    assert "Week of 2026-03-30\n" in output


def test_summer_time_all_year_changes_nothing(desk):
    zone = ("--zone", "EST5EDT,0/0,J365/25")
    told = preview(desk, NIGHT, "--from", "2026-12-30T12:00", "--days", 5, *zone)
    assert told["clock_changes"] == []
    assert {one["seconds"] for one in told["intervals"]} == {8 * 3600}


def test_what_goes_on_beyond_the_preview_has_no_end(desk):
    assert intervals(desk, (), "--from", "2026-07-01", "--days", 1) == [
        ("2026-07-01T00:00:00", None, None)
    ]
    assert intervals(desk, (), "--from", "2026-07-01", "--count", 3) == [
        ("2026-07-01T00:00:00", None, None)
    ]


def test_a_count_looks_as_far_as_it_has_to(desk):
    terms = ("--rule", "mon 08:00-09:00", "--from", "2026-12-01")
    found = intervals(desk, terms, "--from", "2026-07-01", "--count", 2)
    assert [start for start, _, _ in found] == ["2026-12-07T08:00:00", "2026-12-14T08:00:00"]


def test_nothing_within_the_preview_is_a_negative_answer(desk):
    path = desk.grant("--until", "2026-01-01")
    result = desk.run("grant", "preview", path, "--from", "2026-07-01")
    assert result.exit_code == 1 and "Never open" in result.stdout
    assert desk.json("grant", "preview", path, "--from", "2026-07-01")["intervals"] == []


def test_a_week_starts_now_unless_told_otherwise(desk):
    with freeze_time("2026-07-01T12:00:00Z"):
        told = preview(desk, ())
    assert (told["from"], told["to"]) == ("2026-07-01T14:00:00+02:00", "2026-07-08T14:00:00+02:00")


def test_a_parent_narrows_it(desk):
    key_of("paul").save(desk.path("paul.pem"))
    holder = ("--share", "6", "--holder", "paul", "--holder-key", desk.path("paul.pem"))
    parent = desk.grant(*holder, "--rule", "mon 12:00-18:00", name="paul.cwt")
    terms = ("--rule", "mon-fri 08:00-16:00", "--parent", "6")
    options = ("--from", "2026-07-06", "--days", 2)
    assert len(intervals(desk, terms, *options)) == 2
    assert intervals(desk, terms, *options, "--parent", parent) == [
        ("2026-07-06T12:00:00", "2026-07-06T16:00:00", 14_400)
    ]


def rows(output: str) -> list[list[str]]:
    """The grids in an output: for each week its seven rows of cells."""
    cells = re.findall(r"^[A-Z][a-z]{2} \d\d [A-Z][a-z]{2}  (.{48})$", output, re.MULTILINE)
    return [cells[place : place + 7] for place in range(0, len(cells), 7)]


def test_the_week_is_drawn(desk):
    path = desk.grant("--rule", "mon-fri 08:00-16:00")
    options = ("--zone", WARSAW, "--from", "2026-07-01", "--days", 3)
    output = desk.run("grant", "preview", path, *options).stdout
    (week,) = rows(output)
    assert week == ["·" * 16 + "█" * 16 + "·" * 16] * 5 + ["·" * 48] * 2
    assert "Mon 29 Jun" in output and "Sun 05 Jul" in output


def test_the_hour_that_is_skipped_is_blank(desk):
    path = desk.grant()
    options = ("--zone", WARSAW, "--from", "2026-03-28", "--days", 1)
    ((*_, sunday),) = rows(desk.run("grant", "preview", path, *options).stdout)
    assert sunday == "████" + "  " + "█" * 42


@pytest.mark.parametrize(
    ("start", "weeks"),
    [
        ("2026-03-02", ["2026-03-02", "2026-03-23", "2026-03-30"]),
        # here the grid looks the same, and is marked all the same
        ("2026-10-05", ["2026-10-05", "2026-10-19", "2026-10-26"]),
    ],
)
def test_weeks_that_look_alike_are_drawn_once_and_changed_ones_always(desk, start, weeks):
    options = ("--zone", WARSAW, "--from", start, "--days", 42)
    output = desk.run("grant", "preview", desk.grant(*NIGHT), *options).stdout
    assert re.findall(r"^Week of (\S+)", output, re.MULTILINE) == weeks


@pytest.mark.parametrize(
    ("sample", "zone", "start", "days", "expected"),
    [
        # Monday to Wednesday 8 to 20 UTC, from 1 December
        (
            "create-guest-custom",
            WARSAW,
            "2020-11-30T00:00Z",
            4,
            [
                ("2020-12-01T09:09:58+01:00", "2020-12-01T21:00:00+01:00"),
                ("2020-12-02T09:00:00+01:00", "2020-12-02T21:00:00+01:00"),
            ],
        ),
        (
            "create-guest-time-restricted",
            WARSAW,
            "2020-12-01T00:00Z",
            60,
            [("2020-12-14T09:09:58+01:00", "2020-12-31T09:10:57+01:00")],
        ),
        # Tuesday and Thursday, for 59 seconds, and in another hemisphere the day after
        (
            "manage-add-access",
            "Pacific/Auckland",
            "2020-12-14T00:00Z",
            4,
            [
                ("2020-12-15T21:09:58+13:00", "2020-12-15T21:10:57+13:00"),
                ("2020-12-17T21:09:58+13:00", "2020-12-17T21:10:57+13:00"),
            ],
        ),
    ],
)
def test_the_printed_samples(desk, sample, zone, start, days, expected):
    printed = (SAMPLES / f"{sample}.json").read_text()
    mended = re.sub(r'Email": "[^"]*"', 'Email": "a@example.com",', printed)
    options = ("--zone", zone, "--from", start, "--days", days)
    told = desk.json("grant", "preview", "--tedee", "-", *options, stdin=mended)
    assert [(one["start"], one["end"]) for one in told["intervals"]] == expected


def test_the_hours_of_a_body_can_be_the_wall_clocks(desk):
    body = {"deviceId": 1, "accessLevel": 0, "userEmail": "a@example.com"}
    body["repeatEvent"] = {"weekDays": 1, "dayStartTime": "08:00:00Z", "dayEndTime": "09:00:00Z"}
    options = ("--zone", WARSAW, "--from", "2026-07-06", "--days", 1, "--tedee", "-")
    starts = []
    for local in ((), ("--local",)):
        told = desk.json("grant", "preview", *options, *local, stdin=json.dumps(body))
        starts.append(told["intervals"][0]["start"])
    assert starts == ["2026-07-06T10:00:00+02:00", "2026-07-06T08:00:00+02:00"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "Missing argument 'FILE'"),
        (("-", "--days", 0), 2, "1<=x<=400"),
        (("-", "--days", 401), 2, "1<=x<=400"),
        (("-", "--days", 7, "--count", 7), 2, "cannot be used together"),
        (("-", "--local"), 2, "--local goes with --tedee"),
        (("-", "--tedee", "-"), 2, "cannot be used together"),
        (("--tedee", "-"), 2, "line 1, column 1"),
    ],
)
def test_bad_usage_is_told(desk, arguments, status, said):
    result = desk.run("grant", "preview", *arguments, stdin="")
    assert result.exit_code == status and said in " ".join(result.stderr.split())


def test_a_body_that_no_lock_takes_is_refused(desk):
    body = (
        '{"deviceId": 1, "accessLevel": 0, "userEmail": "a@b.c", "repeatEvent": {"weekDays": 0}}'
    )
    result = desk.run("grant", "preview", "--tedee", "-", stdin=body)
    assert result.exit_code == 1 and "(bad_weekdays, 78)" in result.stderr
