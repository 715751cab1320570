"""The house: everything that runs, put together, and what can be done in it.

Imports its siblings, the radio and the cloud. `House` has all that `host_sim.web.stand` wants.
"""

import asyncio
import tempfile
from asyncio import to_thread
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from time import time as true_now
from types import TracebackType
from typing import Any, Self

from bumble.link import LocalLink

from firmware.link.credential import key_of_point
from firmware.policy import reasons
from firmware.policy.instant import from_unix
from firmware.policy.zone import Zone
from host_sim import runtimes, words
from host_sim.cloud.keys import short
from host_sim.cloud.preview import changes
from host_sim.cloud.web.service import Service
from host_sim.radio.air import listen_for_hosts
from host_sim.radio.bus import Bus
from host_sim.radio.chip import listen_for_locks
from host_sim.whole import whole
from host_sim.words import iso

from . import people
from .attacker import FORGED, REPLAYED, Attacker
from .events import Events
from .faults import Faults
from .lock import HouseLock
from .phone import Came, Phone, is_yes
from .record import RESTS, Record
from .service import Cloud
from .simtime import SimTime

YEAR_S = 366 * 86_400
_PATIENCE_S = 30
_MTU = 517  # what a browser's adapter asks for
_MOVES_S = 10  # the longest that the bolt does, with all attempts
_STILL = 10  # tenths of a second that a bolt is at rest, when it has come to rest

Tell = Callable[[str], None]


