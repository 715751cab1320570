"""CBOR: examples of RFC 8949 appendix A, and everything that the profile refuses."""

from firmware.crypto import cbor
from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true

# Encoding in hex, value.
EXAMPLES = (
    ("00", 0),
    ("01", 1),
    ("0a", 10),
    ("17", 23),
    ("1818", 24),
    ("1819", 25),
    ("1864", 100),
    ("1903e8", 1000),
    ("1a000f4240", 1000000),
    ("1b000000e8d4a51000", 1000000000000),
    ("1bffffffffffffffff", 18446744073709551615),
    ("3bffffffffffffffff", -18446744073709551616),
    ("20", -1),
    ("29", -10),
    ("3863", -100),
    ("3903e7", -1000),
    ("f4", False),
    ("f5", True),
    ("f6", None),
    ("40", b""),
    ("4401020304", b"\x01\x02\x03\x04"),
    ("60", ""),
    ("6161", "a"),
    ("6449455446", "IETF"),
    ("62225c", '"\\'),
    ("62c3bc", "\u00fc"),
    ("63e6b0b4", "\u6c34"),
    ("64f0908591", "\U00010151"),
    ("80", []),
    ("83010203", [1, 2, 3]),
    ("8301820203820405", [1, [2, 3], [4, 5]]),
    ("98190102030405060708090a0b0c0d0e0f101112131415161718181819", list(range(1, 26))),
    ("a0", {}),
    ("a201020304", {1: 2, 3: 4}),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ("826161a161626163", ["a", {"b": "c"}]),
    (
        "a56161614161626142616361436164614461656145",
        {"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"},
    ),
)

# Where a length or an integer grows by a byte, and where ESP32's small integers end.
EDGES = (
    (23, "17"),
    (24, "1818"),
    (255, "18ff"),
    (256, "190100"),
    (65535, "19ffff"),
    (65536, "1a00010000"),
    ((1 << 30) - 1, "1a3fffffff"),
    (1 << 30, "1a40000000"),
    ((1 << 32) - 1, "1affffffff"),
    (1 << 32, "1b0000000100000000"),
    ((1 << 62) - 1, "1b3fffffffffffffff"),
    (1 << 63, "1b8000000000000000"),
    (-24, "37"),
    (-25, "3818"),
    (-256, "38ff"),
    (-257, "390100"),
    (-65537, "3a00010000"),
    (-(1 << 30) - 1, "3a40000000"),
    (-(1 << 32) - 1, "3b0000000100000000"),
    (-(1 << 63) - 1, "3b8000000000000000"),
)

