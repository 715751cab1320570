"""A visit at a door: the radio and the session of one connection, to the last answer.

Imports its siblings. What a session changes in the wallet is kept before the lock hears of it: a
step of the ratchet must not be taken again after a crash.
"""

from collections.abc import Callable

from .ble import Door
from .session import Visit

Item = tuple[int, bytes]  # what, and its content

ANSWER_S = 20.0  # two handshakes' worth of an ESP32's time


async def hold(
    door: Door, visit: Visit, items: list[Item], keep: Callable[[], None]
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
