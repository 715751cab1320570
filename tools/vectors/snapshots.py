"""Snapshots as signed pages, in runs, with what a lock must say and then hold.

Put together by hand like the other statements; nothing of the firmware is used.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from .grants import LOCK, NOON_S, OLDEST_S, coordinates
from .statements import (
    CAPACITY,
    REVOCATION,
    SNAPSHOT,
    Change,
    Run,
    Step,
    batch,
    grant,
    lean,
    names,
    revoke,
    says,
    signed,
    step,
)

LATER_S = NOON_S + 60
DROP = object()


def _page(
    sequence: Any, number: Any, pages: Any, *changes: Any, name: bytes = b"one", **more: Any
) -> Change:
    """A page; `after` and `through` are numbers of shares."""
    terms = {
        0: sequence,
        1: number,
        2: pages,
        3: sha256(name).digest(),
        4: [list(change) for change in changes],
        7: 0,
    }
    for label, term in (("after", 5), ("through", 6)):
        if label in more:
            terms[term] = b"share-%d" % more.pop(label)
    terms |= more.pop("terms", {})
    present = {label: value for label, value in terms.items() if value is not DROP}
    return says(SNAPSHOT, present, **{"iat": LATER_S, **more})


def _runs() -> Iterator[Run]:
    whole = _page(9, 1, 1, lean(grant(7, 2)), grant(None, 3), grant(9, 4, version=2))
    yield (
        "one page takes the place of everything",
        [
            step(batch(1, 3, grant(1, 1), grant(2, 3), grant(3, 4)), "allowed", 3, "134"),
            step(whole, "allowed", 9, "234"),
            step(whole, "allowed", 9, "234"),
            step(grant(1, 1), "old_sequence", 9, "234"),
            step(grant(3, 4), "old_sequence", 9, "234"),
            step(batch(10, 10, grant(10, 1)), "allowed", 10, "1234"),
            step(whole, "allowed", 10, "1234"),
        ],
    )
    first = _page(20, 1, 3, grant(1, 1), grant(None, 3), through=4)
    second = _page(20, 2, 3, grant(2, 5), grant(6, 5, 7), after=4, through=7)
    third = _page(20, 3, 3, grant(3, 8), after=7)
    yield (
        "three pages in their order",
        [
            step(grant(2, 2), "allowed", 0, "2"),
            step(grant(6, 6), "allowed", 0, "26"),
            step(grant(9, 9), "allowed", 0, "269"),
            step(second, "sequence_gap", 0, "269"),
            step(first, "allowed", 0, "1369"),
            step(first, "allowed", 0, "1369"),
            step(third, "sequence_gap", 0, "1369"),
            step(batch(1, 1, revoke(1, 6)), "sequence_lost", 0, "1369"),
            step(grant(2, 2), "sequence_lost", 0, "1369"),
            step(revoke(30, 9), "sequence_lost", 0, "1369"),
            step(grant(None, 9, iat=NOON_S + 5), "allowed", 0, "1369"),
            step(second, "allowed", 0, "13559"),
            step(third, "allowed", 20, "13558"),
            step(second, "allowed", 20, "13558"),
            step(grant(2, 2), "old_sequence", 20, "13558"),
            step(batch(21, 21, revoke(21, 8)), "allowed", 21, "1355"),
            step(third, "allowed", 21, "1355"),
        ],
    )
    yield (
        "a newer series takes over, and an older one does not",
        [
            step(first, "allowed", 0, "13"),
            step(_page(20, 1, 1, grant(2, 2), name=b"two", iat=LATER_S), "old_issue", 0, "13"),
            step(_page(21, 1, 1, grant(2, 2), name=b"two", iat=LATER_S + 1), "allowed", 21, "2"),
            step(second, "sequence_gap", 21, "2"),
            step(first, "old_issue", 21, "2"),
            step(_page(20, 1, 1, name=b"three", iat=LATER_S + 2), "old_sequence", 21, "2"),
            step(_page(21, 1, 1, name=b"three", iat=LATER_S + 2), "allowed", 21, ""),
        ],
    )
    yield (
        "what came after the snapshot stays",
        [
            step(grant(30, 1, iat=LATER_S + 1), "allowed", 0, "1"),
            step(grant(31, 2, version=3), "allowed", 0, "12"),
            step(revoke(32, 3), "allowed", 0, "12"),
            step(grant(4, 4), "allowed", 0, "124"),
            step(revoke(5, 5), "allowed", 0, "124"),
            step(_page(20, 1, 1, grant(2, 2), grant(3, 3)), "allowed", 20, "12"),
            step(grant(33, 2, version=2), "old_version", 20, "12"),
            step(grant(33, 3), "share_revoked", 20, "12"),
            step(grant(33, 5), "allowed", 20, "125"),
            step(batch(21, 40, revoke(32, 3)), "allowed", 40, "125"),
        ],
    )
    yield (
        "one key of a share is not in it any more",
        [
            step(grant(1, 1, 1), "allowed", 0, "1"),
            step(grant(2, 1, 2), "allowed", 0, "11"),
            step(_page(3, 1, 1, grant(2, 1, 2)), "allowed", 3, "1"),
            step(grant(4, 1, 1), "allowed", 3, "11"),
        ],
    )
    yield (
        "a page that cannot be applied changes nothing",
        [
            step(grant(1, 1, rights=1), "allowed", 0, "1"),
            step(_page(9, 1, 1, grant(1, 1)), "changed_terms", 0, "1"),
            step(
                _page(99, 1, 1, *(grant(n, 10 + n) for n in range(1, CAPACITY + 2))),
                "cache_full", 0, "1",
            ),
            step(batch(1, 1, revoke(1, 1)), "allowed", 1, ""),
        ],
    )  # fmt: skip
    held = step(grant(1, 1), "allowed", 0, "1")
    faults = (
        (_page(9, 1, 1, aud="back-door"), "other_lock"),
        (_page(9, 1, 1, iat=OLDEST_S - 1), "bad_dates"),
        (_page(-1, 1, 1), "bad_sequence"),
        (_page(2**30, 1, 1), "bad_sequence"),
        (_page(True, 1, 1), "malformed"),
        (_page(9, 0, 1, after=1), "bad_sequence"),
        (_page(9, 2, 1, after=1), "bad_sequence"),
        (_page(9, 1, 1001, through=1), "bad_sequence"),
        (_page(9, 1, 2), "bad_sequence"),
        (_page(9, 1, 1, through=1), "bad_sequence"),
        (_page(9, 1, 1, after=1), "bad_sequence"),
        (_page(9, 1, 1, terms={3: bytes(31)}), "bad_id"),
        (_page(9, 1, 1, terms={3: DROP}), "malformed"),
        (_page(9, 1, 1, terms={4: {}}), "malformed"),
        (_page(9, 1, 1, terms={7: 1}), "old_epoch"),
        (_page(9, 1, 1, terms={7: DROP}), "malformed"),
        (_page(9, 1, 1, terms={8: 0}), "critical_unknown"),
        (_page(9, 1, 1, revoke(2, 2)), "unknown_kind"),
        (_page(9, 1, 1, (REVOCATION,)), "malformed"),
        (_page(9, 1, 1, (None, b"")), "malformed"),
        (_page(9, 1, 1, grant(10, 2)), "bad_sequence"),
        (_page(9, 1, 2, grant(2, 2), grant(3, 3), through=2), "bad_sequence"),
        (_page(9, 1, 1, grant(2, 2, rights=0)), "bad_rights"),
        (_page(9, 1, 1, grant(2, 2, aud="back-door")), "other_lock"),
        (
            _page(9, 1, 1, grant(2, 2, parent=b"share-3"), grant(3, 3, parent=b"share-9")),
            "bad_parent",
        ),
    )
    yield (
        "pages with a fault",
        [held, *(step(change, reason, 0, "1") for change, reason in faults)],
    )
    yield (
        "in a new epoch the sequence begins where the cloud says",
        [
            step(batch(1, 50, grant(1, 1), grant(2, 2)), "allowed", 50, "12"),
            (signed(names(1, "second"), "root"), "allowed", 50, "12"),
            _by_second(_page(7, 1, 1, grant(2, 2)), "old_epoch", 50, "12"),
            _by_second(_page(7, 1, 1, grant(2, 2), terms={7: 1}), "allowed", 7, "2"),
            _by_second(batch(8, 8, grant(8, 3)), "allowed", 8, "23"),
            _by_second(
                _page(6, 1, 1, iat=LATER_S + 9, name=b"two", terms={7: 1}), "old_sequence", 8, "23"
            ),
        ],
    )


def _by_second(change: Change, reason: str, applied: int, held: str) -> Step:
    return signed(change, "second"), reason, applied, held


def files() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of the one file."""
    runs = []
    for name, steps in _runs():
        lines = ",\n".join(
            json.dumps({"token": token.hex(), "reason": why, "applied": applied, "held": held})
            for token, why, applied, held in steps
        )
        runs.append(f'{{"name": {json.dumps(name)}, "steps": [\n{lines}\n]}}')
    head = {"lock": LOCK, "issuer": b"".join(coordinates("issuer")).hex()}
    text = ",\n".join(runs)
    yield "snapshots.json", f'{json.dumps(head)[:-1]}, "runs": [\n{text}\n]}}\n'
