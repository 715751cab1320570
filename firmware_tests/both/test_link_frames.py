"""Frames: any message through any size of piece, and nothing else."""

from firmware.link.beacon import advertisement, answer, beacon, is_of
from firmware.link.frames import MOST_MESSAGE, Cutter, FrameError, Joiner
from firmware_tests import soak
from firmware_tests.both.check import equal, raises, true

PARTS = {"test_mutated_pieces_raise_nothing_else_and_never_make_a_longer_message": 50}


def test_the_bytes_of_a_message_in_two_pieces():
    cutter = Cutter()
    equal(
        [bytes(piece) for piece in cutter.cut(b"abcdefghijklmnopqrst", 20)],
        [b"\x80\x12\x00\x14abcdefghijklmnop", b"\x01\x04qrst"],
    )
    equal(list(cutter.cut(b"u", 20)), [b"\x82\x03\x00\x01u"])


def test_messages_of_any_length_pass_through_pieces_of_any_size():
    cutter, joiner = Cutter(), Joiner()
    random = soak.Random(soak.seed())
    for most in (20, 21, 100, 244, 509):
        for length in (1, 15, 16, 17, 18, 240, 241, 1000, MOST_MESSAGE):
            message = random.bytes(length)
            pieces = list(cutter.cut(message, most))
            true(all(len(piece) <= min(most, 244) for piece in pieces), (most, length))
            for piece in pieces[:-1]:
                equal(joiner.join(piece), [])
            equal(joiner.join(pieces[-1]), [message])


def test_pieces_that_came_as_one_are_told_apart():
    cutter, joiner = Cutter(), Joiner()
    pieces = list(cutter.cut(b"first message, long enough", 20))
    pieces += list(cutter.cut(b"second", 20))
    equal(joiner.join(b"".join(pieces)), [b"first message, long enough", b"second"])


def _joined():
    """A message's pieces, and who has had all but the last two."""
    pieces = list(Cutter().cut(bytes(range(64)), 20))
    joiner = Joiner()
    for piece in pieces[:-2]:
        joiner.join(piece)
    return pieces, joiner


def test_a_piece_lost_repeated_or_out_of_order_is_an_error():
    for wrong in (-1, -3, 0):
        pieces, joiner = _joined()
        raises(FrameError, joiner.join, pieces[wrong])
    pieces, joiner = _joined()
    equal(joiner.join(pieces[-2]), [])
    equal(joiner.join(pieces[-1]), [bytes(range(64))])


def test_what_is_no_piece_is_an_error():
    first = b"\x80\x03\x00\x01a"
    equal(Joiner().join(first), [b"a"])
    for wrong in (
        b"\x80",  # no length
        b"\x80\x00",  # of a message without a length
        b"\x80\x04\x00\x01a",  # less than it says
        b"\x80\x02\x00\x00",  # an empty message
        b"\x80\x02\x00\x01",  # nothing of the message
        b"\x80\x01\x00",  # half of a length
        b"\x80\x04\x00\x01ab",  # more than the message has
        b"\x00\x01a",  # of no message
        first + b"\x81",
        first + b"\x01\x01a",
    ):
        raises(FrameError, Joiner().join, wrong)


def test_a_piece_of_no_message_is_counted_and_one_in_a_message_is_an_error():
    cutter, joiner = Cutter(), Joiner()
    equal(cutter.empty(), b"\x00\x00")
    equal(joiner.join(b"\x00\x00"), [])
    equal(joiner.join(next(cutter.cut(b"a", 20))), [b"a"])
    pieces, joiner = _joined()
    raises(FrameError, joiner.join, bytes((len(pieces) - 2, 0)))


def test_a_message_that_begins_within_another_is_an_error():
    joiner = Joiner()
    equal(joiner.join(b"\x80\x03\x00\x02a"), [])
    raises(FrameError, joiner.join, b"\x81\x03\x00\x01b")


def test_a_message_longer_than_allowed_is_refused_when_it_begins():
    (piece,) = Cutter().cut(b"abc", 20)
    equal(Joiner().join(piece, 3), [b"abc"])
    raises(FrameError, Joiner().join, piece, 2)
    raises(FrameError, Joiner().join, next(Cutter().cut(bytes(MOST_MESSAGE + 1), 20)))


def test_mutated_pieces_raise_nothing_else_and_never_make_a_longer_message():
    random = soak.Random(soak.seed())
    for _ in range(soak.count(1_000_000, 10_000)):
        joiner = Joiner()
        pieces = list(Cutter().cut(bytes(random.below(60) + 1), 20))
        try:
            for piece in pieces:
                data = bytearray(piece)
                data[random.below(len(data))] = random.below(256)
                if not random.below(4):
                    data = data[random.below(len(data)) :]
                for message in joiner.join(bytes(data), 64):
                    true(1 <= len(message) <= 64, message)
        except FrameError:
            pass


def test_an_advertisement_names_the_lock_to_those_who_know_its_id():
    service = bytes(range(16))
    said = advertisement(service)
    more = answer(service, b"front-door", b"abc")
    equal((len(said), len(more)), (21, 31))
    equal(said, b"\x02\x01\x06\x11\x07" + service)
    data = more[18:25]
    equal(data, b"abc" + beacon(b"front-door", b"abc")[3:])
    true(is_of(b"front-door", data))
    for other in (b"back-door", b"", b"front-doo"):
        true(not is_of(other, data), other)
    for wrong in (b"", data[:-1], data + b"x", b"abd" + data[3:]):
        true(not is_of(b"front-door", wrong), wrong)
    true(b"front" not in said + more)
