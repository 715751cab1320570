"""`make sim`: the stories on both runtimes, and what happens when story and lock disagree."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from host_sim import runtimes
from host_sim.cloud import tedee
from host_sim.lock.client import RUNTIMES

SCENARIOS = runtimes.ROOT / "host_sim" / "scenarios"
# Of the samples as tedee printed them, half of SHA-256: they must not change by a byte.
SAMPLES = {
    "create-guest-custom": "3294d5694ad7621910d8f3dfc17f2275",
    "create-guest-time-restricted": "3b9f8c5e85e44df9f18d1f7e2e2bb856",
    "create-permanent-administrator": "71b617fedb2307b7d7bae5f8b3b89fd5",
    "manage-14-to-31-december": "27496b2a42feb061ef6ccd4666c4a7ab",
    "manage-add-access": "87a7980244331f5f269c3abb6104c03b",
    "manage-friday-saturday": "79d42420186e249fa5bcdf1c37b9701b",
    "manage-monday-to-friday": "5be9466a3fd8890775f259fa7e333c86",
    "manage-permanent": "279cbce079856c3a7f770ba1c5e82a09",
    "manage-update-access": "755c7f01ad701328dc62aff5a01aff1d",
}


def sim(*arguments: object) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "host_sim", *map(str, arguments)]
    return subprocess.run(
        words, cwd=runtimes.ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def records(*arguments: object) -> list[dict]:
    ended = sim("--json", *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_as_they_were_printed(name):
    assert (
        sha256((SCENARIOS / "tedee" / f"{name}.json").read_bytes()).hexdigest()[:32]
        == SAMPLES[name]
    )


def test_every_sample_is_played():
    text = (SCENARIOS / "tedee.toml").read_text(encoding="utf-8")
    assert all(f'"tedee/{name}.json"' in text for name in SAMPLES)


@pytest.mark.parametrize("story", ["tedee.toml", "rules.toml", "session.toml"])
def test_both_runtimes_tell_the_same_story(story):
    told = [records("--scenario", SCENARIOS / story, "--runtime", runtime) for runtime in RUNTIMES]
    for record in (story[0] for story in told):
        assert record.pop("runtime") in RUNTIMES
    assert told[0] == told[1]
    assert told[0][-1]["surprises"] == 0


def test_the_story_of_the_samples():
    told = records()
    refused = [record for record in told if record["kind"] == "refused"]
    places = [record["problem"].split(":")[0] for record in refused]
    assert places == ["line 5, column 5"] * 4 + ["line 1, column 14"] * 4
    taken = [record for record in told if record["kind"] == "statement"]
    assert [record["version"] for record in taken] == [1] * 8 + [2]
    assert [record["kind"] for record in told].count("grid") == 8
    visits = [record for record in told if record["kind"] == "visit"]
    assert len(visits) > 40
    assert {record["reason"] for record in visits} >= {
        "allowed",
        "outside_rules",
        "too_early",
        "expired",
        "clock_unknown",
        "clock_uncertain",
        "no_right",
        "unknown_share",
        "key_unproven",
        "mode",
    }


def test_for_people_there_is_a_grid_for_each_share_and_a_line_for_each_visit():
    ended = sim()
    assert ended.returncode == 0
    lines = ended.stdout.splitlines()
    assert sum("Wed 16 Dec  " in line for line in lines) == 8
    assert "    Fri 18 Dec  " + "·" * 32 + "█" * 6 + "·" * 10 in lines
    assert any("denied, clock_uncertain, next Fri 2020-12-18 09:02:00" in line for line in lines)
    assert lines[-1].endswith("steps, as expected.")
    assert "\x1b" not in ended.stdout


def edited(folder: Path, old: str, new: str) -> Path:
    text = (SCENARIOS / "rules.toml").read_text(encoding="utf-8")
    assert old in text
    path = folder / "edited.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "old, new, shown",
    [
        ('expect = "no_right"', 'expect = "allowed"', "<- expected allowed"),
        ('expect = "owner_timed"', 'expect = "allowed"', "<- expected allowed"),
        ("next = 2026-10-20T15:00:00", 'next = "never"', "<- expected too_early, next never"),
    ],
)
def test_a_decision_that_the_story_did_not_expect_ends_with_1(tmp_path, old, new, shown):
    ended = sim("--scenario", edited(tmp_path, old, new))
    assert ended.returncode == 1
    assert shown in ended.stdout
    assert "1 not as expected" in ended.stdout


ORDER = """
title = "One second"
lock = { zone = "UTC0", clock = 2026-01-05T09:00:00Z }
share = [{ who = "ada", terms = { rules = ["daily 09:00-10:00"] } }]
event = [
  { at = 2026-01-05T09:30:00.500Z, clock = "unknown" },
  { at = 2026-01-05T09:30:00.700Z, power = "cut", hand = "lock" },
  { at = 2026-01-05T09:40:00.100Z, jam = true, clock = 0 },
  { at = 2026-01-05T09:50:00.100Z, jam = false, battery = 3500 },
]
visit = [
  { at = 2026-01-05T09:30:00.200Z, who = "ada", expect = "allowed", bolt = "unlocked" },
  { at = 2026-01-05T09:30:00.800Z, who = "ada", expect = "clock_unknown", next = "never" },
  { at = 2026-01-05T09:40:00.200Z, who = "ada", expect = "allowed", bolt = "jammed" },
  { at = 2026-01-05T09:50:00.200Z, who = "ada", expect = "allowed", bolt = "unlocked" },
  { at = 2026-01-05T09:50:00.900Z, who = "ada", expect = "unknown_share" },
]
change = [{ at = 2026-01-05T09:50:00.400Z, who = "ada", revoke = true }]
bring = [
  { at = 2026-01-05T09:50:00.300Z, who = "ada", what = "forged", expect = "bad_signature" },
  { at = 2026-01-05T09:50:00.500Z, who = "ada", what = "replayed", expect = "share_revoked" },
]
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_within_a_second_fractions_tell_what_comes_first(tmp_path, runtime):
    path = tmp_path / "order.toml"
    path.write_text(ORDER, encoding="utf-8")
    told = records("--scenario", path, "--runtime", runtime)
    assert [record for record in told if not record.get("ok", True)] == []
    path.write_text(ORDER.replace(".200Z", ".600Z"), encoding="utf-8")
    assert sim("--scenario", path, "--runtime", runtime).returncode == 1


