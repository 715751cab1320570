"""Every warning of lint: terms that earn it, and their next of kin that do not."""

import pytest

from firmware.policy import reasons
from firmware.policy.grant import Grant
from firmware.policy.schedule import Rule
from firmware.policy.zone import Zone
from host_sim.cloud.lint import ADVICE, Finding, lint
from host_sim.cloud.terms import Terms, read_instant
from host_sim.world.zones import posix

WARSAW = "Europe/Warsaw"
AT = "2026-01-10T12:00Z"  # a Saturday

# code: the zone and the terms that earn it, then those that are as near and do not
CASES = [
    ("refused", WARSAW, {"rules": ["mon 08:00-08:00"]}, {"rules": ["mon 08:00-08:10"]}),
    ("refused", WARSAW, {"level": "owner", "until": "2027-01-01"}, {"level": "owner"}),
    ("over", WARSAW, {"until": AT}, {"until": "2026-01-10T12:00:01Z"}),
    ("over", WARSAW, {"lease": AT}, {"lease": "2026-01-10T12:00:01Z"}),
    (
        "never-active",
        WARSAW,
        {"rules": ["mon to 2026-01-11"]},
        {"rules": ["mon to 2026-01-12"]},
    ),
    (
        "never-active",
        WARSAW,
        {"rules": ["mon"], "from": "2026-02-03", "until": "2026-02-09"},
        {"rules": ["mon"], "from": "2026-02-03", "until": "2026-02-10"},
    ),
    (  # the hour that the clocks skip on the only night of the rule
        "never-active",
        WARSAW,
        {"rules": ["daily 02:10-02:50 from 2026-03-29 to 2026-03-29"]},
        {"rules": ["daily 02:10-03:10 from 2026-03-29 to 2026-03-29"]},
    ),
    (
        "deny-all",
        WARSAW,
        {"rules": ["mon 08:00-10:00", "deny mon 07:00-10:00"]},
        {"rules": ["mon 08:00-10:00", "deny mon 07:00-09:00"]},
    ),
    ("deny-all", WARSAW, {"rules": ["deny daily"]}, {"rules": ["deny mon-sat"]}),
    (
        "short-window",
        WARSAW,
        {"rules": ["mon 08:00-08:04:59"]},
        {"rules": ["mon 08:00-08:05"]},
    ),
    (  # two rules leave a crack between them
        "short-window",
        WARSAW,
        {"rules": ["mon 08:00-10:00", "deny mon 08:03-09:00"]},
        {"rules": ["mon 08:00-10:00", "deny mon 08:05-09:00"]},
    ),
    (
        "short-window",
        WARSAW,
        {"from": "2026-02-01T12:00Z", "until": "2026-02-01T12:01Z"},
        {"from": "2026-02-01T12:00Z", "until": "2026-02-01T12:06Z"},
    ),
    (
        "overlap",
        WARSAW,
        {"rules": ["mon 08:00-12:00", "mon 11:00-14:00"]},
        {"rules": ["mon 08:00-12:00", "mon 12:00-14:00"]},
    ),
    (  # a night that runs into the next morning
        "overlap",
        WARSAW,
        {"rules": ["fri 22:00-06:00", "sat 05:00-08:00"]},
        {"rules": ["fri 22:00-06:00", "fri 05:00-08:00"]},
    ),
    (  # the two zones of a rule meet in winter
        "overlap",
        WARSAW,
        {"rules": ["mon 08:00-09:00", "mon 07:30-10:00 utc"]},
        {"rules": ["mon 08:00-09:00", "mon 08:00-10:00 utc"]},
    ),
    (
        "rule-covered",
        WARSAW,
        {"rules": ["mon-fri 08:00-16:00", "tue 09:00-16:00"]},
        {"rules": ["mon-fri 08:00-16:00", "tue 09:00-16:00:01"]},
    ),
    ("rule-covered", WARSAW, {"rules": ["mon", "mon"]}, {"rules": ["mon", "tue"]}),
    (
        "rule-outside",
        WARSAW,
        {"rules": ["mon", "tue from 2026-06-01"], "until": "2026-05-31"},
        {"rules": ["mon", "tue from 2026-06-01"], "until": "2026-06-03"},
    ),
    (  # later than the days that lint looks at from now on
        "rule-outside",
        WARSAW,
        {"rules": ["mon", "tue from 2030-01-01"], "until": "2029-12-31"},
        {"rules": ["mon", "tue from 2030-01-01"]},
    ),
    (
        "rule-outside",
        WARSAW,
        {"rules": ["mon", "deny mon to 2026-01-11"]},
        {"rules": ["mon", "deny mon to 2026-01-12"]},
    ),
    (
        "deny-idle",
        WARSAW,
        {"rules": ["mon-fri 08:00-16:00", "deny daily 16:00-08:00"]},
        {"rules": ["mon-fri 08:00-16:00", "deny daily 15:59-08:00"]},
    ),
    ("dst-closed", WARSAW, {"rules": ["sun 02:00-03:00"]}, {"rules": ["mon 02:00-03:00"]}),
    ("dst-closed", WARSAW, {"rules": ["sun 02:00-03:00"]}, {"rules": ["sun 02:00-03:01"]}),
    ("dst-shorter", WARSAW, {"rules": ["sat 22:00-02:30"]}, {"rules": ["sat 22:00-02:00"]}),
    ("dst-shorter", WARSAW, {"rules": ["sat 22:00-06:00"]}, {"rules": ["sat 21:00-05:00 utc"]}),
    (  # the day of 23 hours surprises nobody
        "dst-shorter",
        WARSAW,
        {"rules": ["sun 00:00-23:00"]},
        {"rules": ["sun"]},
    ),
    (
        "dst-shorter",
        WARSAW,
        {"rules": ["sat 22:00-06:00"], "until": "2026-03-29T06:00"},
        {"rules": ["sat 22:00-06:00"], "until": "2026-03-29T01:00Z"},
    ),
    ("dst-longer", WARSAW, {"rules": ["sun 02:30-03:30"]}, {"rules": ["sun 03:00-03:30"]}),
    (
        "utc-shifts",
        WARSAW,
        {"rules": ["daily 08:00-16:00 utc"]},
        {"rules": ["daily 08:00-16:00 utc"], "until": "2026-03-29"},
    ),
    ("utc-shifts", WARSAW, {"rules": ["mon utc"]}, {"rules": ["daily utc"]}),
    (
        "utc-offset",
        "Asia/Kolkata",
        {"rules": ["daily 08:00-16:00 utc"]},
        {"rules": ["daily 08:00-16:00"]},
    ),
    (
        "utc-weekday",
        "Asia/Tokyo",
        {"rules": ["fri 15:00-16:00 utc"]},
        {"rules": ["fri 14:00-15:00 utc"]},
    ),
    (  # still Friday in winter, Saturday in summer
        "utc-weekday",
        WARSAW,
        {"rules": ["fri 22:00-23:00 utc"]},
        {"rules": ["fri 21:00-22:00 utc"]},
    ),
    (  # midnight in the middle, where UTC has none
        "utc-weekday",
        "America/New_York",
        {"rules": ["fri 04:00-08:00 utc"]},
        {"rules": ["daily 04:00-08:00 utc"]},
    ),
    (  # over midnight in both
        "utc-weekday",
        "Africa/Lagos",
        {"rules": ["fri 23:00-03:00 utc"]},
        {"rules": ["fri 22:00-03:00 utc"]},
    ),
    (
        "lease-after-until",
        WARSAW,
        {"until": "2026-06-01T00:00Z", "lease": "2026-06-01T00:00:01Z"},
        {"until": "2026-06-01T00:00Z", "lease": "2026-06-01T00:00Z"},
    ),
    (
        "first-use-idle",
        WARSAW,
        {"uses": 1, "after_first_use": "31 s"},
        {"uses": 2, "after_first_use": "31 s"},
    ),
    (
        "first-use-idle",
        WARSAW,
        {"uses": 1, "after_first_use": "31 s"},
        {"uses": 1, "after_first_use": "30 s"},  # as long as a repeat is the same use
    ),
    (
        "first-use-idle",
        WARSAW,
        {"until": "2026-01-11T12:00Z", "after_first_use": "1 d"},
        {"until": "2026-01-11T12:00:01Z", "after_first_use": "1 d"},
    ),
    (
        "first-use-long",
        WARSAW,
        {"uses": 2, "after_first_use": "8 d"},
        {"uses": 2, "after_first_use": "7 d"},
    ),
    (
        "uses-idle",
        WARSAW,
        {"rights": ["lock"], "uses": 2},
        {"rights": ["lock", "pull"], "uses": 2},
    ),
    (
        "owner-narrowed",
        WARSAW,
        {"level": "owner", "channels": ["local"]},
        {"level": "admin", "channels": ["local"]},
    ),
]


