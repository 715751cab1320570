"""Deterministic CBOR, both ways: the core deterministic encoding of RFC 8949 section 4.2.1.

Imports nothing. The data model is what statements and handshakes need: integers from -2^64 to
2^64 - 1, byte strings, text, lists, maps with integer, byte-string or text keys, False, True,
None.

Invariants
- What `decode` accepts, `encode` turns back into the same bytes: there is one encoding per value.
- What `encode` cannot represent it refuses, on every interpreter the same; so is a bool never an
  integer here, and a surrogate never text, whatever the interpreter thinks.
- Input decides neither recursion depth (there is none) nor memory: a length is never believed,
  only items that are there take space, and their number is limited.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_BYTES = 8192
MAX_DEPTH = 8
MAX_ITEMS = 512

# What can be wrong.
TRUNCATED = 1
TRAILING = 2  # bytes after the item
NOT_SHORTEST = 3  # an integer or length not in its shortest form
INDEFINITE = 4
RESERVED = 5  # additional information 28 to 30, or a break with nothing to end
UNSUPPORTED = 6  # floats, tags, other simple values; values outside the data model
KEY_TYPE = 7
KEY_ORDER = 8
KEY_DUPLICATE = 9
UTF8 = 10
RANGE = 11  # an integer beyond 64 bits
TAG = 12  # the expected tag is not there
BYTES = 13
DEPTH = 14
ITEMS = 15

# Major types.
_UNSIGNED = 0
_NEGATIVE = 1
_BYTES = 2
_TEXT = 3
_LIST = 4
_MAP = 5
_TAG = 6
_SIMPLE = 7
_SIMPLE_VALUES = {20: False, 21: True, 22: None}
_ARGUMENT_LIMIT = 1 << 64


class CborError(Exception):
    """What is wrong (`code`, a constant of this module) and at which byte (`offset`)."""

    def __init__(self, code: int, offset: int):
        super().__init__("%d at byte %d" % (code, offset))
        self.code = code
        self.offset = offset


class _Container:
    """A list or map being filled: `left` items are still to come, a map's keys counted too."""

    def __init__(self, value, left):
        self.value = value
        self.left = left
        self.key = None
        self.key_bytes = b""

    def wants_key(self):
        return self.left % 2 == 0 and isinstance(self.value, dict)

    def add(self, item, data, start, end):
        """Take the next item, encoded in `data[start:end]`."""
        if isinstance(self.value, list):
            self.value.append(item)
        elif self.wants_key():
            # The first key compares with b"", which sorts before everything.
            key_bytes = data[start:end]
            if key_bytes == self.key_bytes:
                raise CborError(KEY_DUPLICATE, start)
            if key_bytes < self.key_bytes:
                raise CborError(KEY_ORDER, start)
            self.key = item
            self.key_bytes = key_bytes
        else:
            self.value[self.key] = item
        self.left -= 1


def decode(
    data: bytes,
    tag: "int | None" = None,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_items: int = MAX_ITEMS,
) -> "Any":
    """The one item that `data` consists of; raises CborError.

    With `tag`, exactly this tag must precede the item; tags are refused everywhere else.
    `max_depth` counts containers inside each other, `max_items` everything, keys and containers
    too.
    """
    if len(data) > max_bytes:
        raise CborError(BYTES, max_bytes)
    position = 0
    if tag is not None:
        major, number, position = _read_head(data, 0)
        if major != _TAG or number != tag:
            raise CborError(TAG, 0)
    value, position, _ = _read_item(data, position, max_depth, max_items)
    if position != len(data):
        raise CborError(TRAILING, position)
    return value


def decode_sequence(
    data: bytes,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_items: int = MAX_ITEMS,
) -> "list[Any]":
    """The items that `data` consists of, one after the other (RFC 8742); raises CborError."""
    if len(data) > max_bytes:
        raise CborError(BYTES, max_bytes)
    position = 0
    values = []
    while position < len(data):
        value, position, max_items = _read_item(data, position, max_depth, max_items)
        values.append(value)
    return values


def _read_item(data, position, max_depth, max_items):
    """An item, the position behind it, and how many more items there may be."""
    open_containers: "list[_Container]" = []
    while True:
        start = position
        max_items -= 1
        if max_items < 0:
            raise CborError(ITEMS, start)
        major, argument, position = _read_head(data, start)
        if open_containers and open_containers[-1].wants_key() and major > _TEXT:
            raise CborError(KEY_TYPE, start)
        opened = None
        if major == _UNSIGNED:
            item = argument
        elif major == _NEGATIVE:
            item = -1 - argument
        elif major == _BYTES or major == _TEXT:
            end = position + argument
            if end > len(data):
                raise CborError(TRUNCATED, len(data))
            item = data[position:end]
            position = end
            if major == _TEXT:
                item = _text(item, start)
        elif major == _LIST:
            item = []
            opened = _Container(item, argument)
        elif major == _MAP:
            item = {}
            opened = _Container(item, 2 * argument)
        elif major == _SIMPLE and argument in _SIMPLE_VALUES:
            item = _SIMPLE_VALUES[argument]
        else:
            raise CborError(UNSUPPORTED, start)
        if opened is not None and len(open_containers) == max_depth:
            raise CborError(DEPTH, start)
        if open_containers:
            open_containers[-1].add(item, data, start, position)
        else:
            outermost = item
        if opened is not None:
            open_containers.append(opened)
        while open_containers and open_containers[-1].left == 0:
            open_containers.pop()
        if not open_containers:
            return outermost, position, max_items


