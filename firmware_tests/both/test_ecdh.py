"""Diffie-Hellman on P-256: RFC 5903's exchange, extreme scalars, and what is no point."""

from firmware.crypto import ecdh, p256
from firmware.crypto.p256_table import G_TABLE
from firmware.crypto.slices import finish
from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true

# RFC 5903 section 8.1.
SK_I = 0xC88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433
SK_R = 0xC6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53
G_I = bytes.fromhex(
    "DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180"
    "5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3"
)
G_R = bytes.fromhex(
    "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
    "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB"
)
G_IR = bytes.fromhex("D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE")

G = bytes.fromhex(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def _random():
    return soak.Random(soak.seed()).bytes


def test_the_exchange_of_rfc_5903():
    random = _random()
    equal(finish(ecdh.public(SK_I, random)), G_I)
    equal(finish(ecdh.public(SK_R, random)), G_R)
    equal(finish(ecdh.single(SK_I, G_R, random)), G_IR)
    equal(finish(ecdh.single(SK_R, G_I, random)), G_IR)
    both = finish(ecdh.pair(SK_R, SK_I, G_I, random))
    equal(both, (G_IR, finish(ecdh.single(SK_I, G_I, random))))
    equal(finish(ecdh.pair(SK_I, SK_R, G_I, random)), (both[1], G_IR))


def test_extreme_scalars_and_those_in_between():
    random = _random()
    scalars = [1, 2, 3, 31, 32, 33, 1 << 255, p256.N - 1, p256.N - 2, p256.N // 2]
    numbers = soak.Random(soak.seed())
    for _ in range(soak.count(200, 4)):
        scalars.append(ecdh.scalar_of(numbers.bytes(ecdh.SEED_BYTES)))
    for scalar in scalars:
        point = finish(ecdh.public(scalar, random))
        x = point[:32]
        equal(finish(ecdh.single(scalar, G, random)), x, scalar)
        equal(finish(ecdh.pair(12345, scalar, G, random))[1], x, scalar)
        equal(finish(ecdh.pair(scalar, 54321, G, random))[0], x, scalar)
        true(finish(ecdh.lift(x)) in (point, _opposite(point)))


def _opposite(point):
    return point[:32] + (p256.P - int.from_bytes(point[32:], "big")).to_bytes(32, "big")


def test_what_is_no_x_of_the_curve_is_refused():
    missing = 0
    for number in range(1, 40):
        try:
            found = finish(ecdh.lift(number.to_bytes(32, "big")))
            p256.PublicKey(found[:32], found[32:])
        except p256.InvalidPoint:
            missing += 1
    true(10 < missing < 30, missing)
    for x in (p256.P.to_bytes(32, "big"), b"\xff" * 32, G[:31], G[:32] + b"\x00", b""):
        raises(p256.InvalidPoint, finish, ecdh.lift(x))


def test_scalars_are_never_zero_and_below_the_order():
    equal(ecdh.scalar_of(bytes(40)), 1)
    equal(ecdh.scalar_of((p256.N - 1).to_bytes(40, "big")), 1)
    equal(ecdh.scalar_of((p256.N - 2).to_bytes(40, "big")), p256.N - 1)


def test_odd_multiples_are_those_of_the_generated_table():
    # Point 63 of G's comb is the sum of all rows; its odd multiples by the other formulas.
    table = p256.settle(*p256.odd_chain(G_TABLE[63 * 64 :], 16))
    equal(len(table), 16 * 64)
    x, y = p256.load(table, 0)
    point = (x, y, 1)
    x2, y2 = p256.load(p256.normalise([p256.double(point)]), 0)
    for place in range(1, 16):
        point = p256.add(point, x2, y2)
        equal(p256.normalise([point]), table[64 * place : 64 * place + 64], place)
        x, y = p256.load(table, place)
        point = (x, y, 1)


def test_no_two_runs_compute_with_the_same_numbers():
    table = p256.settle(*p256.odd_chain(G, 16))
    random = _random()
    points = [finish(ecdh._multiply(SK_I, table, random)) for _ in range(3)]
    for place in range(3):
        equal(len({point[place] for point in points}), 3)
    for point in points:
        equal(p256.normalise([point]), G_I)


def test_a_key_that_is_used_again_meets_no_point():
    multiply = ecdh._multiply
    scalars = []

    def watched(scalar, table, random):
        scalars.append(scalar)
        return multiply(scalar, table, random)

    ecdh._multiply = watched
    try:
        equal(finish(ecdh.pair(SK_R, SK_I, G_R, _random()))[1], G_IR)
    finally:
        ecdh._multiply = multiply
    equal(len(scalars), 2)
    true(SK_I not in scalars and p256.N - SK_I not in scalars)
