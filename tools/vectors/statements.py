"""Statements of every kind as signed tokens, in runs, with what a lock must say and then hold.

Put together by hand from PyPI `cbor2` and `cryptography`, like the grants; nothing of the firmware
is used.
"""

import json
import struct
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import cbor2

from .grants import (
    DAY_S,
    LOCK,
    NOON_S,
    OLDEST_S,
    TYPE_GRANT,
    canonical,
    claims,
    coordinates,
    cose_key,
    kid,
    sign,
)

GRANT, REVOCATION, BATCH, TIME, SETTINGS, ACK, ISSUER, COMMAND, SNAPSHOT = range(
    TYPE_GRANT, TYPE_GRANT + 9
)
MOST_SEQUENCE = 2**30 - 1
NONCE = b"%016d" % 1  # the test's lock asks with it
MANY = "".join(sorted(str(n)[-1] for n in range(1, 13)))
CAPACITY = 16  # slots of the test's lock

Change = tuple[int, bytes]
Step = tuple[bytes, str, int, str]  # token, reason; then: applied, shares that are held
Run = tuple[str, list[Step]]


def says(typ: int, terms: Any, aud: Any = LOCK, iat: Any = NOON_S, **more: Any) -> Change:
    """Type and payload of a statement; a claim that is None is left out."""
    members = {3: aud, 6: iat, -65537: terms}
    if "cti" in more:
        members[7] = more["cti"]
    return typ, canonical({label: value for label, value in members.items() if value is not None})


def signed(change: Change, by: str = "issuer") -> bytes:
    """The same as a token."""
    return sign(change[1], by, header={1: -7, 4: kid(by), 16: change[0]})


def grant(sequence: int | None, share: int, phone: int | None = None, **terms: Any) -> Change:
    """A grant of a share for a phone, by default the one with the share's number."""
    members = claims(cti=b"share-%d" % share, cnf={1: cose_key(_phone(phone or share))}, **terms)
    if sequence is not None:
        members[-65537][10] = sequence
    return GRANT, canonical(members)


def revoke(
    sequence: int | None, share: int, version: int = 1, key: Any = None, **more: Any
) -> Change:
    """The end of a share, or of one key of it."""
    terms = {0: version, 10: sequence, 11: key, 99: more.pop("alien", None)}
    present = {label: value for label, value in terms.items() if value is not None}
    return says(REVOCATION, present, **{"cti": b"share-%d" % share, **more})


def batch(first: Any, last: Any, *changes: Any, **more: Any) -> Change:
    """Changes under one signature."""
    return says(BATCH, {0: first, 1: last, 2: [list(change) for change in changes]}, **more)


def lean(change: Change) -> Change:
    """The same without what a batch says for all its members, and with the key by its id."""
    members = cbor2.loads(change[1])
    del members[3]
    if members[6] == NOON_S:
        del members[6]
    if 8 in members:
        members[8] = {3: sha256(canonical(members[8][1])).digest()[:16]}
    return change[0], canonical(members)


def _named_by(kid: Any) -> Change:
    """A grant of share 1 whose key is given as an id."""
    members = cbor2.loads(grant(1, 1)[1])
    members[8] = {3: kid}
    return GRANT, canonical(members)


def _without(label: int) -> Change:
    members = cbor2.loads(grant(1, 1)[1])
    del members[label]
    return GRANT, canonical(members)


def _phone(number: int) -> str:
    return f"phone {number}"


def _key(number: int) -> bytes:
    """The 16 bytes by which a lock knows a phone."""
    return sha256(canonical(cose_key(_phone(number)))).digest()[:16]


def step(change: Change, reason: str, applied: int = 0, held: str = "") -> Step:
    """A statement of the issuer, and what comes of it."""
    return signed(change), reason, applied, held


