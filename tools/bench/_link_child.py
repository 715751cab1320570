"""Many locks at one broker, as far as the wire goes: they say hello, and yes to all.

One line of JSON in: port, ca, and locks as [id, password]. Prints `ready` when all have said hello
and were told the time, and `done` when each was told a change and has answered.
"""

import asyncio
import json
import ssl
import sys
from hashlib import sha256

import aiomqtt

from firmware.access import claims, statements
from firmware.crypto import cbor, cose
from host_sim.cloud.link import topics

AT_ONCE = 50  # connecting
_HELLO = {
    "applied": 0, "digest": None, "settings": 1, "log": 0, "kept": 0,
    "nonce": "00" * 16, "challenge": "00" * 16,
}  # fmt: skip


class Herd:
    """All of them, and how many are how far."""

    def __init__(self, port: int, ca: str, count: int):
        self.port = port
        self.tls = ssl.create_default_context(cafile=ca)
        self.connecting = asyncio.Semaphore(AT_ONCE)
        self.left = {"ready": count, "done": count}

    def one_is(self, what: str) -> None:
        """One more lock is ready, or done."""
        self.left[what] -= 1
        if not self.left[what]:
            print(what, flush=True)

    async def lock(self, name: str, password: str) -> None:
        """Be one lock, until the broker goes away."""
        await self.connecting.acquire()
        client = aiomqtt.Client(
            "localhost", self.port, username=name, password=password, identifier=name,
            tls_context=self.tls, timeout=120, keepalive=300,
            will=aiomqtt.Will(topics.of_lock(name, topics.PRESENCE), b"offline", 1, True),
        )  # fmt: skip
        async with client:
            self.connecting.release()
            await client.subscribe(topics.of_lock(name, topics.STATEMENT), 1)
            await client.publish(topics.of_lock(name, topics.PRESENCE), b"online", 1, True)
            hello = json.dumps(_HELLO).encode()
            await client.publish(topics.of_lock(name, topics.HELLO), hello, 1)
            async for message in client.messages:
                await self._answer(client, name, bytes(message.payload))

    async def _answer(self, client: aiomqtt.Client, name: str, token: bytes) -> None:
        statement = cose.parse(token, len(token))
        applied = 0
        if statement.typ == statements.BATCH:
            applied = cbor.decode(statement.payload)[claims.TERMS][statements.LAST]
        named = sha256(token).digest()[:8].hex()
        result = {"statement": named, "reason": 0, "applied": applied}
        await client.publish(topics.of_lock(name, topics.RESULT), json.dumps(result).encode(), 1)
        self.one_is("done" if applied else "ready")


async def main() -> None:
    """Be all of them."""
    given = json.loads(sys.stdin.readline())
    herd = Herd(given["port"], given["ca"], len(given["locks"]))
    tasks = [asyncio.create_task(herd.lock(*each)) for each in given["locks"]]
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
