"""The lock's process: the firmware on the stand of `host_sim.lock.stand`."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_sim import runtimes

from .simtime import SimTime

BATTERY_MV = 4000
_NEW_DOOR = (1.0, False, False, BATTERY_MV)
_PATIENCE_S = 60

Hear = Callable[[str, Any], None]


class LockGone(ConnectionError):
    """The lock has no power, or its process ended."""


class HouseLock:
    """A lock in a folder, on one of `lock.client.RUNTIMES`.

    `hear(what, content)` is told of "state", "line" and "power".
    `state` is what the lock said last, see `stand.Stand`; with `is_on`.
    """

    def __init__(self, runtime: str, folder: Path, time: SimTime, radio: str, hear: Hear):
        self._runtime = runtime
        self._flash = folder / "flash"
        self._chip = folder / "chip.json"  # see `stand`
        self._time = time
        self._radio = radio
        self._hear = hear
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: deque[asyncio.Future[dict[str, Any]]] = deque()
        self._ready: asyncio.Future[None]
        self._has_power = False
        self.state: dict[str, Any] = {"is_on": False}
        self.key = ""  # by which phones know it, in hexadecimal digits

    async def make(self, lock: str, issuer: str, cloud: dict[str, str]) -> None:
        """Provision it."""
        self._flash.mkdir()
        about = f"{lock!r}, {issuer!r}, {cloud!r}"
        process = await self._start(f"from host_sim.lock import stand; print(stand.make({about}))")
        try:
            said, _ = await process.communicate()
        finally:
            await _end(process)
        if process.returncode:
            raise LockGone(f"the lock was not provisioned: {said.decode()}")
        self.key = said.decode().strip()

    # --- power ----------------------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """Whether it has power, and answers."""
        return self._process is not None and self._ready.done()

    async def on(self) -> None:
        """Power, until the lock is ready."""
        self._has_power = True
        self._process = await self._start("import host_sim.lock.stand\nimport boot, main")
        self._ready = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(self._process))
        await asyncio.wait_for(self._ready, _PATIENCE_S)

    async def off(self) -> None:
        """No power, at once."""
        self._has_power = False
        if self._process is None or self._reader is None:
            return
        await _end(self._process)
        await self._reader

    async def restart(self) -> None:
        """The power is cut, and comes back."""
        await self.off()
        await self.on()

    def has_clock(self) -> bool:
        """Whether its clock chip was ever set."""
        return self._chip.exists()

    async def lose_clock(self) -> None:
        """The power is cut while the clock's battery is empty."""
        had_power = self._has_power
        await self.off()
        self._chip.unlink(missing_ok=True)
        if had_power:
            await self.on()

    def _environment(self) -> dict[str, str]:
        state = self.state
        door = _NEW_DOOR
        if "x" in state:
            door = (state["x"], state["is_open"], state["is_jammed"], state["battery_mv"])
        given = {"ms": self._time.now_ms(), "rate": self._time.rate, "door": door}
        return {**runtimes.board_environment(self._runtime), "SHARELOCK_STAND": json.dumps(given)}

    async def _start(self, code: str) -> asyncio.subprocess.Process:
        environment = self._environment()
        if "boot" in code:
            environment["SHARELOCK_RADIO"] = self._radio
        return await asyncio.create_subprocess_exec(
            *runtimes.command(self._runtime, "-c", code),
            cwd=self._flash,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
            start_new_session=True,  # Ctrl-C is for the house, which ends the lock
        )

    # --- what it says ---------------------------------------------------------------------------

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            self._take(line.decode(errors="replace").rstrip("\n"))
        await process.wait()
        self._process = None
        self.state = {**self.state, "is_on": False, "is_online": False}
        waiting: list[asyncio.Future[Any]] = [self._ready, *self._waiting]
        for future in waiting:
            if not future.done():
                future.set_exception(LockGone("the lock has no power"))
                future.exception()  # somebody may have stopped waiting for it
        self._waiting.clear()
        self._hear("power", False)
        if self._has_power:  # a board starts anew by itself
            self._restarting = asyncio.create_task(self.on())

    def _take(self, line: str) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            self._hear("line", line)
            if line == "ready":
                self._ready.set_result(None)
                self._hear("power", True)
        elif "state" in said:
            self.state = {"is_on": True, **said["state"]}
            self._hear("state", self.state)
        elif self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(said)

    # --- what it is asked -----------------------------------------------------------------------

    async def ask(self, do: str, **members: Any) -> dict[str, Any]:
        """The answer to a line on its console. Raises LockGone."""
        if self._process is None or self._process.stdin is None:
            raise LockGone("the lock has no power")
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._process.stdin.write(json.dumps({"do": do, **members}).encode() + b"\n")
        answer = await asyncio.wait_for(future, _PATIENCE_S)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    async def explain(
        self, key: bytes, action: int, channel: int, at_s: int | None = None
    ) -> dict[str, Any]:
        """What the lock's own checks say of a key's thumbprint at a time; None is now.

        `steps` are {name, reason, seen} in their order, with no reason where none was reached;
        `next` is in Unix seconds, or None.
        """
        return await self.ask("explain", key=key.hex(), action=action, channel=channel, at=at_s)

    async def set_battery(self, mv: int) -> None:
        """Give its battery a voltage."""
        await self._set("battery", {"mv": mv}, battery_mv=mv)

    async def set_jam(self, on: bool) -> None:
        """Put something in the bolt's way, or take it away."""
        await self._set("jam", {"on": on}, is_jammed=on)

    async def _set(self, do: str, members: dict[str, Any], **state: Any) -> None:
        self.state |= state  # for when it has power again
        if self.is_on:
            await self.ask(do, **members)

    async def log(self, after: int = 0) -> bytes:
        """The log after an entry, as `firmware.store.export` has it; some entries at a time."""
        return bytes.fromhex((await self.ask("log", after=after))["export"])


async def _end(process: asyncio.subprocess.Process) -> None:
    """At once, if it has not ended."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
