"""How much heap a lock takes, from its built .mpy files, and how large each of them is.

The lock is alone on MicroPython's unix port, where pointers are twice as wide as an ESP32's; its
phone is this process. What is in use is counted after a collection; the smallest heap is one in
which all of it runs, with its garbage. In place is the same from a ROM file system. What the
simulator has in that heap instead of in an image - its modules, and the ROM - is not counted. The
TLS of a session, whose memory is not MicroPython's, comes on top.
"""

import json
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from firmware.crypto import ecdh
from firmware.link.frames import MOST_MESSAGE, Cutter, Joiner
from firmware.link.requests import ACT
from firmware.policy.grant import UNLOCK, Grant
from firmware.policy.instant import from_unix
from host_sim import runtimes
from host_sim.cloud.issuer import issue
from host_sim.cloud.keys import PrivateKey
from host_sim.phone.session import Visit
from firmware.crypto.slices import finish
from host_sim.phone.wallet import Wallet
from host_sim.shims.cryptolib import aes
from tools import build, libraries, sizes

Row = tuple[str, int | float | str, str, str]

CHILD = runtimes.ROOT / "tools/bench/_heap_child.py"
PATH: list[str | Path] = [build.TARGET, build.TARGET / "lib", runtimes.BOARD]
LOCK = "front-door"
PIECE = 244
BUDGET_KB = 160
MPY_BUDGET = 65_536
STEP_KB = 8
LEAST_KB, MOST_KB = 96, 1024
SHOWN = {
    "import": "after import",
    "provisioned": "provisioned, and started",
    "serving": "serving phones and a cloud",
    "peak": "at the peak of a first visit",
}
ISSUER = PrivateKey.from_scalar(7)
WEB = {"broker": "localhost:1", "web": "localhost:1", "plain": "localhost:1"}


class TooSmall(Exception):
    """The lock ran out of heap."""


def provision(folder: Path) -> None:
    """Make a lock in the folder."""
    digits = (ISSUER.public.x + ISSUER.public.y).hex()
    told = {**WEB, "ca": "00" * 500, "secret": "00" * 32}
    code = "from firmware.provision import provision\n"
    code += f"provision({LOCK!r}, {digits!r}, cloud={told!r})"
    subprocess.run(
        runtimes.command("micropython", "-c", code),
        cwd=folder,
        env=runtimes.environment("micropython", PATH),
        check=True,
        capture_output=True,
    )


class Lock:
    """The child process, with a heap of so many KB, or one that is large enough."""

    def __init__(self, folder: Path, heap_kb: int | None, image: str) -> None:
        words = [image] if heap_kb is None else [image, "quick"]
        heap = None if heap_kb is None else f"{heap_kb}k"
        self._process = subprocess.Popen(
            runtimes.command("micropython", CHILD, *words, heap=heap),
            cwd=folder,
            env=runtimes.environment("micropython", PATH),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, word: str) -> str:
        """A line to it, and one back. Raises TooSmall if it is no more."""
        assert self._process.stdin
        try:
            self._process.stdin.write(word + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise TooSmall from None
        return self.hear()

    def hear(self) -> str:
        """Its next line. Raises TooSmall if there is none."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line or line.startswith(("Traceback", "MemoryError")) or "Memory" in line:
            self._process.kill()  # a task that failed did not end it
            raise TooSmall(line + self._process.stdout.read())
        return line.strip()

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def visit(lock: Lock, wallet: Wallet, known: Any) -> int | None:
    """A phone opens the door; the reason of the answer."""
    phone = Visit(wallet, known, aes, secrets.token_bytes)
    phone.ask([(ACT, bytes([UNLOCK]))])
    cutter, joiner = Cutter(), Joiner()
    lock.say("come")
    heard = lock.say(cutter.empty().hex())
    while heard:
        said = []
        for piece in heard.split():
            for message in joiner.join(bytes.fromhex(piece), MOST_MESSAGE):
                said += phone.received(message)
        heard = " ".join(
            lock.say(piece.hex()) for message in said for piece in cutter.cut(message, PIECE)
        ).strip()
    lock.say("go")
    (answer,) = phone.answers
    return answer[1][0] if answer[1] else None


def live(folder: Path, heap_kb: int | None = None, image: str = "") -> dict[str, int]:
    """A lock's life with a first and a resumed visit, and what was measured."""
    with Lock(folder, heap_kb, image) as lock:
        found: dict[str, Any] = json.loads(lock.hear())
        scalar = ecdh.scalar_of(secrets.token_bytes(ecdh.SEED_BYTES))
        wallet = Wallet(scalar, finish(ecdh.public(scalar, secrets.token_bytes)))
        known = wallet.know(LOCK, bytes.fromhex(found.pop("key")))
        grant = Grant(b"share-1", LOCK.encode(), b"")
        grant.issued = from_unix(1_767_607_200)
        holder = PrivateKey.from_scalar(scalar).public
        if int(lock.say("token " + issue(grant, holder, ISSUER).hex())):
            raise ValueError("the grant was refused")
        for _ in range(2):
            if visit(lock, wallet, known) != 0:
                raise ValueError("the door stayed shut")
        return {**found, **json.loads(lock.say("end"))}


def smallest_kb(folder: Path, image: str = "") -> int:
    """The smallest heap, in steps, in which it lives."""
    low, high = LEAST_KB // STEP_KB, MOST_KB // STEP_KB
    while low < high:
        middle = (low + high) // 2
        try:
            live(folder, middle * STEP_KB, image)
        except TooSmall:
            low = middle + 1
        else:
            high = middle
    return low * STEP_KB


def rows() -> Iterator[Row]:
    """Heap from boot to a visit, then the files."""
    build.build()
    libraries.fetch_all()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        provision(folder)
        note = f"64 bits; aim {BUDGET_KB * 1024:,} for all"
        image = sizes.rom_image()
        path = folder / "image.romfs"
        path.write_bytes(image)
        for where, rom in (("", ""), (", in place", str(path))):
            found = live(folder, image=rom)
            for key, what in SHOWN.items():
                yield what + where, found[key], "bytes", note
            smallest = smallest_kb(folder, rom) - found["apart"] // 1024
            yield "smallest heap that does it all" + where, smallest, "KB", f"aim {BUDGET_KB}"
    total = 0
    for path in sorted((build.TARGET / "firmware").rglob("*.mpy")):
        total += path.stat().st_size
        yield str(path.relative_to(build.TARGET)), path.stat().st_size, "bytes", ""
    yield "all .mpy", total, "bytes", f"aim {MPY_BUDGET:,}"