class House:
    """A context manager. `tell(text)` hears how far it is while it starts; `port` 0 is any.

    Its lock lives on `runtime`, by default on what is nearest to a board.

    `device` is the uid of the lock's device, `lock_id` its id on the air. With `bluetooth` there
    is an adapter of org.bluez, too, on the D-Bus at the address `bus`; else that is empty.
    """

    time: SimTime
    events: Events
    cloud: Service
    lock: HouseLock
    phones: dict[str, Phone]
    attackers: dict[str, Attacker]
    faults: Faults
    record: Record
    net: Cloud

    def __init__(
        self,
        port: int = 0,
        tell: Tell = lambda text: None,
        bluetooth: bool = False,
        runtime: str | None = None,
    ):
        self.runtime = runtime or runtimes.best()
        self._port = port
        self._bluetooth = bluetooth
        self._tell = tell
        self._stack = AsyncExitStack()
        self._noting: set[asyncio.Task[None]] = set()
        self.device = ""
        self.lock_id = ""
        self.bus = ""

    async def __aenter__(self) -> Self:
        try:
            await self._build()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _build(self) -> None:
        temporary = tempfile.TemporaryDirectory(prefix="sharelock-", ignore_cleanup_errors=True)
        folder = Path(self._stack.enter_context(temporary))
        self.time = SimTime(true_now())
        self.events = Events(self.time)
        self._tell("share service and broker")
        net = Cloud(folder / "cloud", self.time, self.events, self._port)
        self.net = await self._stack.enter_async_context(net)
        self.cloud = self.net.service
        self.faults = Faults(self)
        self.record = Record(self)
        air = LocalLink()
        server = await listen_for_locks(air, 0, self._on_air)
        self._stack.callback(server.close)
        if self._bluetooth:
            self._tell("Bluetooth for browsers")
            hosts = await listen_for_hosts(air, 0)
            self._stack.callback(hosts.close)
            bus = Bus(folder, hosts.sockets[0].getsockname()[1], (_MTU,))
            self.bus = (await self._stack.enter_async_context(bus)).address
        self._tell("people and shares")
        tokens = await whole(to_thread(self._populate))
        self._tell(f"the lock, on {self.runtime}")
        radio = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self.lock = HouseLock(self.runtime, folder, self.time, radio, self._lock_said)
        await self._hang(folder)
        self._tell("phones")
        self.phones = {}
        for name, token in tokens.items():
            place = folder / name
            phone = Phone(place, air, self.net.url, token, self._inside(name))
            self._stack.callback(phone.close)
            self.phones[name] = phone
        stranger = Phone(folder / "stranger", air, self.net.url, "", self._inside("a stranger"))
        self._stack.callback(stranger.close)
        stranger.know(self.lock_id, bytes.fromhex(self.lock.key))
        stranger.is_online = False
        self.attackers = {what: Attacker(self, what, stranger) for what in (REPLAYED, FORGED)}
        for attacker in self.attackers.values():
            self._stack.push_async_callback(attacker.end)

    async def furnish(self) -> None:
        """What needs the cloud to answer: phones get to know it, and the lock all grants."""
        for name, phone in self.phones.items():
            await phone.introduce(f"{name}'s phone")
        self._tell("the lock learns who may come")
        await self.settled()
        for phone in self.phones.values():
            await phone.fetch()
        watching = asyncio.create_task(self.record.watch())
        self._stack.callback(watching.cancel)

    def _populate(self) -> dict[str, str]:
        tokens = {name: people.move_in(self.cloud, name) for name in people.WITH_PHONES}
        self.device, self.lock_id, self._password = people.hang(self.cloud, people.OWNER)
        for name, terms in people.SHARES.items():
            people.share(self.cloud, people.OWNER, self.device, name, terms)
        return tokens

    async def _hang(self, folder: Path) -> None:
        public = self.cloud.issuers.key(self.cloud.issuers.current).public
        ways = {"broker": self.net.broker, "web": self.net.web, "plain": self.net.plain}
        cloud = {name: f"127.0.0.1:{proxy.port}" for name, proxy in ways.items()}
        cloud |= {"ca": self.net.authority().hex(), "secret": self._password}
        await self.lock.make(self.lock_id, (public.x + public.y).hex(), cloud)
        self._stack.push_async_callback(self.lock.off)
        await self.lock.on()

    # --- what is done ---------------------------------------------------------------------------

    async def visit(self, name: str, action: str) -> Came:
        """Somebody is at the door with their phone."""
        came = await self.phones[name].visit(self.lock_id, action)
        self.events.add("visit", who=name, action=action, **told(came))
        noted = self.record.visit(name, action, came)
        if came.reason == reasons.ALLOWED:
            noting = asyncio.create_task(self._note_bolt(noted))
            self._noting.add(noting)
            noting.add_done_callback(self._noting.discard)
        return came

    async def _note_bolt(self, noted: dict[str, Any]) -> None:
        """Add to a visit what the bolt comes to, unless something else happens before."""
        still = 0  # how often in a row: the yes comes before the bolt begins to move
        for _ in range(_MOVES_S * 10):
            await asyncio.sleep(0.1)
            state = self.lock.state
            still = 0 if state["is_driven"] or state["bolt"] not in RESTS else still + 1
            if still == _STILL:
                self.record.bolt(noted, state["bolt"])
                return

    async def carry(self, name: str) -> Came:
        """Somebody brings the lock their phone's news of it."""
        came = await self.phones[name].carry(self.lock_id)
        self.events.add("visit", who=name, action="carry", **told(came))
        if not came.trouble:
            self.record.event(courier=True)
        return came

    async def run_time(self, rate: float) -> None:
        """Let time pass at a rate; 0 stops it."""
        self.time.set_rate(rate)
        await self._tell_time(0)
        self.events.add("time", rate=rate)

    async def _tell_time(self, skipped_s: int) -> None:
        if self.lock.is_on:
            now_ms, rate = self.time.now_ms(), self.time.rate
            await self.lock.ask("time", ms=now_ms, rate=rate, skipped_s=skipped_s)

    async def jump(self, to_s: int) -> None:
        """It is later now; nobody lives through what is between. Raises ValueError."""
        seconds = to_s - self.time.now_s()
        if not 0 <= seconds <= YEAR_S:
            raise ValueError("a jump goes forward, by a year at the most")
        # An answer that was signed before must not set a clock that is later.
        self.net.tells_time = False
        self.time.jump(to_s)
        try:
            if self.lock.is_on:
                await self.lock.ask("jump", ms=seconds * 1000)
        finally:
            self.net.tells_time = "clock" not in self.faults.on
        await self._tell_time(seconds)
        self.net.hurry()
        self.events.add("time", to=iso(from_unix(to_s)))

    def key_of(self, name: str) -> bytes:
        """By which the lock knows somebody's phone."""
        return short(key_of_point(self.phones[name].point))

    def next_change_s(self) -> int | None:
        """When the clocks change next, a minute before; None within a year."""
        at = from_unix(self.time.now_s())
        for change in changes(Zone(people.ZONE), at, YEAR_S):
            return self.time.now_s() + at.until(change.at) - 60
        return None

    async def settled(self) -> bool:
        """Wait until the lock has what the cloud wants it to; False if it takes too long."""
        for _ in range(_PATIENCE_S * 10):
            state = self.lock.state
            if state.get("is_online") and await to_thread(self._wanted) == (
                state["applied"], state["settings"], state["applied"],
            ):  # fmt: skip
                return True
            await asyncio.sleep(0.1)
        return False

    def _wanted(self) -> tuple[int, int, int]:
        with self.cloud.transaction(reads=True) as ctx:
            device = people.device_of(ctx, self.device)
            return device.sequence, device.settings_version, device.applied

    # --- what is heard --------------------------------------------------------------------------

    def _lock_said(self, what: str, content: Any) -> None:
        if what == "line":
            self.events.add("log", line=content)
        else:
            self.events.add("door", **{what: content})

    def _on_air(self, what: str, *members: Any) -> None:
        if what in ("connected", "disconnected", "written", "notify"):
            self.events.add("ble", what=what, link=members[0], value=members[-1])

    def _inside(self, name: str) -> Callable[..., None]:
        def hear(asked: tuple[int, bytes], answer: tuple[int, bytes], handshakes: int) -> None:
            self.events.add(
                "ble",
                what="inside",
                who=name,
                item=asked[0],
                asked=asked[1].hex(),
                answered=answer[1].hex(),
                handshakes=handshakes,
            )

        return hear


def told(came: Came) -> dict[str, Any]:
    """How a visit ended, for JSON."""
    return {
        "ok": is_yes(came.reason),
        "verdict": came.verdict,
        "text": came.text,
        "next_s": came.next_s,
        "refused": [words.text(each) for each in came.refused],
    }
