"""Our CBOR against PyPI `cbor2`, and against whatever bytes come."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.crypto import cbor

INTEGERS = st.one_of(
    st.integers(-(1 << 64), (1 << 64) - 1),
    st.integers(-300, 300),
    st.integers(0, 64).map(lambda bits: (1 << bits) - 1),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
KEYS = st.one_of(INTEGERS, st.binary(max_size=30), TEXTS)
VALUES = st.recursive(
    st.one_of(INTEGERS, st.binary(max_size=300), TEXTS, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=12,
)


def depth(value):
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def same(a, b):
    """Equality that tells True from 1."""
    return a == b and repr(sorted_maps(a)) == repr(sorted_maps(b))


def sorted_maps(value):
    if isinstance(value, dict):
        return sorted((repr(key), sorted_maps(item)) for key, item in value.items())
    return [sorted_maps(item) for item in value] if isinstance(value, list) else value


def length_first(value):
    """Whether cbor2's canonical form, RFC 7049's, sorts a map otherwise than RFC 8949 does."""
    if isinstance(value, list):
        return any(map(length_first, value))
    if not isinstance(value, dict):
        return False
    encoded = [cbor2.dumps(key, canonical=True) for key in value]
    return sorted(encoded) != sorted(encoded, key=lambda key: (len(key), key)) or any(
        map(length_first, value.values())
    )


@given(VALUES)
def test_cbor2_reads_what_we_write_and_we_read_it_back(value):
    if depth(value) > cbor.MAX_DEPTH:
        with pytest.raises(cbor.CborError):
            cbor.encode(value)
        return
    encoded = cbor.encode(value)
    assert same(cbor2.loads(encoded), value)
    assert same(cbor.decode(encoded), value)


@given(VALUES)
def test_cbor2_writes_the_same_bytes(value):
    # The two canonical forms agree unless keys of different types have different lengths.
    if depth(value) <= cbor.MAX_DEPTH and not length_first(value):
        assert cbor.encode(value) == cbor2.dumps(value, canonical=True)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_the_only_encoding_of_their_value(data):
    try:
        value = cbor.decode(data)
    except cbor.CborError as error:
        assert 0 <= error.offset <= len(data)
        return
    assert cbor.encode(value) == data
    assert same(cbor2.loads(data), value)


@given(VALUES, st.data())
def test_a_mutated_encoding_is_refused_or_another_values_only_encoding(value, data):
    if depth(value) > cbor.MAX_DEPTH:
        return
    encoded = bytearray(cbor.encode(value))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(encoded) - 1))
        change = data.draw(st.sampled_from(["flip", "set", "cut", "insert"]))
        if change == "flip":
            encoded[place] ^= 1 << data.draw(st.integers(0, 7))
        elif change == "set":
            encoded[place] = data.draw(st.integers(0, 255))
        elif change == "cut" and len(encoded) > 1:
            del encoded[place]
        else:
            encoded.insert(place, data.draw(st.integers(0, 255)))
    try:
        decoded = cbor.decode(bytes(encoded))
    except cbor.CborError as error:
        assert 0 <= error.offset <= len(encoded)
        return
    assert cbor.encode(decoded) == encoded


@given(st.binary(max_size=12))
def test_utf_8_is_what_python_takes_for_it(raw):
    try:
        raw.decode("utf-8")
        expected = True
    except UnicodeDecodeError:
        expected = False
    assert cbor.is_utf8(raw) is expected


@pytest.mark.parametrize("first", range(256))
def test_utf_8_of_two_and_three_bytes_is_what_python_takes_for_it(first):
    # Every pair, and the pairs again with a good and a bad third byte.
    for second in range(256):
        for tail in (b"", b"\x80", b"\x80\x80", b"A"):
            raw = bytes([first, second]) + tail
            try:
                raw.decode("utf-8")
                expected = True
            except UnicodeDecodeError:
                expected = False
            assert cbor.is_utf8(raw) is expected, raw
