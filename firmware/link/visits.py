"""Phones at the door: who may speak, in which order, and for how long; bytes in, bytes out.

Imports clock, crypto, store's identity and its siblings; the lock and the radio are handed in.

A visit is a connection. It begins without a key; a handshake (`edhoc`) or a step of an earlier
one (`ratchet`) gives it one; from then on it has frames (`session`) with requests (`requests`).

Invariants
- `received` only queues. `work` does one slice: at most `slices.SLICE` field multiplications, or
  one item of a frame. Those who were here before come first, then those who have a session - a
  new frame before those at work -, then one handshake at a time.
- What is kept for strangers is fixed: MOST_VISITS visits, each with at most one handshake.
- Whatever comes from outside ends at worst the visit that it came in.
"""

from ..crypto import cbor, cose, ecdh
from ..crypto.edhoc import HEADER_KID, EdhocError, Responder
from ..policy import reasons
from . import credential, session
from .carried import Carried
from .frames import MOST_MESSAGE
from .ratchet import ID_BYTES, SECRET_BYTES, Place, Places
from .requests import Desk, Requests
from .session import KEY_BYTES, KEYS_LABEL, RESUME_LABEL, SALT_BYTES, Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator

    from ..clock.ticks import Ticks
    from ..crypto.p256 import PublicKey
    from ..store.identity import Identity

MOST_VISITS = 4
MOST_WAITING = 2  # messages that a phone may be ahead
NONCE_LIFE_S = 10
GREETING_S = 15  # after so long without a session a visit ends
QUIET_S = 30  # after so long without a word, too
MOST_TRIES = 3  # handshakes and steps that fail, of one visit
MOST_HANDSHAKES = 8  # at once of those who do not belong; and then one each second

_KEY_ID_BYTES = 16  # of a thumbprint, by which grants are found


class _Visit:
    """One connection."""

    def __init__(self, link, second):
        self.link = link
        self.began_s = second
        self.heard_s = second
        self.nonce = b""
        self.nonce_s = 0
        self.waiting: "list[bytes]" = []
        self.tries = 0
        self.responder: "Responder | None" = None
        self.key: "PublicKey | None" = None  # that the handshake is about
        self.place: "Place | None" = None  # for the ratchet, once it turns out to belong
        self.session: "Session | None" = None
        self.requests: "Requests | None" = None
        self.steps: "Iterator[None] | None" = None  # of the frame at work


