"""`make sim` as a process: it says where it is, and all of it ends however it ends."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from host_sim.runtimes import ROOT

PATIENCE_S = 60


def children_of(process):
    """Its children, and how each was started; the lock's is one of them."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    found = {child: words_of(child) for child in children}
    (lock,) = [child for child, words in found.items() if b"host_sim.lock.stand" in words]
    return found, lock


def words_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@contextmanager
def sim(*options):
    environment = {each: value for each, value in os.environ.items() if each != "CI"}
    process = subprocess.Popen(
        [sys.executable, "-m", "host_sim", *options],
        cwd=ROOT,
        env={**environment, "SERVE": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("how", "options"),
    [
        (signal.SIGINT, ["--bluetooth"]),
        (signal.SIGTERM, []),
        (signal.SIGKILL, []),
    ],
)
def test_nothing_is_left(how, options):
    if options and shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed: apt-get install dbus")
    with sim(*options) as process:
        assert process.stdout
        url = next(line.strip() for line in process.stdout if line.startswith("  http://"))
        assert httpx2.get(url).status_code == 200
        children, lock = children_of(process)
        assert len(children) == (3 if options else 1)
        folder = Path(os.readlink(f"/proc/{lock}/cwd")).parent
        with httpx2.stream("GET", f"{url}/events"):  # a browser that listens holds nothing up
            process.send_signal(how)
            assert process.wait(PATIENCE_S) == (-how if how == signal.SIGKILL else 0)
        end = time.monotonic() + PATIENCE_S
        while any(words and words_of(child) == words for child, words in children.items()):
            assert time.monotonic() < end, "something runs on"
            time.sleep(0.1)
        if how == signal.SIGKILL:
            shutil.rmtree(folder)
        assert not folder.exists()


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


def test_without_a_terminal_it_ends_after_the_story():
    ended = story("-m", "host_sim")
    assert (ended.returncode, "http://" in ended.stdout) == (0, False)


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
