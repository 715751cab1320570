"""How much heap a lock takes, from its built .mpy files, and how large each of them is.

The lock is alone on MicroPython's unix port, where pointers are twice as wide as an ESP32's; its
phone and its cloud are this process, and their session is over TLS. What is in use is counted
after a collection; the smallest heap is one in which all of it runs, with its garbage. In place is
the same from a ROM file system. On 32 bits, where there is no TLS and hardly a collection,
everything is imported and made, and nobody comes.

What an image for the ESP32 has inside - `machine`, MQTT and HTTP - is not counted, nor is the ROM.
The TLS of a session, whose memory is not MicroPython's heap, comes on top.
"""

import json
import logging
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from typing import Any, NamedTuple

from paho.mqtt.client import CallbackAPIVersion, Client

from firmware.crypto import ecdh
from firmware.crypto.slices import finish
from firmware.link.frames import MOST_MESSAGE, Cutter, Joiner
from firmware.link.requests import ACT
from firmware.policy.grant import UNLOCK, Grant
from firmware.policy.instant import from_unix
from host_sim import runtimes
from host_sim.cloud import issuer
from host_sim.cloud.keys import PrivateKey
from host_sim.cloud.link import topics
from host_sim.cloud.link.broker import Embedded
from host_sim.cloud.link.certificates import Certificates
from host_sim.phone.session import Visit
from host_sim.phone.wallet import Wallet
from host_sim.shims.cryptolib import aes
from tools import build, libraries, sizes

Row = tuple[str, int | float | str, str, str]

CHILD = runtimes.ROOT / "tools/bench/_heap_child.py"
PATH: list[str | Path] = [build.TARGET, build.TARGET / "lib"]
LOCK = "front-door"
PIECE = 244
BUDGET_KB = 160
MPY_BUDGET = 65_536
STEP_KB = 8
MOST_KB = 768
SESSION_S = 10  # in which a lock that has enough heap has its session
TLS_SESSIONS = 16
SHOWN = {
    "import": "after import",
    "provisioned": "provisioned, and started",
    "serving": "serving phones and a cloud",
    "peak": "at the peak of a first visit",
}
ISSUER = PrivateKey.from_scalar(7)


class TooSmall(Exception):
    """The lock ran out of heap."""


# --- the cloud ----------------------------------------------------------------------------------


class Clock(BaseHTTPRequestHandler):
    """Tells a lock what time it is."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """The lock's question has a nonce."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        now = from_unix(int(time.time()))
        said = issuer.sign(issuer.time(LOCK.encode(), now, bytes.fromhex(asked["nonce"])), ISSUER)
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Keep it."""


class Cloud(NamedTuple):
    """What a lock is told of it; `heard` is set when the lock has said its state."""

    told: dict[str, str]
    port: int
    heard: threading.Event


@contextmanager
def cloud(folder: Path) -> Iterator[Cloud]:
    """A broker with a certificate, and a clock."""
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)  # a lock that is killed is no news
    certificates = Certificates(folder / "tls")
    certificates.issue(["localhost"], int(time.time()))
    heard = threading.Event()
    clock = ThreadingHTTPServer(("localhost", 0), Clock)
    threading.Thread(target=clock.serve_forever, daemon=True).start()
    ear = Client(CallbackAPIVersion.VERSION2, topics.CLOUD)
    ear.username_pw_set(topics.CLOUD, "")
    ear.tls_set(str(certificates.authority))
    ear.on_message = lambda *_: heard.set()
    with Embedded("localhost", 0, certificates, lambda *_: True) as broker:
        ear.connect("localhost", broker.port)
        ear.subscribe(f"locks/{LOCK}/state")
        ear.loop_start()
        where = f"localhost:{broker.port}"
        plain = f"localhost:{clock.server_port}"
        ca = PEM_cert_to_DER_cert(certificates.authority.read_text(encoding="ascii")).hex()
        told = {"broker": where, "web": where, "plain": plain, "ca": ca, "secret": "00" * 32}
        yield Cloud(told, broker.port, heard)
        ear.loop_stop()
    clock.shutdown()
    clock.server_close()


# --- the lock and its phone ---------------------------------------------------------------------


def provision(folder: Path, known: Cloud) -> None:
    """Make a lock in the folder."""
    digits = (ISSUER.public.x + ISSUER.public.y).hex()
    code = "from firmware.provision import provision\n"
    code += f"provision({LOCK!r}, {digits!r}, folder={str(folder)!r}, cloud={known.told!r})"
    subprocess.run(
        runtimes.command("micropython", "-c", code),
        cwd=runtimes.ROOT,
        env=runtimes.environment("micropython", PATH),
        check=True,
        capture_output=True,
    )


class Lock:
    """The child process, with a heap of so many KB, or one that is large enough."""

    def __init__(self, folder: Path, heap_kb: int | None, image: str) -> None:
        mode = "whole" if heap_kb is None else "quick"
        heap = None if heap_kb is None else f"{heap_kb}k"
        self._process = runtimes.start(
            "micropython", CHILD, folder, image, mode, heap=heap, path=PATH
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


def live(
    folder: Path, there: Cloud, image: str = "", heap_kb: int | None = None
) -> dict[str, int]:
    """A lock's life with a session, a first and a resumed visit, and what was measured."""
    there.heard.clear()
    with Lock(folder, heap_kb, image) as lock:
        said: dict[str, Any] = json.loads(lock.hear())
        until = time.monotonic() + SESSION_S
        while not there.heard.wait(0.05):
            lock.say("")
            if time.monotonic() > until:
                raise TooSmall("there was no session")
        lock.say("serving")
        scalar = ecdh.scalar_of(secrets.token_bytes(ecdh.SEED_BYTES))
        wallet = Wallet(scalar, finish(ecdh.public(scalar, secrets.token_bytes)))
        known = wallet.know(LOCK, bytes.fromhex(said["key"]))
        grant = Grant(b"share-1", LOCK.encode(), b"")
        grant.issued = from_unix(1_767_607_200)
        holder = PrivateKey.from_scalar(scalar).public
        if int(lock.say("token " + issuer.issue(grant, holder, ISSUER).hex())):
            raise ValueError("the grant was refused")
        for _ in range(2):
            if visit(lock, wallet, known) != 0:
                raise ValueError("the door stayed shut")
        found: dict[str, int] = json.loads(lock.say("end"))
        return found


