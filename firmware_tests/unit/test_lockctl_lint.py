"""`lockctl grant lint`: warnings for people and programs; test_lint.py has the codes."""

import json
from typing import Any

import pytest
from freezegun import freeze_time

from firmware.access import claims
from firmware.crypto import cbor, cose
from firmware_tests.unit.desk import WARSAW, Desk
from host_sim.cloud import sign1
from host_sim.cloud.lint import ADVICE
from host_sim.story import key_of

NIGHT = ("--rule", "daily 22:00-06:00")
AT = ("--at", "2026-01-10")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def body(event: dict[str, Any]) -> str:
    share = {"deviceId": 1, "accessLevel": 0, "userEmail": "a@example.com", "repeatEvent": event}
    return json.dumps(share)


def test_nothing_to_warn_of(desk):
    path = desk.grant("--rule", "mon-fri 08:00-16:00")
    result = desk.run("grant", "lint", path, "--zone", WARSAW, *AT)
    assert (result.exit_code, result.stdout) == (0, "Nothing to warn of.\n")
    assert desk.json("grant", "lint", path, "--zone", WARSAW, *AT) == []


def test_people_get_code_text_and_advice(desk):
    result = desk.run("grant", "lint", desk.grant(*NIGHT), "--zone", WARSAW, *AT)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("dst-shorter  Rule 1 (daily 22:00-06:00): the window of")
    assert lines[1].strip() == ADVICE["dst-shorter"]
    assert lines[2].startswith("dst-longer  ")


def test_programs_get_the_same(desk):
    told = desk.json("grant", "lint", desk.grant(*NIGHT), "--zone", WARSAW, *AT)
    assert [one["code"] for one in told] == ["dst-shorter", "dst-longer"]
    assert all(set(one) == {"code", "rule", "text", "advice"} for one in told)
    assert told[0]["rule"] == 1


def test_the_zone_decides(desk):
    path = desk.grant(*NIGHT)
    for zone, status in (("UTC0", 0), ("Asia/Tokyo", 0), ("Australia/Sydney", 1)):
        assert desk.run("grant", "lint", path, "--zone", zone, *AT).exit_code == status


def test_a_body_is_looked_at_before_anything_is_signed(desk):
    event = {"weekDays": 31, "dayStartTime": "08:00:00Z", "dayEndTime": "16:00:00Z"}
    options = ("--tedee", "-", "--zone", WARSAW, *AT)
    told = desk.json("grant", "lint", *options, stdin=body(event))
    assert [one["code"] for one in told] == ["utc-shifts"]
    assert desk.run("grant", "lint", *options, "--local", stdin=body(event)).exit_code == 0


@pytest.mark.parametrize("mask", [0, 128])
def test_a_body_that_no_lock_takes_is_a_warning(desk, mask):
    result = desk.run("grant", "lint", "--tedee", "-", stdin=body({"weekDays": mask}))
    assert result.exit_code == 1 and "refused  " in result.stdout


def test_a_token_that_no_lock_takes_is_a_warning(desk):
    members = cbor.decode(cose.parse(desk.grant().read_bytes()).payload)
    members[claims.TERMS][claims.USES] = 0
    issuer = key_of("issuer")
    kid = cose.key_id(issuer.public)
    token = sign1.sign(cbor.encode(members), kid, issuer.sign, typ=claims.TYPE)
    told = desk.json("grant", "lint", "-", stdin=token)
    assert [one["code"] for one in told] == ["refused"] and "bad_uses" in told[0]["text"]


def test_it_looks_from_now_on_unless_told_otherwise(desk):
    path = desk.grant("--until", "2026-07-01T12:00Z")
    with freeze_time("2026-07-01T11:59:59Z"):
        assert desk.run("grant", "lint", path).exit_code == 0
    with freeze_time("2026-07-01T12:00:00Z"):
        assert [one["code"] for one in desk.json("grant", "lint", path)] == ["over"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        ((), "", "Missing argument 'FILE'"),
        (("-",), "hello", "(malformed, 64)"),
        (("nobody.cwt",), "", "No such file"),
        (("--tedee", "-"), '{"deviceId": 1,}', "line 1"),
        (("-", "--zone", "CET-1CEST"), "", "character"),
        (("-", "--zone", "Europe/Warschau"), "", "is no zone of the tz database"),
    ],
)
def test_bad_usage_is_told(desk, arguments, stdin, said):
    result = desk.run("grant", "lint", *arguments, stdin=stdin)
    assert result.exit_code == 2 and result.stdout == ""
    assert said in " ".join(result.stderr.split())
