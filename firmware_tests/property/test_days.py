"""A lock lives for days, with a thousand openings each: neither its heap nor its flash grows.

On MicroPython and littlefs, with phones through their visits, batches each hour, and a cloud that
takes the log, or no network at all.
"""

import json
from typing import Any

import pytest

from firmware.policy import reasons
from firmware.policy.grant import Grant
from firmware.policy.instant import from_unix
from firmware_tests import soak
from firmware_tests.property.lock_process import ISSUER
from host_sim import runtimes
from host_sim.cloud import issuer
from host_sim.cloud.keys import PrivateKey

LOCK = b"front-door"
OPENINGS = 1000
DAYS = soak.count(7, 1)
SCALARS = [1001, 1002, 1003, 1004]  # of phones; the last one has no grant
PHONES = [PrivateKey.from_scalar(scalar).public for scalar in SCALARS[:-1]]
NOON = 1_607_947_200
HEAP_NOISE = 1_000  # bytes, of what is under way
BLOCK_NOISE = 2  # a folder's list takes one pair of blocks more when a new one begins in it
FILE_NOISE = 8192  # bytes, of two segments of the log


def batches(count: int) -> list[str]:
    """Tokens that continue each other: each phone's grant anew, and a guest who comes and goes."""
    made = []
    for number in range(count):
        issued = from_unix(NOON + number)
        changes = []
        at = number * 4
        for place, phone in enumerate(PHONES):
            grant = Grant(b"share-%d" % place, LOCK, b"")
            grant.issued = issued
            grant.version = number + 1
            grant.uses = 60_000 if place == 0 else None
            changes.append(issuer.grant_change(grant, phone, at + place + 1))
        changes.append(
            issuer.revocation_change(LOCK, issued, b"guest-%d" % (number % 6), 1, None, at + 4)
        )
        made.append(issuer.sign(issuer.batch(LOCK, issued, at + 1, at + 4, changes), ISSUER).hex())
    return made


def most(quarters: list[dict[str, Any]]) -> dict[str, int]:
    """The highest of what was measured after each quarter of a day."""
    return {
        name: max(quarter[name] for quarter in quarters)
        for name in ("heap", "blocks", "files", "bytes")
    }


@pytest.mark.parametrize("has_cloud", [True, False], ids=["a cloud", "no network"])
def test_nothing_grows(has_cloud):
    told = {
        "openings": OPENINGS,
        "quarters": 4 * DAYS,
        "cloud": has_cloud,
        "phones": SCALARS,
        "issuer": (ISSUER.public.x + ISSUER.public.y).hex(),
        "batches": batches(24 * DAYS + 1),
    }
    child = runtimes.run(
        "micropython",
        "firmware_tests/power/days_child.py",
        stdin=json.dumps(told) + "\n",
        timeout_s=3600,
    )
    assert child.returncode == 0, child.stdout
    quarters = [json.loads(line) for line in child.stdout.splitlines()]
    print(*quarters, sep="\n")
    assert len(quarters) == 4 * DAYS
    before, after = (most(half) for half in (quarters[: 2 * DAYS], quarters[2 * DAYS :]))
    assert after["heap"] - before["heap"] <= HEAP_NOISE
    assert after["blocks"] - before["blocks"] <= BLOCK_NOISE
    assert after["files"] <= before["files"] + 1
    assert after["bytes"] - before["bytes"] <= FILE_NOISE
    last = quarters[-1]
    assert last["answers"][str(reasons.ALLOWED)] > OPENINGS * DAYS // 2
    assert last["applied"] == 4 * (24 * DAYS + 1)
    assert (last["acknowledged"] > 0) == has_cloud
    print(
        f"summary: {OPENINGS * DAYS} openings in {DAYS} days, {'' if has_cloud else 'no '}cloud: "
        f"at most {before['heap']} and then {after['heap']} bytes of heap, "
        f"{before['blocks']} and then {after['blocks']} blocks of flash."
    )