def encode(value: "Any", tag: "int | None" = None, max_depth: int = MAX_DEPTH) -> bytes:
    """The encoding of a value of the data model, after `tag` if given; raises CborError.

    A bytearray counts as bytes and a tuple as a list. The error's offset is where the value would
    start.
    """
    out = bytearray()
    if tag is not None:
        out += _head(_TAG, tag)
    # For each open container, what it still has to write, last first: pairs of an encoded key
    # (nothing in lists) and a value.
    levels = [[(b"", value)]]
    while levels:
        pending = levels[-1]
        if not pending:
            levels.pop()
            continue
        key, item = pending.pop()
        out += key
        if isinstance(item, (list, tuple)):
            out += _head(_LIST, len(item))
            members = [(b"", member) for member in reversed(item)]
        elif isinstance(item, dict):
            out += _head(_MAP, len(item))
            members = _sorted_pairs(item, len(out))
        else:
            out += _encode_simple(item, len(out))
            continue
        if len(levels) > max_depth:
            raise CborError(DEPTH, len(out))
        levels.append(members)
    return bytes(out)


def _read_head(data, position):
    """Major type, argument and the position behind the head (RFC 8949 section 3)."""
    if position >= len(data):
        raise CborError(TRUNCATED, position)
    first = data[position]
    major = first >> 5
    information = first & 31
    if information < 24:
        return major, information, position + 1
    if information == 31:
        # Integers and tags have no length to leave open; in major type 7 it would be a "break".
        lengths_only = _BYTES <= major <= _MAP
        raise CborError(INDEFINITE if lengths_only else RESERVED, position)
    if information > 27:
        raise CborError(RESERVED, position)
    if major == _SIMPLE:
        raise CborError(UNSUPPORTED, position)
    size = 1 << (information - 24)
    end = position + 1 + size
    if end > len(data):
        raise CborError(TRUNCATED, len(data))
    argument = int.from_bytes(data[position + 1 : end], "big")
    if argument < 24 or (size > 1 and argument >> (4 * size) == 0):
        raise CborError(NOT_SHORTEST, position)
    return major, argument, end


def _head(major, argument):
    if argument < 24:
        return bytes([major << 5 | argument])
    size = 1
    information = 24
    while argument >> (8 * size):
        size *= 2
        information += 1
    return bytes([major << 5 | information]) + argument.to_bytes(size, "big")


def _encode_simple(item, offset):
    """Everything but lists and maps."""
    if item is False:
        return b"\xf4"
    if item is True:
        return b"\xf5"
    if item is None:
        return b"\xf6"
    if isinstance(item, int):
        if not -_ARGUMENT_LIMIT <= item < _ARGUMENT_LIMIT:
            raise CborError(RANGE, offset)
        return _head(_UNSIGNED, item) if item >= 0 else _head(_NEGATIVE, -1 - item)
    if isinstance(item, (bytes, bytearray)):
        return _head(_BYTES, len(item)) + item
    if isinstance(item, str):
        try:
            raw = item.encode()
        except UnicodeError:
            raise CborError(UTF8, offset)
        if not is_utf8(raw):
            raise CborError(UTF8, offset)
        return _head(_TEXT, len(raw)) + raw
    raise CborError(UNSUPPORTED, offset)


def _sorted_pairs(mapping, offset):
    """Pairs of encoded key and value, last first: a dict is in no order on MicroPython."""
    pairs = []
    for key in mapping:
        # CPython takes True for an integer.
        if key is True or key is False or not isinstance(key, (int, bytes, str)):
            raise CborError(KEY_TYPE, offset)
        pairs.append((_encode_simple(key, offset), mapping[key]))
    pairs.sort(key=_first, reverse=True)
    return pairs


def _first(pair):
    return pair[0]


def _text(raw, offset):
    # MicroPython would take surrogates and more for text.
    if not is_utf8(raw):
        raise CborError(UTF8, offset)
    return raw.decode()


def is_utf8(raw: bytes) -> bool:
    """Whether `raw` is well-formed UTF-8 (RFC 3629 section 4): neither overlong nor surrogates."""
    continuations = 0
    low = 0x80
    high = 0xBF
    for byte in raw:
        if continuations:
            if not low <= byte <= high:
                return False
            continuations -= 1
            low = 0x80
            high = 0xBF
        elif byte >= 0x80:
            if 0xC2 <= byte <= 0xDF:
                continuations = 1
            elif 0xE0 <= byte <= 0xEF:
                continuations = 2
            elif 0xF0 <= byte <= 0xF4:
                continuations = 3
            else:
                return False
            # The first continuation byte has a narrower range after these.
            if byte == 0xE0:
                low = 0xA0
            elif byte == 0xED:
                high = 0x9F
            elif byte == 0xF0:
                low = 0x90
            elif byte == 0xF4:
                high = 0x8F
    return continuations == 0
