"""Grants as signed tokens, good ones and bad ones, with the reason that a lock must give for each.

Put together by hand from PyPI `cbor2` and `cryptography`; nothing of the firmware is used, so the
numbers here are a second statement of docs/protocol.md.
"""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

LOCK = "front-door"
OLDEST_S = 946_684_800  # 2000-01-01
NOON_S = 1_607_947_200  # 2020-12-14T12:00Z
DAY_S = 86_400
TYPE_GRANT = 65_000

Claims = dict[Any, Any]


def key(name: str) -> ec.EllipticCurvePrivateKey:
    """A key that only depends on the name."""
    scalar = int.from_bytes(sha256(f"grant vectors, {name}".encode()).digest(), "big") >> 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


def coordinates(name: str) -> tuple[bytes, bytes]:
    """The public key with this name."""
    numbers = key(name).public_key().public_numbers()
    return numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")


def cose_key(name: str) -> dict[int, Any]:
    """The same as a COSE_Key map."""
    x, y = coordinates(name)
    return {1: 2, -1: 1, -2: x, -3: y}


def canonical(value: Any) -> bytes:
    """Deterministic CBOR, keys sorted by their bytes; cbor2's `canonical` has lengths first."""
    if isinstance(value, dict):
        pairs = sorted((canonical(k), canonical(v)) for k, v in value.items())
        return _head(0xA0, len(pairs)) + b"".join(k + v for k, v in pairs)
    if isinstance(value, list):
        return _head(0x80, len(value)) + b"".join(canonical(item) for item in value)
    return cbor2.dumps(value)


def _head(major: int, count: int) -> bytes:
    return bytes([major | cbor2.dumps(count)[0]]) + cbor2.dumps(count)[1:]


def kid(name: str) -> bytes:
    """The first 8 bytes of the COSE key thumbprint (RFC 9679)."""
    return sha256(canonical(cose_key(name))).digest()[:8]


def sign(payload: bytes, by: str = "issuer", header: Any = None, unprotected: Any = None) -> bytes:
    """COSE_Sign1 of a payload."""
    header = {1: -7, 4: kid(by), 16: TYPE_GRANT} if header is None else header
    protected = canonical(header)
    covered = canonical(["Signature1", protected, b"", payload])
    r, s = decode_dss_signature(
        key(by).sign(covered, ec.ECDSA(SHA256(), deterministic_signing=True))
    )
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return b"\xd2" + canonical([protected, unprotected or {}, payload, signature])


def claims(**changes: Any) -> Claims:
    """A guest's grant without limits, with some members changed; None takes one out."""
    members: Claims = {
        2: "person-7",
        3: LOCK,
        6: NOON_S,
        7: b"share-1",
        8: {1: cose_key("phone")},
        -65537: {0: 1, 1: 0, 2: 7, 3: 3},
    }
    terms = members[-65537]
    for name, value in changes.items():
        where, label = (members, CLAIM[name]) if name in CLAIM else (terms, TERM[name])
        if value is None:
            del where[label]
        else:
            where[label] = value
    return members


CLAIM = {"sub": 2, "aud": 3, "exp": 4, "nbf": 5, "iat": 6, "cti": 7, "cnf": 8, "alien": -70_000}
TERM = {
    "version": 0,
    "level": 1,
    "rights": 2,
    "channels": 3,
    "until": 4,
    "rules": 5,
    "uses": 6,
    "after_first_use": 7,
    "duress": 8,
    "parent": 9,
    "sequence": 10,
    "unknown": 99,
    "unknown_negative": -1,
}


def grant(**changes: Any) -> bytes:
    """The token of such a grant."""
    return sign(canonical(claims(**changes)))


def rule(*members: Any) -> bytes:
    """The token of a grant with one rule."""
    return grant(rules=[list(members)])


def _accepted() -> Iterator[tuple[str, bytes]]:
    first, last = 18_262, 18_627
    yield "a guest without limits", grant()
    yield "a guest who may only lock", grant(rights=2)
    yield "an admin", grant(level=1, rights=31)
    yield "an owner", grant(level=2, rights=31)
    yield "at the door only", grant(channels=1)
    yield "from, until and lease", grant(nbf=NOON_S, until=NOON_S + DAY_S, exp=NOON_S + 3600)
    yield (
        "eight rules with dates",
        grant(
            rules=[
                [n % 4, 127 >> n % 7, 3600 * n, 86_400 - 3600 * n, first, last] for n in range(8)
            ]
        ),
    )
    yield "a rule with a first day only", rule(0, 31, 0, 86_400, first, None)
    yield "a rule over midnight", rule(0, 48, 79_200, 21_600)
    yield "a rule until midnight, written 0", rule(0, 48, 79_200, 0)
    yield "uses, and a time after the first", grant(uses=65_535, after_first_use=1)
    yield "duress", grant(duress=True)
    yield "passed on", grant(parent=b"share-0")
    yield "the longest ids", grant(cti=b"s" * 16, sub="h" * 32)
    yield "a claim of somebody else's", grant(alien="ignored, as RFC 8392 section 3 asks")
    yield "the last version", grant(version=2**30 - 1)
    yield "a key that names its own id", grant(cnf={1: {**cose_key("phone"), 2: kid("phone")}})


