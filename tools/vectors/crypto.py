"""Vectors for ECDSA P-256 and AES-CCM.

The verdicts are OpenSSL's, through PyPI `cryptography`. Signatures for keys that stand in a chosen
relation to the base point are put together with the point arithmetic of PyPI `ecdsa`; whether they
are valid is still OpenSSL's word.
"""

import json
from collections.abc import Iterator
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from ecdsa import NIST256p
from ecdsa.ellipticcurve import INFINITY, Point

P = NIST256p.curve.p()
N = NIST256p.order
CURVE = NIST256p.curve
G = NIST256p.generator.to_affine()

SHA256 = ec.ECDSA(Prehashed(hashes.SHA256()))
REPEATABLE = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)


def number(label: str) -> int:
    """A scalar in [1, N) that only depends on the label."""
    return int.from_bytes(sha256(label.encode()).digest(), "big") % (N - 1) + 1


def octets(label: str, length: int) -> bytes:
    """As many bytes that only depend on the label."""
    blocks = (sha256(f"{label}/{i}".encode()).digest() for i in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def hex32(value: int) -> str:
    """32 bytes, big-endian."""
    return value.to_bytes(32, "big").hex()


class Cases:
    """Collects keys and cases; each case's verdict is OpenSSL's, and must be the expected one."""

    def __init__(self) -> None:
        self.keys: dict[str, list[str]] = {}
        self.cases: list[dict[str, str | bool]] = []

    def add(self, key: str, point: Point, name: str, e: int, r: int, s: int, valid: bool) -> None:
        """A signature (r, s) of the digest e under the key called `key`."""
        numbers = ec.EllipticCurvePublicNumbers(point.x(), point.y(), ec.SECP256R1())
        try:
            signature = encode_dss_signature(r, s)
            numbers.public_key().verify(signature, e.to_bytes(32, "big"), SHA256)
            verdict = True
        except InvalidSignature:
            verdict = False
        if verdict != valid:
            raise AssertionError(f"{key}, {name}: OpenSSL says {verdict}")
        self.keys[key] = [hex32(point.x()), hex32(point.y())]
        self.cases.append(
            {
                "key": key,
                "name": name,
                "digest": hex32(e),
                "signature": hex32(r) + hex32(s),
                "valid": valid,
            }
        )


def signed(cases: Cases, count: int) -> None:
    """Ordinary signatures, and each with one thing wrong."""
    for i in range(count):
        key = f"ordinary {i}"
        private = ec.derive_private_key(number(key), ec.SECP256R1())
        point = G * number(key)
        digest = octets(f"digest {i}", 32)
        e = int.from_bytes(digest, "big")
        r, s = decode_dss_signature(private.sign(digest, REPEATABLE))
        bit = 1 << (i * 37 % 255)
        cases.add(key, point, "valid", e, r, s, True)
        cases.add(key, point, "negated s", e, r, N - s, True)
        cases.add(key, point, "digest changed", e ^ bit, r, s, False)
        cases.add(key, point, "r changed", e, r ^ bit, s, False)
        cases.add(key, point, "s changed", e, r, s ^ bit, False)
        cases.add(key, point, "r and s swapped", e, s, r, False)
        cases.add(f"{key}, negated", -point, "of the opposite key", e, r, s, False)


def out_of_range(cases: Cases) -> None:
    """r or s at and beyond the ends of [1, N - 1]; modulo N some of them would do."""
    key, d = "range", number("range")
    for name, value in (
        ("0", 0),
        ("1", 1),
        ("n - 1", N - 1),
        ("n", N),
        ("n + 1", N + 1),
        ("p", P),
        ("2^256 - 1", (1 << 256) - 1),
    ):
        e = number(f"range {name}")
        r, s = decode_dss_signature(
            ec.derive_private_key(d, ec.SECP256R1()).sign(e.to_bytes(32, "big"), REPEATABLE)
        )
        cases.add(key, G * d, f"r = {name}", e, value, s, False)
        cases.add(key, G * d, f"s = {name}", e, r, value, False)
        cases.add(key, G * d, f"both = {name}", e, value, value, False)
    # s = small + N is the same modulo N, and fits 32 bytes.
    s, r, e = 5, (G * 7).x() % N, number("small s")
    point = (G * 7 * s + G * (-e % N)) * pow(r, -1, N)
    cases.add("small s", point, "s", e, r, s, True)
    cases.add("small s", point, "s + n", e, r, s + N, False)


def wrapping(cases: Cases) -> None:
    """Points whose x is not below N, or that an unreduced r + N would hit."""
    s, e = number("wrapping s"), number("wrapping e")

    def key_for(point: Point, r: int) -> Point:
        return (point * s + G * (-e % N)) * pow(r, -1, N)

    beyond = lift(N)
    r = beyond.x() - N
    cases.add("x = r + n", key_for(beyond, r), "valid", e, r, s, True)
    cases.add("x = r + n", key_for(beyond, r), "r + n given", e, r + N, s, False)
    last = lift(P - 1, -1)
    r = last.x() - N
    cases.add("x just below p", key_for(last, r), "valid", e, r, s, True)
    small = lift(1)
    r = small.x()
    cases.add("small x", key_for(small, r), "valid", e, r, s, True)
    # r + N - p is small's x: right modulo p, but r itself is not.
    r = small.x() + P - N
    cases.add("r + n = x + p", key_for(small, r), "wraps", e, r, s, False)


def lift(x: int, step: int = 1) -> Point:
    """The first point at or after x."""
    while True:
        square = (x * x * x - 3 * x + CURVE.b()) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square:
            return Point(CURVE, x, y, N)
        x += step


def related(cases: Cases) -> None:
    """Keys d*G for which u1*G + u2*Q meets equal, opposite or infinite points on the way."""
    half = (N + 1) // 2
    scalars = {
        "1": 1,
        "-1": N - 1,
        "2": 2,
        "-2": N - 2,
        "3": 3,
        "1/2": half,
        "-1/3": -pow(3, -1, N) % N,
        "2^37": 1 << 37,
        "-2^37": N - (1 << 37),
        "2^222": 1 << 222,
        "2^37 + 1": (1 << 37) + 1,
        "any": number("related"),
    }
    for name, d in scalars.items():
        u = number(f"u {name}")
        pairs = {
            "u1 = u2": (u, u),
            "u1 = -u2": (N - u, u),
            "u1 = d*u2": (d * u % N, u),
            "u1 = -d*u2": (-d * u % N, u),
            "u1 = 0": (0, u),
            "u1 = 1": (1, u),
            "u2 = 1": (u, 1),
            "u2 = -1": (u, N - 1),
            "both 1": (1, 1),
            "1 and 2": (1, 2),
            "2 and 1": (2, 1),
            "2^255 and 2^128": ((1 << 255) % N, 1 << 128),
        }
        for pair, (u1, u2) in pairs.items():
            scalar = (u1 + u2 * d) % N
            # Where the sum is infinity no signature can be valid, whatever it claims.
            r = (G * scalar).x() % N if scalar else u
            s = r * pow(u2, -1, N) % N
            valid = scalar != 0
            cases.add(f"{name} * G", G * d, pair, u1 * s % N, r, s, valid)


def extreme_digests(cases: Cases) -> None:
    """Digests are not reduced before they come: they may be N and more."""
    d = number("extreme digests")
    for name, e in (("0", 0), ("n - 1", N - 1), ("n", N), ("2^256 - 1", (1 << 256) - 1)):
        private = ec.derive_private_key(d, ec.SECP256R1())
        r, s = decode_dss_signature(private.sign(e.to_bytes(32, "big"), REPEATABLE))
        cases.add("digest", G * d, f"digest = {name}", e, r, s, True)
    private = ec.derive_private_key(d, ec.SECP256R1())
    r, s = decode_dss_signature(private.sign(bytes(32), REPEATABLE))
    # Both are 0 modulo N; a digest is compared by what it means to the equation, so this holds.
    cases.add("digest", G * d, "digest n for 0", N, r, s, True)


def points() -> Iterator[dict[str, str | bool]]:
    """Coordinates, and whether they are a public key."""
    small = lift(1)
    zero = lift(0)
    for name, x, y in (
        ("G", G.x(), G.y()),
        ("-G", G.x(), P - G.y()),
        ("x = 0", 0, zero.y()),
        ("x = 0, -y", 0, P - zero.y()),
        ("small x", small.x(), small.y()),
        ("small x + p", small.x() + P, small.y()),
        ("x = p for 0", P, zero.y()),
        ("origin", 0, 0),
        ("y = 0", G.x(), 0),
        ("y + 1", G.x(), G.y() + 1),
        ("swapped", G.y(), G.x()),
        ("y = p", G.x(), P),
        ("all ones", (1 << 256) - 1, (1 << 256) - 1),
        ("another curve's b", G.x(), pow(G.x() ** 3 - 3 * G.x() + 1, (P + 1) // 4, P)),
    ):
        # OpenSSL takes coordinates modulo p; SEC 1 (section 2.3.4) wants them below it.
        valid = x < P and y < P
        try:
            ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        except ValueError:
            valid = False
        yield {"name": name, "x": hex32(x), "y": hex32(y), "valid": valid}


def sealed() -> Iterator[dict[str, str | int]]:
    """AES-CCM messages around the block sizes, with tags of 8 and 16 bytes."""
    plaintexts = (0, 1, 15, 16, 17, 31, 32, 33, 64, 100, 255, 256, 600)
    # With its length, AAD of 14 bytes fills a block.
    aads = (0, 1, 13, 14, 15, 30, 64, 300)
    for i, length in enumerate(plaintexts):
        for tag_bytes in (8, 16):
            aad = octets(f"aad {i}", aads[(i + tag_bytes // 8) % len(aads)])
            key = octets(f"key {i}", 32 if i % 4 == 3 else 16)
            nonce = octets(f"nonce {i} {tag_bytes}", 13)
            plaintext = octets(f"plaintext {i}", length)
            yield {
                "key": key.hex(),
                "nonce": nonce.hex(),
                "aad": aad.hex(),
                "plaintext": plaintext.hex(),
                "tag_bytes": tag_bytes,
                "sealed": AESCCM(key, tag_bytes).encrypt(nonce, plaintext, aad).hex(),
            }


def files() -> Iterator[tuple[str, str]]:
    """Yield (file name, text)."""
    if G * N != INFINITY:
        raise AssertionError("the base point has another order")
    cases = Cases()
    signed(cases, 8)
    out_of_range(cases)
    wrapping(cases)
    related(cases)
    extreme_digests(cases)
    p256 = {"keys": cases.keys, "points": list(points()), "cases": cases.cases}
    yield "crypto-p256.json", json.dumps(p256, indent=0) + "\n"
    yield "crypto-ccm.json", json.dumps({"messages": list(sealed())}, indent=0) + "\n"
