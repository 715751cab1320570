"""Keeps a house running, with its page, until Ctrl-C.

Imports the house and the page.
"""

import asyncio
import signal

from starlette.types import ASGIApp, Receive, Scope, Send

from host_sim.web.app import create_app
from host_sim.web.pages import PAGES

from .house import House, Tell

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def stay(port: int, tell: Tell) -> None:
    """Start a house, tell how far it is and then its URL, and return at Ctrl-C."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in _ENDS:
        loop.add_signal_handler(each, ended.set)
    running = asyncio.create_task(_run(port, tell))
    ending = asyncio.create_task(ended.wait())
    await asyncio.wait((running, ending), return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if not running.done():
        running.cancel()
        await asyncio.wait((running,))
    if not running.cancelled():
        running.result()


async def _run(port: int, tell: Tell) -> None:
    async with House(port, tell) as house:
        await house.net.serve(Front(house))
        await house.furnish()
        tell(house.net.url)
        await asyncio.Event().wait()


class Front:
    """ASGI application: the page, and behind it the share service, at one address."""

    def __init__(self, house: House):
        self._site = create_app(house, PAGES)
        self._service: ASGIApp = house.net.app
        self._pages = {page.path for page in PAGES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        path = scope.get("path", "")
        is_page = path in self._pages or path.startswith(("/pane/", "/events", "/static/"))
        await (self._site if is_page else self._service)(scope, receive, send)