def _revocations() -> Iterator[Run]:
    yield (
        "a share is ended, for every phone and for good",
        [
            step(grant(None, 1), "allowed", 0, "1"),
            step(grant(None, 1, 2), "allowed", 0, "11"),
            step(grant(None, 3), "allowed", 0, "113"),
            step(revoke(None, 1), "allowed", 0, "3"),
            step(revoke(None, 1), "allowed", 0, "3"),
            step(grant(None, 1), "share_revoked", 0, "3"),
            step(grant(None, 1, version=9), "share_revoked", 0, "3"),
        ],
    )
    yield (
        "the revocation may come before the grant",
        [
            step(revoke(5, 1), "allowed"),
            step(grant(4, 1), "share_revoked"),
            step(grant(3, 2), "allowed", 0, "2"),
        ],
    )
    yield (
        "one phone of a share is ended, up to a version",
        [
            step(grant(1, 1, 1), "allowed", 0, "1"),
            step(grant(2, 1, 2), "allowed", 0, "11"),
            step(revoke(3, 1, 1, _key(1)), "allowed", 0, "1"),
            step(grant(1, 1, 1), "old_version", 0, "1"),
            step(revoke(3, 1, 1, _key(1)), "allowed", 0, "1"),
            step(grant(4, 1, 1, version=2), "allowed", 0, "11"),
            step(revoke(3, 1, 1, _key(1)), "allowed", 0, "11"),
        ],
    )
    yield (
        "revocations with a fault",
        [
            step(grant(1, 1), "allowed", 0, "1"),
            *(
                step(change, reason, 0, "1")
                for change, reason in (
                    (revoke(2, 1, aud="back-door"), "other_lock"),
                    (revoke(2, 1, aud=None), "malformed"),
                    (revoke(2, 1, aud=b"front-door"), "malformed"),
                    (revoke(2, 1, cti=None), "malformed"),
                    (revoke(2, 1, cti="share-1"), "malformed"),
                    (revoke(2, 1, cti=b""), "bad_id"),
                    (revoke(2, 1, cti=b"s" * 17), "bad_id"),
                    (revoke(2, 1, key=bytes(15)), "bad_id"),
                    (revoke(2, 1, key="k"), "malformed"),
                    (revoke(2, 1, 0), "bad_version"),
                    (revoke(2, 1, 2**30), "bad_version"),
                    (revoke(2, 1, True), "malformed"),
                    (revoke(0, 1), "bad_sequence"),
                    (revoke(-1, 1), "bad_sequence"),
                    (revoke(2**30, 1), "bad_sequence"),
                    (revoke(2, 1, iat=None), "malformed"),
                    (revoke(2, 1, iat=OLDEST_S - 1), "bad_dates"),
                    (revoke(2, 1, iat=2**64 - 1), "bad_dates"),
                    (revoke(2, 1, alien=1), "critical_unknown"),
                    (says(REVOCATION, None, cti=b"share-1"), "malformed"),
                    (says(REVOCATION, {}, cti=b"share-1"), "malformed"),
                    ((REVOCATION, b""), "malformed"),
                    ((REVOCATION + 99, revoke(2, 1)[1]), "unknown_kind"),
                    ((GRANT, revoke(2, 1)[1]), "bad_key"),
                )
            ),
            (signed(revoke(2, 1), "thief"), "unknown_issuer", 0, "1"),
            step(grant(0, 2), "bad_sequence", 0, "1"),
            step(grant(2**30, 2), "bad_sequence", 0, "1"),
            step(grant(MOST_SEQUENCE, 2), "allowed", 0, "12"),
        ],
    )


