"""Whole visits: the firmware on MicroPython, stock bleak, and a radio in between."""

import asyncio
import contextlib
import os
import time

import pytest

from firmware.crypto import ecdh
from firmware.crypto.slices import finish
from firmware.link import requests, session
from firmware.link.carried import Carried
from firmware.link.credential import key_of_point
from firmware.link.gatt import SILENCE_S
from firmware.policy import reasons
from firmware.policy.grant import UNLOCK, Grant
from firmware.policy.instant import from_unix
from firmware.policy.schedule import Rule
from firmware.store.export import HEAD_BYTES, read_head
from firmware_tests.board import ISSUER, Board
from firmware_tests.e2e.given import DESK
from firmware_tests.radio.conftest import ADAPTERS, SMALL
from host_sim.cloud.issuer import issue, sign
from host_sim.cloud.issuer import time as statement_of_time
from host_sim.phone.ble import Door, find
from host_sim.phone.link import Gone, RadioError
from host_sim.phone.session import Failed, Verdict, Visit
from host_sim.phone.visit import hold
from host_sim.phone.wallet import Wallet
from host_sim.shims.cryptolib import aes
from tools import libraries

LOCK = "front-door"
OPEN = (requests.ACT, bytes([UNLOCK]))


class Phone:
    """A phone that knows the board's key."""

    def __init__(self, board, adapter=ADAPTERS[0]):
        scalar = ecdh.scalar_of(os.urandom(ecdh.SEED_BYTES))
        self.wallet = Wallet(scalar, finish(ecdh.public(scalar, os.urandom)))
        self.known = self.wallet.know(LOCK, bytes.fromhex(board.key))
        self.adapter = adapter
        self.handshakes = 0

    @property
    def public(self):
        return key_of_point(self.wallet.point)

    def grant(self, share=b"share-1", **terms):
        """A grant for this phone, signed."""
        made = Grant(share, LOCK.encode(), b"")
        made.version = 1
        made.issued = from_unix(int(time.time()) - 100)
        for name, value in terms.items():
            setattr(made, name, value)
        return (requests.PUT, issue(made, self.public, ISSUER))

    async def come(self, *items, make=Door):
        """A visit; the answers to these items."""
        return await self.visit(
            lambda door, visit: hold(door, visit, list(items), lambda: None), make
        )

    async def visit(self, talk, make=Door):
        """A visit that is what `talk(door, visit)` makes of it."""
        async with make(await find(LOCK.encode(), adapter=self.adapter), self.adapter) as door:
            visit = Visit(self.wallet, self.known, aes, os.urandom)
            answers = await talk(door, visit)
            self.handshakes = visit.handshakes
            return answers


@pytest.fixture
def board(radio, tmp_path):
    libraries.fetch_all()
    made = Board("micropython", tmp_path)
    made.provision()
    made.on(DESK)
    yield made
    made.off()


def verdict(answer):
    what, content = answer
    assert what == requests.ACT
    return Verdict(content)


def opened(board):
    """How often the strike got current since the last look."""
    return board.happened().count("pin 26 1")


@pytest.mark.parametrize("runtime", ["cpython", "micropython"])
def test_a_first_visit_brings_the_grant_and_the_next_needs_no_handshake(run, tmp_path, runtime):
    board = Board(runtime, tmp_path)
    board.provision()
    board.on()
    try:
        phone = Phone(board)
        (put, act) = run(phone.come(phone.grant(), OPEN))
        assert (put, verdict(act).reason) == ((requests.PUT, b"\x00"), reasons.ALLOWED)
        assert phone.handshakes == 1 and opened(board) == 1
        for _ in range(2):
            (act,) = run(phone.come(OPEN))
            assert verdict(act).reason == reasons.ALLOWED
            assert phone.handshakes == 0
        assert opened(board) <= 2  # none, if the pulse lasts until the next visit
    finally:
        board.off()


def test_a_lock_that_lost_its_power_asks_for_another_handshake(run, board):
    phone = Phone(board)
    run(phone.come(phone.grant(), OPEN))
    board.off()
    board.on()
    (act,) = run(phone.come(OPEN))
    assert verdict(act).reason == reasons.ALLOWED and phone.handshakes == 1


def signed_time(nonce):
    return sign(statement_of_time(LOCK.encode(), from_unix(int(time.time())), nonce), ISSUER)