class Visits:
    """All visits. `send(link, message)` is False if the phone is gone; `drop(link)` ends it.

    `aes` is `cryptolib.aes`, `random(n)` returns n bytes, `ticks` is the lock's.
    """

    def __init__(
        self,
        lock: "Any",
        who: "Identity",
        aes: "Callable",
        random: "Callable[[int], bytes]",
        ticks: "Ticks",
        send: "Callable[[int, bytes], bool]",
        drop: "Callable[[int], None]",
    ) -> None:
        self._lock = lock
        self._aes = aes
        self._random = random
        self._ticks = ticks
        self._send = send
        self._drop = drop
        self._secret = credential.private_key(who.device_key)
        self.point = b""  # by which phones know the lock, 64 bytes once it is computed
        self._credential = b""
        self._kid = b""
        self._spare: "Any" = None  # the ephemeral key of the next handshake and its G_Y
        self._visits: "list[_Visit]" = []
        self._places = Places()
        self._desk = Desk(lock, ticks, random)
        self._first_issuer = who.issuer
        self._carries_for: "PublicKey | None" = None
        self._tokens = MOST_HANDSHAKES
        self._job: "Iterator[None] | None" = None  # the handshake, or what is made beforehand
        self._at_work: "_Visit | None" = None  # whose job it is

    # --- the radio's side -----------------------------------------------------------------------

    def opened(self, link: int) -> None:
        """A phone is there and listens."""
        self.closed(link)
        if len(self._visits) == MOST_VISITS:
            self._drop(link)
            return
        visit = _Visit(link, self._ticks.second)
        self._visits.append(visit)
        self._greet(visit)

    def received(self, link: int, message: bytes) -> None:
        """A whole message; it is looked at later."""
        visit = self._find(link)
        if visit is None:
            return
        visit.heard_s = self._ticks.second
        if message and len(visit.waiting) < MOST_WAITING:
            if len(message) + sum([len(other) for other in visit.waiting]) <= MOST_MESSAGE:
                visit.waiting.append(message)
                return
        self._end(visit)

    def closed(self, link: int) -> None:
        """The phone is gone."""
        visit = self._find(link)
        if visit is not None:
            self._forget(visit)

    def tick(self) -> None:
        """Once a second: who took too long, and how many handshakes there may be."""
        second = self._ticks.second
        for visit in list(self._visits):
            if visit.session is None:
                late = second - visit.began_s >= GREETING_S
            else:
                late = second - visit.heard_s >= QUIET_S
            if late:
                self._end(visit)
        self._tokens = min(self._tokens + 1, MOST_HANDSHAKES)

    def _find(self, link):
        for visit in self._visits:
            if visit.link == link:
                return visit
        return None

    def _forget(self, visit):
        self._visits.remove(visit)
        if self._at_work is visit:
            self._at_work = self._job = None

    def _end(self, visit):
        self._forget(visit)
        self._drop(visit.link)

    def _say(self, visit, kind, content=b""):
        if not self._send(visit.link, bytes([kind]) + content):
            self._end(visit)

    # --- one slice ------------------------------------------------------------------------------

    def work(self) -> bool:
        """Do one piece; False if there was none. Raises OSError if the flash is broken."""
        return (
            self._work_on(session.RESUME)
            or self._work_on_frames()
            or self._work_on_handshakes()
            or self._places.refill()
        )

    def _work_on(self, kind):
        for visit in self._visits:
            if self._next_kind(visit) == kind:
                self._take(visit)
                return True
        return False

    def _next_kind(self, visit):
        """Of the message whose turn it is, 0 for none or while another is at work."""
        if not visit.waiting or visit.steps is not None or visit is self._at_work:
            return 0
        return visit.waiting[0][0]

    def _work_on_frames(self):
        # What is new first: its first item may open, and what is at work takes long.
        for visit in self._visits:
            if self._next_kind(visit) not in (0, session.MESSAGE_1, session.MESSAGE_3):
                self._take(visit)
                return True
        for visit in self._visits:
            if visit.steps is not None:
                self._serve(visit)
                return True
        return False

    def _work_on_handshakes(self):
        if self._job is not None:
            self._step(self._job)
            return True
        # Who is half-way through goes first: a handshake that waits keeps memory.
        if self._work_on(session.MESSAGE_3):
            return True
        if self._tokens > 0 and self._work_on(session.MESSAGE_1):
            return True
        if self._spare is None or self._issuer() is not self._carries_for:
            self._job = self._prepare()
            return True
        return False

    def _take(self, visit):
        message = visit.waiting.pop(0)
        kind = message[0]
        content = message[1:]
        if visit.session is not None:
            plaintext = visit.session.open(content) if kind == session.FRAME else None
            if plaintext is None:
                self._end(visit)
            else:
                self._begin(visit, plaintext)
        elif kind == session.RESUME:
            self._resume(visit, content)
        elif kind == session.GREET:
            self._greet(visit)
        elif kind == session.MESSAGE_1:
            self._tokens -= 1
            # Whoever comes again comes last.
            self._visits.remove(visit)
            self._visits.append(visit)
            self._at_work = visit
            self._job = self._meet(visit, content)
        elif kind == session.MESSAGE_3:
            self._at_work = visit
            self._job = self._recognise(visit, content)
        elif kind == session.ERROR:
            self._failed(visit)
        elif kind == session.FRAME and visit.tries:
            pass  # said before the phone heard that its handshake failed
        else:
            self._end(visit)

    def _greet(self, visit):
        visit.nonce = self._random(SALT_BYTES)
        visit.nonce_s = self._ticks.second
        self._say(visit, session.GREETING, visit.nonce)

    def _failed(self, visit):
        """Another handshake or step came to nothing."""
        visit.responder = None
        visit.tries += 1
        if visit.tries == MOST_TRIES:
            self._end(visit)

    # --- handshakes -----------------------------------------------------------------------------

    def _step(self, job):
        visit = self._at_work
        try:
            next(job)
        except StopIteration:
            self._at_work = self._job = None
        except EdhocError as error:
            self._at_work = self._job = None
            self._lock.strangers.note(reasons.KEY_UNPROVEN)
            self._say(visit, session.ERROR, error.message())
            if visit in self._visits:
                self._failed(visit)

    def _prepare(self):
        """The lock's own credential, once, and the ephemeral key of the next handshake."""
        if not self._credential:
            self.point = yield from ecdh.public(self._secret, self._random)
            key = credential.key_of_point(self.point)
            self._kid = cose.key_id(key)
            self._credential = cbor.encode(credential.claims(key))
        if self._spare is None:
            scalar = ecdh.scalar_of(self._random(ecdh.SEED_BYTES))
            point = yield from ecdh.public(scalar, self._random)
            self._spare = (scalar, point[:32])
        issuer = self._issuer()
        if issuer is not self._carries_for:
            scalar = ecdh.scalar_of(self._random(ecdh.SEED_BYTES))
            point = issuer.x + issuer.y
            _, shared = yield from ecdh.pair(scalar, self._secret, point, self._random)
            self._desk.carry = Carried(self._aes, shared).seal
            self._carries_for = issuer

    def _issuer(self):
        """Who reads the log; the one before, while nobody knows."""
        root = self._lock.root
        return (root.issuer if root else self._first_issuer) or self._carries_for

    def _meet(self, visit, message_1):
        yield from self._prepare()
        visit.responder = Responder(
            self._aes, self._credential, self._kid, self._secret, self._spare, self._random
        )
        self._spare = None
        message_2 = yield from visit.responder.take_1(message_1)
        self._say(visit, session.MESSAGE_2, message_2)

    def _recognise(self, visit, message_3):
        if visit.responder is None:
            raise EdhocError

        def authenticate(id_cred):
            found = self._credential_of(id_cred)
            if found is None:
                return None
            visit.key = found[1]
            return found[0], found[1].x + found[1].y

        yield from visit.responder.take_3(message_3, authenticate)
        export = visit.responder.export
        keys = export(KEYS_LABEL, KEY_BYTES + SALT_BYTES)
        visit.session = Session(self._aes, keys[:KEY_BYTES], keys[KEY_BYTES:], True)
        key = cose.thumbprint(visit.key)[:_KEY_ID_BYTES]
        visit.requests = Requests(self._desk, key)
        point = visit.key.x + visit.key.y
        visit.place = Place(key, point, export(RESUME_LABEL, SECRET_BYTES))
        message_4 = visit.responder.message_4()
        visit.responder = None
        self._say(visit, session.MESSAGE_4, message_4)

    def _credential_of(self, id_cred):
        """Credential and key by value, or by the id of a key that was here before."""
        if list(id_cred) != [HEADER_KID]:
            return credential.by_value(id_cred)
        point = self._places.point_of(id_cred[HEADER_KID])
        if point is None:
            return None
        key = credential.key_of_point(point)
        return cbor.encode(credential.claims(key)), key

    # --- those who were here before -------------------------------------------------------------

    def _resume(self, visit, content):
        found = self._places.find(content[:ID_BYTES])
        if found is None:
            self._say(visit, session.START_OVER)
            return
        if self._ticks.second - visit.nonce_s > NONCE_LIFE_S:
            self._greet(visit)
            return
        place, ahead = found
        one = Session(self._aes, place.steps[ahead][1], visit.nonce, True)
        plaintext = one.open(content[ID_BYTES:])
        if plaintext is None:
            self._lock.strangers.note(reasons.KEY_UNPROVEN)
            self._say(visit, session.START_OVER)
            if visit in self._visits:
                self._failed(visit)
            return
        self._places.used(place, ahead)
        visit.session = one
        visit.requests = Requests(self._desk, place.key)
        self._begin(visit, plaintext)

    # --- frames ---------------------------------------------------------------------------------

    def _begin(self, visit, plaintext):
        visit.steps = visit.requests.serve(plaintext)
        self._serve(visit)

    def _serve(self, visit):
        """One slice of the frame at work; the answer after the last one."""
        try:
            next(visit.steps)
        except StopIteration:
            visit.steps = None
            self._answer(visit)
        except ValueError:
            self._end(visit)
        except OSError:
            self._end(visit)
            raise

    def _answer(self, visit):
        requests = visit.requests
        if requests.belongs is False:
            self._places.forget(requests.key)
        elif requests.belongs and visit.place is not None:
            self._places.keep(visit.place)
            visit.place = None
            self._tokens = min(self._tokens + 1, MOST_HANDSHAKES)
        self._say(visit, session.FRAME, visit.session.seal(bytes(requests.answer)))
