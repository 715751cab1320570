"""Diffie-Hellman on NIST P-256 (SP 800-56A revision 3, section 5.7.1.2), a slice at a time.

Imports the P-256 modules. What computes is a generator, see `slices`; one that begins with much
yields first, because another may have ended just now.

MicroPython's integers are not constant-time. What is done about that:
- The sequence of operations is the same for all scalars: windows of five bits, every digit odd.
- Coordinates start with a random Z, so no two runs compute with the same numbers. `random(n)`
  returns n bytes.
- A key that is used more than once is split: `pair` multiplies by an ephemeral scalar, which is
  wanted anyway, and by the difference to it, which is as random; the sum of the points is the
  key's own product. So the key itself meets no point but G.
"""

from . import p256
from .p256 import N
from .p256_point import (
    COORDINATE_BYTES,
    B,
    P,
    add,
    double,
    double_add,
    load,
    normalise,
    odd_chain,
    on_curve,
    settle,
)
from .p256_table import G_TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Generator

    Random = Callable[[int], bytes]

SEED_BYTES = 40  # 64 bits more than a scalar, so that the remainder is even (FIPS 186-5, A.2.1)

_WINDOW = 5
_DIGITS = 52
_POINTS = 16
_ALL_ONES = (1 << _WINDOW * _DIGITS) - 1


def scalar_of(seed: bytes) -> int:
    """A private key, in [1, N), from SEED_BYTES random bytes."""
    return int.from_bytes(seed, "big") % (N - 1) + 1


def public(scalar: int, random: "Random") -> "Generator[None, None, bytes]":
    """scalar*G, 64 bytes."""
    yield
    digits = p256.comb_digits(scalar)
    point = _randomised(p256.entry(G_TABLE, digits[0]), random)
    for column in range(1, p256.COLUMNS):
        x, y = p256.entry(G_TABLE, digits[column])
        point = double_add(point, x, y)
        if column % 8 == 0:
            yield
    return normalise([point])


def lift(x: bytes) -> "Generator[None, None, bytes]":
    """A point with this x, 64 bytes: either of the two. Raises InvalidPoint if there is none."""
    number = int.from_bytes(x, "big")
    if len(x) != COORDINATE_BYTES or number >= P:
        raise p256.InvalidPoint
    square = ((number * number - 3) * number + B) % P
    # square^((P + 1) / 4), whose exponent is 2^94 * (2^96 * (2^64 - 2^32 + 1) + 1).
    ones = square
    for bits in (1, 2, 4, 8, 16):
        ones = ones * _doubled(ones, bits) % P
    root = _doubled(ones, 32) * square % P
    yield
    root = _doubled(root, 96) * square % P
    yield
    root = _doubled(root, 94)
    if not on_curve(number, root):
        raise p256.InvalidPoint
    return x + root.to_bytes(COORDINATE_BYTES, "big")


def single(scalar: int, peer: bytes, random: "Random") -> "Generator[None, None, bytes]":
    """x of scalar*peer, 32 bytes, for a scalar of one handshake and the 64 bytes of a point."""
    table = yield from _table(peer)
    point = yield from _multiply(scalar, table, random)
    return normalise([point])[:COORDINATE_BYTES]


def pair(
    ephemeral: int, key: int, peer: bytes, random: "Random"
) -> "Generator[None, None, tuple[bytes, bytes]]":
    """x of ephemeral*peer and of key*peer; the key may be used again, the ephemeral may not."""
    table = yield from _table(peer)
    first = yield from _multiply(ephemeral, table, random)
    second = yield from _multiply((key - ephemeral) % N, table, random)
    encoded = normalise([first])
    x, y = load(encoded, 0)
    return encoded[:COORDINATE_BYTES], normalise([add(second, x, y)])[:COORDINATE_BYTES]


def _doubled(value, times):
    """value^(2^times)."""
    for _ in range(times):
        value = value * value % P
    return value


def _randomised(affine, random):
    x, y = affine
    z = scalar_of(random(SEED_BYTES))
    zz = z * z % P
    return x * zz % P, y * (zz * z % P) % P, z


def _table(peer):
    yield
    chain = odd_chain(peer, _POINTS)
    yield
    return settle(*chain)


def _multiply(scalar, table, random):
    """scalar*Q for the table of Q, 3Q, ... 31Q and a scalar in (0, N)."""
    is_even = not scalar & 1
    digits = _odd_digits(N - scalar if is_even else scalar)
    point = _randomised(p256.entry(table, digits[0]), random)
    yield
    for place in range(1, _DIGITS):
        for _ in range(_WINDOW - 1):
            point = double(point)
        x, y = p256.entry(table, digits[place])
        point = double_add(point, x, y)
        if place % 3 == 0:
            yield
    x, y, z = point
    return x, P - y if is_even else y, z


def _odd_digits(scalar):
    """An odd scalar's digits to the base of 32, highest first, for `p256.entry`.

    All are odd, from -31 to 31: with h = (scalar + 32^52 - 1) / 2, whose plain digits are u, the
    scalar is the sum of (2*u - 31) * 32^i. Point i of the table is (2*i + 1)*Q.
    """
    half = (scalar + _ALL_ONES) >> 1
    digits = bytearray(_DIGITS)
    for place in range(_DIGITS - 1, -1, -1):
        plain = half & 31
        digits[place] = plain - 16 | p256.ADD if plain & 16 else 15 - plain
        half >>= _WINDOW
    return digits