# What is not the shortest, only, sorted or known encoding: hex, code, offset of the fault.
REFUSED = (
    ("", cbor.TRUNCATED, 0),
    ("18", cbor.TRUNCATED, 1),
    ("1900", cbor.TRUNCATED, 2),
    ("1b00000001000000", cbor.TRUNCATED, 8),
    ("41", cbor.TRUNCATED, 1),
    ("4201", cbor.TRUNCATED, 2),
    ("6261", cbor.TRUNCATED, 2),
    ("5bffffffffffffffff", cbor.TRUNCATED, 9),
    ("81", cbor.TRUNCATED, 1),
    ("8201", cbor.TRUNCATED, 2),
    ("9bffffffffffffffff00", cbor.TRUNCATED, 10),
    ("a1", cbor.TRUNCATED, 1),
    ("a101", cbor.TRUNCATED, 2),
    ("bbffffffffffffffff0000", cbor.TRUNCATED, 11),
    ("82810102810304", cbor.TRAILING, 4),
    ("0000", cbor.TRAILING, 1),
    ("8000", cbor.TRAILING, 1),
    ("1817", cbor.NOT_SHORTEST, 0),
    ("1800", cbor.NOT_SHORTEST, 0),
    ("1900ff", cbor.NOT_SHORTEST, 0),
    ("190018", cbor.NOT_SHORTEST, 0),
    ("1a0000ffff", cbor.NOT_SHORTEST, 0),
    ("1b00000000ffffffff", cbor.NOT_SHORTEST, 0),
    ("3817", cbor.NOT_SHORTEST, 0),
    ("3900ff", cbor.NOT_SHORTEST, 0),
    ("580141", cbor.NOT_SHORTEST, 0),
    ("780161", cbor.NOT_SHORTEST, 0),
    ("980101", cbor.NOT_SHORTEST, 0),
    ("b8010101", cbor.NOT_SHORTEST, 0),
    ("8201190001", cbor.NOT_SHORTEST, 2),
    ("5f4101ff", cbor.INDEFINITE, 0),
    ("7f6161ff", cbor.INDEFINITE, 0),
    ("9fff", cbor.INDEFINITE, 0),
    ("bf0101ff", cbor.INDEFINITE, 0),
    ("1c", cbor.RESERVED, 0),
    ("3d", cbor.RESERVED, 0),
    ("5e", cbor.RESERVED, 0),
    ("9c", cbor.RESERVED, 0),
    ("1f", cbor.RESERVED, 0),
    ("3f", cbor.RESERVED, 0),
    ("df00", cbor.RESERVED, 0),
    ("ff", cbor.RESERVED, 0),
    ("81ff", cbor.RESERVED, 1),
    ("fc", cbor.RESERVED, 0),
    ("c001", cbor.UNSUPPORTED, 0),
    ("c249010000000000000000", cbor.UNSUPPORTED, 0),
    ("d28440a04040", cbor.UNSUPPORTED, 0),
    ("d818", cbor.UNSUPPORTED, 0),
    ("81c100", cbor.UNSUPPORTED, 1),
    ("f0", cbor.UNSUPPORTED, 0),
    ("e0", cbor.UNSUPPORTED, 0),
    ("f3", cbor.UNSUPPORTED, 0),
    ("f7", cbor.UNSUPPORTED, 0),
    ("f8ff", cbor.UNSUPPORTED, 0),
    ("f814", cbor.UNSUPPORTED, 0),
    ("f90000", cbor.UNSUPPORTED, 0),
    ("f97e00", cbor.UNSUPPORTED, 0),
    ("fa47c35000", cbor.UNSUPPORTED, 0),
    ("fb3ff199999999999a", cbor.UNSUPPORTED, 0),
    ("a1f500", cbor.KEY_TYPE, 1),
    ("a1f600", cbor.KEY_TYPE, 1),
    ("a18000", cbor.KEY_TYPE, 1),
    ("a1a000", cbor.KEY_TYPE, 1),
    ("a1c10000", cbor.KEY_TYPE, 1),
    ("a1f9000000", cbor.UNSUPPORTED, 1),
    ("a1810100", cbor.KEY_TYPE, 1),
    ("a203040102", cbor.KEY_ORDER, 3),
    ("a220010001", cbor.KEY_ORDER, 3),
    ("a2616201616101", cbor.KEY_ORDER, 4),
    ("a262616101616201", cbor.KEY_ORDER, 5),
    ("a26161014100f6", cbor.KEY_ORDER, 4),
    ("a201020102", cbor.KEY_DUPLICATE, 3),
    ("a2616101616102", cbor.KEY_DUPLICATE, 4),
    ("a2410001410002", cbor.KEY_DUPLICATE, 4),
    ("81a201020102", cbor.KEY_DUPLICATE, 4),
    ("61ff", cbor.UTF8, 0),
    ("a161ff00", cbor.UTF8, 1),
)

NOT_UTF8 = (
    b"\x80",
    b"\xbf",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xc2",
    b"\xc2\x41",
    b"\xc2\xc0",
    b"\xe0\x80\x80",
    b"\xe0\x9f\xbf",
    b"\xe1\x80",
    b"\xe1\x80\x41",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xef\xbf\xc0",
    b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xf0\x90\x80",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xff",
    b"a\x80",
    b"\xc3\xbc\xbc",
)

EDGES_OF_UTF8 = (
    b"\x00",
    b"\x7f",
    b"\xc2\x80",
    b"\xdf\xbf",
    b"\xe0\xa0\x80",
    b"\xec\xbf\xbf",
    b"\xed\x80\x80",
    b"\xed\x9f\xbf",
    b"\xee\x80\x80",
    b"\xef\xbf\xbf",
    b"\xf0\x90\x80\x80",
    b"\xf3\xbf\xbf\xbf",
    b"\xf4\x80\x80\x80",
    b"\xf4\x8f\xbf\xbf",
)


def _refusal(function, *args):
    error = raises(cbor.CborError, function, *args)
    true(str(error.code) in str(error), "the message names the code")
    return error.code


def test_examples_of_rfc_8949_decode_and_encode():
    for text, value in EXAMPLES:
        encoded = bytes.fromhex(text)
        equal(cbor.decode(encoded), value, text)
        equal(cbor.encode(value), encoded, text)


def test_integers_around_every_size():
    for value, text in EDGES:
        encoded = bytes.fromhex(text)
        equal(cbor.decode(encoded), value, text)
        equal(cbor.encode(value), encoded, text)


