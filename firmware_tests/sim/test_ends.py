"""`make sim` as a process: it says where it is, and all of it ends however it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from host_sim.runtimes import ROOT

PATIENCE_S = 60


def lock_of(process):
    """The lock's process, a child of this one."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    (found,) = [child for child in children if b"host_sim.lock.stand" in words_of(child)]
    return found


def words_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def sim():
    environment = {each: value for each, value in os.environ.items() if each != "CI"}
    process = subprocess.Popen(
        [sys.executable, "-m", "host_sim"],
        cwd=ROOT,
        env={**environment, "SERVE": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left(sim, how):
    assert sim.stdout
    url = next(line for line in sim.stdout if re.search("http://127.0.0.1:[0-9]+", line)).strip()
    assert httpx2.get(url).status_code == 200
    lock = lock_of(sim)
    folder = Path(os.readlink(f"/proc/{lock}/cwd")).parent
    with httpx2.stream("GET", f"{url}/events"):  # a browser that listens holds nothing up
        sim.send_signal(how)
        assert sim.wait(PATIENCE_S) == (0 if how != signal.SIGKILL else -signal.SIGKILL)
    end = time.monotonic() + PATIENCE_S
    while b"host_sim.lock.stand" in words_of(lock):
        assert time.monotonic() < end, "the lock runs on"
        time.sleep(0.1)
    assert folder.exists() == (how == signal.SIGKILL)


def test_without_a_terminal_it_ends_after_the_story():
    environment = {each: value for each, value in os.environ.items() if each != "SERVE"}
    ended = subprocess.run(
        [sys.executable, "-m", "host_sim"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (ended.returncode, "http://" in ended.stdout) == (0, False)
