"""Keeps a house running, with its page, until Ctrl-C.

Imports the house and the page.
"""

import asyncio
import signal

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from host_sim.web.app import create_app
from host_sim.web.pages import PAGES

from .house import House, Tell

_BROWSER = (
    "A phone in a browser: DBUS_SYSTEM_BUS_ADDRESS={bus} "
    "chromium --enable-features=WebBluetooth {url}/phone/"
)
_SESSION = "/session.toml"
_OURS = ("/pane/", "/events", "/static/", _SESSION)
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def stay(port: int, bluetooth: bool, runtime: str, tell: Tell) -> None:
    """Start a house with a lock on `runtime`, and return at Ctrl-C.

    `tell` hears how far it is, and then its URL.
    Raises BusError, only with `bluetooth`.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in _ENDS:
        loop.add_signal_handler(each, ended.set)
    running = asyncio.create_task(_run(House(port, tell, bluetooth, runtime), tell))
    ending = asyncio.create_task(ended.wait())
    await asyncio.wait((running, ending), return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if not running.done():
        running.cancel()
        await asyncio.wait((running,))
    if not running.cancelled():
        running.result()


async def _run(made: House, tell: Tell) -> None:
    async with made as house:
        await house.net.serve(Front(house))
        await house.furnish()
        if house.bus:
            tell(_BROWSER.format(bus=house.bus, url=house.net.url))
        tell(house.net.url)
        await asyncio.Event().wait()


class Front:
    """ASGI application: the page, and behind it the share service, at one address."""

    def __init__(self, house: House):
        self._house = house
        self._site = create_app(house, PAGES, [Route(_SESSION, self._session)])
        self._service: ASGIApp = house.net.app
        self._pages = {page.path for page in PAGES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        path = scope.get("path", "")
        is_page = path in self._pages or path.startswith(_OURS)
        await (self._site if is_page else self._service)(scope, receive, send)

    async def _session(self, request: Request) -> Response:
        """What happened so far, as a scenario."""
        await self._house.record.look()
        return PlainTextResponse(self._house.record.toml(), media_type="application/toml")
