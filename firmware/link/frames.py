"""Messages in pieces that fit a write or a notification of GATT; docs/protocol.md has the bytes.

Imports nothing; lock and phone use it. A piece tells its own length, because NimBLE may hand over
several writes as one. Pieces of a direction are numbered over the whole connection, so that one
that is lost, repeated or out of order is noticed; then there is nothing to do but to end it.
"""

MOST_MESSAGE = 6400  # bytes: a batch, sealed; no more waits in one visit
_MOST_PIECE = 244  # one link-layer packet of 251 bytes, without L2CAP's 4 and ATT's 3
_HEAD = 2
_LENGTH = 2
_FIRST = 0x80
_NUMBER = 0x7F

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator


class FrameError(Exception):
    """What came is no piece, or not the next one."""


class Cutter:
    """Cuts the messages of one direction of a connection."""

    def __init__(self) -> None:
        self._number = 0

    def empty(self) -> bytes:
        """A piece of no message."""
        piece = bytes((self._number, 0))
        self._number = (self._number + 1) & _NUMBER
        return piece

    def cut(self, message: bytes, most: int) -> "Iterator[bytes]":
        """The pieces of a message, each of at most so many bytes (20 and above).

        The next message is to be cut when this one is.
        """
        room = min(most, _MOST_PIECE) - _HEAD
        content = len(message).to_bytes(_LENGTH, "big") + message
        for at in range(0, len(content), room):
            part = content[at : at + room]
            yield bytes((self._number | (0 if at else _FIRST), len(part))) + part
            self._number = (self._number + 1) & _NUMBER


class Joiner:
    """Joins the pieces of one direction of a connection."""

    def __init__(self) -> None:
        self._number = 0
        self._left = 0  # bytes of the message that has begun
        self._message = bytearray()

    def begun(self) -> int:
        """The bytes of the message that is under way, 0 if there is none."""
        return self._left + len(self._message)

    def join(self, data: bytes, most: int = MOST_MESSAGE) -> "list[bytes]":
        """The messages that one or more pieces complete; none may have more than `most` bytes.

        Raises FrameError.
        """
        done = []
        at = 0
        while at < len(data):
            start = at + _HEAD
            end = start + data[at + 1] if start <= len(data) else 0
            if not start <= end <= len(data) or data[at] & _NUMBER != self._number:
                raise FrameError
            self._number = (self._number + 1) & _NUMBER
            if data[at] & _FIRST:
                start += _LENGTH
                self._begin(data[at + _HEAD : start], end - start, most)
            self._left -= end - start
            if self._left < 0 or (self._left and start == end):
                raise FrameError
            self._message += data[start:end]
            if self._message and not self._left:
                done.append(bytes(self._message))
                self._message = bytearray()
            at = end
        return done

    def _begin(self, length, there, most):
        if self._left or there <= 0:
            raise FrameError
        self._left = int.from_bytes(length, "big")
        if not self._left or self._left > most:
            raise FrameError
