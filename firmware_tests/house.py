"""A house in a thread, for tests that are not coroutines themselves."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from host_sim.house.house import House
from host_sim.house.phone import Came
from host_sim.house.run import Front
from tools import libraries

_PATIENCE_S = 120
T = TypeVar("T")


class Running:
    """A `house` with its page at `url`; `do` runs a coroutine where it lives."""

    def __init__(self, house: House, loop: asyncio.AbstractEventLoop):
        self.house = house
        self.url = house.net.url
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_S)

    def visit(self, name: str, action: str = "unlock") -> Came:
        """Somebody is at the door with their phone."""
        return self.do(self.house.visit(name, action))

    @property
    def state(self) -> dict[str, Any]:
        """What the lock said last."""
        return self.house.lock.state

    def until(self, done: Any, seconds: float = 30) -> Any:
        """What `done()` returns, once that is something."""

        async def wait() -> Any:
            async with asyncio.timeout(seconds):
                while not (found := done()):
                    await asyncio.sleep(0.05)
                return found

        return self.do(wait())


@contextmanager
def running(runtime: str = "micropython") -> Iterator[Running]:
    """A house with people, whose lock has heard of them all."""
    libraries.fetch_all()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="house")
    thread.start()
    made: list[House] = []

    async def start() -> Running:
        house = await House(runtime=runtime).__aenter__()
        made.append(house)
        await house.net.serve(Front(house))
        await house.furnish()
        return Running(house, loop)

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(_PATIENCE_S)

    try:
        yield run(start())
    finally:
        for house in made:
            run(house.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
