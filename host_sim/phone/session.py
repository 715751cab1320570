"""A phone's side of a visit: messages of the lock in, messages to the lock out.

Imports the firmware's crypto and link, and its siblings; runs on MicroPython, too. Nothing here
waits or sends. The phone says nothing that the lock did not earn: its identity and what it wants
go out only after the lock proved its key, or sealed for the lock.
"""

from firmware.crypto import ecdh, edhoc
from firmware.crypto.edhoc import EdhocError
from firmware.crypto.slices import finish
from firmware.link import requests, session
from firmware.link.ratchet import SECRET_BYTES, Ratchet
from firmware.link.session import KEY_BYTES, SALT_BYTES, Session
from firmware.link.visits import MOST_MESSAGE

from .edhoc import Initiator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .wallet import KnownLock, Wallet

    Item = tuple[int, bytes]

MOST_FRAME = MOST_MESSAGE - 240  # of plaintext: message 3 may wait beside it


class Failed(Exception):
    """The lock said something that it cannot say, or is not the lock."""


class Verdict:
    """The answer to ACT or EXPLAIN: `reason`, None for a stranger; `next_s` in Unix seconds."""

    def __init__(self, content: bytes) -> None:
        self.reason = content[0] if content else None
        self.next_s = int.from_bytes(content[1:], "big") if len(content) > 1 else None


class Visit:
    """One connection of a phone with a lock that it knows.

    `answers` are (what, content) of all items answered so far, `left` how many are not.
    """

    def __init__(
        self,
        wallet: "Wallet",
        lock: "KnownLock",
        aes: "Callable",
        random: "Callable[[int], bytes]",
        by_kid: bool = False,
    ) -> None:
        self._wallet = wallet
        self._lock = lock
        self._aes = aes
        self._random = random
        self._by_kid = by_kid
        self._initiator: "Initiator | None" = None
        self._session: "Session | None" = None
        self._items: "list[Item]" = []  # that no frame has yet
        self._sent = 0  # items of the frame that is under way
        self._frame = b""
        self.answers: "list[Item]" = []
        self.handshakes = 0

    @property
    def left(self) -> int:
        """Items without an answer."""
        return self._sent + len(self._items)

    def ask(self, items: "list[Item]") -> "list[bytes]":
        """Ask for these, as soon as it can be; what to send now."""
        self._items += items
        if self._session is None or self._sent:
            return []
        return self._next(self._session)

    def received(self, message: bytes) -> "list[bytes]":
        """What to send in answer to a message. Raises Failed when the visit is over."""
        if not message:
            raise Failed("nothing")
        kind, content = message[0], message[1:]
        try:
            if kind == session.GREETING and self._session_is_new():
                return self._greeted(content)
            if kind == session.START_OVER and self._session_is_new():
                self._lock.ratchet = None
                return self._begin()
            if kind == session.MESSAGE_2 and self._initiator:
                return self._proved(self._initiator, content)
            if kind == session.MESSAGE_4 and self._initiator:
                self._initiator.take_4(content)
                secret = self._initiator.export(session.RESUME_LABEL, SECRET_BYTES)
                self._lock.ratchet = Ratchet(secret)
                self._initiator = None
                return []
            if kind == session.ERROR and self._initiator:
                return self._refused(edhoc.read_error(content))
            if kind == session.FRAME and self._session and self._initiator is None:
                return self._answered(self._session, content)
        except EdhocError as error:
            raise Failed("the handshake: %d" % error.code)
        raise Failed("message %d out of turn" % kind)

    def _session_is_new(self):
        """Whether the lock may still ask for another beginning."""
        return self._initiator is None and not self.answers

    # --- how it begins --------------------------------------------------------------------------

    def _greeted(self, nonce):
        if len(nonce) != SALT_BYTES:
            raise Failed("a greeting of another size")
        if self._lock.ratchet is None:
            return self._begin()
        step, key = self._lock.ratchet.step()
        self._session = Session(self._aes, key, nonce, False)
        return [bytes([session.RESUME]) + step + self._session.seal(self._pack())]

    def _begin(self):
        self._session = None
        self.handshakes += 1
        scalar = ecdh.scalar_of(self._random(ecdh.SEED_BYTES))
        point = finish(ecdh.public(scalar, self._random))
        self._initiator = Initiator(self._aes, (scalar, point[:32]), self._random)
        return [bytes([session.MESSAGE_1]) + self._initiator.message_1()]

    def _proved(self, initiator, message_2):
        """The lock did; now the phone does, and says what it wants."""
        wallet = self._wallet
        message_3 = finish(
            initiator.take_2(
                message_2,
                self._lock.authenticate,
                wallet.scalar,
                wallet.by_kid if self._by_kid else wallet.by_value,
                wallet.credential,
            )
        )
        keys = initiator.export(session.KEYS_LABEL, KEY_BYTES + SALT_BYTES)
        self._session = Session(self._aes, keys[:KEY_BYTES], keys[KEY_BYTES:], False)
        return [bytes([session.MESSAGE_3]) + message_3] + self._next(self._session)

    def _refused(self, error):
        if error.code == edhoc.UNKNOWN_CREDENTIAL and self._by_kid:
            self._by_kid = False
            return self._begin()
        raise error

    # --- frames ---------------------------------------------------------------------------------

    def _pack(self):
        """The frame that is under way, or a new one of as many items as fit."""
        if not self._sent:
            frame = b""
            while self._items:
                what, content = self._items[0]
                item = bytes([what]) + len(content).to_bytes(2, "big") + content
                if len(frame) + len(item) > MOST_FRAME:
                    break
                frame += item
                self._items.pop(0)
                self._sent += 1
            self._frame = frame
        return self._frame

    def _next(self, one: Session) -> "list[bytes]":
        return [bytes([session.FRAME]) + one.seal(self._pack())] if self.left else []

    def _answered(self, one: Session, frame: bytes) -> "list[bytes]":
        answer = one.open(frame)
        if answer is None:
            raise Failed("a frame that does not open")
        at = 0
        while at < len(answer):
            end = at + requests.HEAD + int.from_bytes(answer[at + 1 : at + 3], "big")
            self.answers.append((answer[at], answer[at + requests.HEAD : end]))
            at = end
            self._sent -= 1
        if self._sent:
            raise Failed("an answer for something else")
        return self._next(one)