def test_lengths_around_every_size():
    for length, head in ((23, "57"), (24, "5818"), (255, "58ff"), (256, "590100")):
        value = bytes(length)
        equal(cbor.encode(value), bytes.fromhex(head) + value)
        equal(cbor.decode(cbor.encode(value)), value)
        text = "x" * length
        equal(cbor.decode(cbor.encode(text)), text)
    value = bytes(65536)
    equal(cbor.encode(value)[:5], bytes.fromhex("5a00010000"))
    equal(cbor.decode(cbor.encode(value), None, 70000), value)


def test_everything_else_is_refused():
    for text, code, offset in REFUSED:
        error = raises(cbor.CborError, cbor.decode, bytes.fromhex(text))
        equal(error.code, code, text)
        equal(error.offset, offset, text)


def test_every_cut_of_an_item_is_refused():
    encoded = cbor.encode({1: [b"bytes", "text"], "map": {2: -1000, 3: [None, True]}})
    for length in range(len(encoded)):
        equal(_refusal(cbor.decode, encoded[:length]), cbor.TRUNCATED, length)


def test_maps_are_sorted_by_their_encoded_keys():
    # RFC 8949 section 4.2.1: 10, 100, -1, "z", "aa"; byte strings come between -1 and text.
    value = {"aa": 0, -1: 0, b"\x00": 0, 100: 0, "z": 0, 10: 0}
    equal(cbor.encode(value), bytes.fromhex("a60a0018640020004100" + "00" + "617a006261" + "6100"))
    equal(cbor.decode(cbor.encode(value)), value)
    many = {}
    for i in range(300):
        many[(i * 7919) % 300 - 150] = i
    encoded = cbor.encode(many)
    equal(cbor.decode(encoded, None, 8192, 8, 1000), many)


def test_text_and_byte_keys_of_equal_content_differ():
    value = cbor.decode(bytes.fromhex("a2416101616102"))
    equal(len(value), 2)
    equal(value[b"a"], 1)
    equal(value["a"], 2)


def test_text_is_well_formed_utf_8():
    for raw in NOT_UTF8:
        true(not cbor.is_utf8(raw), raw)
        encoded = bytes([0x60 + len(raw)]) + raw
        equal(_refusal(cbor.decode, encoded), cbor.UTF8, raw)
    for raw in EDGES_OF_UTF8:
        true(cbor.is_utf8(raw), raw)
        encoded = bytes([0x60 + len(raw)]) + raw
        equal(cbor.encode(cbor.decode(encoded)), encoded, raw)


def test_lone_surrogates_are_not_encoded():
    equal(_refusal(cbor.encode, chr(0xD800)), cbor.UTF8)
    equal(_refusal(cbor.encode, {chr(0xDFFF): 1}), cbor.UTF8)


def test_depth_is_limited_both_ways():
    for opening, nest in (
        (b"\x81", lambda inner: [inner]),
        (b"\xa1\x00", lambda inner: {0: inner}),
    ):
        value = 0
        for _ in range(cbor.MAX_DEPTH):
            value = nest(value)
        encoded = opening * cbor.MAX_DEPTH + b"\x00"
        equal(cbor.encode(value), encoded)
        equal(cbor.decode(encoded), value)
        equal(_refusal(cbor.encode, nest(value)), cbor.DEPTH)
        equal(_refusal(cbor.decode, opening + encoded), cbor.DEPTH)
    equal(_refusal(cbor.decode, b"\x81" * 5000 + b"\x00"), cbor.DEPTH)
    equal(_refusal(cbor.decode, b"\x81\x81\x00", None, 99, 1), cbor.DEPTH)
    equal(cbor.decode(b"\x81\x00", None, 99, 1), [0])
    # Empty containers count, too.
    equal(_refusal(cbor.decode, b"\x81\x80", None, 99, 1), cbor.DEPTH)
    equal(_refusal(cbor.encode, [[]], None, 1), cbor.DEPTH)


def test_siblings_do_not_add_to_the_depth():
    value = [[], {}, [{}], [], [[]]]
    equal(cbor.decode(cbor.encode(value, None, 3), None, 99, 3), value)


def test_items_are_limited():
    # The list, then keys, values and members all count.
    encoded = cbor.encode([1, {2: 3}, b""])
    equal(cbor.decode(encoded, None, 99, 8, 6), [1, {2: 3}, b""])
    equal(_refusal(cbor.decode, encoded, None, 99, 8, 5), cbor.ITEMS)
    equal(_refusal(cbor.decode, b"\x99\x03\xe8" + bytes(1000)), cbor.ITEMS)


