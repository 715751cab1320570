"""A D-Bus of one's own, with an `org.bluez` on it, as processes."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

from host_sim.runtimes import ROOT
from host_sim.whole import whole

_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
# For `sh`: a program that ends with whoever started it, however that ends, for then input does.
_MORTAL = '"$0" "$@" & exec >/dev/null 2>&1; cat; kill $!; wait'
_PATIENCE_S = 20


class BusError(Exception):
    """There is no D-Bus to be had; the message says why."""


class Bus:
    """Lives in a folder, as a context manager; `address` is for DBUS_SYSTEM_BUS_ADDRESS.

    Each of `mtus` is an adapter of org.bluez, whose host is at `hci` (a port of this machine).
    """

    def __init__(self, folder: Path, hci: int, mtus: tuple[int, ...]) -> None:
        self.address = f"unix:path={folder / 'bus'}"
        self._config = folder / "bus.conf"
        self._hci = hci
        self._mtus = [str(mtu) for mtu in mtus]
        self._processes: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> "Bus":
        daemon = shutil.which("dbus-daemon")
        if daemon is None:
            raise BusError("dbus-daemon is not installed (Debian: apt-get install dbus)")
        self._config.write_text(_CONFIG.format(address=self.address), encoding="utf-8")
        try:
            options = (f"--config-file={self._config}", "--nofork", "--print-address")
            await self._start(daemon, *options)
            await self._start(
                sys.executable, "-m", "host_sim.radio.bluez", str(self._hci), *self._mtus
            )
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            assert process.stdin
            process.stdin.close()
            await process.wait()

    async def _start(self, *command: str) -> None:
        """Start a process and wait until it says that it is there."""
        process = await whole(self._spawn(*command))
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), _PATIENCE_S)
        if not line:
            raise BusError(f"{command[0]} does not start")

    async def _spawn(self, *command: str) -> asyncio.subprocess.Process:
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.address}
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", _MORTAL, *command),
            cwd=ROOT,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for who started it
        )
        self._processes.append(process)
        return process
