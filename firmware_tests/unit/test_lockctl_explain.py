"""`lockctl grant explain`: each option reaches the check it is about."""

import pytest
from freezegun import freeze_time

from firmware_tests.unit.desk import WARSAW, Desk
from host_sim.explain import _DESCRIPTIONS
from host_sim.story import key_of

FRIDAY = ("--at", "2026-07-03T12:30", "--zone", WARSAW)  # within the window
OFFICE = ("--rule", "mon-fri 08:00-16:00")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def explain(desk, terms, *options):
    return desk.json("grant", "explain", desk.grant(*terms), *options)


@pytest.mark.parametrize(
    ("terms", "options", "reason"),
    [
        (OFFICE, (), "allowed"),
        (OFFICE, ("--unproven",), "key_unproven"),
        (OFFICE, ("--revoked",), "revoked"),
        (OFFICE, ("--floor", 2), "superseded"),
        (OFFICE, ("--lock", "back-door"), "wrong_lock"),
        (OFFICE, ("--mode", "privacy"), "mode"),
        (OFFICE, ("--lockout", "90 s"), "locked_out"),
        (OFFICE, ("--action", "manage"), "no_right"),
        (("--channel", "local"), ("--channel", "remote"), "channel_closed"),
        (OFFICE, ("--clock-unknown",), "clock_unknown"),
        (("--from", "2026-07-04"), (), "too_early"),
        (("--until", "2026-07-03"), (), "expired"),
        (("--lease", "2026-07-03"), (), "lease_over"),
        ((*OFFICE, "--rule", "deny fri"), (), "deny_rule"),
        (("--rule", "mon-thu"), (), "outside_rules"),
        (("--uses", 2), ("--uses", 1), "allowed"),
        (("--uses", 2), ("--uses", 2), "uses_spent"),
        (("--uses", 2), ("--uses", 2, "--since-use", "29"), "allowed"),
        (("--uses", 2), ("--uses", 2, "--since-use", "30 s"), "uses_spent"),
        (("--after-first-use", "1 h"), ("--first-use", "2026-07-03T11:30"), "first_use_over"),
        (("--after-first-use", "1 h"), ("--first-use", "2026-07-03T11:31"), "allowed"),
        (("--parent", "6"), (), "parent_denies"),
        (OFFICE, ("--clock-error", "3 h"), "clock_uncertain"),
    ],
)
def test_an_option_reaches_its_check(desk, terms, options, reason):
    path = desk.grant(*terms)
    if "3 h" in options:
        options = ("--clock-error", "1 h")
        at = ("--at", "2026-07-03T15:30", "--zone", WARSAW)
    else:
        at = FRIDAY
    result = desk.run("grant", "explain", path, *at, *options)
    told = desk.json("grant", "explain", path, *at, *options)
    assert told["reason"] == reason and told["allowed"] == (reason == "allowed")
    assert result.exit_code == (0 if reason == "allowed" else 1)
    assert f"({reason}, {told['number']})" in result.stdout


def test_the_checks_are_in_the_locks_order_and_stop_at_the_first_that_fails(desk):
    checks = explain(desk, OFFICE, *FRIDAY, "--mode", "privacy")["checks"]
    assert [check["check"] for check in checks] == [name for name, _ in _DESCRIPTIONS]
    reached = [check["reason"] for check in checks if check["reason"]]
    assert reached == ["allowed"] * 5 + ["mode"]


def test_what_each_check_saw_is_shown(desk):
    output = desk.run("grant", "explain", desk.grant(*OFFICE), *FRIDAY).stdout
    for seen in ("7, guest", "unlock of unlock, lock, pull", "one of 1 holds", "2026-07-03T10:30"):
        assert seen in output


@pytest.mark.parametrize(
    ("terms", "at", "later"),
    [
        (OFFICE, "2026-07-03T16:00", "2026-07-06T08:00:00+02:00"),
        (OFFICE, "2026-07-03T12:00", None),  # allowed already
        (("--until", "2026-07-01"), "2026-07-03T12:00", None),
        (("--rule", "daily 02:15-02:45"), "2026-03-28T12:00", "2026-03-30T02:15:00+02:00"),
        (
            ("--rule", "daily 02:15-02:45"),
            "2026-10-25T02:45:00+02:00",
            "2026-10-25T02:15:00+01:00",
        ),
    ],
)
def test_the_next_time_is_on_the_wall_clock(desk, terms, at, later):
    assert explain(desk, terms, "--at", at, "--zone", WARSAW)["next"] == later