def parts(folder: Path, image: str = "") -> dict[str, int]:
    """The same on 32 bits, without cloud and phone."""
    program = CHILD.relative_to(runtimes.ROOT)
    done = runtimes.run("micropython32", program, folder, image, "parts", path=PATH)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def smallest_kb(folder: Path, there: Cloud, least: int, image: str = "") -> int:
    """The smallest heap, in steps above `least` bytes, in which it lives."""
    low, high = least // 1024 // STEP_KB + 1, MOST_KB // STEP_KB
    while low < high:
        middle = (low + high) // 2
        try:
            live(folder, there, image, middle * STEP_KB)
        except TooSmall:
            low = middle + 1
        else:
            high = middle
    return low * STEP_KB


def tls_bytes(there: Cloud) -> int:
    """What a TLS session takes of the memory that is not MicroPython's heap."""
    done = runtimes.run(
        "micropython", "tools/bench/_heap_tls.py", str(there.port), str(TLS_SESSIONS)
    )
    if done.returncode:
        raise RuntimeError(done.stdout)
    return int(done.stdout)


def rows() -> Iterator[Row]:
    """Heap from boot to a visit, then the files."""
    build.build()
    libraries.fetch_all()
    rom = sizes.rom_image()
    # Below the root, because the 32-bit build sees nothing else.
    with tempfile.TemporaryDirectory(dir=build.TARGET) as name, cloud(Path(name)) as there:
        folder = Path(name)
        provision(folder, there)
        path = folder / "image.romfs"
        path.write_bytes(rom)
        for where, image in (("", ""), (", in place", str(path))):
            found = live(folder, there, image)
            small = parts(folder, image)
            for key, what in SHOWN.items():
                note = f"32 bits {small[key]:,}" if key in small else ""
                yield what + where, found[key], "bytes", note
            smallest = smallest_kb(folder, there, found["peak"] + found["apart"], image)
            smallest -= found["apart"] // 1024
            yield "smallest heap that does it all" + where, smallest, "KB", f"aim {BUDGET_KB}"
        yield "TLS of a session", tls_bytes(there), "bytes", "not in that heap"
    total = 0
    for path in sorted((build.TARGET / "firmware").rglob("*.mpy")):
        total += path.stat().st_size
        yield str(path.relative_to(build.TARGET)), path.stat().st_size, "bytes", ""
    yield "all .mpy", total, "bytes", f"aim {MPY_BUDGET:,}"
