"""The simulated radio as a process: it does not outlive whoever started it."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from host_sim.runtimes import ROOT

# Starts a radio that writes to the same pipe, and lives until it is killed.
STARTER = """
import subprocess, sys
command = [sys.executable, "-m", "host_sim.radio", "--until-eof"]
subprocess.Popen(command, stdin=subprocess.PIPE).wait()
"""


@pytest.mark.skipif(
    shutil.which("dbus-daemon") is None,
    reason="dbus-daemon is not installed: apt-get install dbus",
)
def test_it_ends_with_who_started_it_even_if_that_is_killed():
    command = [sys.executable, "-c", STARTER]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        told = [starter.stdout.readline().partition("=") for _ in range(3)]
        bus = told[2][2].strip().removeprefix("unix:path=")
        assert told[2][0] == "DBUS_SYSTEM_BUS_ADDRESS" and os.path.exists(bus)
        os.kill(starter.pid, signal.SIGKILL)
        assert starter.stdout.read() == ""  # until the last that could write is gone
    assert not os.path.exists(bus)
