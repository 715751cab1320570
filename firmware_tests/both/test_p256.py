"""ECDSA P-256: RFC 6979's signatures, OpenSSL's verdicts, and the points where formulas break."""

from firmware.crypto import p256, p256_point
from firmware.crypto.p256_table import G_TABLE
from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true
from firmware_tests.both.vectors import read

G_X = bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
G_Y = bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")

# RFC 6979 appendix A.2.5, SHA-256.
RFC_X = bytes.fromhex("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6")
RFC_Y = bytes.fromhex("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299")
RFC_SIGNATURES = (
    (
        "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf",  # SHA-256 of "sample"
        (
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        ),
    ),
    (
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",  # of "test"
        (
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
            "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"
        ),
    ),
)


def _keys(x, y):
    """The same key without and with a table: two different ways through the arithmetic."""
    with_table = p256.PublicKey(x, y)
    with_table.precompute()
    return p256.PublicKey(x, y), with_table


def _points_of(table):
    return [p256_point.load(table, place) for place in range(len(table) // 64)]


def test_signatures_of_rfc_6979():
    for key in _keys(RFC_X, RFC_Y):
        digests = []
        for digest, signature in RFC_SIGNATURES:
            digests.append(bytes.fromhex(digest))
            equal(p256.verify(digests[-1], bytes.fromhex(signature), key), True)
        equal(p256.verify(digests[1], bytes.fromhex(RFC_SIGNATURES[0][1]), key), False)


def test_verdicts_of_openssl():
    vectors = read("crypto-p256")
    cases = vectors["cases"]
    true(len(cases) > 200, "no vectors")
    true(len([case for case in cases if case["valid"]]) > 100, "valid ones")
    for name in vectors["keys"]:
        x, y = [bytes.fromhex(coordinate) for coordinate in vectors["keys"][name]]
        for key in _keys(x, y):
            way = "with table" if key.table else "any key"
            for case in cases:
                if case["key"] == name:
                    digest = bytes.fromhex(case["digest"])
                    signature = bytes.fromhex(case["signature"])
                    verdict = p256.verify(digest, signature, key)
                    equal(verdict, case["valid"], "%s, %s, %s" % (name, case["name"], way))


def test_only_points_of_the_curve_are_keys():
    points = read("crypto-p256")["points"]
    true(len([point for point in points if not point["valid"]]) >= 8, "no vectors")
    for point in points:
        x, y = bytes.fromhex(point["x"]), bytes.fromhex(point["y"])
        if point["valid"]:
            key = p256.PublicKey(x, y)
            equal((key.x, key.y), (x, y))
        else:
            raises(p256.InvalidPoint, p256.PublicKey, x, y)


def test_coordinates_have_32_bytes():
    for x, y in (
        (G_X[:31], G_Y),
        (G_X, G_Y[1:]),
        (b"", b""),
        (b"\x00" + G_X, G_Y),
        (G_X, G_Y + G_Y),
    ):
        raises(p256.InvalidPoint, p256.PublicKey, x, y)


def test_coordinates_are_below_p():
    x, y = int.from_bytes(G_X, "big"), int.from_bytes(G_Y, "big")
    equal(p256_point.on_curve(x, y), True)
    equal(p256_point.on_curve(x + p256_point.P, y), False)
    equal(p256_point.on_curve(x, y + p256_point.P), False)
    equal(p256_point.on_curve(x, y + 1), False)


def test_signatures_of_other_lengths_are_not_valid():
    digest, signature = [bytes.fromhex(text) for text in RFC_SIGNATURES[0]]
    for key in _keys(RFC_X, RFC_Y):
        for length in range(64):
            equal(p256.verify(digest, signature[:length], key), False, length)
        equal(p256.verify(digest, signature + b"\x00", key), False)
        equal(p256.verify(digest, b"\x00" + signature, key), False)
        # r and then s, but s with a zero before it.
        equal(p256.verify(digest, signature[:32] + b"\x00" + signature[32:], key), False)


def test_digests_of_other_lengths_are_the_callers_mistake():
    key = p256.PublicKey(RFC_X, RFC_Y)
    for length in (0, 20, 31, 33, 64):
        raises(ValueError, p256.verify, bytes(length), bytes(64), key)


def test_every_bit_of_a_signature_counts():
    digest, signature = [bytes.fromhex(text) for text in RFC_SIGNATURES[0]]
    known = _keys(RFC_X, RFC_Y)[1]
    random = soak.Random(soak.seed())
    for _ in range(soak.count(512, 24)):
        bit = random.below(512)
        changed = bytearray(signature)
        changed[bit // 8] ^= 1 << (bit % 8)
        equal(p256.verify(digest, bytes(changed), known), False, bit)


def test_a_table_has_the_right_size():
    for table in (b"", G_TABLE[:-1], G_TABLE + b"\x00"):
        raises(ValueError, p256.PublicKey, G_X, G_Y, table)


def test_a_stored_table_serves_again():
    known = _keys(RFC_X, RFC_Y)[1]
    loaded = p256.PublicKey(RFC_X, RFC_Y, bytes(known.table))
    digest, signature = [bytes.fromhex(text) for text in RFC_SIGNATURES[0]]
    equal(p256.verify(digest, signature, loaded), True)


def test_precomputing_the_base_point_gives_the_generated_table():
    # G_TABLE was made with another implementation.
    key = p256.PublicKey(G_X, G_Y)
    equal(key.precompute() == G_TABLE, True)


def test_every_point_of_a_table_is_on_the_curve():
    table = p256.PublicKey(RFC_X, RFC_Y).precompute()
    points = _points_of(table)
    equal(len(points), 64)
    for x, y in points:
        true(p256_point.on_curve(x, y))
    equal(len(set(points)), 64)


def test_inverse():
    for modulus in (p256_point.P, p256.N):
        for value in (
            1,
            2,
            3,
            modulus - 1,
            modulus // 2,
            modulus - 12345,
            modulus + 2,
            -1,
            1 << 200,
        ):
            found = p256_point.inverse(value, modulus)
            equal(found * value % modulus, 1, value)
            true(0 < found < modulus)
        for value in (0, modulus, 3 * modulus):
            raises(ZeroDivisionError, p256_point.inverse, value, modulus)
    random = soak.Random(soak.seed())
    for _ in range(soak.count(2000, 40)):
        value = int.from_bytes(random.bytes(1 + random.below(32)), "big") % p256.N
        if value:
            equal(p256_point.inverse(value, p256.N) * value % p256.N, 1, value)


def _affine(point):
    """The point's 64 bytes, or None for infinity: what different Z have in common."""
    return p256_point.normalise([point]) if point[2] else None


def _scaled(point, z):
    """The same point with another Z."""
    p = p256_point.P
    return point[0] * z * z % p, point[1] * z * z * z % p, point[2] * z % p


def test_addition_is_right_for_equal_opposite_and_infinite_points():
    p = p256_point.P
    x, y = p256_point.load(G_TABLE, 7)
    plain = (x, y, 1)
    encoded = G_TABLE[7 * 64 : 8 * 64]
    for z in (1, 2, p - 1, p // 3):
        point = _scaled(plain, z)
        double = p256_point.double(point)
        opposite = (point[0], p - point[1], point[2])
        equal(_affine(p256_point.add(point, x, y)), _affine(double))
        equal(_affine(p256_point.add(opposite, x, y)), None)
        equal(_affine(p256_point.add(point, x, -y)), None)
        equal(_affine(p256_point.add(point, x, p - y)), None)
        equal(_affine(p256_point.double_add(opposite, x, y)), _affine(opposite))
        triple = p256_point.add(double, x, y)
        equal(_affine(p256_point.double_add(point, x, y)), _affine(triple))
        # 2*point + -(2*point): infinity that comes out of the formula itself.
        x2, y2 = p256_point.load(_affine(double), 0)
        equal(_affine(p256_point.double_add(point, x2, p - y2)), None)
        equal(_affine(p256_point.double_add(point, x2, -y2)), None)
        quadruple = p256_point.double(double)
        equal(_affine(p256_point.double_add(point, x2, y2)), _affine(quadruple))
    for infinity in (p256_point.INFINITY, (x, y, 0), (0, 0, 0)):
        equal(_affine(p256_point.double(infinity)), None)
        equal(_affine(p256_point.add(infinity, x, y)), encoded)
        equal(_affine(p256_point.double_add(infinity, x, y)), encoded)


def test_double_add_is_a_doubling_and_an_addition():
    point = (int.from_bytes(RFC_X, "big"), int.from_bytes(RFC_Y, "big"), 1)
    for place in range(64):
        x, y = p256_point.load(G_TABLE, place)
        if place % 2:
            y = -y
        expected = p256_point.add(p256_point.double(point), x, y)
        point = p256_point.double_add(point, x, y)
        equal(_affine(point), _affine(expected), place)
        for coordinate in point:
            true(0 <= coordinate < p256_point.P)


def test_normalise_refuses_infinity():
    raises(ZeroDivisionError, p256_point.normalise, [(1, 1, 1), p256_point.INFINITY])
