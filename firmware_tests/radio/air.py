"""The simulated radio as a process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from host_sim.runtimes import ROOT


@contextmanager
def on_air(*mtus: int) -> Iterator["subprocess.Popen[str]"]:
    """Its variables are in the environment; an adapter for each MTU. Skips without dbus-daemon."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed: apt-get install dbus")
    command = [sys.executable, "-m", "host_sim.radio"]
    for mtu in mtus:
        command += ["--adapter", str(mtu)]
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
