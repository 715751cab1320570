"""Arithmetic of points on NIST P-256 (SP 800-186 section 3.2.1.3).

Imports nothing. Not constant-time: no private key may pass through here as it is, see `ecdh`.

Invariants
- A point is a tuple (X, Y, Z) of integers in [0, P), Jacobian: x = X/Z^2, y = Y/Z^3; Z = 0 is the
  point at infinity. Every function is right for all points, equal, opposite and infinite ones too.
- An affine point is 64 bytes, x then y, big-endian; a table is such points one after the other.
- Plain `a * b % P`: it beats Montgomery's and Solinas' reductions with MicroPython's integers.
"""

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

COORDINATE_BYTES = 32
POINT_BYTES = 64
INFINITY = (1, 1, 0)


def inverse(value: int, modulus: int) -> int:
    """1/value modulo a prime, by Euclid's algorithm; raises ZeroDivisionError if there is none.

    Measured on MicroPython: an eighth of the time of Fermat's power, a third of that of the
    binary algorithm.
    """
    # Both rows keep u = value * x and v = value * y modulo `modulus`.
    u, v = value % modulus, modulus
    x, y = 1, 0
    if u == 0:
        raise ZeroDivisionError
    while True:
        quotient, v = divmod(v, u)
        y -= quotient * x
        if v == 0:
            return x % modulus
        quotient, u = divmod(u, v)
        x -= quotient * y
        if u == 0:
            return y % modulus


def on_curve(x: int, y: int) -> bool:
    """Whether (x, y) is a point of the curve with both coordinates in [0, P)."""
    return x < P and y < P and (y * y - (x * x - 3) * x - B) % P == 0


def double(point: tuple) -> tuple:
    """2*point; 8 multiplications (Hankerson et al., "Guide to ECC", algorithm 3.21; a = -3)."""
    x, y, z = point
    if z == 0:
        return point
    zz = z * z % P
    yy = y * y % P
    xyy = x * yy % P
    slope = 3 * (x - zz) * (x + zz) % P
    x3 = (slope * slope - 8 * xyy) % P
    return x3, (slope * (4 * xyy - x3) - 8 * yy * yy) % P, 2 * y * z % P


def add(point: tuple, x2: int, y2: int) -> tuple:
    """point + (x2, y2), y2 perhaps negative; 11 multiplications (algorithm 3.22)."""
    x1, y1, z1 = point
    if z1 == 0:
        return x2, y2, 1
    zz = z1 * z1 % P
    h = (x2 * zz - x1) % P
    r = (y2 * (zz * z1 % P) - y1) % P
    if h == 0:
        return INFINITY if r else double(point)
    hh = h * h % P
    hhh = hh * h % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P


def double_add(point: tuple, x2: int, y2: int) -> tuple:
    """2*point + (x2, y2), the latter affine; 18 multiplications, one less than one after the
    other.

    The sum is taken as point + (point + (x2, y2)): the inner addition yields `point` with the Z of
    its result on the way, so the outer one is between points of equal Z (Meloni, "New point
    addition formulae for ECC applications", 2007). Of the inner sum only what the outer one
    needs is computed: d, the difference of the two X, and s, minus that of the two Y.
    """
    x1, y1, z1 = point
    if z1 == 0:
        return x2, y2, 1
    zz = z1 * z1 % P
    h = (x2 * zz - x1) % P
    if h == 0:
        return add(double(point), x2, y2)
    r = (y2 * (zz * z1 % P) - y1) % P
    hh = h * h % P
    hhh = hh * h % P
    v = x1 * hh % P
    w = y1 * hhh % P
    # d = 0 means that the inner sum is -point: then Z comes out as 0, as it should.
    d = (r * r - hhh - 3 * v) % P
    s = (r * d + 2 * w) % P
    dd = d * d % P
    ddd = dd * d
    vdd = v * dd
    x3 = (s * s - ddd - 2 * vdd) % P
    return x3, (s * (x3 - vdd) - w * ddd) % P, z1 * h * d % P


def odd_chain(affine: bytes, count: int) -> tuple:
    """Q, 3Q, 5Q, ... for `settle`: `count` of them, for 7 multiplications each.

    All are brought to one Z together with 2Q, which is added again and again: points of equal Z
    add cheaply, and 2Q comes out with the Z of the sum (Meloni, "New point addition formulae for
    ECC applications", 2007). No two points here are equal or opposite, because the order is prime
    and large.
    """
    x, y = load(affine, 0)
    z = 2 * y
    slope = 3 * (x - 1) * (x + 1) % P
    yy = y * y % P
    x = 4 * x * yy % P
    y = 8 * yy * yy % P
    x2 = (slope * slope - 2 * x) % P
    y2 = (slope * (x - x2) - y) % P
    points = []
    gaps = []
    for _ in range(count - 1):
        gap = x2 - x
        square = gap * gap % P
        x, x2 = x * square % P, x2 * square % P
        rise = y2 - y
        y2 = y2 * (x2 - x) % P
        x = (rise * rise - x - x2) % P
        y = (rise * (x2 - x) - y2) % P
        z = z * gap % P
        points.append((x, y))
        gaps.append(gap)
    return affine, points, gaps, z


def settle(affine: bytes, points: list, gaps: list, z: int) -> bytes:
    """The table of what `odd_chain` found, with one inversion; empties the lists."""
    rest = inverse(z, P)
    encoded = []
    while True:
        x, y = points.pop()
        zz = rest * rest % P
        encoded.append((y * (zz * rest % P) % P).to_bytes(COORDINATE_BYTES, "big"))
        encoded.append((x * zz % P).to_bytes(COORDINATE_BYTES, "big"))
        if not points:
            break
        rest = rest * gaps.pop() % P
    encoded.append(affine)
    encoded.reverse()
    return b"".join(encoded)


def load(table: "bytes | bytearray", place: int) -> tuple:
    """Both coordinates of a table's affine point, as integers."""
    start = place * POINT_BYTES
    x = int.from_bytes(table[start : start + 32], "big")
    return x, int.from_bytes(table[start + 32 : start + 64], "big")


def normalise(points: list) -> bytes:
    """A table of points, none of them infinity; empties the list.

    One inversion for all of them (Montgomery's trick): while the product of all Z is being undone
    from the back, each Z's inverse falls out.
    """
    product = 1
    products_before = []
    for _, _, z in points:
        products_before.append(product)
        product = product * z % P
    rest = inverse(product, P)
    encoded = []
    while points:
        x, y, z = points.pop()
        z_inverse = rest * products_before.pop() % P
        rest = rest * z % P
        zz = z_inverse * z_inverse % P
        encoded.append((y * (zz * z_inverse % P) % P).to_bytes(COORDINATE_BYTES, "big"))
        encoded.append((x * zz % P).to_bytes(COORDINATE_BYTES, "big"))
    encoded.reverse()
    return b"".join(encoded)