def _statement() -> Iterator[tuple[str, bytes, str]]:
    good = grant()
    payload = canonical(claims())
    plain = {1: -7, 4: kid("issuer"), 16: TYPE_GRANT}
    yield "nothing", b"", "malformed"
    yield "no CBOR", b"\xff" * 40, "malformed"
    yield "cut short", good[:-1], "malformed"
    yield "a byte too many", good + b"\0", "malformed"
    yield "without its tag", good[1:], "malformed"
    yield "larger than a lock reads", grant(alien="x" * 1024), "too_large"
    yield "text for a payload", _with(good, 2, "text"), "malformed"
    yield "a short signature", _with(good, 3, bytes(63)), "bad_signature"
    yield "a signature of zeros", _with(good, 3, bytes(64)), "bad_signature"
    stolen = cbor2.loads(sign(payload, "thief")[1:])[3]
    yield "signed by somebody else", _with(good, 3, stolen), "bad_signature"
    yield "signed and named by somebody else", sign(payload, "thief"), "unknown_issuer"
    yield "changed after signing", _with(good, 2, canonical(claims(level=2))), "bad_signature"
    yield "another algorithm", sign(payload, header={**plain, 1: -8}), "wrong_algorithm"
    unprotected = sign(payload, unprotected={4: kid("issuer")})
    yield "an unprotected header", unprotected, "critical_unknown"
    for name, changes, reason in (
        ("no algorithm", {1: None}, "wrong_algorithm"),
        ("no key id", {4: None}, "unknown_issuer"),
        ("a long key id", {4: bytes(32)}, "unknown_issuer"),
        ("a critical header unknown to the lock", {2: [99], 99: 1}, "critical_unknown"),
        ("a header unknown to the lock", {99: 1}, "critical_unknown"),
        ("a critical type", {2: [16]}, "allowed"),
        ("another type", {16: TYPE_GRANT + 99}, "unknown_kind"),
        ("no type", {16: None}, "unknown_kind"),
        ("a type that is text", {16: "grant"}, "unknown_kind"),
    ):
        changed = {**plain, **changes}
        header = {label: changed[label] for label in changed if changed[label] is not None}
        yield name, sign(payload, header=header), reason


def _payload() -> Iterator[tuple[str, bytes, str]]:
    ordered = canonical(claims())
    yield "an empty payload", sign(b""), "malformed"
    yield "an array of claims", sign(canonical([1, 2])), "malformed"
    yield "keys out of order", sign(cbor2.dumps({3: LOCK, 2: "x"})), "malformed"
    yield "a key twice", sign(b"\xa2\x02\x61a\x02\x61b"), "malformed"
    yield "a float for a date", grant(iat=1.5), "malformed"
    longer = ordered.replace(b"\x02hperson", b"\x18\x02hperson")
    yield "a long form of a number", sign(longer), "malformed"
    yield "for another lock", grant(aud="back-door"), "other_lock"
    yield "for several locks", grant(aud=[LOCK]), "malformed"
    yield "for no lock", grant(aud=None), "malformed"
    yield "no date of issue", grant(iat=None), "malformed"
    yield "a date before 1970", grant(nbf=-1), "malformed"
    yield "no holder", grant(sub=None), "malformed"
    yield "a long holder", grant(sub="h" * 33), "bad_id"
    yield "a share without a name", grant(cti=b""), "bad_id"
    yield "a parent without a name", grant(parent=b""), "bad_id"
    yield "a long share", grant(cti=b"s" * 17), "bad_id"
    yield "no terms", sign(canonical({k: v for k, v in claims().items() if k > 0})), "malformed"
    yield "no version", grant(version=None), "malformed"
    yield "no level", grant(level=None), "malformed"
    yield "no rights", grant(rights=None), "malformed"
    yield "no channels", grant(channels=None), "malformed"
    yield "a level that is true", grant(level=True), "malformed"
    yield "duress that is 1", grant(duress=1), "malformed"
    yield "rules that are a map", grant(rules={}), "malformed"
    yield "a rule with five members", rule(0, 31, 0, 86_400, 18_262), "malformed"
    yield "a rule of text", rule(0, "31", 0, 86_400), "malformed"
    yield "a rule without weekdays", rule(0, None, 0, 86_400), "malformed"
    yield "a term unknown to the lock", grant(unknown=1), "critical_unknown"
    yield "a negative term unknown to the lock", grant(unknown_negative=1), "critical_unknown"
    yield "a rule with an unknown flag", rule(4, 31, 0, 86_400), "critical_unknown"