def _batches() -> Iterator[Run]:
    first = batch(1, 4, grant(1, 1), grant(2, 2), revoke(3, 1), grant(4, 3))
    second = batch(5, 7, grant(6, 4), revoke(7, 2))
    yield (
        "batches continue each other, and each counts once",
        [
            step(second, "sequence_gap"),
            step(first, "allowed", 4, "23"),
            step(first, "allowed", 4, "23"),
            step(batch(3, 5, grant(5, 9)), "sequence_gap", 4, "23"),
            step(batch(6, 6, grant(6, 9)), "sequence_gap", 4, "23"),
            step(second, "allowed", 7, "34"),
            step(first, "allowed", 7, "34"),
            step(batch(8, 9), "allowed", 9, "34"),
            step(batch(10, MOST_SEQUENCE), "allowed", MOST_SEQUENCE, "34"),
        ],
    )
    yield (
        "loose statements that a batch has passed",
        [
            step(grant(2, 2), "allowed", 0, "2"),
            step(first, "allowed", 4, "23"),
            step(grant(2, 2), "allowed", 4, "23"),
            step(grant(2, 2, iat=NOON_S + 60, exp=NOON_S + DAY_S), "allowed", 4, "23"),
            step(grant(2, 2, iat=NOON_S + 30, exp=NOON_S + DAY_S), "old_sequence", 4, "23"),
            step(grant(2, 2, rights=1, iat=NOON_S + 90), "old_sequence", 4, "23"),
            step(grant(4, 2, version=2), "old_sequence", 4, "23"),
            step(grant(None, 2, version=2), "old_sequence", 4, "23"),
            step(grant(1, 1), "old_sequence", 4, "23"),
            step(grant(4, 1, 8), "old_sequence", 4, "23"),
            step(revoke(4, 3), "old_sequence", 4, "23"),
            step(revoke(None, 3), "old_sequence", 4, "23"),
            step(grant(5, 2, version=2), "allowed", 4, "23"),
            step(grant(6, 5), "allowed", 4, "235"),
            step(revoke(8, 3), "allowed", 4, "25"),
            step(grant(7, 3), "share_revoked", 4, "25"),
        ],
    )
    yield (
        "what came loose is newer than the batch that comes after",
        [
            step(revoke(3, 1), "allowed", 0, ""),
            step(grant(5, 2, version=2, iat=NOON_S + 60), "allowed", 0, "2"),
            step(grant(6, 7, 3, iat=NOON_S + 60), "allowed", 0, "27"),
            step(batch(1, 2, grant(1, 1), grant(2, 2)), "allowed", 2, "27"),
            step(batch(3, 4, revoke(3, 1), grant(4, 3)), "allowed", 4, "27"),
            step(grant(1, 1), "old_sequence", 4, "27"),
            step(batch(5, 5, grant(5, 2, version=2, rights=1)), "changed_terms", 4, "27"),
            step(batch(5, 6, grant(5, 2, version=2, iat=NOON_S + 60)), "allowed", 6, "27"),
        ],
    )
    yield (
        "one key after another, and one share",
        [
            step(
                batch(
                    1, 9,
                    grant(1, 1), grant(2, 2, 1), grant(3, 3, 1), grant(4, 3, 4),
                    revoke(5, 3, 1, _key(4)), grant(6, 3, 4, version=2), grant(7, 5),
                    revoke(8, 5, 1, _key(5)), revoke(9, 5, 1, _key(6)),
                ),
                "allowed", 9, "33",
            ),
            step(batch(10, 10, grant(10, 3, 4, version=1)), "allowed", 10, "33"),
            step(batch(11, 11, grant(11, 7)), "allowed", 11, "337"),
            step(batch(12, 12, revoke(12, 3, 1, _key(7))), "allowed", 12, "337"),
            step(batch(13, 13, revoke(13, 3)), "allowed", 13, "7"),
        ],
    )  # fmt: skip
    yield (
        "many changes at once",
        [
            step(batch(1, 12, *(grant(n, n) for n in range(1, 13))), "allowed", 12, MANY),
            step(
                batch(
                    13, 30,
                    *(revoke(12 + n, n) for n in range(1, 5)),
                    *(revoke(12 + n, n, 1, _key(n)) for n in range(5, 7)),
                    *(grant(12 + n, n, version=2, rights=1) for n in range(7, 10)),
                    *(grant(12 + n, n + 9) for n in range(13, 17)),
                ),
                "allowed", 30, "0122345789",
            ),
        ],
    )  # fmt: skip
    said_once = batch(
        1, 4,
        lean(grant(1, 1)), lean(grant(2, 2, iat=NOON_S + 60)), lean(revoke(3, 1)),
        lean(grant(4, 3)),
    )  # fmt: skip
    yield (
        "what all changes of a batch have in common is said once",
        [
            step(lean(grant(1, 1)), "bad_key"),
            step(_named_by(_key(1)), "bad_key"),
            step(_without(3), "malformed"),
            step(_without(6), "malformed"),
            step(batch(1, 1, _named_by(_key(1)[:15])), "bad_key"),
            step(batch(1, 1, _named_by("k" * 16)), "bad_key"),
            step(batch(1, 1, _without(8)), "bad_key"),
            step(batch(1, 1, lean(grant(1, 1)), aud="back-door"), "other_lock"),
            step(grant(4, 3), "allowed", 0, "3"),
            step(said_once, "allowed", 4, "23"),
            step(grant(2, 2, iat=NOON_S + 30), "old_sequence", 4, "23"),
            step(grant(2, 2, iat=NOON_S + 60), "allowed", 4, "23"),
            step(grant(4, 3), "allowed", 4, "23"),
            step(batch(5, 5, lean(revoke(5, 2))), "allowed", 5, "3"),
        ],
    )
    full = [grant(n, n) for n in range(1, CAPACITY + 1)]
    newer = [grant(CAPACITY + n, n, version=2) for n in range(1, 4)]
    digits = "".join(sorted(str(n)[-1] for n in range(1, CAPACITY + 1)))
    yield (
        "a lock that is full to the last slot",
        [
            step(batch(1, 99, *full, grant(99, 99)), "cache_full"),
            step(batch(1, CAPACITY, *full), "allowed", CAPACITY, digits),
            step(batch(CAPACITY + 1, 99, grant(99, 99)), "cache_full", CAPACITY, digits),
            step(batch(CAPACITY + 1, 99, *newer), "allowed", 99, digits),
        ],
    )
    yield (
        "a batch that passes on what was passed on to the lock",
        [
            step(grant(1, 1, parent=b"share-9"), "allowed", 0, "1"),
            step(batch(1, 2, grant(2, 2, parent=b"share-1")), "bad_parent", 0, "1"),
        ],
    )
    yield (
        "a batch with a fault of its own",
        [
            step(change, reason)
            for change, reason in (
                (batch(0, 1), "bad_sequence"),
                (batch(2, 1), "bad_sequence"),
                (batch(1, 2**30), "bad_sequence"),
                (batch(None, 1), "malformed"),
                (batch(True, 1), "malformed"),
                (says(BATCH, {0: 1, 1: 1}), "malformed"),
                (says(BATCH, {0: 1, 1: 1, 2: {}}), "malformed"),
                (says(BATCH, {0: 1, 1: 1, 2: [], 3: 0}), "critical_unknown"),
                (batch(1, 1, aud="back-door"), "other_lock"),
                (batch(1, 1, grant(1, 1, aud="back-door"), aud="back-door"), "other_lock"),
                (batch(1, 1, iat=OLDEST_S - 1), "bad_dates"),
                (batch(1, 1, grant(1, 1, alien="x" * 6144)), "too_large"),
                (grant(1, 1, alien="x" * 1024), "too_large"),
            )
        ],
    )