def look(zone: str, terms: dict, at: str = AT) -> list[Finding]:
    place = Zone(posix(zone))
    grant = Grant(b"1", b"front-door", b"")
    Terms.model_validate(terms).write(grant, place)
    return lint(grant, place, read_instant(at, place))


def codes(zone: str, terms: dict, at: str = AT) -> list[str]:
    return [finding.code for finding in look(zone, terms, at)]


def text(code: str, zone: str, terms: dict, at: str = AT) -> str:
    (finding,) = [finding for finding in look(zone, terms, at) if finding.code == code]
    return finding.text


@pytest.mark.parametrize(("code", "zone", "terms", "kin"), CASES)
def test_a_code_is_earned(code, zone, terms, kin):
    assert code in codes(zone, terms)


@pytest.mark.parametrize(("code", "zone", "terms", "kin"), CASES)
def test_the_next_of_kin_does_not_earn_it(code, zone, terms, kin):
    assert code not in codes(zone, kin)


def test_every_code_has_its_cases_and_its_advice():
    assert {case[0] for case in CASES} == set(ADVICE)
    assert all(advice.endswith(".") and "\n" not in advice for advice in ADVICE.values())


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"rules": ["mon-fri 08:00-16:00"]},
        {"rules": ["mon-fri 08:00-16:00", "sat 10:00-12:00", "deny mon 12:00-13:00"]},
        {"rules": ["daily 08:00-16:00 from 2026-07-01 to 2026-08-31"]},
        {"rules": ["daily"]},
        {"rules": ["deny sun"]},
        {"rules": ["mon-fri 08:00-16:00"], "lease": "2026-01-12T08:02"},  # it is renewed
        {"level": "owner"},
        {"uses": 3, "after_first_use": "1 d"},
        {"from": "2026-02-01", "until": "2026-03-01", "lease": "2026-02-10"},
    ],
)
def test_sound_terms_earn_nothing(terms):
    assert look(WARSAW, terms) == []


