"""A visit at a door: the radio and the session of one connection, to the last answer.

Imports policy, link and its siblings. What a session changes in the wallet is kept before the
lock hears of it: a step of the ratchet must not be taken again after a crash.
"""

from collections.abc import Callable

from firmware.link import requests
from firmware.policy.reasons import ALLOWED

from .link import Link
from .pocket import Pocket
from .session import Visit

Item = tuple[int, bytes]  # what, and its content

ANSWER_S = 20.0  # two handshakes' worth of an ESP32's time
STATUS_BYTES = 15
# What a courier asks when it has brought its news.
ERRAND: list[Item] = [(requests.NONCE, b""), (requests.CARRY, b""), (requests.STATUS, b"")]


async def hold(
    door: Link, visit: Visit, items: list[Item], keep: Callable[[], None]
) -> list[Item]:
    """The answers to these items, in their order; may be called again for more.

    Raises RadioError, and Failed for a lock that says what it cannot say.
    """
    before = len(visit.answers)
    messages = visit.ask(items)
    while True:
        keep()
        for message in messages:
            await door.send(message)
        if not visit.left:
            return visit.answers[before:]
        messages = visit.received(await door.receive(ANSWER_S))


async def bring(
    door: Link, visit: Visit, pocket: Pocket, lock: str, items: list[Item]
) -> tuple[list[Item], list[int]]:
    """The same, but the statements that the lock lacks go first; why it refused any of them."""
    known = pocket.wallet.locks[lock]
    lacking = list(known.statements)
    puts = [(requests.PUT, token) for token in lacking]
    answers = await hold(door, visit, [*puts, *items], pocket.save)
    known.statements = []
    refused = []
    for token, (_, answer) in zip(lacking, answers[: len(puts)], strict=True):
        if answer[0] == ALLOWED:
            pocket.place(lock).grant = token.hex()
        else:
            refused.append(answer[0])
    return answers[len(puts) :], refused


def put_away(pocket: Pocket, lock: str, answers: list[Item]) -> bytes:
    """Keep what a lock that has all news said to ERRAND; its nonce, if it lacks the time."""
    (_, nonce), (_, piece), (_, status) = answers
    place = pocket.place(lock)
    place.news = []
    if piece:
        pocket.wallet.locks[lock].carried.append(piece)
    if len(status) == STATUS_BYTES:  # it tells those who have a grant
        place.applied = int.from_bytes(status[3:7], "big")
    pocket.save()
    return nonce
