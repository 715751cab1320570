"""The simulated radio as a process, with adapters for bleak."""

import asyncio
import gc
import os
import shutil
import subprocess
import warnings
import sys

import pytest
from bleak.backends.bluezdbus.manager import get_global_bluez_manager

from host_sim.runtimes import ROOT

ADAPTERS = ("hci0", "hci1", "hci2")
SMALL = "hci3"  # asks for no more than the least MTU


@pytest.fixture(scope="module")
def radio():
    """The radio's variables are in the environment."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed: apt-get install dbus")
    command = [sys.executable, "-m", "host_sim.radio", "--until-eof"]
    for mtu in ("517", "517", "517", "23"):
        command += ["--adapter", mtu]
    with pytest.MonkeyPatch.context() as patch:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
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

    async def run_all(coroutine, seconds):
        try:
            return await asyncio.wait_for(coroutine, seconds)
        finally:  # bleak never closes the one that all clients share
            bus = (await get_global_bluez_manager())._bus
            assert bus is not None
            bus.disconnect()
            await bus.wait_for_disconnect()

    def run_and_sweep(coroutine, seconds=60):
        try:
            return asyncio.run(run_all(coroutine, seconds))
        finally:
            with warnings.catch_warnings():
                # Nor does it close one that broke: that is left to the garbage collector.
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()

    return run_and_sweep
