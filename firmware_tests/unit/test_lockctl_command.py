"""`lockctl` as it is installed: help, exit codes, pipes, colours and interruption."""

import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from firmware_tests.unit.desk import Desk
from host_sim.runtimes import ROOT
from tools.lockctl import explain
from tools.lockctl.__main__ import main

LOCKCTL = Path(sysconfig.get_path("scripts")) / "lockctl"


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def lockctl(
    *arguments: str | Path, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [LOCKCTL, *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[Any]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield pytest.param((*path, name), command, id=" ".join((*path, name)))


@pytest.mark.parametrize(("path", "command"), list(commands(main)))
def test_every_command_has_help_with_an_example(desk, path, command):
    result = desk.run(*path, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout and f"  lockctl {' '.join(path)}" in result.stdout
    assert "--json" in result.stdout
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_the_exit_codes_are_documented(desk):
    output = desk.run("--help").stdout
    for code in ("0 ", "1 ", "2 ", "130 "):
        assert f"    {code}" in output


@pytest.mark.parametrize("path", [(), ("keys",), ("grant",), ("grant", "lint", "--nonsense")])
def test_bad_usage_exits_with_2(path):
    done = lockctl(*path)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_the_installed_command_makes_a_key_and_a_grant_and_explains_it(desk):
    made = lockctl("keys", "new", "--out", desk.path("door.pem"))
    assert made.returncode == 0 and desk.path("door.pub.pem").exists()
    keys = ("--issuer", desk.path("issuer.pem"), "--holder-key", desk.path("door.pub.pem"))
    to = ("--holder", "anna", "--share", "7", "--lock", "front-door", "--rule", "mon")
    token = lockctl("grant", "issue", *keys, *to)
    assert token.returncode == 0 and not token.stderr
    explained = ("grant", "explain", "-", "--at")
    assert lockctl(*explained, "2026-07-06T12:00Z", stdin=token.stdout).returncode == 0
    assert lockctl(*explained, "2026-07-07T12:00Z", stdin=token.stdout).returncode == 1
    assert lockctl(*explained, "someday", stdin=token.stdout).returncode == 2


def test_it_runs_as_a_module_too():
    done = subprocess.run(
        [sys.executable, "-m", "tools.lockctl", "--help"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert b"Usage: lockctl " in done.stdout


def test_a_pipe_gets_no_colours_and_no_cut_lines(desk):
    terms = [word for day in ("mon", "tue", "wed") for word in ("--rule", f"{day} 08:00-16:00")]
    done = lockctl("grant", "inspect", desk.grant(*terms))
    assert b"\x1b" not in done.stdout
    assert b"mon 08:00-16:00, tue 08:00-16:00, wed 08:00-16:00\n" in done.stdout
    assert "…".encode() not in done.stdout


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_told_not_to(desk, environment, coloured):
    command = [LOCKCTL, "grant", "inspect", desk.grant()]
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    ours, theirs = os.openpty()
    with subprocess.Popen(
        command, stdout=theirs, env={**inherited, "TERM": "xterm", **environment}
    ) as process:
        process.wait(60)
    os.close(theirs)
    output = os.read(ours, 65_536)
    os.close(ours)
    assert b"UNVERIFIED" in output
    assert (b"\x1b[1;33m" in output) == coloured


def test_an_interrupt_ends_it_without_a_traceback(desk):
    os.mkfifo(desk.path("fifo"))
    with subprocess.Popen(
        [LOCKCTL, "grant", "lint", desk.path("fifo")],
        stderr=subprocess.PIPE,
        # Jobs in the background ignore interrupts, and their children with them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        with desk.path("fifo").open("wb"):  # waits until the command reads
            process.send_signal(signal.SIGINT)
            process.wait(60)
        assert process.returncode == 130
        assert process.stderr and b"Traceback" not in process.stderr.read()


def test_an_interrupt_in_the_midst_of_work_is_no_answer(desk, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(explain, "read_grant", interrupted)
    assert desk.run("grant", "explain", "-").exit_code == 130
