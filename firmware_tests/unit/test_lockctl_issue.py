"""`lockctl grant issue`: what is asked for is what is signed, or nothing is written."""

import json
from base64 import urlsafe_b64decode

import pytest
from freezegun import freeze_time

from firmware.access.intake import Intake
from firmware.policy import reasons
from firmware_tests.both.store_case import RamFiles, cache
from firmware_tests.unit.desk import Desk
from host_sim import words
from host_sim.story import key_of

TERMS = (
    ("--level", "admin"),
    ("--right", "unlock", "--right", "lock"),
    ("--channel", "local"),
    ("--from", "2026-07-01T12:00"),
    ("--until", "2026-08-01T12:00Z"),
    ("--lease", "2026-07-10T00:00Z"),
    ("--rule", "mon-fri 08:00-16:00", "--rule", "deny fri 12:00-13:00 utc from 2026-07-03"),
    ("--uses", "3"),
    ("--after-first-use", "2 h"),
    ("--duress",),
    ("--parent", "6"),
)
BODY = {
    "deviceId": 1,
    "accessLevel": 0,
    "userEmail": "anna@example.com",
    "repeatEvent": {"weekDays": 31, "dayStartTime": "08:00:00.5Z", "dayEndTime": "16:00:00Z"},
}


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def shown(desk, *terms):
    return desk.json("grant", "inspect", desk.grant(*terms))["grant"]


def test_a_lock_takes_in_what_is_issued(desk):
    held = cache(RamFiles(), RamFiles(), lock=b"front-door")
    intake = Intake(b"front-door", key_of("issuer").public, held)
    token = desk.grant(*[word for words in TERMS for word in words]).read_bytes()
    assert intake.accept(token) == reasons.ALLOWED
    (grant,) = held.grants()
    assert (grant.share, grant.holder, grant.uses) == (b"7", b"anna", 3)


def test_every_term_gets_into_the_grant(desk):
    assert shown(desk, *[word for words in TERMS for word in words]) == {
        "share": "7",
        "version": 1,
        "holder": "anna",
        "lock": "front-door",
        "key": desk.json("keys", "show", desk.path("anna.pem"))["thumbprint"][:32],
        "issued": shown(desk)["issued"],
        "level": "admin",
        "rights": ["unlock", "lock"],
        "channels": ["local"],
        "from": "2026-07-01T10:00:00Z",  # noon in Warsaw
        "until": "2026-08-01T12:00:00Z",
        "lease": "2026-07-10T00:00:00Z",
        "rules": ["mon-fri 08:00-16:00", "deny fri 12:00-13:00 utc from 2026-07-03"],
        "uses": 3,
        "after_first_use": "2 h",
        "duress": True,
        "parent": "6",
    }


def test_without_terms_a_guest_may_do_what_guests_may(desk):
    grant = shown(desk)
    assert grant["level"] == "guest" and grant["rights"] == ["unlock", "lock", "pull"]
    assert not {"from", "until", "lease", "rules", "uses", "duress"} & set(grant)


def test_it_is_issued_now_unless_told_otherwise(desk):
    with freeze_time("2026-07-03T10:00:00Z"):
        assert shown(desk)["issued"] == "2026-07-03T10:00:00Z"
        assert shown(desk, "--issued-at", "2026-01-01")["issued"] == "2025-12-31T23:00:00Z"


def test_the_same_terms_are_the_same_bytes(desk):
    at = ("--issued-at", "2026-01-01T00:00Z")
    assert desk.issue(*at).stdout == desk.issue(*at).stdout


def test_on_standard_output_a_token_is_one_line_of_text(desk):
    at = ("--issued-at", "2026-01-01T00:00Z")
    raw = desk.grant(*at).read_bytes()
    assert desk.issue(*at).stdout == raw.hex() + "\n"
    text = desk.issue(*at, "--encoding", "base64url").stdout.strip()
    assert urlsafe_b64decode(text + "=" * (-len(text) % 4)) == raw and "=" not in text