def _key() -> Iterator[tuple[str, bytes, str]]:
    x, y = coordinates("phone")
    off = bytes([*y[:31], y[31] ^ 1])
    good = cose_key("phone")
    yield "no key", grant(cnf=None), "bad_key"
    yield "two keys", grant(cnf={1: good, 3: kid("phone")}), "bad_key"
    yield "only the id of a key", grant(cnf={3: kid("phone")}), "bad_key"
    yield "a point off the curve", grant(cnf={1: {**good, -3: off}}), "bad_key"
    yield "the point (0, 0)", grant(cnf={1: {**good, -2: bytes(32), -3: bytes(32)}}), "bad_key"
    yield "a coordinate above the field", grant(cnf={1: {**good, -2: b"\xff" * 32}}), "bad_key"
    yield "a short coordinate", grant(cnf={1: {**good, -2: x[1:]}}), "bad_key"
    yield "a compressed point", grant(cnf={1: {**good, -3: True}}), "bad_key"
    yield "no y", grant(cnf={1: {k: v for k, v in good.items() if k != -3}}), "bad_key"
    yield "another curve", grant(cnf={1: {**good, -1: 2}}), "bad_key"
    yield "another kind of key", grant(cnf={1: {**good, 1: 1}}), "bad_key"


def _terms() -> Iterator[tuple[str, bytes, str]]:
    year_10000 = 253_402_300_800
    yield "level 3", grant(level=3), "bad_level"
    yield "level -1", grant(level=-1), "bad_level"
    yield "no right", grant(rights=0), "bad_rights"
    yield "an unknown right", grant(level=1, rights=32), "bad_rights"
    yield "a guest who manages", grant(rights=16), "bad_rights"
    yield "no channel", grant(channels=0), "bad_channels"
    yield "an unknown channel", grant(channels=4), "bad_channels"
    yield "issued in 1970", grant(iat=0), "bad_dates"
    yield "issued in 1999", grant(iat=OLDEST_S - 1), "bad_dates"
    yield "until the year 10000", grant(until=year_10000), "bad_dates"
    yield "until the end of 64 bits", grant(until=2**64 - 1), "bad_dates"
    yield "until before from", grant(nbf=NOON_S, until=NOON_S - 1), "bad_dates"
    yield "until at from", grant(nbf=NOON_S, until=NOON_S), "bad_dates"
    yield "a lease before from", grant(nbf=NOON_S, exp=NOON_S), "bad_dates"
    yield "a rule that ends before it begins", rule(0, 31, 0, 86_400, 18_263, 18_262), "bad_dates"
    yield "a rule of 1970", rule(0, 31, 0, 86_400, 0, None), "bad_dates"
    yield "a rule in the year 10000", rule(0, 31, 0, 86_400, None, 2_932_897), "bad_dates"
    yield "nine rules", grant(rules=[[0, 31, 0, 86_400]] * 9), "too_many_rules"
    yield "weekdays 0", rule(0, 0, 0, 86_400), "bad_weekdays"
    yield "weekdays 128", rule(0, 128, 0, 86_400), "bad_weekdays"
    yield "weekdays -1", rule(0, -1, 0, 86_400), "bad_weekdays"
    yield "a start that is the end", rule(0, 31, 3600, 3600), "empty_window"
    yield "midnight to midnight", rule(0, 31, 0, 0), "empty_window"
    yield "the last minute of itself", rule(0, 31, 86_340, 86_340), "empty_window"
    yield "a start of 24:00", rule(0, 31, 86_400, 3600), "bad_window"
    yield "an end after the day", rule(0, 31, 0, 86_401), "bad_window"
    yield "a start before the day", rule(0, 31, -1, 3600), "bad_window"
    yield "no use", grant(uses=0), "bad_uses"
    yield "too many uses", grant(uses=65_536), "bad_uses"
    yield "no time after the first use", grant(after_first_use=0), "bad_uses"
    yield "too long after the first use", grant(after_first_use=500_000_000), "bad_uses"
    yield "version 0", grant(version=0), "bad_version"
    yield "version 2^30", grant(version=2**30), "bad_version"
    yield "its own parent", grant(parent=b"share-1"), "bad_parent"
    owner: dict[str, Any] = {"level": 2, "rights": 31}
    yield "an owner from a date on", grant(**owner, nbf=NOON_S), "owner_timed"
    yield "an owner until a date", grant(**owner, until=NOON_S), "owner_timed"
    yield "an owner with a lease", grant(**owner, exp=NOON_S), "owner_timed"
    yield "an owner with a rule", grant(**owner, rules=[[0, 31, 0, 86_400]]), "owner_timed"
    yield "an owner with uses", grant(**owner, uses=9), "owner_timed"
    yield "an owner after the first use", grant(**owner, after_first_use=9), "owner_timed"
    yield "an owner by another's leave", grant(**owner, parent=b"share-0"), "owner_timed"


