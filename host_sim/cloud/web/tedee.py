"""What tedee's endpoints have in common: versions, the envelope, errors, how bodies are read.

Paths and the names of queries are taken in any letter case, as clients of this API write them.
Bodies are JSON under `application/json` or `application/json-patch+json`; both mean a plain
object.
"""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from ..domain.errors import DomainError
from ..tedee import MOST_ID, BadRequest
from ..tedee_terms import NotExpressible
from .auth import Route
from .problems import STATUS, Fault, Refusal, Style

SHARE_VERSIONS = tuple(f"v1.{minor}" for minor in range(22, 34))
ACCESS_VERSIONS = ("v37",)
VERSIONS = SHARE_VERSIONS + ACCESS_VERSIONS

_SUPPORTED = {"API-Supported-Versions": ", ".join(each[1:] for each in VERSIONS)}
_JSON = ("application/json", "application/json-patch+json")

# Where this API has a status of its own for something.
_STATUS = {"already-shared": 406, "already-invited": 406, "full": 412, "link": 404}

# The numbers of the later API; what is wrong with the terms of an access has one for all.
_BAD_RULES = 1000
_CODES = {
    "level": 1001,
    "owner": 1002,
    "already-shared": 1003,
    "already-invited": 1004,
    "no-group": 1006,
    "private-type": _BAD_RULES,
    "self": 1008,
}

T = TypeVar("T")


class Answer(BaseModel):
    """Of what is answered."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class Envelope(Answer, Generic[T]):
    """What every answer with a body is in."""

    result: T
    success: bool = True
    error_messages: list[str] = []
    status_code: int = 200


class ErrorCode(Answer):
    """What was wrong, by the later API's numbers."""

    code: int
    message: str


class Failure(Answer):
    """The envelope of an error; `error` is only there in v37."""

    result: None = None
    success: bool = False
    error_messages: list[str]
    status_code: int
    error: ErrorCode | None = None


class Tedee(Style):
    """Errors in the envelope."""

    # Versions that there are not are answered in this style, too. Another API has /api/v1/.
    prefixes = ("/api/v1.", *(f"/api/v{major}" for major in range(2, 10)))
    any_case = True

    def error(self, refusal: Refusal) -> Response:
        """The answer."""
        told = self.failure(refusal)
        left_out = {"error"} if told.error is None else None
        body = told.model_dump(by_alias=True, exclude=left_out)
        headers = {**(refusal.headers or {}), **_SUPPORTED}
        return JSONResponse(body, told.status_code, headers)

    def failure(self, refusal: Refusal) -> Failure:
        """What it says."""
        status = _STATUS.get(refusal.code, refusal.status)
        faults = [": ".join(filter(None, fault)) for fault in refusal.faults]
        texts = faults or [refusal.message]
        return Failure(error_messages=texts, status_code=status, error=self.coded(refusal))

    def coded(self, refusal: Refusal) -> ErrorCode | None:
        """The number that the API has for it."""
        return None


class TedeeAccess(Tedee):
    """The same with the numbers of the later API."""

    prefixes = ("/api/v37",)

    def coded(self, refusal: Refusal) -> ErrorCode | None:
        """The number that the API has for it."""
        number = _CODES.get(refusal.code)
        if number is None and refusal.status in (400, 409):
            number = _BAD_RULES
        return ErrorCode(code=number, message=refusal.message) if number else None


class TedeeRoute(Route):
    """A route of this API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Handle a request."""
        handle = super().get_route_handler()
        names = {field.alias.lower(): field.alias for field in self.dependant.query_params}

        async def handler(request: Request) -> Response:
            pairs = parse_qsl(request.url.query, keep_blank_values=True)
            query = [(names.get(name.lower(), name), value) for name, value in pairs]
            request.scope["query_string"] = urlencode(query).encode()
            try:
                response = await handle(Request(request.scope, request.receive))
            except BadRequest as error:
                raise refusal_of(error) from None
            response.headers.update(_SUPPORTED)
            return response

        return handler


def refusal_of(error: BadRequest | DomainError) -> Refusal:
    """The answer to a body that cannot be used, or to what cannot be done."""
    if isinstance(error, DomainError):
        return Refusal(STATUS[type(error)], error.code, str(error))
    if isinstance(error, NotExpressible):
        return Refusal(409, "not-expressible", str(error))
    faults = tuple(Fault(*problem.partition(": ")[::2]) for problem in error.problems)
    return Refusal(400, "invalid", str(error), faults)


def routes(*versions: str) -> APIRouter:
    """A router for endpoints that these versions have."""

    async def supported(
        version: Annotated[str, Path(json_schema_extra={"enum": list(versions)})],
    ) -> None:
        if version not in versions:
            text = f"There is no version {version} of this; there are {', '.join(versions)}."
            raise Refusal(400, "unsupported-version", text)

    return APIRouter(
        prefix="/api/{version}",
        route_class=TedeeRoute,
        tags=["tedee"],
        dependencies=[Depends(supported)],
    )


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, for its `responses`; those that any has are included."""
    always = (400, 401, 403, 413, 429, 503)
    return {
        status: {"model": Failure, "description": HTTPStatus(status).phrase}
        for status in sorted({*always, *statuses})
    }


async def _raw(request: Request) -> bytes:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in _JSON:
        raise Refusal(415, "content-type", f"A body is {' or '.join(_JSON)}.")
    return await request.body()


Raw = Annotated[bytes, Depends(_raw)]
Id = Annotated[int, Field(ge=1, le=MOST_ID)]


def takes(kind: Any) -> dict[str, Any]:
    """The description of a body that is read from `Raw`, for `openapi_extra` of its route."""
    schema = kind if isinstance(kind, dict) else kind.model_json_schema(by_alias=True)
    inlined = _inlined(schema, schema.get("$defs", {}))
    content = {each: {"schema": inlined} for each in _JSON}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {k: _inlined(v, definitions) for k, v in node.items() if k != "$defs"}


def done() -> Response:
    """204, with the content type that clients of this API look at even so."""
    return Response(status_code=204, media_type="application/json")


def identity(uid: str) -> UUID:
    """How this API writes what has a `uid`."""
    return UUID(hex=uid)


STYLES = (TedeeAccess(), Tedee())