def test_a_sample_that_is_refused_for_another_reason_is_a_surprise(tmp_path):
    (tmp_path / "body.json").write_text('{"deviceId": 1 "accessLevel": 0}', encoding="utf-8")
    path = tmp_path / "story.toml"
    path.write_text(
        '[[share]]\nwho = "ada"\nbody = "body.json"\nrefused = "line 2, column 1: something"\n'
        '[lock]\nzone = "UTC0"\nclock = 2026-01-01T00:00:00Z\n',
        encoding="utf-8",
    )
    path.write_text('title = "x"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    ended = sim("--scenario", path)
    assert ended.returncode == 1
    assert "line 1, column 16" in ended.stdout


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("title = ", "titel = ", "titel: Extra inputs are not permitted"),
        ('zone = "Europe/Berlin"', 'zone = "Europe/Berlln"', "is no zone of the tz database"),
        ('zone = "Europe/Berlin"', 'zone = "CET-1CEST"', "at character 10"),
        ('expect = "no_right"', 'expect = "nope"', "is no reason"),
        ('"fri-sun 22:00-06:00"', '"fri-sun 22-06"', "is no rule"),
        ('who = "nils"', 'who = "nora"', "more than one share"),
        ("at = 2026-10-19T09:00:00", "at = 2026-10-18T09:00:00", "before the lock's clock starts"),
        ("at = 2026-10-19T09:00:00", "at = 2027-03-28T02:30:00", "never shows"),
        ("[lock]", "[lock", "line 6"),
        ("terms = { level", "body = 'none.json'\n#", "none.json"),
    ],
)
def test_a_file_that_tells_no_story_ends_with_2_and_says_why(tmp_path, old, new, said):
    ended = sim("--scenario", edited(tmp_path, old, new))
    assert ended.returncode == 2, ended.stdout
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_body_is_mended_only_where_it_is_broken():
    from host_sim.story import _mended

    text = (SCENARIOS / "tedee" / "manage-add-access.json").read_text(encoding="utf-8")
    assert _mended(text) == text.replace('.com"\n', '.com",\n')
    whole = (SCENARIOS / "tedee" / "manage-update-access.json").read_text(encoding="utf-8")
    assert _mended(whole) == whole
    assert tedee.read_change(whole).id == 1
