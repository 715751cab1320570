"""What the grant cache costs on flash, against two plain ways to keep grants, in the same run.

The plain ways: one JSON file, and one file per grant. All three run on MicroPython's littlefs,
on a flash in RAM with the ESP32's geometry (512 blocks of 4096 bytes) that counts, beside 64 KB
of firmware and a log of 4 096 entries. Counts are averages over operations at that number of
grants.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host_sim import runtimes

Row = tuple[str, int | float | str, str, str]

CHILD = Path(__file__).with_name("_store_child.py").relative_to(runtimes.ROOT)
COUNTS = (100, 1_000, 10_000)
SAMPLES = {"ours": 100, "json": 10, "files": 100}
NAMES = {"ours": "grant cache", "json": "one JSON file", "files": "a file per grant"}
OPENINGS_A_DAY = 50
CYCLES = 100_000  # erases that a NOR block is good for
BUDGETS = {
    "insert": "at most 2, of the cache",
    "revoke": "at most 2, of the cache",
    "count": "an opening that is counted",
}


def rows() -> Iterator[Row]:
    """Erases, reads, kilobytes, heap, years; for each number of grants."""
    for count in COUNTS:
        yield from _rows_of(count, {kind: measured(kind, count) for kind in NAMES})


def measured(kind: str, count: int) -> dict[str, Any]:
    """What the child found about one store at a number of grants; see its Meter."""
    done = runtimes.run(
        "micropython",
        CHILD,
        kind,
        str(count),
        str(min(SAMPLES[kind], count // 2)),
        heap="64m",
        timeout_s=900,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _rows_of(count: int, found: dict[str, dict[str, Any]]) -> Iterator[Row]:
    of = f"among {count:,}"
    for operation in ("insert", "revoke", "count", "lookup"):
        for kind, name in NAMES.items():
            if "full" in found[kind]:
                continue
            erases, most, reads, kilobytes = found[kind][operation]
            if operation != "lookup":
                note = BUDGETS[operation] if kind == "ours" else ""
                yield f"{operation} {of}: erases, {name}", erases, "", f"most {most}; {note}"
                yield f"{operation} {of}: written, {name}", kilobytes, "KB", ""
            yield f"{operation} {of}: reads, {name}", reads, "", ""
    for kind, name in NAMES.items():
        if "full" in found[kind]:
            note = (
                "no more room on 2 MB" if found[kind]["full"] else "no room to rewrite it on 2 MB"
            )
            yield f"{name}: full at", found[kind]["full"], "grants", note
        else:
            yield f"{name}: {count:,} grants leave", found[kind]["free"], "blocks", "of 512"
    ours = found["ours"]
    yield f"lookup and state {of}: garbage", ours["garbage"], "bytes", "64-bit; two files opened"
    yield f"... again for the same key {of}", ours["again"], "bytes", ""
    years = CYCLES / ours["worn"] / OPENINGS_A_DAY / 365
    note = f"{OPENINGS_A_DAY} counted openings of one share a day, {CYCLES:,} erases a block"
    yield f"flash life {of}", years, "years", note
