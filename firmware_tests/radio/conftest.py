"""The simulated radio as a process, with adapters for bleak."""

import asyncio
import os
import shutil
import subprocess
import sys

import pytest

from host_sim.runtimes import ROOT

ADAPTERS = ("hci0", "hci1", "hci2")
SMALL = "hci3"  # asks for no more than the least MTU


@pytest.fixture(scope="module")
def radio():
    """The radio's variables are in the environment."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed: apt-get install dbus")
    command = [sys.executable, "-m", "host_sim.radio"]
    for mtu in ("517", "517", "517", "23"):
        command += ["--adapter", mtu]
    with pytest.MonkeyPatch.context() as patch:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        try:
            for _ in range(3):
                name, _, value = process.stdout.readline().strip().partition("=")
                patch.setenv(name, value)
            assert os.environ["DBUS_SYSTEM_BUS_ADDRESS"].startswith("unix:path=")
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=20)


@pytest.fixture
def run(radio):
    """Runs a coroutine, for so many seconds at the most."""

    def run_it(coroutine, seconds=60):
        return asyncio.run(asyncio.wait_for(coroutine, seconds))

    return run_it