def test_a_denied_guest_learns_why_and_when_and_a_stranger_nothing(run, board):
    guest, stranger = Phone(board), Phone(board, ADAPTERS[1])
    nonce = bytes.fromhex(board.ask("nonce")["nonce"])
    assert board.ask("statement", token=signed_time(nonce).hex())["reason"] == reasons.TIME_SET
    tomorrow = int(time.time()) + 86_400
    (_, act) = run(guest.come(guest.grant(start=from_unix(tomorrow)), OPEN))
    assert verdict(act).reason == reasons.TOO_EARLY
    # The error of the clock comes on top.
    assert tomorrow <= verdict(act).next_s <= tomorrow + 600
    (act,) = run(stranger.come(OPEN))
    assert act[1] == b"" and verdict(act).reason is None
    assert opened(board) == 0


def test_a_stranger_carries_grants_and_the_time_to_a_lock_without_network(run, board):
    courier, guest = Phone(board), Phone(board, ADAPTERS[1])
    rules = [Rule()]

    async def carry(door, visit):
        ((_, nonce),) = await hold(door, visit, [(requests.NONCE, b"")], lambda: None)
        brought = [(requests.PUT, signed_time(nonce)), guest.grant(rules=rules)]
        return await hold(door, visit, [*brought, (requests.CARRY, b"")], lambda: None)

    (clock, put, (_, sealed)) = run(courier.visit(carry))
    assert (clock[1][0], put[1][0]) == (reasons.TIME_SET, reasons.ALLOWED)
    (act,) = run(guest.come(OPEN))
    assert verdict(act).reason == reasons.ALLOWED and opened(board) == 1

    shared = ISSUER.agree(key_of_point(courier.known.point))
    export = Carried(aes, shared).open(sealed)
    assert export is not None
    after, _ = read_head(export[:HEAD_BYTES])
    assert after == 0 and len(export) > HEAD_BYTES
    assert courier.wallet.point not in sealed and b"SLOG" not in sealed


def test_two_phones_at_once_and_one_that_was_there_before(run, board):
    known, first, second = (Phone(board, adapter) for adapter in ADAPTERS)
    run(known.come(known.grant(b"0"), OPEN))
    board.happened()

    async def all_at_once():
        return await asyncio.gather(
            first.come(first.grant(b"1"), OPEN),
            second.come(second.grant(b"2"), OPEN),
            known.come(OPEN),
        )

    for answers in run(all_at_once()):
        assert verdict(answers[-1]).reason == reasons.ALLOWED
    assert (first.handshakes, second.handshakes, known.handshakes) == (1, 1, 0)


def test_all_of_it_fits_through_the_smallest_mtu(run, board):
    phone = Phone(board, SMALL)
    batch = (requests.PUT, bytes(6000))
    (put, junk, act) = run(phone.come(phone.grant(), batch, OPEN))
    assert (put[1], junk[1]) == (b"\x00", bytes([reasons.MALFORMED]))
    assert verdict(act).reason == reasons.ALLOWED
    (act,) = run(phone.come(OPEN))
    assert verdict(act).reason == reasons.ALLOWED and phone.handshakes == 0


def test_a_lock_looks_like_another_one_after_a_while(run, board):
    phone = Phone(board)
    run(phone.come(phone.grant(), OPEN))
    before = run(find(LOCK.encode())).address
    assert run(find(LOCK.encode())).address == before
    for _ in range(8):
        board.ask("later", s=120)
    assert run(find(LOCK.encode())).address != before
    (act,) = run(phone.come(OPEN))
    assert verdict(act).reason == reasons.ALLOWED and phone.handshakes == 0


# --- centrals that take their time ---------------------------------------------------------------


class Slow(Door):
    """A door to which each piece takes a while."""

    async def write(self, piece, waits=False):
        await asyncio.sleep(0.1)
        await super().write(piece, waits)


def test_a_slow_central_keeps_nobody_waiting(run, board):
    known, slow = Phone(board), Phone(board, SMALL)
    run(known.come(known.grant(b"0"), OPEN))

    async def both():
        coming = asyncio.create_task(slow.come(slow.grant(b"1"), OPEN, make=Slow))
        await asyncio.sleep(1)
        (act,) = await known.come(OPEN)
        assert verdict(act).reason == reasons.ALLOWED and not coming.done()
        return await coming

    (_, act) = run(both())
    assert verdict(act).reason == reasons.ALLOWED


def test_silent_centrals_keep_nobody_out_and_are_let_go(run, board):
    phone = Phone(board, SMALL)

    async def all_places():
        async with contextlib.AsyncExitStack() as stack:
            silent = [Door(await find(LOCK.encode(), adapter=one), one) for one in ADAPTERS]
            for door in silent:
                await stack.enter_async_context(door)
            (_, act) = await phone.come(phone.grant(), OPEN)
            assert verdict(act).reason == reasons.ALLOWED
            assert [door.gone for door in silent].count(True) == 1  # who was silent longest
            board.ask("later", s=SILENCE_S)
            async with asyncio.timeout(20):
                while not all(door.gone for door in silent):
                    await asyncio.sleep(0.1)

    run(all_places())


