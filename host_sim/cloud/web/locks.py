"""What locks ask for over HTTP: the same as over MQTT, for what is too much or too late there.

A lock shows its password. The time is for everybody: its answer is signed and no secret, and a
lock that has no idea of the date cannot check a certificate.
"""

import re
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from firmware.crypto import cbor

from ..domain import credentials, issuing, log
from ..domain.context import Context
from ..domain.errors import NotFound
from ..domain.model import Device
from .auth import LOG_IN, Call, Route, caller, limited, secret_of, service_of
from .native import Nonce
from .problems import Refusal, problems

PREFIX = "/locks"
COSE = "application/cose"  # RFC 9052
CBOR = "application/cbor"
BATCHES = 2  # at most, to one answer: a lock reads no more than 16 KB at a time

_LOCK = re.compile(r"[0-9a-f]{1,16}")


class LockCall(Call):
    """A request by a lock, which shows its password. While its endpoint runs `device` is set."""

    device: Device

    def identify(self, context: Context) -> None:
        """Find out which lock calls. Raises Refusal: 401 or 429."""
        self.context = context
        name = self.request.path_params["lock_id"]
        scheme, secret = secret_of(self.request)
        found = credentials.shown(context, name, secret) if scheme == "bearer" else None
        if found is None or found.share_id is not None:
            headers = {"WWW-Authenticate": 'Bearer realm="sharelock"'}
            raise Refusal(401, "no-lock", "That is not the password of this lock.", (), headers)
        self.device = found.device
        limited(service_of(self.request).limits.person.take(name, context.now))

    def check(self) -> None:
        """A lock may do all of this."""


ByLock = Annotated[LockCall, caller(LOG_IN, LockCall)]
Export = Annotated[bytes, Body(media_type="application/octet-stream")]


def _content(media_type: str, what: str) -> dict[int | str, dict[str, object]]:
    schema = {"type": "string", "format": "binary"}
    return {200: {"content": {media_type: {"schema": schema}}, "description": what}}


router = APIRouter(prefix=PREFIX, route_class=Route, tags=["locks"])


@router.get(
    "/{lock_id}/changes",
    responses={**problems(401), **_content(CBOR, "Batches. `Link` leads to the rest, if any.")},
    response_class=Response,
)
def changes(
    lock_id: str, call: ByLock, after: Annotated[int, Query(ge=0, le=0x3FFF_FFFF)] = 0
) -> Response:
    """What the lock lacks that has applied the changes up to a number."""
    batches = issuing.batches_after(call.context, call.device, after, BATCHES)
    body = cbor.encode([batch.token for batch in batches])
    headers = {}
    if batches and batches[-1].last < call.device.sequence:
        path = f"{PREFIX}/{lock_id}/changes?after={batches[-1].last}"
        headers["Link"] = f'<{path}>; rel="next"'
    return Response(body, media_type=CBOR, headers=headers)


@router.post(
    "/{lock_id}/events",
    responses={**problems(401), **_content(COSE, "An acknowledgement.")},
    response_class=Response,
)
def events(lock_id: str, body: Export, call: ByLock) -> Response:
    """Take in an export of the lock's log."""
    log.take(call.context, call.device, body)
    kept = log.acknowledgement(call.context, call.device)
    return Response(kept, media_type=COSE)


@router.post(
    "/{lock_id}/time",
    responses={**problems(404), **_content(COSE, "The time, signed.")},
    response_class=Response,
)
def time(lock_id: str, body: Nonce, request: Request) -> Response:
    """The time for a lock, in answer to its nonce; for a lock of this service or not."""
    service = service_of(request)
    client = request.client.host if request.client else ""
    limited(service.limits.time.take(client, service.clock()))
    if not _LOCK.fullmatch(lock_id):
        raise NotFound("lock")
    nonce = None if body.nonce is None else bytes.fromhex(body.nonce)
    return Response(service.time(lock_id, nonce), media_type=COSE)
