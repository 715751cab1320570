"""The application: pages of panes, their parts, their forms, and events as they happen.

`GET /pane/NAME` is a part of a page by itself, `POST /pane/NAME/ACTION` what its forms send. A
browser without scripts gets whole pages for both. Whoever is not on this machine is refused, and
so are forms of other web sites.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders, QueryParams
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from host_sim.cloud.domain.errors import DomainError

from .filters import FILTERS, with_
from .panes import Denial, Page, Pane, Refused, settled
from .stand import Stand

_HERE = Path(__file__).parent
_MOST_BODY = 64 * 1024
_LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# What `static/live.js` says in the header of its requests: it takes a part of a page.
_LIVE = "X-Live"


def create_app(stand: Stand, pages: Sequence[Page], more: Sequence[BaseRoute] = ()) -> Starlette:
    """The application over a stand; `more` routes come before its own."""
    site = _Site(stand, pages)
    routes = [
        *more,
        *(Route(page.path, site.page) for page in pages),
        Route("/pane/{name}", site.part),
        Route("/pane/{name}/{action}", site.act, methods=["POST"]),
        Route("/events", site.events),
        Mount("/static", StaticFiles(directory=_HERE / "static")),
    ]
    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=_LOOPBACK),
        Middleware(_Guard),
    ]
    return Starlette(routes=routes, middleware=middleware)


class _Site:
    def __init__(self, stand: Stand, pages: Sequence[Page]):
        self._stand = stand
        self._pages = {page.path: page for page in pages}
        self._panes = {pane.name: (page, pane) for page in pages for pane in page.panes}
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= FILTERS

    async def page(self, request: Request) -> Response:
        """A page."""
        return await self._whole(request, self._pages[request.url.path])

    async def part(self, request: Request) -> Response:
        """A pane of one."""
        found = self._panes.get(request.path_params["name"])
        if found is None:
            return PlainTextResponse("There is no such pane.", 404)
        return HTMLResponse(await self._section(found[1], request.query_params))

    async def act(self, request: Request) -> Response:
        """What a form asks for. Its query is that of the page that it stands on."""
        page, pane = self._panes.get(request.path_params["name"], (None, None))
        action = pane.actions.get(request.path_params["action"]) if pane else None
        if page is None or pane is None or action is None:
            return PlainTextResponse("There is no such action.", 404)
        form = QueryParams((await request.body()).decode(errors="replace"))
        said, status = "", 200
        try:
            said = await settled(action(self._stand, request.query_params, form))
        except (Refused, DomainError) as refusal:
            said, status = str(refusal), 422
        if status != 200 and _LIVE not in request.headers:
            return await self._whole(request, page, said, status)
        address = f"?{with_(request.query_params, dict.fromkeys(pane.forgets, ''))}"
        if _LIVE in request.headers:
            headers = {"X-Look": address, "X-Denied": str(int(isinstance(said, Denial)))}
            return PlainTextResponse(said, status, headers=headers)
        return RedirectResponse(f"{page.path}{address}#{pane.name}", 303)

    async def events(self, request: Request) -> Response:
        """The kinds of what happens, as it happens, from a number on."""
        last = request.headers.get("Last-Event-ID") or request.query_params.get("after", "")
        after = int(last) if last.isdecimal() else self._stand.events.last
        return StreamingResponse(self._lines(after), media_type="text/event-stream")

    async def _lines(self, after: int) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        async for event in self._stand.events.since(after):
            yield f"id: {event.number}\ndata: {event.kind}\n\n"

    async def _whole(
        self, request: Request, page: Page, said: str = "", status: int = 200
    ) -> Response:
        query = request.query_params
        event = self._stand.events.last  # before the panes: rather once too often than not at all
        sections = [Markup(await self._section(pane, query)) for pane in page.panes]
        html = self._templates.get_template("page.html").render(
            page=page,
            pages=list(self._pages.values()),
            sections=sections,
            query=query,
            said=said,
            event=event,
        )
        return HTMLResponse(html, status)

    async def _section(self, pane: Pane, query: QueryParams) -> str:
        filled = await settled(pane.view(self._stand, query))
        template = self._templates.get_template(f"{pane.name}.html")
        return template.render(pane=pane, query=query, **filled)


class _Guard:
    """ASGI middleware: security headers, no large bodies, no forms of other web sites."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = _refusal(request)
        await (refusal or self._app)(scope, receive, answer)


def _refusal(request: Request) -> Response | None:
    if request.method in ("GET", "HEAD"):
        return None
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        return PlainTextResponse("Forms of other web sites are not taken.", 403)
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > _MOST_BODY:
        return PlainTextResponse(f"A form has at most {_MOST_BODY} bytes.", 413)
    return None
