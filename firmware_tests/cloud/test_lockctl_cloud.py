"""`lockctl cloud devices`, `shares`, `invitations` and `phones`, against the application."""

import json
import re
import shlex

import pytest
from click.testing import CliRunner

from host_sim.cloud.domain import credentials
from host_sim.cloud.keys import PrivateKey
from host_sim.runtimes import ROOT
from tools.lockctl import cloud
from tools.lockctl.__main__ import main

BOB = "bob@example.org"
DOCUMENT = (ROOT / "docs" / "cloud.md").read_text()


@pytest.fixture
def lockctl(one_service, tmp_path, monkeypatch):
    """Runs a command as somebody; what it asks goes to the application."""
    world = one_service
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(cloud.httpx2, "Client", lambda **options: _Http(world, options["headers"]))

    def run(person, *words, stdin=None):
        cloud.Login("https://cloud.example", person.token).save()
        return CliRunner().invoke(main, ["cloud", *words], stdin, catch_exceptions=False)

    return run


class _Http:
    def __init__(self, world, headers):
        self._world = world
        self._headers = headers

    def __enter__(self):
        return self

    def __exit__(self, *what):
        pass

    def request(self, method, path, **options):
        return self._world.http.request(method, path, headers=self._headers, **options)


@pytest.fixture
def anna(one_service):
    return one_service.person("anna@example.org")


@pytest.fixture
def bob(one_service):
    return one_service.person(BOB)


def told(done):
    """What a command printed as JSON."""
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def row(done, first):
    """The cells of the row of a table that begins with a word."""
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(first)]
    return re.split(r" {2,}", line.strip())


@pytest.fixture
def door(lockctl, anna):
    done = lockctl(anna, "devices", "add", "Front door", "--zone", "Europe/Warsaw")
    assert done.exit_code == 0
    return done.stdout.strip()


def test_devices(lockctl, anna, bob, door):
    cells = row(lockctl(anna, "devices", "list"), "Front door")
    zone = "CET-1CEST,M3.5.0,M10.5.0/3"
    assert cells == ["Front door", "owner", "Anna", zone, "0 of 0", door]
    assert [each["id"] for each in told(lockctl(anna, "devices", "list", "--json"))] == [door]
    assert told(lockctl(bob, "devices", "list", "--json")) == []
    refused = lockctl(bob, "devices", "remove", door, "--yes")
    assert refused.exit_code == 2 and "there is no device" in refused.stderr
    assert lockctl(anna, "devices", "remove", "Front door", stdin="n\n").exit_code == 1
    assert len(told(lockctl(anna, "devices", "list", "--json"))) == 1
    assert lockctl(anna, "devices", "remove", "Front door", "--yes").exit_code == 0
    assert told(lockctl(anna, "devices", "list", "--json")) == []


def test_of_two_devices_with_a_name_one_is_named_by_its_id(lockctl, anna, door):
    other = told(lockctl(anna, "devices", "add", "Front door", "--zone", "UTC0", "--json"))["id"]
    done = lockctl(anna, "shares", "list", "Front door")
    assert done.exit_code == 2 and door in done.stderr and other in done.stderr
    assert len(told(lockctl(anna, "shares", "list", other, "--json"))) == 1


def test_shares_are_added_changed_and_removed(lockctl, anna, bob, door):
    options = ["--rule", "mon-fri 08:00-16:00", "--uses", "3", "--until", "2026-12-31T12:00"]
    cells = row(lockctl(anna, "shares", "add", "Front door", BOB, *options), BOB)
    assert cells[:-1] == [
        BOB,
        "accepted",
        "open",
        "guest; 3 uses",
        "mon-fri 08:00-16:00; until 2026-12-31T11:00:00Z",
    ]
    options = ["--right", "lock", "--channel", "remote", "--clear", "rules", "--clear", "uses"]
    options += ["--lease", "7 d", "--pass-on", "--after-first-use", "2 h", "--duress"]
    (changed,) = told(lockctl(anna, "shares", "change", door, BOB, *options, "--json"))
    assert changed["terms"]["rules"] is changed["terms"]["uses"] is None
    assert changed["terms"]["until"] == "2026-12-31T11:00:00Z"
    assert (changed["lease"], changed["may_pass_on"]) == ("7 d", True)
    cells = row(lockctl(anna, "shares", "list", door), BOB)
    assert cells[3] == "guest; lock only; remote only; 2 h from the first on; duress"
    options = ["--clear", "lease", "--no-pass-on", "--no-duress", "--level", "admin"]
    (changed,) = told(lockctl(anna, "shares", "change", door, changed["id"], *options, "--json"))
    assert (changed["lease"], changed["may_pass_on"]) == (None, False)
    assert changed["terms"]["duress"] is None and changed["terms"]["rights"] == ["lock"]
    assert lockctl(anna, "shares", "remove", door, BOB).exit_code == 0
    assert len(told(lockctl(anna, "shares", "list", door, "--json"))) == 1
    refused = lockctl(anna, "shares", "remove", door, BOB)
    assert refused.exit_code == 2 and "has no share of Front door" in refused.stderr