def test_size_is_limited():
    encoded = cbor.encode(bytes(100))
    equal(cbor.decode(encoded, None, 102), bytes(100))
    equal(_refusal(cbor.decode, encoded, None, 101), cbor.BYTES)
    equal(_refusal(cbor.decode, cbor.encode(bytes(cbor.MAX_BYTES))), cbor.BYTES)


def test_the_tag_that_is_asked_for_has_to_be_there():
    equal(cbor.encode([1], 18), b"\xd2\x81\x01")
    equal(cbor.decode(b"\xd2\x81\x01", 18), [1])
    equal(cbor.encode(1, 61), b"\xd8\x3d\x01")
    equal(cbor.decode(b"\xd8\x3d\x01", 61), 1)
    equal(_refusal(cbor.decode, b"\x81\x01", 18), cbor.TAG)
    equal(_refusal(cbor.decode, b"\xd1\x81\x01", 18), cbor.TAG)
    # 18 as an integer, the length of a list, and a tag in a longer form than needed.
    equal(_refusal(cbor.decode, b"\x12", 18), cbor.TAG)
    equal(_refusal(cbor.decode, b"\x92" + bytes(18), 18), cbor.TAG)
    equal(_refusal(cbor.decode, b"\xd8\x12\x01", 18), cbor.NOT_SHORTEST)
    # Once only.
    equal(_refusal(cbor.decode, b"\xd2\xd2\x01", 18), cbor.UNSUPPORTED)
    equal(_refusal(cbor.decode, b"\xd2", 18), cbor.TRUNCATED)


def test_what_has_no_encoding_is_refused():
    for value in (1.5, object(), set(), range(3), 1 << 64, -(1 << 64) - 1):
        code = cbor.RANGE if isinstance(value, int) else cbor.UNSUPPORTED
        equal(_refusal(cbor.encode, value), code)
        equal(_refusal(cbor.encode, [value]), code)
        equal(_refusal(cbor.encode, {1: value}), code)
    for key in (True, False, None, (1, 2), 1.0):
        equal(_refusal(cbor.encode, {key: 1}), cbor.KEY_TYPE)
    equal(_refusal(cbor.encode, {1 << 64: 1}), cbor.RANGE)


def test_bools_are_not_integers():
    true(cbor.decode(b"\xf5") is True)
    true(cbor.decode(b"\xf4") is False)
    equal(cbor.encode([True, 1, False, 0, None]), b"\x85\xf5\x01\xf4\x00\xf6")


def test_tuples_and_bytearrays_are_taken_as_lists_and_bytes():
    equal(cbor.encode((1, bytearray(b"ab"))), b"\x82\x01\x42ab")


def test_values_are_not_changed_by_encoding():
    inner = [3, 4]
    value = [1, inner, {2: inner}]
    cbor.encode(value)
    equal(value, [1, [3, 4], {2: [3, 4]}])


def test_random_bytes_decode_to_what_encodes_to_them_or_are_refused():
    random = soak.Random(soak.seed())
    accepted = 0
    for _ in range(soak.count(20000, 400)):
        # Mostly small arguments, or nearly nothing would be longer than a byte.
        encoded = bytes(
            [(random.below(8) << 5) | random.below(4) for _ in range(1 + random.below(6))]
        )
        try:
            value = cbor.decode(encoded)
        except cbor.CborError:
            continue
        equal(cbor.encode(value), encoded, encoded)
        accepted += 1
    true(accepted > 0, "some were accepted")


def test_a_sequence_is_items_one_after_the_other():
    equal(cbor.decode_sequence(b""), [])
    whole = b"".join([bytes.fromhex(text) for text, _ in EXAMPLES])
    equal(cbor.decode_sequence(whole), [value for _, value in EXAMPLES])
    equal(cbor.decode_sequence(whole[:-1] + b"C", max_items=200)[-1]["e"], "C")
    for data in (b"\x00\x18", b"\x00\x82\x01", b"\x1c\x00"):
        raises(cbor.CborError, cbor.decode_sequence, data)
    for code, limits in ((cbor.BYTES, (3,)), (cbor.DEPTH, (9, 1)), (cbor.ITEMS, (9, 9, 4))):
        error = raises(cbor.CborError, cbor.decode_sequence, b"\x00\x81\x81\x00\x00", *limits)
        equal(error.code, code)
    equal(cbor.decode_sequence(b"\x00\x81\x81\x00\x00", 5, 2, 5), [0, [[0]], 0])
