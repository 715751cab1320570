"""The service as a process, and `lockctl cloud` with it."""

import json
import re

import httpx2
import pytest
from click.testing import CliRunner

from firmware_tests.cloud.process import Process
from firmware_tests.cloud.world import PASSWORD
from tools.lockctl.__main__ import main

EMAIL = "anna@example.org"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    running = Process(tmp_path_factory.mktemp("cloud"))
    running.person(EMAIL, "Anna").close()
    yield running
    running.stop()


@pytest.fixture
def lockctl(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def run(*words, stdin=None):
        return CliRunner().invoke(main, ["cloud", *map(str, words)], stdin, catch_exceptions=False)

    return run


def log_in(lockctl, cloud):
    return lockctl("login", EMAIL, "--url", cloud.url, stdin=f"{PASSWORD}\n")


def test_from_log_in_to_log_out(lockctl, cloud, tmp_path):
    done = log_in(lockctl, cloud)
    assert done.exit_code == 0 and PASSWORD not in done.output
    file = tmp_path / "sharelock" / "cloud.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    told = json.loads(lockctl("whoami", "--json").stdout)
    assert (told["url"], told["email"], told["name"]) == (cloud.url, EMAIL, "Anna")
    assert re.search(r"^email +anna@example.org *$", lockctl("whoami").stdout, re.MULTILINE)
    assert lockctl("logout").exit_code == 0
    assert not file.exists()
    after = lockctl("whoami")
    assert (after.exit_code, after.stderr) == (
        2,
        "Error: Log in first: lockctl cloud login EMAIL\n",
    )


def test_a_wrong_password_is_said_to_be_wrong(lockctl, cloud, tmp_path):
    done = lockctl("login", EMAIL, "--url", cloud.url, stdin="wrong-password\n")
    assert done.exit_code == 1
    assert "Error: Address and password do not belong together." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_token_that_ended_is_refused(lockctl, cloud, tmp_path):
    log_in(lockctl, cloud)
    file = tmp_path / "sharelock" / "cloud.json"
    kept = file.read_text()
    lockctl("logout")
    file.write_text(kept)
    done = lockctl("whoami")
    assert done.exit_code == 1 and "Log in first" in done.stderr


@pytest.mark.parametrize("kept", ["", "{}", "[]", '{"url": "x"}'])
def test_a_damaged_file_is_said_to_be_damaged(lockctl, tmp_path, kept):
    (tmp_path / "sharelock").mkdir()
    (tmp_path / "sharelock" / "cloud.json").write_text(kept)
    done = lockctl("whoami")
    assert done.exit_code == 2 and "is damaged" in done.stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "http://[", "ftp://x"])
def test_a_cloud_that_is_not_there_is_said_not_to_answer(lockctl, url):
    done = lockctl("login", EMAIL, "--url", url, "--password", PASSWORD)
    assert done.exit_code == 2 and "gives no answer" in done.stderr


def test_users_are_read_from_the_database(lockctl, cloud, tmp_path):
    (told,) = json.loads(lockctl("users", "--data", cloud.folder, "--json").stdout)
    assert (told["id"], told["email"], told["name"]) == (1, EMAIL, "Anna")
    assert told["confirmed"] >= told["since"]
    printed = lockctl("users", "--data", cloud.folder).stdout
    assert re.search(r"^1 +anna@example.org +Anna +20", printed, re.MULTILINE)
    nothing = lockctl("users", "--data", tmp_path / "nothing")
    assert nothing.exit_code == 2 and not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--database", "mysql://x/y"), "a database URL is"),
        (("--mail", "pigeon:x"), "a mail URL is"),
        (("--database", "sqlite:////nowhere/at/all.db"), "cannot be used"),
    ],
)
def test_it_does_not_start_with_what_it_cannot_use(lockctl, tmp_path, option, says):
    done = lockctl("serve", "--data", tmp_path / "data", "--port", 0, "--mqtt-port", 0, *option)
    assert done.exit_code == 1 and says in done.stderr
    assert "Traceback" not in done.output


def test_control_c_ends_it_cleanly_and_what_was_there_is_there_again(tmp_path):
    first = Process(tmp_path)
    httpx2.post(f"{first.url}/account", json={"email": EMAIL, "name": "Anna"})
    secret = first.secret(EMAIL)
    status, out, log = first.stop()
    assert (status, out) == (0, "")
    lines = [json.loads(line) for line in log.splitlines()]
    assert all(line["level"] == "info" for line in lines) and secret not in log
    second = Process(tmp_path)
    body = {"token": secret, "password": PASSWORD}
    assert httpx2.post(f"{second.url}/account/confirm", json=body).status_code == 201
    assert (tmp_path / "cloud.db").exists() and (tmp_path / "keys").stat().st_mode & 0o077 == 0
    assert second.stop()[0] == 0
