"""What a phone's visit costs: bytes and round trips on the air, heap, and time to the bolt.

Runs on 64-bit MicroPython with the phone in the same process; only the lock's share is measured.
The plain way to compare with is a challenge that the phone signs with ECDSA at each visit. What
the point arithmetic costs is in `crypto`.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host_sim import runtimes
from tools.bench import crypto

Row = tuple[str, int | float | str, str, str]

CHILD = Path(__file__).with_name("_visits_child.py").relative_to(runtimes.ROOT)


def measured() -> dict[str, Any]:
    """What the child found: "first", "resumed" and "challenge"."""
    digest, signature, x, y = crypto.signed(0)
    with tempfile.TemporaryDirectory() as folder:
        done = runtimes.run(
            "micropython",
            CHILD,
            folder,
            digest.hex(),
            signature.hex(),
            (x + y).hex(),
            path=[runtimes.BOARD],
            timeout_s=300,
        )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows() -> Iterator[Row]:
    """Counts, then ratios of one run."""
    found = measured()
    points = {name: sum(slices[0]) for name, slices in crypto.exchanges(1).items()}
    handshake = points["lift"] + points["pair"] + points["single"]
    for name, products, scalars in (("first", handshake, 3), ("resumed", 0, 0)):
        visit = found[name]
        note = "the ephemeral key was made before" if scalars else "no public-key operation"
        yield f"{name} visit: scalar multiplications", scalars, "", note
        yield f"{name} visit: field multiplications", products, "", "at most 2 700 each"
        for side in ("from phone", "from lock"):
            size, count = visit[side]
            yield f"{name} visit: {side}", size, "bytes", f"{count} messages"
        yield f"{name} visit: round trips", visit["turns"], "", "after the lock's greeting"
    for name, what in (
        ("first", "message 3 to bolt"),
        ("resumed", "command to bolt"),
        ("challenge", "signature to bolt"),
    ):
        yield f"{name}, {what}: allocated", found[name]["garbage"], "bytes", "64 bits; aim 1 024"
        ratio = found[name]["us"] / found["challenge"]["us"]
        yield f"{name}, {what}: time", ratio, "", "of a challenge with one ECDSA signature"
        yield f"{name}, {what}: time", found[name]["us"] / 1000, "ms", "on this machine"
