"""ECDSA verification on NIST P-256 with SHA-256 digests (FIPS 186-5 section 6.4.2).

Imports the point arithmetic, the table of the base point and `slices`. Everything a verifier
handles is public, so nothing here is constant-time: no private key may ever pass through `verify`.

u1*G + u2*Q is one loop of doublings with additions between (Straus). Scalars are cut into digits:
a digit's low six bits are a place in a table of points, 64 says to add that point rather than to
subtract it, and 128 stands for no point at all. There are two ways to cut:
- comb, for points with a table: a comb of 7 rows and 37 columns in which every bit means +1 or -1
  (Hamburg, "Fast and compact elliptic-curve cryptography", 2012), so that 64 points do for
  seven rows and no column is empty;
- NAF, for any other Q: the width-4 non-adjacent form, over Q, 3Q, 5Q and 7Q made on the spot.
  (Width 5 would save 1 % of the multiplications and take 3 KB more.)
"""

from .p256_point import (
    COORDINATE_BYTES,
    INFINITY,
    POINT_BYTES,
    P,
    add,
    double,
    double_add,
    inverse,
    load,
    normalise,
    odd_chain,
    on_curve,
    settle,
)
from .p256_table import G_TABLE
from .slices import finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generator

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

SIGNATURE_BYTES = 64
TABLE_BYTES = 64 * POINT_BYTES

_ROWS = 7
COLUMNS = 37
_ALL_BITS = (1 << (_ROWS * COLUMNS)) - 1
_HALF = (N + 1) // 2  # 1/2 modulo N
_BIT_PER_BYTE = int.from_bytes(b"\x01" * COLUMNS, "big")

_NAF_DIGITS = 257

_PLACE = 63
ADD = 64
_NOTHING = 128
_NAF_POINTS = 4
_COLUMNS_AT_ONCE = 6  # of 24 multiplications
_PLACES_AT_ONCE = 5  # of 29 at the most

_integer = int.from_bytes  # looked up once: the loops below read some 300 integers

_BATCH = 4  # points normalised at once while a table is made; more would need a larger heap


class InvalidPoint(Exception):
    """Coordinates that are not a point of the curve."""


class PublicKey:
    """A point of the curve: `x` and `y`, 32 bytes each, big-endian. Raises InvalidPoint.

    The curve has cofactor 1 and two coordinates cannot express infinity, so this is a full
    validation of a public key (SP 800-56A revision 3, section 5.6.2.3.3).

    `table`, from `precompute` of the same key, makes verification three times faster. It is
    believed: whoever can replace the table can replace the key.
    """

    def __init__(self, x: bytes, y: bytes, table: "bytes | bytearray | None" = None):
        if len(x) != COORDINATE_BYTES or len(y) != COORDINATE_BYTES:
            raise InvalidPoint
        if not on_curve(_integer(x, "big"), _integer(y, "big")):
            raise InvalidPoint
        if table is not None and len(table) != TABLE_BYTES:
            raise ValueError("a table has 4096 bytes")
        self.x = x
        self.y = y
        self.table = table

    def precompute(self) -> bytearray:
        """Fill `table` and return it: 4096 bytes, for the time of two verifications without."""
        table = _comb_table(self.x + self.y)
        self.table = table
        return table


def verify(digest: bytes, signature: bytes, key: PublicKey) -> bool:
    """Whether `key` made this signature of a 32-byte digest.

    A signature is r then s, 64 bytes, big-endian; one of another length is not valid. A digest of
    another length is the caller's mistake and raises ValueError.
    """
    valid: bool = finish(verifying(digest, signature, key))
    return valid


