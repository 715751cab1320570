"""What went wrong, in the style of the API that was called.

An adapter brings a `Style` with the paths that it is for; elsewhere errors are problem documents
(RFC 9457). No style tells more than code and text of a DomainError, or what is wrong with a field.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ..domain import errors

MOST_TEXT = 1_000  # characters of what is said about an error

log = logging.getLogger(__name__)

STATUS = {
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.Invalid: 400,
    errors.Gone: 410,
}


class Fault(NamedTuple):
    """One thing that is wrong with a request: where, as `body.userEmail`, and what."""

    where: str
    what: str


class Refusal(Exception):
    """An answer other than what was asked for: an HTTP status, a stable code, and a text."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        faults: tuple[Fault, ...] = (),
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = _sayable(message)
        self.faults = tuple(Fault(_sayable(where), _sayable(what)) for where, what in faults)
        self.headers = headers


def _sayable(text: str) -> str:
    """A text that may quote what was sent: without halves of characters, and not endless."""
    said = text.encode("utf-8", "backslashreplace").decode()
    return said if len(said) <= MOST_TEXT else f"{said[:MOST_TEXT]} ..."


class FaultBody(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="For example `body.email`.")
    what: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="Stable, for programs.")
    detail: str
    faults: list[FaultBody] = []


class Style:
    """How errors look under some paths; this one is the native style, for all other paths."""

    prefixes: tuple[str, ...] = ("",)  # in lower case
    any_case = False  # whether the letter case of its paths does not matter

    def error(self, refusal: Refusal) -> Response:
        """The answer."""
        problem = Problem(
            title=HTTPStatus(refusal.status).phrase,
            status=refusal.status,
            code=refusal.code,
            detail=refusal.message,
            faults=[FaultBody(**fault._asdict()) for fault in refusal.faults],
        )
        return JSONResponse(
            problem.model_dump(),
            refusal.status,
            refusal.headers,
            media_type="application/problem+json",
        )


NATIVE = Style()


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The native style's errors, for `responses` of a route; those that any has are included."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    always = (400, 413, 429, 503)
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in sorted({*always, *statuses})
    }


class Styles:
    """All styles, and which of them a path has."""

    def __init__(self, *styles: Style):
        self._styles = (*styles, NATIVE)

    def of(self, path: str) -> Style:
        """The style of a path."""
        low = path.lower()
        return next(style for style in self._styles if low.startswith(style.prefixes))


def install(app: FastAPI, styles: Styles) -> None:
    """Make an application answer with these styles, whatever goes wrong."""

    def answer(request: Request, refusal: Refusal) -> Response:
        return styles.of(request.url.path).error(refusal)

    @app.exception_handler(Refusal)
    def refused(request: Request, error: Refusal) -> Response:
        return answer(request, error)

    @app.exception_handler(errors.DomainError)
    def domain(request: Request, error: errors.DomainError) -> Response:
        return answer(request, Refusal(STATUS[type(error)], error.code, str(error)))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(request, _malformed(error))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        code = status.phrase.lower().replace(" ", "-")
        text = error.detail.removesuffix(".") + "."
        return answer(request, Refusal(status, code, text, headers=error.headers))

    @app.exception_handler(DataError)
    @app.exception_handler(OverflowError)
    @app.exception_handler(UnicodeEncodeError)  # half a character
    def unstorable(request: Request, error: Exception) -> Response:
        text = "A value is too large, or has characters that cannot be kept."
        return answer(request, Refusal(400, "bad-value", text))

    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeout)
    def busy(request: Request, error: Exception) -> Response:
        log.error("database unavailable", extra={"error": type(error).__name__})
        text = "The database cannot be reached; try again later."
        headers = {"Retry-After": "5"}
        return answer(request, Refusal(503, "unavailable", text, headers=headers))


def _malformed(error: RequestValidationError) -> Refusal:
    faults = []
    for fault in error.errors():
        if fault["type"] == "json_invalid":
            return _no_json(error.body, fault["loc"][1], fault["ctx"]["error"])
        where = ".".join(str(part) for part in fault["loc"])
        faults.append(Fault(where, fault["msg"]))
    text = "; ".join(f"{fault.where}: {fault.what}" for fault in faults)
    return Refusal(400, "invalid", text, tuple(faults))


def _no_json(text: str, at: int, what: str) -> Refusal:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    where = f"line {line}, column {column}"
    message = f"The body is no JSON: {what}, {where}."
    return Refusal(400, "bad-json", message, (Fault("body", f"{what}, {where}"),))
