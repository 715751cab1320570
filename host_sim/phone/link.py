"""A connection of a phone to a lock, whatever carries it: messages in pieces, both ways.

Imports of the firmware what both sides share. Nothing here knows what a message says.
"""

import asyncio

from firmware.link.frames import Cutter, FrameError, Joiner

_BRAKE = 8  # every so many pieces one waits until the lock has it


class RadioError(Exception):
    """Bluetooth does not do what it should; the message is for people."""


class NoBluetooth(RadioError):
    """This computer has no Bluetooth that could be used."""


class NoLock(RadioError):
    """No lock was heard, or not the one that was looked for."""


class Gone(RadioError):
    """The connection is over, or the lock says nothing any more."""


class Link:
    """Whoever connects calls `begin` first, then `came` and `ended`, and has a `write`.

    `most` is what a piece may have. `gone` is set when the connection is over.
    """

    most = 0
    gone = False

    def begin(self) -> None:
        """There is a connection, which nothing was said on."""
        self._cutter = Cutter()
        self._joiner = Joiner()
        self._messages: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.gone = False

    async def write(self, piece: bytes, waits: bool = False) -> None:
        """Write a piece, and wait until the lock has it, or not. Raises RadioError."""
        raise NotImplementedError

    async def send_nothing(self) -> None:
        """Send an empty piece: the lock cannot see who listens."""
        await self.write(self._cutter.empty())

    async def send(self, message: bytes) -> None:
        """Send a message. Raises RadioError."""
        for number, piece in enumerate(self._cutter.cut(message, self.most), 1):
            await self.write(piece, number % _BRAKE == 0)

    async def receive(self, seconds: float) -> bytes:
        """The next message. Raises Gone if there is none within so many seconds."""
        if self.gone and self._messages.empty():
            raise Gone("the lock ended the connection")
        try:
            message = await asyncio.wait_for(self._messages.get(), seconds)
        except TimeoutError:
            raise Gone("the lock does not answer") from None
        if message is None:
            raise Gone("the lock ended the connection")
        return message

    def came(self, piece: bytes) -> None:
        """The lock said a piece."""
        try:
            for message in self._joiner.join(piece):
                self._messages.put_nowait(message)
        except FrameError:
            self.ended()

    def ended(self) -> None:
        """The connection is over."""
        self.gone = True
        self._messages.put_nowait(None)
