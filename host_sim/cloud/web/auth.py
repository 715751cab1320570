"""Who calls, and what they may do with what they showed.

    @router.get("/things")
    def things(call: Annotated[Call, caller("Device.Read")]) -> ...

A route of the class `Route` runs its endpoint in one transaction and one thread: it looks up the
caller, counts the request, runs the endpoint, and commits before anything is answered. For a GET
the transaction only reads, unless its `Call` says otherwise. Without a `Call` an endpoint is open
to everybody, and there is no transaction.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import signature
from typing import Annotated, Any, get_args

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from ..domain import people
from ..domain.context import Context
from ..domain.model import Person, Token
from .problems import Refusal
from .service import Service

LOG_IN = None  # a scope that only the token of a log-in has

_BEARER = HTTPBearer(
    scheme_name="Bearer",
    description="The token of a log-in.",
    auto_error=False,
)
_PERSONAL = APIKeyHeader(
    name="Authorization",
    scheme_name="PersonalKey",
    description="`PersonalKey` and a personal key, with a blank between.",
    auto_error=False,
)

# By how a token is shown, whether it is a personal key.
_SCHEMES = {"bearer": False, "personalkey": True}


def service_of(request: HTTPConnection) -> Service:
    """The service that a request was made to."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


class Call:
    """A request by a person. While its endpoint runs, `context`, `person` and `token` are set."""

    writes = False  # although it is a GET
    context: Context
    person: Person
    token: Token

    def __init__(self, request: Request, scope: str | None):
        self.request = request
        self.scope = scope

    def identify(self, context: Context) -> None:
        """Find out who calls. Raises Refusal: 401 or 429."""
        self.context = context
        self.token = identify(self.request, context)
        self.person = self.token.person

    def check(self) -> None:
        """Raises Refusal, 403, if what was shown is not good for this."""
        if not people.allows(self.token, self.scope):
            what = f"the scope {self.scope}" if self.scope else "a log-in, not a personal key"
            raise Refusal(403, "scope", f"This takes {what}.")


def secret_of(request: HTTPConnection) -> tuple[str, str]:
    """The scheme, in lower case, and the secret that were shown."""
    scheme, secret = get_authorization_scheme_param(request.headers.get("Authorization"))
    return scheme.lower(), secret


def identify(request: HTTPConnection, context: Context) -> Token:
    """The token that was shown, and one more request by its person. Raises Refusal: 401 or 429."""
    scheme, secret = secret_of(request)
    token = people.bearer_of(context, secret) if scheme in _SCHEMES else None
    if token is None or _SCHEMES[scheme] != (token.scopes is not None):
        headers = {"WWW-Authenticate": 'Bearer realm="sharelock"'}
        raise Refusal(401, "no-token", "Log in first: no good token was shown.", (), headers)
    request.state.person = token.person.uid  # for the log
    limited(service_of(request).limits.person.take(token.person.uid, context.now))
    return token


def caller(scope: str | None, kind: type[Call] = Call) -> Any:
    """The dependency that makes a `Call` for a scope, or for `LOG_IN`."""

    async def call(
        request: Request,
        bearer: Annotated[Any, Depends(_BEARER)],
        personal: Annotated[Any, Depends(_PERSONAL)],
    ) -> Call:
        return kind(request, scope)

    async def call_of_log_in(request: Request, bearer: Annotated[Any, Depends(_BEARER)]) -> Call:
        return kind(request, scope)

    return Depends(call_of_log_in if scope is LOG_IN else call)


def limited(wait_s: int) -> None:
    """Refuse with 429 if there is a time to wait."""
    if wait_s:
        headers = {"Retry-After": str(wait_s)}
        text = f"Too many requests; try again in {wait_s} s."
        raise Refusal(429, "too-many-requests", text, (), headers)


class Renewing(Call):
    """A request for a grant, which is renewed if it is time."""

    writes = True


class Route(APIRoute):
    """A route whose endpoint runs as the person who calls."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any):
        self._named = _call_of(endpoint)
        reads = set(options["methods"]) == {"GET"}
        super().__init__(path, _as_caller(endpoint, self._named, reads), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Handle a request; who may not call does not hear what else is wrong with it."""
        handle = super().get_route_handler()
        if self._named is None:
            return handle
        kind = self._named[1]

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except (RequestValidationError, Refusal):
                if not hasattr(request.state, "asked"):
                    await run_in_threadpool(_only_identify, kind(request, LOG_IN))
                raise

        return handler


def _call_of(endpoint: Callable[..., Any]) -> tuple[str, type[Call]] | None:
    """The parameter of an endpoint that is a Call, and of which kind."""
    for name, parameter in signature(endpoint).parameters.items():
        for kind in (parameter.annotation, *get_args(parameter.annotation)[:1]):
            if isinstance(kind, type) and issubclass(kind, Call):
                return name, kind
    return None


def _as_caller(
    endpoint: Callable[..., Any], named: tuple[str, type[Call]] | None, reads: bool
) -> Callable[..., Any]:
    if named is None:
        return endpoint

    @wraps(endpoint)
    def run(**arguments: Any) -> Any:
        call = arguments[named[0]]
        call.request.state.asked = True  # who calls; once is enough
        with service_of(call.request).transaction(reads=reads and not call.writes) as context:
            call.identify(context)
            call.check()
            return endpoint(**arguments)

    return run


def _only_identify(call: Call) -> None:
    with service_of(call.request).transaction(reads=True) as context:
        call.identify(context)