# --- what the warnings say ----------------------------------------------------------------------


def test_a_refusal_names_the_locks_reason():
    said = text("refused", WARSAW, {"uses": 0})
    assert said.endswith(f"(bad_uses, {reasons.BAD_USES})")


def test_a_refused_mask_is_not_looked_at_any_further():
    grant = Grant(b"1", b"front-door", b"")
    grant.rules = [Rule(weekdays=0)]
    (finding,) = lint(grant, Zone("UTC0"), read_instant(AT, Zone("UTC0")))
    assert finding.code == "refused" and "bad_weekdays" in finding.text


def test_what_is_over_names_its_end_on_the_wall_clock():
    assert "Thu 2026-01-01 01:00:00+01:00" in text("over", WARSAW, {"until": "2026-01-01T00:00Z"})


def test_a_lease_that_is_over_is_told_from_an_end():
    said = text("over", WARSAW, {"lease": "2026-01-01T00:00Z", "until": "2027-01-01T00:00Z"})
    assert "lease" in said


def test_never_active_names_the_400_days():
    said = text("never-active", "UTC0", {"rules": ["mon to 2026-01-01"], "from": "2026-03-01"})
    assert "Sun 2026-03-01 00:00:00+00:00 to Mon 2027-04-05 00:00:00+00:00" in said


def test_short_windows_are_counted_and_the_first_is_named():
    terms = {"rules": ["mon 08:00-08:01"], "until": "2026-02-01"}
    said = text("short-window", WARSAW, terms)
    assert "3 of 3 windows" in said and "Mon 2026-01-12 08:00:00+01:00 for 1 min" in said


def test_a_window_that_only_now_cuts_off_is_not_short():
    terms = {"rules": ["sat 08:00-13:01"]}  # a minute to go
    assert codes(WARSAW, terms) == []


def test_a_window_that_the_400_days_cut_off_is_not_short():
    # from Saturday 13:00 to Sunday 13:00
    assert codes(WARSAW, {"rules": ["sun 12:58-18:00"]}) == []


def test_rules_that_meet_late_are_found():
    for rules in (["mon-fri 08:00-09:00", "fri 08:30-10:00"], ["sun", "fri-sun 23:00-01:00"]):
        for order in (rules, rules[::-1]):
            assert "overlap" in codes(WARSAW, {"rules": order})


def test_an_overlap_names_both_rules_and_when():
    said = text("overlap", WARSAW, {"rules": ["mon 08:00-12:00", "mon 11:00-14:00"]})
    assert said == (
        "Rule 1 (mon 08:00-12:00) and rule 2 (mon 11:00-14:00) both hold"
        " Mon 2026-01-12 11:00:00+01:00."
    )


def test_of_three_rules_that_are_alike_two_are_idle():
    findings = look(WARSAW, {"rules": ["mon", "mon", "mon"]})
    assert [(f.code, f.rule) for f in findings] == [("rule-covered", 2), ("rule-covered", 3)]


def test_rules_beyond_the_next_400_days_are_looked_at_in_their_own_time():
    rules = ["mon from 2030-01-01", "mon 09:00-10:00 from 2030-01-01", "deny tue from 2030-01-01"]
    found = [(f.code, f.rule) for f in look(WARSAW, {"rules": ["sun", *rules]})]
    assert ("rule-covered", 3) in found and ("deny-idle", 4) in found
    assert ("rule-covered", 2) not in found


