"""tedee's mobiles, and what they carry to a lock: grants, signed time, and what was revoked.

The fields are tedee's, and what is in them is ours: a certificate is a grant, and `statement` and
`statements` are what our locks take in. docs/api-tedee.md has the differences.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from firmware.clock.clock import NONCE_BYTES
from firmware.policy.instant import to_unix

from .. import keys, tedee
from ..domain import devices, issuing, names, permissions, phones, terms
from ..domain.context import Context
from ..domain.errors import Forbidden, NotFound
from ..domain.model import Key, Share, Statement
from ..tedee import BadRequest
from .auth import Call, Renewing, caller
from .fields import instant
from .tedee import (
    VERSIONS,
    Answer,
    Envelope,
    Id,
    Raw,
    done,
    failures,
    identity,
    routes,
    takes,
)

# When a phone asks again at the latest; tedee's own certificates end then.
CERTIFICATE_S = 10 * 86_400
MOST_TEXT = 1_000  # characters of a key

Viewer = Annotated[Call, caller("Mobile.Read")]
Owner = Annotated[Call, caller("Mobile.ReadWrite")]
Carrier = Annotated[Call, caller("DeviceCertificate.Operate")]
Renews = Annotated[Renewing, caller("DeviceCertificate.Operate", Renewing)]
Reader = Annotated[Call, caller("Device.Read")]
DeviceId = Annotated[Id, Query(alias="deviceId")]

router = routes(*VERSIONS)


class NewMobile(tedee.Body):
    """A phone, by its P-256 key: PEM, or base64 of DER or of the point."""

    name: str = Field(min_length=1, max_length=names.MOST)
    operating_system: int = Field(ge=0, le=3)
    public_key: str = Field(max_length=MOST_TEXT)


class MobileId(Answer):
    """The id of a phone."""

    id: UUID


class Mobile(MobileId):
    """A phone."""

    user_identity: UUID
    name: str
    operating_system: int


class Carried(Answer):
    """What a phone carries to a lock, signed by the issuer."""

    issuer_statement: str | None = Field(
        description="The root's statement for that issuer, in base64: for a lock that does not "
        "know it. `null` for the one that locks are provisioned with."
    )


class Certificate(Carried):
    """The newest grant of the caller's share for one of their phones, as a token in base64."""

    certificate: str
    expiration_date: datetime
    device_public_key: str | None
    mobile_public_key: str


class SignedTime(Carried):
    """The time, and the same as a statement for one lock if it was asked for."""

    datetime: str = Field(description="Milliseconds since 1970, 8 bytes, big-endian, in base64.")
    signature: str = Field(description="ES256 by the issuer, in DER and base64.")
    statement: str | None


class Revoked(Answer):
    """A grant that is good no longer; the number is that of its share."""

    certificate_id: int
    expiration_date: datetime | None


class RevokedList(Carried):
    """What was revoked at a lock, and the statements that tell it so, in base64."""

    device_id: int
    version: int
    last_updated: int
    revoked_certificates: list[Revoked]
    signature: str = Field(
        description="ES256, in DER and base64, of deviceId, version, lastUpdated and "
        "revokedCertificates as JSON, sorted, no blanks."
    )
    statements: list[str]


NewId = Envelope[MobileId]
Mobiles = Envelope[list[Mobile]]
OneMobile = Envelope[Mobile]
OneCertificate = Envelope[Certificate]
Time = Envelope[SignedTime]
Revocations = Envelope[RevokedList]


@router.post(
    "/my/mobile",
    status_code=201,
    responses=failures(409, 412, 415),
    openapi_extra=takes(NewMobile),
)
def add(call: Owner, body: Raw) -> NewId:
    """Register a phone; it gets a grant for every share of its owner."""
    wanted = tedee.read_body(NewMobile, body)
    try:
        public = keys.read_public(wanted.public_key)
    except keys.KeyTextError as error:
        raise BadRequest(f"publicKey: {error}") from None
    key = phones.add(
        call.context, call.person, wanted.name, public.x + public.y, wanted.operating_system
    )
    return NewId(result=MobileId(id=identity(key.uid)), status_code=201)


@router.get("/my/mobile", responses=failures())
def list_mobiles(call: Viewer) -> Mobiles:
    """The caller's phones."""
    return Mobiles(result=[_mobile(each) for each in phones.of(call.context, call.person)])


@router.get("/my/mobile/{mobile_id}", responses=failures(404))
def get_mobile(call: Viewer, mobile_id: UUID) -> OneMobile:
    """One of them."""
    return OneMobile(result=_mobile(phones.find(call.context, call.person, mobile_id.hex)))