def _members() -> Iterator[Run]:
    """One bad member at each place of a batch, on a lock that holds something."""
    for name, bad, reason in (
        ("a fault", lambda n: grant(n, 9, rights=0), "bad_rights"),
        ("a point off the curve", _grant_off_the_curve, "bad_key"),
        ("another lock's grant", lambda n: grant(n, 9, aud="back-door"), "other_lock"),
        ("another lock's revocation", lambda n: revoke(n, 9, aud="back-door"), "other_lock"),
        ("no number", lambda n: grant(None, 9), "bad_sequence"),
        ("a number from before", lambda n: grant(n - 1, 9), "bad_sequence"),
        ("a number from behind", lambda n: grant(n + 40, 9), "bad_sequence"),
        ("changed terms", lambda n: grant(n, 1, rights=1), "changed_terms"),
        ("a share passed on twice", lambda n: grant(n, 9, parent=b"share-2"), "bad_parent"),
        ("another kind", lambda n: (TIME, says(TIME, {})[1]), "unknown_kind"),
        ("no pair", lambda n: (GRANT,), "malformed"),
        ("no bytes", lambda n: (GRANT, "text"), "malformed"),
        ("no type", lambda n: (None, b""), "malformed"),
        ("no claims", lambda n: (REVOCATION, b"\xa0"), "malformed"),
        ("too many slots", _many, "cache_full"),
    ):
        good = [grant(30, 3), revoke(60, 4), grant(90, 2, version=2, parent=b"share-1")]
        steps = [
            step(grant(31, 1), "allowed", 0, "1"),
            step(grant(32, 2, parent=b"share-1"), "allowed", 0, "12"),
            step(grant(33, 4), "allowed", 0, "124"),
        ]
        for place in range(4):
            made = bad(30 * place + 1)
            changes = [*good[:place], *(made if isinstance(made, list) else [made]), *good[place:]]
            steps.append(step(batch(1, 120, *changes), reason, 0, "124"))
        steps.append(step(batch(1, 120, *good), "allowed", 120, "123"))
        yield f"a batch with {name}", steps
    for name, pair, reason in (
        ("a grant after the end of its share", (revoke(1, 1), grant(2, 1)), "share_revoked"),
        (
            "a grant that its key's revocation is newer than",
            (revoke(1, 1, 2, _key(1)), grant(2, 1, version=2)),
            "old_version",
        ),
        (
            "a version that goes back",
            (grant(1, 1, version=2), grant(2, 1, 2)),
            "old_version",
        ),
        (
            "a share that it passes on twice",
            (grant(1, 1, parent=b"share-9"), grant(2, 2, parent=b"share-1")),
            "bad_parent",
        ),
    ):
        yield f"a batch with {name}", [step(batch(1, 2, *pair), reason)]