# --- what goes wrong on the way ------------------------------------------------------------------


class Cut(Door):
    """A door that is out of reach after so many pieces, in either direction."""

    left = 0

    def _spend(self):
        self.left -= 1
        if self.left < 0:
            raise Gone("out of reach")

    async def write(self, piece, waits=False):
        self._spend()
        await super().write(piece, waits)

    def _came(self, characteristic, piece):
        self.left -= 1
        if self.left < 0:
            self._disconnected(self._client)
        else:
            super()._came(characteristic, piece)


def cut_after(pieces):
    def make(*device):
        door = Cut(*device)
        door.left = pieces
        return door

    return make


async def cut_everywhere(phone, board, *items):
    """Visits that end after each piece, until one comes to its end; what the lock did in each."""
    done: list[int] = []
    while True:
        try:
            answers = await phone.come(*items, make=cut_after(len(done)))
        except RadioError:
            done.append(opened(board))
            assert len(done) < 60
        else:
            assert verdict(answers[-1]).reason == reasons.ALLOWED
            return done


def test_a_first_visit_that_ends_after_any_piece_leaves_nothing_behind(run, board):
    phone = Phone(board, SMALL)

    async def every_time_anew():
        board.happened()
        done = await cut_everywhere(phone, board, phone.grant(), OPEN)
        assert phone.handshakes in (0, 1)
        return done

    done = run(every_time_anew(), 200)
    # Only when all of the request has come may the bolt move, whether the answer arrives or not.
    assert len(done) > 25 and set(done[:20]) == {0} and set(done[20:]) <= {0, 1}


def test_a_resumed_visit_that_ends_after_any_piece_leaves_nothing_behind(run, board):
    phone = Phone(board, SMALL)
    run(phone.come(phone.grant(), OPEN))
    board.happened()
    done = run(cut_everywhere(phone, board, OPEN), 100)
    assert len(done) >= 4 and done[0] == 0


class Recorded(Door):
    """A door at which somebody writes down all that the phone says."""

    def __init__(self, *device):
        super().__init__(*device)
        self.said = []

    async def send(self, message):
        self.said.append(message)
        await super().send(message)


async def say(messages):
    """Somebody with a radio says these messages; how the lock answers."""
    heard = []
    async with Door(await find(LOCK.encode())) as door:
        heard.append(await door.receive(10))
        try:
            for message in messages:
                await door.send(message)
            while True:
                heard.append(await door.receive(1))
        except Gone:
            return heard


def test_what_was_recorded_opens_nothing(run, board):
    phone = Phone(board)
    doors = []

    def recorded(*device):
        doors.append(Recorded(*device))
        return doors[-1]

    run(phone.come(phone.grant(), OPEN, make=recorded))
    run(phone.come(OPEN, make=recorded))
    first, again = (door.said for door in doors)
    assert [each[0] for each in first + again] == [
        session.MESSAGE_1, session.MESSAGE_3, session.FRAME, session.RESUME,
    ]  # fmt: skip
    assert opened(board) in (1, 2)  # one pulse, if it lasts until the next visit
    for messages in (first, again, *([each] for each in first + again)):
        kinds = {each[0] for each in run(say(messages))}
        assert kinds <= {session.GREETING, session.MESSAGE_2, session.START_OVER, session.ERROR}
    time.sleep(3)
    assert opened(board) == 0
    (act,) = run(phone.come(OPEN))
    assert verdict(act).reason == reasons.ALLOWED and phone.handshakes == 0


class Swapped(Door):
    """A door to which the last two pieces of each message come the wrong way round."""

    async def send(self, message):
        *pieces, one, other = self._cutter.cut(message, self.most)
        for piece in (*pieces, other, one):
            await self.write(piece)


class Late(Door):
    """A door to which the first of two messages comes last."""

    held = b""

    async def send(self, message):
        if message[0] == session.MESSAGE_3:
            self.held = message
            return
        await super().send(message)
        if self.held:
            await super().send(self.held)


@pytest.mark.parametrize("make", [Swapped, Late])
def test_pieces_and_messages_out_of_order_end_the_visit(run, board, make):
    phone = Phone(board, SMALL)
    with pytest.raises((Gone, Failed)):
        run(phone.come(phone.grant(), OPEN, make=make))
    assert opened(board) == 0
    (_, act) = run(phone.come(phone.grant(), OPEN))
    assert verdict(act).reason == reasons.ALLOWED