def test_what_the_cloud_refuses_is_told(lockctl, anna, door):
    refused = lockctl(anna, "shares", "add", door, BOB, "--rule", "someday")
    assert refused.exit_code == 1 and "'someday' is no rule" in refused.stderr
    refused = lockctl(anna, "shares", "add", door, anna.email)
    assert refused.exit_code == 1
    assert refused.stderr == "Error: You cannot share a device with yourself.\n"


def test_a_preview(lockctl, anna, door):
    lockctl(anna, "shares", "add", door, BOB, "--rule", "fri 22:00-06:00")
    when = ["--from", "2026-03-27T12:00", "--days", "4"]
    done = lockctl(anna, "shares", "preview", door, BOB, *when)
    assert row(done, "2026") == ["2026-03-27T22:00:00+01:00", "2026-03-28T06:00:00+01:00"]
    assert told(lockctl(anna, "shares", "preview", door, BOB, *when, "--json"))["more"] is False
    never = lockctl(
        anna, "shares", "preview", door, BOB, "--from", "2026-03-28T12:00", "--days", "2"
    )
    assert (never.exit_code, never.stdout) == (1, "Never open in that time.\n")


def test_invitations(lockctl, one_service, anna, bob, door):
    lockctl(anna, "shares", "add", door, BOB, "--by-link")
    for who, words in ((anna, ["list", door]), (bob, ["list"])):
        assert row(lockctl(who, "invitations", *words), BOB)[:3] == [BOB, "pending", "closed"]
    first = one_service.secret(BOB)
    assert lockctl(anna, "invitations", "resend", door, BOB).exit_code == 0
    gone = lockctl(bob, "invitations", "accept", first)
    assert gone.exit_code == 1 and "was used, has run out" in gone.stderr
    link = f"https://cloud.example/accept#{one_service.secret(BOB)}"
    assert (
        lockctl(bob, "invitations", "accept", link).stdout == "You have a share of Front door.\n"
    )
    assert told(lockctl(anna, "invitations", "list", door, "--json")) == []


def test_phones(lockctl, anna, tmp_path):
    file = tmp_path / "anna.pub.pem"
    file.write_bytes(PrivateKey.from_scalar(7).public_pem())
    made = lockctl(anna, "phones", "add", "Pixel", str(file))
    assert made.exit_code == 0
    assert row(lockctl(anna, "phones", "list"), "Pixel")[-1] == made.stdout.strip()
    again = lockctl(anna, "phones", "add", "Pixel", str(file))
    assert again.exit_code == 1 and "was registered before" in again.stderr
    assert lockctl(anna, "phones", "remove", "Pixel").exit_code == 0
    assert told(lockctl(anna, "phones", "list", "--json")) == []


def test_the_examples_of_the_document_print_what_they_show(lockctl, anna, bob):
    (block,) = re.findall(r"```console\n(\$ lockctl cloud devices .*?)```", DOCUMENT, re.DOTALL)
    examples = re.split(r"^\$ lockctl cloud ", block, flags=re.MULTILINE)[1:]
    for example in examples:
        words, _, printed = example.partition("\n")
        shown = lockctl(anna, *shlex.split(words)).output
        lines = [line.rstrip() for line in re.sub(r"\b[0-9a-f]{32}\b", "ID", shown).splitlines()]
        assert lines == re.sub(r"\b[0-9a-f]{32}\b", "ID", printed).splitlines(), words
    assert len(examples) == 8


def test_a_lock_and_home_assistant_are_enrolled(lockctl, anna, door):
    made = told(lockctl(anna, "devices", "enrol", "Front door", "--json"))
    assert set(made) == {"lock", "secret", "issuer", "broker", "ca", "url"}
    done = lockctl(anna, "devices", "enrol", door)
    assert f"lock: {made['lock']}\n" in done.stdout and made["secret"] not in done.stdout
    home = told(lockctl(anna, "devices", "home-assistant", "Front door", "--json"))
    shares = told(lockctl(anna, "shares", "list", "Front door", "--json"))
    assert home["share"] in [share["id"] for share in shares]


def test_a_lock_that_is_not_ahead_is_not_overruled(lockctl, anna, door):
    done = lockctl(anna, "devices", "resync", "Front door", "--yes")
    assert done.exit_code == 1 and "nothing that is not known here" in done.stderr
    assert lockctl(anna, "devices", "resync", "Front door", stdin="n\n").exit_code == 1


def test_files_for_mosquitto(lockctl, anna, door, one_service, tmp_path):
    made = told(lockctl(anna, "devices", "enrol", "Front door", "--json"))
    words = ("broker-files", str(tmp_path / "files"), "--data", str(one_service.folder))
    url = one_service.database_url
    done = lockctl(anna, *words, "--database", url, "--host", "broker.example")
    assert done.exit_code == 0, done.output
    found = re.fullmatch(r"mqtts://cloud:(.+)@broker\.example:8883\n", done.stdout)
    assert found is not None
    passwords = dict(
        line.split(":") for line in (tmp_path / "files/passwords").read_text().splitlines()
    )
    assert credentials.matches(found[1], passwords["cloud"])
    assert credentials.matches(made["secret"], passwords[made["lock"]])
    again = lockctl(anna, *words, "--database", url, "--host", "broker.example")
    assert again.stdout == done.stdout
    for file in (tmp_path / "files").iterdir():
        assert file.stat().st_mode & 0o077 == 0