@router.delete("/my/mobile/{mobile_id}", status_code=204, responses=failures(404))
def remove(call: Owner, mobile_id: UUID) -> Response:
    """Forget a phone; its grants are revoked."""
    key = phones.find(call.context, call.person, mobile_id.hex)
    phones.remove(call.context, call.person, key)
    return done()


@router.get("/my/devicecertificate/getformobile", responses=failures(404))
def certificate(
    call: Renews, mobile_id: Annotated[UUID, Query(alias="mobileId")], device_id: DeviceId
) -> OneCertificate:
    """The caller's grant for a lock and a phone; `expirationDate` is when to ask again."""
    context = call.context
    key = phones.find(context, call.person, mobile_id.hex)
    device = devices.find(context, call.person, device_id)
    share = permissions.share_of(context, call.person, device)
    if share is None:
        raise Forbidden("no-share", "You have no share of this device.")
    statement = issuing.newest(context, share, key)
    if statement is None:
        raise NotFound("certificate")
    device_key = device.public_key
    return OneCertificate(
        result=Certificate(
            certificate=_base64(issuing.token(context, statement)),
            expiration_date=instant(_ask_again(context, share, statement)),
            device_public_key=None if device_key is None else _point(device_key),
            mobile_public_key=_point(key.public),
            issuer_statement=_introduction(context),
        )
    )


@router.get(
    "/my/devicecertificate/getrevokedformobile",
    response_model=Revocations,
    responses={**failures(404), 204: {"description": "That version is the newest."}},
)
def revoked(
    call: Carrier,
    device_id: DeviceId,
    known: Annotated[int, Query(alias="version", ge=0, le=tedee.MOST_ID)] = 0,
) -> Revocations | Response:
    """What was revoked at a lock since a version; 204 if that is the newest."""
    context = call.context
    device = devices.find(context, call.person, device_id)
    news = issuing.revocations_after(context, device, known)
    if not news:
        return done()
    told = RevokedList(
        device_id=device.id,
        version=news[-1].sequence or known,
        last_updated=news[-1].issued_at,
        revoked_certificates=[_revoked(context, each) for each in news],
        signature="",
        issuer_statement=_introduction(context),
        statements=[_base64(issuing.token(context, each)) for each in news],
    )
    ours = {"signature", "issuer_statement", "statements"}
    members = told.model_dump(mode="json", by_alias=True, exclude=ours)
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    told.signature = _signature(context, text.encode())
    return Revocations(result=told)


@router.get("/datetime/getsignedtime", responses=failures(404))
def signed_time(
    call: Reader,
    device_id: Annotated[Id | None, Query(alias="deviceId")] = None,
    nonce: Annotated[str | None, Query(max_length=64)] = None,
) -> Time:
    """The time, signed. `deviceId` asks for a statement for that lock, on its `nonce` (base64)."""
    context = call.context
    told = (context.now * 1000).to_bytes(8, "big")
    statement = None
    if nonce is not None and device_id is None:
        raise BadRequest("nonce: needs a deviceId")
    if device_id is not None:
        device = devices.find(context, call.person, device_id)
        statement = _base64(issuing.time(context, device, _nonce(nonce)))
    return Time(
        result=SignedTime(
            datetime=_base64(told),
            signature=_signature(context, told),
            statement=statement,
            issuer_statement=_introduction(context),
        )
    )


def _mobile(key: Key) -> Mobile:
    return Mobile(
        id=identity(key.uid),
        user_identity=identity(key.person.uid),
        name=key.name,
        operating_system=key.system,
    )


def _ask_again(ctx: Context, share: Share, statement: Statement) -> int:
    until = terms.grant(share).until
    ends = [ctx.now + CERTIFICATE_S]
    if until is not None:
        ends.append(to_unix(until))
    if statement.lease is not None:
        ends.append(statement.lease)
    return min(ends)


def _revoked(ctx: Context, statement: Statement) -> Revoked:
    share = ctx.session.get_one(Share, statement.share_id)
    until = terms.grant(share).until
    ends = None if until is None else instant(to_unix(until))
    return Revoked(certificate_id=share.id, expiration_date=ends)


def _nonce(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        nonce = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        nonce = b""
    if len(nonce) != NONCE_BYTES:
        raise BadRequest(f"nonce: is not {NONCE_BYTES} bytes in base64")
    return nonce


def _introduction(ctx: Context) -> str | None:
    statement = ctx.issuers.signer.statement
    return _base64(statement) if statement else None


def _signature(ctx: Context, message: bytes) -> str:
    key = ctx.issuers.key(ctx.issuers.current)
    return _base64(keys.der(key.sign(message)))


def _point(key: bytes) -> str:
    """An uncompressed point (SEC 1), from x and y."""
    return _base64(b"\4" + key)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