def test_square_brackets_in_an_id_are_not_markup(desk):
    output = desk.run("grant", "explain", desk.grant("--share", "[b]7[/i]"), *FRIDAY).stdout
    assert "[b]7[/i], guest" in output


def test_people_are_told_when_next_or_that_there_is_none(desk):
    office = desk.grant(*OFFICE)
    output = desk.run("grant", "explain", office, "--at", "2026-07-04", "--zone", WARSAW).stdout
    assert "DENIED" in output and "Next allowed: Mon 2026-07-06 08:00:00+02:00" in output
    output = desk.run("grant", "explain", office, *FRIDAY, "--revoked").stdout
    assert "Next allowed: never" in output


def test_a_use_a_first_use_and_duress_are_told(desk):
    terms = ("--uses", 2, "--after-first-use", "1 h", "--duress")
    told = explain(desk, terms, *FRIDAY)
    assert (told["counts"], told["starts"], told["duress"]) == (True, True, True)
    output = desk.run("grant", "explain", desk.path("anna.cwt"), *FRIDAY).stdout
    assert "counts as a use" in output and "silent alarm" in output
    told = explain(desk, terms, *FRIDAY, "--action", "lock")
    assert (told["counts"], told["starts"]) == (False, False)


def test_a_parent_is_asked_too(desk):
    key_of("paul").save(desk.path("paul.pem"))
    holder = ("--share", "6", "--holder", "paul", "--holder-key", desk.path("paul.pem"))
    parent = desk.grant(*holder, "--rule", "mon-thu", name="paul.cwt")
    child = ("grant", "explain", desk.grant(*OFFICE, "--parent", "6"), "--parent", parent)
    zone = ("--zone", WARSAW)
    assert desk.json(*child, *zone, "--at", "2026-07-02T12:00")["allowed"]
    told = desk.json(*child, *zone, "--at", "2026-07-03T12:00")
    assert told["reason"] == "parent_denies"
    assert told["next"] == "2026-07-06T08:00:00+02:00"
    assert any("6: outside_rules" in check["seen"] for check in told["checks"])


def test_it_is_now_unless_told_otherwise(desk):
    path = desk.grant(*OFFICE)
    with freeze_time("2026-07-03T13:59:59Z"):
        assert desk.run("grant", "explain", path, "--zone", WARSAW).exit_code == 0
    with freeze_time("2026-07-03T14:00:00Z"):
        assert desk.run("grant", "explain", path, "--zone", WARSAW).exit_code == 1


def test_without_a_zone_the_wall_clock_shows_utc(desk):
    path = desk.grant(*OFFICE)
    assert desk.run("grant", "explain", path, "--at", "2026-07-03T15:59").exit_code == 0
    assert "[default: UTC0]" in " ".join(desk.run("grant", "explain", "--help").stdout.split())


def test_the_zone_counts_wherever_it_stands(desk):
    path = desk.grant(*OFFICE)
    at = ("--at", "2026-07-03T07:59")
    assert desk.run("grant", "explain", path, *at, "--zone", WARSAW).exit_code == 1
    assert desk.run("grant", "explain", path, "--zone", WARSAW, *at).exit_code == 1


def test_the_signature_does_not_matter(desk):
    path = desk.grant(*OFFICE)
    token = path.read_bytes()
    path.write_bytes(token[:-1] + bytes([token[-1] ^ 1]))
    assert desk.run("grant", "explain", path, *FRIDAY).exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--clock-error", "2 h"), "at most 3600 s"),
        (("--clock-error", "5", "--clock-unknown"), "cannot be used together"),
        (("--at", "2026-03-29T02:30", "--zone", WARSAW), "never shows"),
        (("--at", "9999-12-31T23:59Z"), "2000 to 2199"),
        (("--at", "1850-01-01"), "2000 to 2199"),
        (("--lockout", "soon"), "no duration"),
        (("--lockout", "9" * 30), "longer than any lock counts"),
        (("--since-use", "9" * 5000), "digits"),
        (("--uses", "-1"), "not in the range"),
        (("--mode", "party"), "'privacy'"),
        (("--parent", "nobody.cwt"), "No such file"),
    ],
)
def test_bad_usage_is_told(desk, options, said):
    result = desk.run("grant", "explain", desk.grant(*OFFICE), *options)
    assert result.exit_code == 2 and result.stdout == ""
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\x00\xff"])
def test_what_is_no_grant_is_told(desk, content):
    result = desk.run("grant", "explain", "-", stdin=content)
    assert result.exit_code == 2 and "(malformed, 64)" in result.stderr