def verifying(digest: bytes, signature: bytes, key: PublicKey) -> "Generator[None, None, bool]":
    """The same in slices."""
    if len(digest) != 32:
        raise ValueError("a digest has 32 bytes")
    if len(signature) != SIGNATURE_BYTES:
        return False
    r = _integer(signature[:32], "big")
    s = _integer(signature[32:], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    s_inverse = inverse(s, N)
    u1 = _integer(digest, "big") * s_inverse % N
    u2 = r * s_inverse % N
    x, _, z = yield from _weighted_sum(u1, u2, key)
    if z == 0:
        return False
    # The affine x is x/z^2 in [0, P) and must be r modulo N, thus r or r + N: no division needed.
    zz = z * z % P
    if r * zz % P == x:
        return True
    return r + N < P and (r + N) * zz % P == x


def _weighted_sum(u1, u2, key):
    """u1*G + u2*Q for scalars in [0, N)."""
    if key.table is None:
        q_table = settle(*odd_chain(key.x + key.y, _NAF_POINTS))
        yield
        return (yield from _interleaved(comb_digits(u1), _naf_digits(u2), q_table))
    g_digits = comb_digits(u1)
    q_digits = comb_digits(u2)
    running, product = _gaps(g_digits, q_digits, key.table)
    if product == 0:
        return (yield from _interleaved(g_digits, q_digits, key.table))
    yield
    rest = inverse(product, P)
    return (yield from _columnwise(g_digits, q_digits, key.table, running, rest))


def _interleaved(g_digits, q_digits, q_table):
    """The sum, for digits of either kind for Q; right for every key and signature."""
    point = INFINITY
    place = len(q_digits)
    for q_digit in q_digits:
        place -= 1
        if q_digit == _NOTHING:
            point = double(point)
        else:
            x, y = entry(q_table, q_digit)
            point = double_add(point, x, y)
        if place < COLUMNS:
            x, y = entry(G_TABLE, g_digits[COLUMNS - 1 - place])
            point = add(point, x, y)
        if place % _PLACES_AT_ONCE == 0:
            yield
    return point


def _gaps(g_digits, q_digits, q_table):
    """Running products of x_Q - x_G, from the last column back, and the product of all of them.

    That is 0 if some column adds points of G and Q with equal x. Keys related to G do that, and
    anyone can make one up.
    """
    running = []
    product = 1
    for column in range(COLUMNS - 1, -1, -1):
        # On MicroPython `| 0` makes a copy without the slack that `%` leaves, half as large.
        running.append(product | 0)
        g = (g_digits[column] & _PLACE) * POINT_BYTES
        q = (q_digits[column] & _PLACE) * POINT_BYTES
        gap = _integer(q_table[q : q + 32], "big") - _integer(G_TABLE[g : g + 32], "big")
        product = product * gap % P
    return running, product


def _columnwise(g_digits, q_digits, q_table, running, rest):
    """The sum, for comb digits on both sides: G's and Q's points of a column are added first.

    Both being affine, that takes 6 multiplications instead of 11, as one inversion serves all 37
    columns (Montgomery's trick, as in `normalise`; points are read twice rather than kept). `rest`
    is the inverse of the product of the gaps of this and all later columns.
    """
    point = INFINITY
    for g_digit, q_digit in zip(g_digits, q_digits):
        x_g, y_g = entry(G_TABLE, g_digit)
        x_q, y_q = entry(q_table, q_digit)
        gap_inverse = rest * running.pop() % P
        rest = rest * (x_q - x_g) % P
        slope = (y_q - y_g) * gap_inverse % P
        x = (slope * slope - x_g - x_q) % P
        point = double_add(point, x, (slope * (x_g - x) - y_g) % P)
        if len(running) % _COLUMNS_AT_ONCE == 0:
            yield
    return point


def entry(table: "bytes | bytearray", digit: int) -> "tuple[int, int]":
    """The point that a digit stands for, affine; y is in (-P, P)."""
    start = (digit & _PLACE) * POINT_BYTES
    y = _integer(table[start + 32 : start + 64], "big")
    return _integer(table[start : start + 32], "big"), y if digit & ADD else -y


def comb_digits(scalar: int) -> bytes:
    """The 37 comb digits of a scalar in [0, N), highest column first.

    With h = (scalar + 2^259 - 1) / 2 modulo N, the scalar is 2*h - (2^259 - 1): every set bit of h
    stands for +1 in its place and every other one for -1. Written in seven rows of 37 bits, the
    top row is the columns' signs; the others count as set where they agree with it.
    """
    bits = "{:0259b}".format((scalar + _ALL_BITS) * _HALF % N).encode()
    signs = _integer(bits[:COLUMNS], "big")
    columns = signs & _BIT_PER_BYTE
    for start in range(COLUMNS, _ROWS * COLUMNS, COLUMNS):
        row = _integer(bits[start : start + COLUMNS], "big")
        columns = columns << 1 | (row ^ signs ^ _BIT_PER_BYTE) & _BIT_PER_BYTE
    return columns.to_bytes(COLUMNS, "big")


def _naf_digits(scalar):
    """The scalar's width-4 NAF, highest place first (Hankerson et al., algorithm 3.35)."""
    digits = bytearray(bytes([_NOTHING]) * _NAF_DIGITS)
    place = _NAF_DIGITS - 1
    while scalar:
        if scalar & 1:
            odd = scalar & 15
            if odd < 8:
                digits[place] = odd >> 1 | ADD
            else:
                odd -= 16
                digits[place] = -odd >> 1
            scalar -= odd
        scalar >>= 1
        place -= 1
    return digits


def _comb_table(affine):
    """The 64 sums 2^222*Q +- 2^185*Q ... +- 2^37*Q +- Q, none of them infinity.

    Bit i of a point's place is the sign before 2^(37*i)*Q, set for plus.
    """
    table = bytearray(TABLE_BYTES)  # first of all: a heap in pieces has no room to let it grow
    rows = [affine]
    while len(rows) < _ROWS:
        x, y = load(rows[-1], 0)
        point = (x, y, 1)
        for _ in range(COLUMNS):
            point = double(point)
        rows.append(normalise([point]))
    x, y = load(rows.pop(), 0)
    point = (x, y, 1)
    for row in rows:
        x, y = load(row, 0)
        point = add(point, x, P - y)
    table[:POINT_BYTES] = normalise([point])
    end = POINT_BYTES
    for row in rows:
        # Each row doubles the table: turning its sign from minus to plus adds it twice.
        x, y = load(row, 0)
        x2, y2 = load(normalise([double((x, y, 1))]), 0)
        places = end // POINT_BYTES
        for first in range(0, places, _BATCH):
            batch = []
            for place in range(first, min(first + _BATCH, places)):
                x, y = load(table, place)
                batch.append(add((x, y, 1), x2, y2))
            piece = normalise(batch)
            table[end : end + len(piece)] = piece
            end += len(piece)
    return table