def _grant_off_the_curve(number: int) -> Change:
    x, y = coordinates("phone 9")
    off = {1: 2, -1: 1, -2: x, -3: bytes([*y[:31], y[31] ^ 1])}
    return GRANT, canonical(
        {**claims(cnf={1: off}, cti=b"share-9"), -65537: {0: 1, 1: 0, 2: 7, 3: 3, 10: number}}
    )


def _many(number: int) -> list[Change]:
    """More slots than the lock has: three for each grant."""
    rules = [[0, 31, 3600 * n, 86_400, 18_262, 18_627] for n in range(8)]
    return [grant(number + n, 10 + n, rules=rules) for n in range(8)]


def _others() -> Iterator[Run]:
    yield (
        "the time",
        [
            step(says(TIME, {0: bytes(16)}), "nonce_unknown"),
            step(says(TIME, {}), "bound_raised"),
            step(says(TIME, {}), "time_old"),
            step(says(TIME, {}, iat=OLDEST_S - 1), "bad_dates"),
            step(says(TIME, {0: "x"}), "malformed"),
            step(says(TIME, {1: 0}), "critical_unknown"),
            step(says(TIME, {0: NONCE}, aud="back-door"), "other_lock"),
            step(says(TIME, {0: NONCE}, iat=NOON_S + 99), "time_set"),
            step(says(TIME, {0: NONCE}, iat=NOON_S + 99), "nonce_used"),
        ],
    )
    known = {0: 2, 1: "CET-1CEST,M3.5.0,M10.5.0/3", 4: 90, 5: 1, 6: 300}
    later = {**known, 0: 3, 2: "UTC0", 3: NOON_S}
    yield (
        "settings",
        [
            step(says(SETTINGS, {**known, 4: 3601}), "bad_settings"),
            step(says(SETTINGS, {**known, 1: "nowhere"}), "bad_settings"),
            step(says(SETTINGS, {**known, 1: b"UTC0"}), "malformed"),
            step(says(SETTINGS, {**known, 5: True}), "malformed"),
            step(says(SETTINGS, {**known, 2: "UTC0"}), "bad_settings"),
            step(says(SETTINGS, {**known, 7: 1}), "critical_unknown"),
            step(says(SETTINGS, {**known, 0: 0}), "bad_version"),
            step(says(SETTINGS, {**later, 3: 0}), "bad_dates"),
            step(says(SETTINGS, known, aud="back-door"), "other_lock"),
            step(says(SETTINGS, known), "allowed"),
            step(says(SETTINGS, known), "allowed"),
            step(says(SETTINGS, {**known, 5: 0}), "changed_terms"),
            step(says(SETTINGS, {**known, 0: 1}), "old_version"),
            step(says(SETTINGS, later), "allowed"),
        ],
    )
    link = _first_link()
    yield (
        "acknowledgements",
        [
            step(says(ACK, {0: 1, 1: bytes(16)}), "bad_ack"),
            step(says(ACK, {0: 2, 1: link}), "bad_ack"),
            step(says(ACK, {0: 0, 1: link}), "bad_ack"),
            step(says(ACK, {0: 2**64 - 1, 1: link}), "bad_ack"),
            step(says(ACK, {0: 1}), "malformed"),
            step(says(ACK, {0: 1, 1: link, 2: 0}), "critical_unknown"),
            step(says(ACK, {0: 1, 1: link}, aud="back-door"), "other_lock"),
            step(says(ACK, {0: 1, 1: link}), "allowed"),
            step(says(ACK, {0: 1, 1: link}), "allowed"),
        ],
    )