def _with(token: bytes, place: int, value: Any) -> bytes:
    parts = cbor2.loads(token[1:])
    parts[place] = value
    return b"\xd2" + canonical(parts)


def _sequences() -> Iterator[tuple[str, int, list[tuple[bytes, str]]]]:
    """(name, capacity of the lock, statements in the order in which they arrive)."""
    phone_2 = {1: cose_key("phone 2")}
    phone_3 = {1: cose_key("phone 3")}
    later = NOON_S + 60
    yield (
        "a version never goes back",
        8,
        [
            (grant(version=2), "allowed"),
            (grant(version=1), "old_version"),
            (grant(version=1, iat=later), "old_version"),
            (grant(version=2), "allowed"),
            (grant(version=3, rights=2), "allowed"),
            (grant(version=2), "old_version"),
        ],
    )
    yield (
        "nor for another phone of the share",
        8,
        [
            (grant(version=2), "allowed"),
            (grant(version=1, cnf=phone_2), "old_version"),
            (grant(version=2, cnf=phone_2), "allowed"),
        ],
    )
    yield (
        "the lease is renewed, and never taken back",
        8,
        [
            (grant(exp=later), "allowed"),
            (grant(exp=later + 60, iat=later), "allowed"),
            (grant(exp=later), "old_issue"),
            (grant(exp=later + 30, iat=later), "old_issue"),
            (grant(exp=later + 60, iat=later), "allowed"),
        ],
    )
    yield (
        "terms change only with the version",
        8,
        [
            (grant(), "allowed"),
            (grant(rights=3, iat=later), "changed_terms"),
            (grant(nbf=NOON_S, iat=later), "changed_terms"),
            (grant(rules=[[0, 31, 0, 3600]], iat=later), "changed_terms"),
            (grant(version=2, rules=[[0, 31, 0, 3600]]), "allowed"),
            (grant(version=2, rules=[[0, 30, 0, 3600]], iat=later), "changed_terms"),
        ],
    )
    yield (
        "a key's newest share counts",
        8,
        [
            (grant(), "allowed"),
            (grant(cti=b"share-2"), "old_issue"),
            (grant(cti=b"share-2", iat=later), "allowed"),
            (grant(), "old_issue"),
        ],
    )
    yield (
        "full is full, and nobody is put out",
        2,
        [
            (grant(), "allowed"),
            (grant(cti=b"share-2", cnf=phone_2), "allowed"),
            (grant(cti=b"share-3", cnf=phone_3), "cache_full"),
            (grant(version=2), "allowed"),
            (grant(cti=b"share-2", cnf=phone_2), "allowed"),
        ],
    )
    yield (
        "a share is passed on once",
        8,
        [
            (grant(), "allowed"),
            (grant(cti=b"share-2", cnf=phone_2, parent=b"share-1"), "allowed"),
            (grant(cti=b"share-3", cnf=phone_3, parent=b"share-2"), "bad_parent"),
        ],
    )


def _named(group: Callable[[], Iterator[tuple[str, bytes, str]]]) -> list[dict[str, str]]:
    return [{"name": name, "token": token.hex(), "reason": why} for name, token, why in group()]


def files() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of the one file."""
    single = [
        {"name": name, "token": token.hex(), "reason": "allowed"} for name, token in _accepted()
    ]
    for group in (_statement, _payload, _key, _terms):
        single += _named(group)
    sequences = [
        {
            "name": name,
            "capacity": capacity,
            "statements": [{"token": token.hex(), "reason": why} for token, why in statements],
        }
        for name, capacity, statements in _sequences()
    ]
    head = {"lock": LOCK, "issuer": b"".join(coordinates("issuer")).hex()}
    lines = ",\n".join(json.dumps(entry) for entry in single)
    runs = ",\n".join(json.dumps(entry) for entry in sequences)
    yield (
        "grants.json",
        f'{json.dumps(head)[:-1]}, "single": [\n{lines}\n], "sequences": [\n{runs}\n]}}\n',
    )