@pytest.mark.parametrize(
    ("zone", "rule", "at", "told"),
    [
        # north: forward in March, back in October
        (
            WARSAW,
            "daily 22:00-06:00",
            AT,
            {
                "dst-shorter": "the window of Sat 2026-03-28 lasts 7 h instead of 8 h"
                " (clocks go from 02:00 to 03:00 on Sun 2026-03-29)",
                "dst-longer": "the window of Sat 2026-10-24 lasts 9 h instead of 8 h"
                " (clocks go from 03:00 to 02:00 on Sun 2026-10-25)",
            },
        ),
        (
            WARSAW,
            "sun 02:15-02:45",
            AT,
            {
                "dst-closed": "the window of Sun 2026-03-29 does not open",
                "dst-longer": "of Sun 2026-10-25 lasts 1 h instead of 30 min, in 2 parts",
            },
        ),
        # south: back in April, forward in October
        (
            "Australia/Sydney",
            "daily 22:00-06:00",
            AT,
            {
                "dst-longer": "the window of Sat 2026-04-04 lasts 9 h instead of 8 h"
                " (clocks go from 03:00 to 02:00 on Sun 2026-04-05)",
                "dst-shorter": "the window of Sat 2026-10-03 lasts 7 h instead of 8 h"
                " (clocks go from 02:00 to 03:00 on Sun 2026-10-04)",
            },
        ),
        # half an hour only
        (
            "Australia/Lord_Howe",
            "daily 01:30-02:15",
            AT,
            {
                "dst-longer": "the window of Sun 2026-04-05 lasts 1 h 15 min instead of 45 min",
                "dst-shorter": "the window of Sun 2026-10-04 lasts 30 min instead of 45 min",
            },
        ),
        # at midnight: the night before is the one that is hit
        (
            "America/Santiago",
            "sat 23:15-23:45",
            AT,
            {
                "dst-longer": "of Sat 2026-04-04 lasts 1 h instead of 30 min, in 2 parts"
                " (clocks go from 00:00 to 23:00 on Sat 2026-04-04)"
            },
        ),
        # Dublin's winter time is the exception in its law
        (
            "Europe/Dublin",
            "daily 01:15-01:45",
            AT,
            {
                "dst-closed": "the window of Sun 2026-03-29 does not open",
                "dst-longer": "the window of Sun 2026-10-25 lasts 1 h instead of 30 min",
            },
        ),
        # the year begins at `at`
        (
            WARSAW,
            "daily 22:00-06:00",
            "2026-04-01T00:00Z",
            {
                "dst-longer": "the window of Sat 2026-10-24 lasts 9 h",
                "dst-shorter": "the window of Sat 2027-03-27 lasts 7 h",
            },
        ),
        ("Asia/Tokyo", "daily 22:00-06:00", AT, {}),
    ],
)
def test_nights_on_which_the_clocks_change_are_named(zone, rule, at, told):
    findings = {f.code: f.text for f in look(zone, {"rules": [rule]}, at)}
    assert set(findings) == set(told)
    for code, part in told.items():
        assert part in findings[code]


def test_a_deny_rule_is_hit_by_a_change_of_the_clocks_as_well():
    assert "dst-closed" in codes(WARSAW, {"rules": ["deny sun 02:00-03:00"]})


def test_a_utc_rule_is_told_for_each_offset_it_meets():
    said = text("utc-shifts", WARSAW, {"rules": ["daily 08:00-16:00 utc"]})
    assert "from 2026-01-10 on 09:00-17:00, from 2026-03-29 on 10:00-18:00" in said


def test_a_utc_rule_is_told_in_its_own_season_only():
    terms = {"rules": ["daily 08:00-16:00 utc from 2026-07-01 to 2026-07-31"]}
    assert "10:00-18:00" in text("utc-offset", WARSAW, terms)
    assert "utc-shifts" not in codes(WARSAW, terms)


@pytest.mark.parametrize(
    ("zone", "rule", "told"),
    [
        ("Asia/Tokyo", "fri 20:00-23:00 utc", "Fri 20:00 UTC is Sat 05:00-08:00"),
        ("America/New_York", "fri 02:00-03:00 utc", "Fri 02:00 UTC is Thu 21:00-22:00"),
        ("Asia/Kolkata", "mon utc", "Mon 00:00 UTC is Mon 05:30-Tue 05:30"),
        ("Asia/Tokyo", "fri 14:00-16:00 utc", "Fri 14:00 UTC is Fri 23:00-Sat 01:00"),
        ("Asia/Tokyo", "daily 14:00-16:00 utc to 2026-02-01", "14:00 UTC is"),
    ],
)
def test_the_days_of_a_utc_rule_are_told_where_they_differ(zone, rule, told):
    assert told in text("utc-weekday", zone, {"rules": [rule]})