def names(epoch: Any, key: Any, iat: Any = NOON_S, **more: Any) -> Change:
    """The root's word for an issuer."""
    terms = {0: epoch, 1: cose_key(key) if isinstance(key, str) else key, **more.pop("terms", {})}
    return ISSUER, canonical({6: iat, -65537: terms})


def _issuers() -> Iterator[Run]:
    def root(change: Change, reason: str, held: str = "") -> Step:
        return signed(change, "root"), reason, 0, held

    x, y = coordinates("second")
    yield (
        "one issuer after another",
        [
            step(names(1, "second"), "unknown_issuer"),
            (signed(names(1, "second"), "thief"), "unknown_issuer", 0, ""),
            root(grant(1, 1), "unknown_issuer"),
            root(names(0, "second"), "bad_version"),
            root(names(2**30, "second"), "bad_version"),
            root(names(True, "second"), "malformed"),
            root(names(1, None), "malformed"),
            root(names(1, {1: 2, -1: 1, -2: x}), "bad_key"),
            root(names(1, {1: 2, -1: 1, -2: y, -3: x}), "bad_key"),
            root(names(1, "second", terms={2: 0}), "critical_unknown"),
            root(names(1, "second", OLDEST_S - 1), "bad_dates"),
            root(names(1, "second", None), "malformed"),
            step(grant(1, 1), "allowed", 0, "1"),
            root(names(2, "second"), "allowed", "1"),
            root(names(2, "second"), "allowed", "1"),
            root(names(2, "issuer"), "old_epoch", "1"),
            root(names(1, "issuer"), "old_epoch", "1"),
            step(grant(2, 2), "unknown_issuer", 0, "1"),
            (signed(grant(2, 2), "second"), "allowed", 0, "12"),
            (signed(names(3, "thief"), "second"), "unknown_issuer", 0, "12"),
            root(names(9, "issuer"), "allowed", "12"),
            (signed(grant(3, 3), "second"), "unknown_issuer", 0, "12"),
            step(grant(3, 3), "allowed", 0, "123"),
        ],
    )


def _first_link() -> bytes:
    """The link of the entry that the test's log begins with: docs/log.md has the layout."""
    trust, error_class, day, second = 2, 3, 20_000, 43_210
    entry = struct.pack(">IBBBB", 1, 1, 2, 0, trust << 6 | error_class)
    entry += day.to_bytes(3, "big") + second.to_bytes(3, "big") + bytes(2 + 16 + 8)
    return sha256(bytes(16) + entry).digest()[:16]


def files() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of the one file."""
    runs = []
    for group in (_revocations, _batches, _members, _others, _issuers):
        for name, steps in group():
            lines = ",\n".join(
                json.dumps({"token": token.hex(), "reason": why, "applied": applied, "held": held})
                for token, why, applied, held in steps
            )
            runs.append(f'{{"name": {json.dumps(name)}, "steps": [\n{lines}\n]}}')
    head = {
        "lock": LOCK,
        "issuer": b"".join(coordinates("issuer")).hex(),
        "root": b"".join(coordinates("root")).hex(),
        "capacity": CAPACITY,
    }
    text = ",\n".join(runs)
    yield "statements.json", f'{json.dumps(head)[:-1]}, "runs": [\n{text}\n]}}\n'
