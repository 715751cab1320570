"""What happens to every request, before and after the API that it is for."""

import logging
import re
import time
from secrets import token_hex
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import Refusal, Styles
from .service import Service

MOST_BODY = 256 * 1024
CORRELATION = "X-Correlation-ID"
_CORRELATION = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Nothing here is to be kept by others, shown in a frame, or taken for a web page.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_TOO_LARGE = f"A body has at most {MOST_BODY} bytes."

log = logging.getLogger(__name__)


class Front:
    """ASGI middleware: ids of requests, letter case, security headers, log and metrics."""

    def __init__(self, app: ASGIApp, service: Service, styles: Styles):
        self._app = app
        self._service = service
        self._styles = styles
        self._headers = dict(_HEADERS)
        if service.config.base_url.startswith("https:"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        style = self._styles.of(scope["path"])
        if style.any_case:
            scope["path"] = scope["path"].lower()
        given = Headers(scope=scope).get(CORRELATION, "")
        correlation = given if _CORRELATION.fullmatch(given) else token_hex(16)
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[CORRELATION] = correlation
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            refusal = _refusal(scope)
            if refusal:
                await style.error(refusal)(scope, receive, answer)
            else:
                await self._app(scope, _up_to(MOST_BODY, receive), answer)
        except Exception:  # a request's edge: one that breaks must not stop others
            log.exception("broken", extra={"correlation": correlation})
            if status:
                raise
            refusal = Refusal(500, "internal", "Something is broken here.")
            await style.error(refusal)(scope, receive, answer)
        finally:
            self._note(scope, status, time.perf_counter() - start, correlation)

    def _note(self, scope: Scope, status: int, seconds: float, correlation: str) -> None:
        # The route, not the path: that may have anything in it.
        route = getattr(scope.get("route"), "path", "none")
        label = (_method(scope), route)
        metrics = self._service.metrics
        metrics.requests.labels(*label, status).inc()
        metrics.seconds.labels(*label).observe(seconds)
        extra: dict[str, Any] = {
            "method": label[0],
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "person": scope.get("state", {}).get("person"),
            "correlation": correlation,
        }
        log.info("request", extra=extra)


def _refusal(scope: Scope) -> Refusal | None:
    # No database can keep a NUL, and nothing that is kept has one.
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        return Refusal(400, "bad-value", "An address has no NUL characters.")
    length = Headers(scope=scope).get("Content-Length", "")
    if length.isdecimal() and int(length) > MOST_BODY:
        return Refusal(413, "content-too-large", _TOO_LARGE)
    return None


def _up_to(most: int, receive: Receive) -> Receive:
    """The same bytes, and an HTTPException where they are too many; a length may be missing."""
    left = most

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return counted


def _method(scope: Scope) -> str:
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"