def test_json_has_the_token_its_size_and_its_terms(desk):
    result = desk.issue("--uses", "2", "--json")
    made = json.loads(result.stdout)
    assert made["bytes"] == len(bytes.fromhex(made["token"]))
    assert made["terms"]["uses"] == 2
    assert json.loads(desk.issue("--json", "--out", desk.path("x")).stdout)["file"]


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (("--version", "0"), reasons.BAD_VERSION),
        (("--right", "manage"), reasons.BAD_RIGHTS),
        (("--until", "2300-01-01"), reasons.BAD_DATES),
        (("--from", "2026-02-01", "--until", "2026-01-01"), reasons.BAD_DATES),
        (("--rule", "mon") * 9, reasons.TOO_MANY_RULES),
        (("--rule", "mon 24:00-06:00"), reasons.BAD_WINDOW),
        (("--rule", "mon 08:00-08:00"), reasons.EMPTY_WINDOW),
        (("--uses", "0"), reasons.BAD_USES),
        (("--level", "owner", "--rule", "mon"), reasons.OWNER_TIMED),
        (("--level", "owner", "--uses", "1"), reasons.OWNER_TIMED),
        (("--parent", "7"), reasons.BAD_PARENT),
        (("--share", "seventeen-letters"), reasons.BAD_ID),
        (("--lock", ""), reasons.BAD_ID),
        (("--holder", "h" * 33), reasons.BAD_ID),
    ],
)
def test_terms_that_no_lock_takes_are_refused_by_name_and_number(desk, terms, reason):
    out = desk.path("anna.cwt")
    out.write_bytes(b"before")
    result = desk.issue(*terms, "--out", out)
    assert result.exit_code == 1 and result.stdout == ""
    assert f"({words.name(reason)}, {reason})" in result.stderr
    assert words.text(reason) in result.stderr
    assert out.read_bytes() == b"before"
    assert len(list(desk.folder.glob("anna.cwt*"))) == 1


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (("--rule", "sometimes"), "'sometimes' is no rule; write for example"),
        (("--from", "soon"), "'soon' is no time; write for example"),
        (("--from", "2026-03-29T02:30"), "never shows 2026-03-29 02:30"),
        (("--after-first-use", "5"), "'5' is no duration; write for example"),
        (("--zone", "Mars/Olympus"), "write for example Europe/Warsaw"),
        (("--zone", "CET-1CEST"), "character"),
        (("--level", "king"), "'guest', 'admin', 'owner'"),
        (("--issued-at", "1999-12-31T00:00Z"), "2000 to 2199"),
        (("--issuer", "nobody.pem"), "does not exist"),
        (("--local",), "--local goes with --tedee"),
        (("--out", "no/such/folder/x"), "No such file"),
    ],
)
def test_what_cannot_be_read_is_bad_usage(desk, terms, said):
    result = desk.issue(*terms)
    assert result.exit_code == 2 and result.stdout == ""
    assert said in " ".join(result.stderr.split())


def test_a_public_key_does_not_sign(desk):
    result = desk.issue("--issuer", desk.path("issuer.pub.pem"))
    assert result.exit_code == 2 and "no private key" in result.stderr


# --- from the body of a tedee request -----------------------------------------------------------


def body(desk, content=BODY):
    path = desk.path("body.json")
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_body_is_read_in_utc(desk):
    assert shown(desk, "--tedee", body(desk))["rules"] == ["mon-fri 08:00:01-16:00 utc"]


def test_a_body_is_read_on_the_wall_clock_if_told_so(desk):
    rules = shown(desk, "--tedee", body(desk), "--local")["rules"]
    assert rules == ["mon-fri 08:00:01-16:00"]


def test_a_body_comes_from_standard_input(desk):
    keys = ("--issuer", desk.path("issuer.pem"), "--holder-key", desk.path("anna.pub.pem"))
    to = ("--holder", "anna", "--share", "7", "--lock", "front-door")
    result = desk.run("grant", "issue", *keys, *to, "--tedee", "-", stdin=json.dumps(BODY))
    grant = desk.json("grant", "inspect", "-", stdin=result.stdout)["grant"]
    assert grant["rules"] == ["mon-fri 08:00:01-16:00 utc"]


def test_what_a_body_cannot_say_can_be_added(desk):
    grant = shown(desk, "--tedee", body(desk), "--uses", 2, "--lease", "2027-01-01T00:00Z")
    assert grant["uses"] == 2 and grant["lease"] == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "words",
    [
        ("--level", "guest"),
        ("--right", "lock"),
        ("--channel", "local"),
        ("--from", "2026-01-01"),
        ("--until", "2026-01-01"),
        ("--rule", "mon"),
    ],
)
def test_what_a_body_says_cannot_be_said_twice(desk, words):
    result = desk.issue("--tedee", body(desk), *words)
    assert result.exit_code == 2 and f"{words[0]} and --tedee" in result.stderr


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        ('{"deviceId": 1\n "x": 2}', 2, "line 2, column 2: expecting ',' delimiter"),
        ({**BODY, "repeatEvent": {"weekDays": "31"}}, 2, "repeatEvent.weekDays: "),
        ({**BODY, "repeatEvent": {"weekDays": 0}}, 1, "(bad_weekdays, 78)"),
        ({**BODY, "repeatEvent": {"weekDays": 128}}, 1, "(bad_weekdays, 78)"),
    ],
)
def test_a_body_that_is_no_request_is_told_where(desk, content, status, said):
    result = desk.issue("--tedee", body(desk, content), "--out", desk.path("x"))
    assert result.exit_code == status and said in result.stderr
    assert not desk.path("x").exists()
