"""`make sim` as a process: it says where it is, and all of it ends however it ends."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from host_sim.runtimes import ROOT

PATIENCE_S = 60
RULES = "host_sim/scenarios/rules.toml"
IN_PROC = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="looks for processes in /proc"
)


def words_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def below(pid):
    """The processes that one started, and those that they did: how each was started."""
    found: dict[str, bytes] = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found |= {child: words_of(child), **below(child)}
    return found


def gone(processes):
    """Wait until none of them is left."""
    end = time.monotonic() + PATIENCE_S
    while left := [pid for pid, words in processes.items() if words and words_of(pid) == words]:
        assert time.monotonic() < end, [processes[pid] for pid in left]
        time.sleep(0.1)


@contextmanager
def sim(*options):
    """The process, at the head of its own group as in a shell, and where its files are."""
    environment = {each: value for each, value in os.environ.items() if each != "CI"}
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "host_sim", "--scenario", RULES, *options],
            cwd=ROOT,
            env={**environment, "SERVE": "1", "TMPDIR": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process, folder
        finally:
            process.kill()
            process.communicate(timeout=PATIENCE_S)


def line_of(process, text):
    return next(line for line in process.stdout if text in line).strip()


def need(options):
    if options and shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed: apt-get install dbus")


@IN_PROC
@pytest.mark.parametrize(
    ("how", "options"),
    [
        (signal.SIGINT, ["--bluetooth"]),
        (signal.SIGTERM, []),
        (signal.SIGKILL, ["--bluetooth"]),
    ],
)
def test_nothing_is_left(how, options):
    need(options)
    with sim(*options) as (process, folder):
        url = line_of(process, "  http://")
        assert httpx2.get(url).status_code == 200
        children = below(process.pid)
        running = b" ".join(children.values())
        assert b"host_sim.lock.stand" in running
        assert (b"dbus-daemon" in running, b"bluez" in running) == (bool(options),) * 2
        with httpx2.stream("GET", f"{url}/events"):  # a browser that listens holds nothing up
            process.send_signal(how)
            assert process.wait(PATIENCE_S) == (-how if how == signal.SIGKILL else 0)
        gone(children)
        assert how == signal.SIGKILL or os.listdir(folder) == []


@IN_PROC
@pytest.mark.parametrize(
    "until", ["steps, as expected", "share service", "Bluetooth", "the lock, on"]
)
def test_ctrl_c_ends_it_while_it_starts(until):
    need(["--bluetooth"])
    with sim("--bluetooth") as (process, folder):
        line_of(process, until)
        children = below(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE_S) in (0, 128 + signal.SIGINT)
        gone(children)
        assert os.listdir(folder) == []
        assert "Traceback" not in process.stderr.read()


def test_ctrl_c_ends_it_before_it_says_anything():
    with sim() as (process, folder):
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE_S) == 128 + signal.SIGINT
        assert (process.stderr.read(), os.listdir(folder)) == ("", [])


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with sim("--port", str(port)) as (process, _):
            said = process.communicate(timeout=PATIENCE_S)[1]
    assert (process.returncode, said) == (
        1,
        f"Error: There is no listening at port {port}: Address already in use.\n",
    )


def story(*words):
    """What a program does that starts no house."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={each: value for each, value in os.environ.items() if each != "SERVE"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("is_expected", [True, False])
def test_without_a_terminal_it_ends_with_the_status_of_the_story(tmp_path, is_expected):
    text = (ROOT / RULES).read_text(encoding="utf-8")
    path = tmp_path / "story.toml"
    path.write_text(text if is_expected else text.replace('"outside_rules"', '"expired"', 1))
    ended = story("-m", "host_sim", "--scenario", str(path))
    assert (ended.returncode, "http://" in ended.stdout) == (0 if is_expected else 1, False)


def test_without_micropython_the_lock_runs_on_cpython():
    program = (
        "import runpy; from host_sim import runtimes; "
        "runtimes._micropython = lambda: (_ for _ in ()).throw(runtimes.NotInstalled()); "
        "runpy.run_module('host_sim', run_name='__main__')"
    )
    ended = story("-c", program)
    first, *rest = ended.stdout.splitlines()
    assert first == "MicroPython's unix port is not installed: the lock runs on CPython."
    assert ended.returncode == 0 and "runs on cpython" in "".join(rest)
