"""The native API: devices, the keys of phones, what phones carry to locks, and who did what.

Shares are in `native_shares`. Ids are uids, instants RFC 3339, errors problem documents.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from firmware.clock.clock import NONCE_BYTES
from firmware.policy.zone import ZoneError
from firmware.store.entry import Entry
from firmware.store.settings import LEAST_ERROR_S, MOST_AUTO_LOCK_S
from host_sim.words import MODE_NAMES
from host_sim.world.zones import posix

from ..domain import (
    addresses,
    audit,
    credentials,
    devices,
    homes,
    issuing,
    log,
    names,
    permissions,
    phones,
)
from ..domain.errors import Invalid, NotFound
from ..domain.model import Device, Key, LogEntry
from ..domain.permissions import Act
from ..entries import described
from ..issuers import Issuer
from .auth import Call, Renewing, Route, caller, service_of
from .fields import instant
from .native_terms import Body
from .problems import problems
from .service import Service

PREFIX = "/api/native/v1"
MOST = 1_000  # items to one answer
NDJSON = "application/x-ndjson"

T = TypeVar("T")
Name = Annotated[str, Field(min_length=1, max_length=names.MOST)]
Email = Annotated[str, Field(max_length=addresses.MOST, examples=["bob@example.org"])]
Zone = Annotated[
    str,
    Field(max_length=100, description="A name of the tz database, or a POSIX TZ string."),
]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Cursor = Annotated[
    str | None, Query(pattern=r"^[0-9]{1,18}$", description="`next` of the page before.")
]
Reads = Annotated[Call, caller("Device.Read")]
Writes = Annotated[Call, caller("Device.ReadWrite")]
Carries = Annotated[Call, caller("DeviceCertificate.Operate")]
Renews = Annotated[Renewing, caller("DeviceCertificate.Operate", Renewing)]
ReadsLog = Annotated[Call, caller("Log.Read")]


class Page(BaseModel, Generic[T]):
    """Some items; `next` is the cursor of those after them, `null` at the end."""

    items: list[T]
    next: str | None


class DeviceSettings(Body):
    """What a lock can be told; `null` is its own default."""

    auto_lock_s: int | None = Field(default=None, ge=0, le=MOST_AUTO_LOCK_S)
    mode: Literal["normal", "vacation", "privacy", "no-remote", "passage"] | None = None
    most_error_s: int | None = Field(default=None, ge=LEAST_ERROR_S, le=3_600)


class NewDevice(Body):
    """A lock to add."""

    name: Name
    zone: Zone
    private_type: bool = Field(default=False, description="Not to be shared by ARTIK's rules.")


class DeviceChange(Body):
    """What to change; what is absent stays."""

    name: Name = ""
    zone: Zone = ""
    settings: DeviceSettings = DeviceSettings()


class Transfer(Body):
    """Who gets a device."""

    email: Email
    keep_shares: bool = False


class DeviceItem(BaseModel):
    """A lock. `standing` is what the caller is to it now."""

    id: str
    name: str
    zone: str
    settings: DeviceSettings
    private_type: bool
    owner: str
    standing: str
    sequence: int = Field(description="How many changes were signed for it.")
    applied: int = Field(description="How many of them it has, as far as is known.")
    created_at: datetime

    @classmethod
    def of(cls, call: Call, device: Device) -> "DeviceItem":
        """A device, for whoever calls."""
        kept = dict(device.settings)
        if "mode" in kept:
            kept["mode"] = MODE_NAMES[kept["mode"]]
        return cls(
            id=device.uid,
            name=device.name,
            zone=device.zone,
            settings=DeviceSettings(**kept),
            private_type=device.private_type,
            owner=device.owner.name,
            standing=permissions.standing(call.context, call.person, device).name.lower(),
            sequence=device.sequence,
            applied=device.applied,
            created_at=instant(device.created_at),
        )


class Enrolment(BaseModel):
    """What a lock is provisioned with; `secret` is shown this once."""

    lock: str = Field(description="Its id, and its name at the broker.")
    secret: str = Field(description="Its password: 64 hexadecimal digits.")
    issuer: str = Field(description="Whose statements it believes: x and y of a P-256 key.")
    broker: str = Field(examples=["mqtts://cloud.example.org:8883"])
    ca: str = Field(description="Whose certificate the broker shows, in PEM.")
    url: str = Field(description="Where the lock finds this service over HTTP.")


class Home(BaseModel):
    """Where Home Assistant finds a device; `password` is shown this once."""

    share: str = Field(description="By which it asks; change or end it like any other.")
    user: str
    password: str
    broker: str
    ca: str = Field(description="Whose certificate the broker shows, in PEM.")


class NewPhone(Body):
    """A phone, by its P-256 key: x and y, 128 hexadecimal digits."""

    name: Name
    key: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{128}$")]


class Phone(BaseModel):
    """A phone."""

    id: str
    name: str
    key: str
    thumbprint: str = Field(description="By which a lock knows it: 16 bytes (RFC 9679).")
    created_at: datetime

    @classmethod
    def of(cls, key: Key) -> "Phone":
        """The phone with a key."""
        return cls(
            id=key.uid,
            name=key.name,
            key=key.public.hex(),
            thumbprint=key.thumbprint.hex(),
            created_at=instant(key.created_at),
        )


class Carried(BaseModel):
    """What a phone carries to a lock, signed by the issuer."""

    issuer: str | None = Field(
        description="The root's statement for that issuer, in base64url: for a lock that answers "
        "`unknown_issuer`. `null` for the one that locks are provisioned with."
    )


class Changes(Carried):
    """Batches in base64url, in their order; the last reaches `sequence` unless there are more."""

    sequence: int
    batches: list[str]


class GrantToken(Carried):
    """The caller's grant for a lock and a phone, in base64url; with a lease, fetch it again."""

    lock: str = Field(description="The id of the lock, which it advertises for those who know it.")
    key: str | None = Field(description="The lock's P-256 key, x and y; `null` until it said so.")
    share: str
    version: int
    lease: datetime | None
    token: str


class Statement(Carried):
    """A signed statement in base64url."""

    token: str


class IssuerItem(BaseModel):
    """A key of the issuer: x and y, 128 hexadecimal digits."""

    epoch: int = Field(description="That of `statement`; 0 if there is none.")
    kid: str
    key: str
    statement: str | None = Field(description="The root's statement for it, in base64url.")

    @classmethod
    def of(cls, issuer: Issuer) -> "IssuerItem":
        """One key."""
        public, statement = issuer.key.public, issuer.statement
        return cls(
            epoch=issuer.number if statement else 0,
            kid=issuer.kid.hex(),
            key=(public.x + public.y).hex(),
            statement=_base64(statement) if statement else None,
        )


class IssuerItems(BaseModel):
    """The issuer's keys in their order: the last one signs, all others did before."""

    items: list[IssuerItem]


class Nonce(Body):
    """The lock's nonce, 16 bytes in hexadecimal; without one the time is a lower bound only."""

    nonce: Annotated[str, Field(pattern=rf"^[0-9a-fA-F]{{{2 * NONCE_BYTES}}}$")] | None = None


class CarriedLog(Body):
    """A piece of a lock's log as a phone got it, in base64url."""

    log: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=1 << 16)]


class Event(BaseModel):
    """A CloudEvent (CloudEvents 1.0, JSON format)."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    time: str
    subject: str | None = Field(description="The share that it is about.")
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]


class Events(BaseModel):
    """Events in the order in which the service came to know of them."""

    items: list[Event]
    next: str = Field(description="The cursor for what comes later, even if that is not yet.")


AuditCursor = Annotated[
    str, Query(pattern=r"^[0-9]{1,18}\.[0-9]{1,18}$", description="`next` of the page before.")
]
Most = Annotated[int, Query(ge=1, le=audit.MOST)]

router = APIRouter(prefix=PREFIX, route_class=Route, tags=["native"], responses=problems(401, 403))
open_router = APIRouter(prefix=PREFIX, tags=["native"], responses=problems())  # to everybody


@router.get("/devices")
def list_devices(call: Reads, limit: Limit = 100, cursor: Cursor = None) -> Page[DeviceItem]:
    """All devices that the caller may see."""
    page, after = page_of(devices.known_to(call.context, call.person), limit, cursor)
    return Page(items=[DeviceItem.of(call, device) for device in page], next=after)


@router.post("/devices", status_code=201)
def add_device(body: NewDevice, call: Writes) -> DeviceItem:
    """Add a lock."""
    made = devices.create(
        call.context,
        call.person,
        names.clean(body.name),
        _zone(body.zone),
        private_type=body.private_type,
    )
    return DeviceItem.of(call, made)


@router.get("/devices/{device_id}", responses=problems(404))
def get_device(device_id: str, call: Reads) -> DeviceItem:
    """One device."""
    return DeviceItem.of(call, find(call, device_id))


@router.patch("/devices/{device_id}", responses=problems(404))
def change_device(device_id: str, body: DeviceChange, call: Writes) -> DeviceItem:
    """Change name, zone or settings. A new zone moves the hours of all rules that are not UTC."""
    device = find(call, device_id)
    given = body.model_fields_set
    settings = body.settings.model_dump(exclude_unset=True)
    if settings.get("mode") is not None:
        settings["mode"] = MODE_NAMES.index(settings["mode"])
    devices.configure(
        call.context,
        call.person,
        device,
        name=names.clean(body.name) if "name" in given else None,
        zone=_zone(body.zone) if "zone" in given else None,
        settings=settings,
    )
    return DeviceItem.of(call, device)


@router.delete("/devices/{device_id}", status_code=204, responses=problems(404))
def delete_device(device_id: str, call: Writes) -> None:
    """Delete one's device; its shares end, and their holders are told."""
    devices.delete(call.context, call.person, find(call, device_id))


@router.post("/devices/{device_id}/transfer", status_code=204, responses=problems(404, 409))
def transfer(device_id: str, body: Transfer, call: Writes) -> None:
    """Give one's device to another account."""
    device = find(call, device_id)
    devices.transfer(call.context, call.person, device, body.email, keep_shares=body.keep_shares)


@router.post("/devices/{device_id}/enrolment", status_code=201, responses=problems(404))
def enrol(device_id: str, call: Writes) -> Enrolment:
    """What a lock is provisioned with, for its owner; what it had before is void."""
    device = find(call, device_id)
    secret = credentials.enrol(call.context, call.person, device)
    issuers, service = call.context.issuers, service_of(call.request)
    public = issuers.key(issuers.current).public
    return Enrolment(
        lock=device.lock_id,
        secret=secret,
        issuer=(public.x + public.y).hex(),
        broker=service.config.broker_url,
        ca=service.certificates.authority.read_text(encoding="ascii"),
        url=call.context.base_url,
    )


@router.post("/devices/{device_id}/home-assistant", status_code=201, responses=problems(404))
def switch_on(device_id: str, call: Writes) -> Home:
    """Let Home Assistant see the device, and ask it for what the rules of a new share allow.

    For its owner. Done again, it makes a new password.
    """
    share, password = homes.switch_on(call.context, call.person, find(call, device_id))
    service = service_of(call.request)
    return Home(
        share=share.uid,
        user=share.uid,
        password=password,
        broker=service.config.broker_url,
        ca=service.certificates.authority.read_text(encoding="ascii"),
    )


@router.post("/devices/{device_id}/resync", status_code=202, responses=problems(404, 409))
def resync(device_id: str, call: Writes) -> None:
    """Overrule a lock that has applied more than is known here, for its owner.

    That happens after the database was put back from a copy: what was revoked since is in force
    again, until it is revoked again. Look at the shares first.
    """
    devices.overrule(call.context, call.person, find(call, device_id))


# --- phones --------------------------------------------------------------------------------------


@router.get("/phones")
def list_phones(call: Annotated[Call, caller("Mobile.Read")]) -> list[Phone]:
    """The caller's phones."""
    return [Phone.of(key) for key in phones.of(call.context, call.person)]


@router.post("/phones", status_code=201, responses=problems(409))
def add_phone(body: NewPhone, call: Annotated[Call, caller("Mobile.ReadWrite")]) -> Phone:
    """Add a phone; it gets a grant for each share of its owner."""
    name = names.clean(body.name)
    return Phone.of(phones.add(call.context, call.person, name, bytes.fromhex(body.key)))


@router.delete("/phones/{phone_id}", status_code=204, responses=problems(404))
def remove_phone(phone_id: str, call: Annotated[Call, caller("Mobile.ReadWrite")]) -> None:
    """Forget a phone; its grants are revoked."""
    phones.remove(call.context, call.person, phones.find(call.context, call.person, phone_id))


# --- what phones carry ---------------------------------------------------------------------------


@router.get("/devices/{device_id}/changes", responses=problems(404))
def changes(
    device_id: str, call: Carries, after: Annotated[int, Query(ge=0, le=0x3FFF_FFFF)] = 0
) -> Changes:
    """What a lock lacks that has applied the changes up to a number; for who sees all shares."""
    device = find(call, device_id)
    permissions.require(call.context, call.person, device, Act.SEE_SHARES)
    batches = issuing.changes_after(call.context, device, after)
    return Changes(
        issuer=_introduction(call),
        sequence=device.sequence,
        batches=[_base64(each) for each in batches],
    )


@router.get("/devices/{device_id}/grant", responses=problems(404))
def grant(device_id: str, call: Renews, phone: Annotated[str, Query(max_length=32)]) -> GrantToken:
    """The caller's grant for one of their phones, renewed if half of its lease is over."""
    key = phones.find(call.context, call.person, phone)
    device = find(call, device_id)
    share = permissions.share_of(call.context, call.person, device)
    found = None if share is None else issuing.newest(call.context, share, key)
    if share is None or found is None:
        raise NotFound("grant")
    return GrantToken(
        issuer=_introduction(call),
        lock=device.lock_id,
        key=None if device.public_key is None else device.public_key.hex(),
        share=share.uid,
        version=share.version,
        lease=None if found.lease is None else instant(found.lease),
        token=_base64(issuing.token(call.context, found)),
    )


@router.get("/devices/{device_id}/settings", responses=problems(404))
def settings(device_id: str, call: Carries) -> Statement:
    """The settings for the lock."""
    found = issuing.settings(call.context, find(call, device_id))
    return _statement(call, issuing.token(call.context, found))


@router.post("/devices/{device_id}/time", responses=problems(404))
def time(device_id: str, body: Nonce, call: Carries) -> Statement:
    """The time for the lock, in answer to its nonce."""
    nonce = None if body.nonce is None else bytes.fromhex(body.nonce)
    return _statement(call, issuing.time(call.context, find(call, device_id), nonce))


@router.post("/devices/{device_id}/log", responses=problems(404))
def take_log(device_id: str, body: CarriedLog, call: Carries) -> Statement:
    """Take in what a phone carried of the lock's log; the acknowledgement is for the lock."""
    device = find(call, device_id)
    try:
        sealed = urlsafe_b64decode(body.log + "=" * (-len(body.log) % 4))
    except ValueError:
        raise Invalid("that is no base64url", code="bad-log") from None
    log.take_carried(call.context, device, sealed)
    kept = log.acknowledgement(call.context, device)
    if kept is None:
        raise Invalid("there is no entry in it", code="bad-log")
    return _statement(call, kept)


@open_router.get("/issuers")
def issuers(service: Annotated[Service, Depends(service_of)]) -> IssuerItems:
    """Whose signature a lock believes, and how one that was offline hears of a new key."""
    able = [each for each in service.issuers.all if each.may_sign]
    return IssuerItems(items=[IssuerItem.of(each) for each in able])


# --- who did what --------------------------------------------------------------------------------


@router.get("/devices/{device_id}/audit", responses=problems(404))
def read_audit(
    device_id: str, call: ReadsLog, limit: Limit = 100, cursor: AuditCursor = "0.0"
) -> Events:
    """What people did to a device and its shares, and what its own log says."""
    items, after = _events(call, device_id, limit, cursor)
    return Events(items=items, next=after)


@router.get(
    "/devices/{device_id}/audit.ndjson",
    responses={
        **problems(404),
        200: {
            "content": {NDJSON: {"schema": {"type": "string"}}},
            "headers": {"Link": {"schema": {"type": "string"}}},
            "description": "One CloudEvent a line. `Link` leads to what comes later.",
        },
    },
    response_class=Response,
)
def export_audit(
    device_id: str,
    call: ReadsLog,
    request: Request,
    limit: Most = audit.MOST,
    cursor: AuditCursor = "0.0",
) -> Response:
    """The same as lines, for other programs."""
    items, after = _events(call, device_id, limit, cursor)
    lines = "".join(f"{event.model_dump_json(exclude_none=True)}\n" for event in items)
    link = f'<{request.url.path}?limit={limit}&cursor={after}>; rel="next"'
    return Response(lines, media_type=NDJSON, headers={"Link": link})


def find(call: Call, device_id: str) -> Device:
    """A device that the caller may know of. Raises NotFound."""
    return devices.find(call.context, call.person, device_id)


def page_of(rows: list[Any], limit: int, cursor: str | None) -> tuple[list[Any], str | None]:
    """A page of rows in the order of their ids, and the cursor of the next one."""
    rest = [row for row in rows if row.id > int(cursor or 0)]
    page = rest[:limit]
    return page, str(page[-1].id) if len(rest) > limit else None


def _zone(text: str) -> str:
    try:
        return posix(text)
    except ZoneError as error:
        raise Invalid(
            f"{error}; write for example Europe/Warsaw or UTC0", code="bad-zone"
        ) from None


def _introduction(call: Call) -> str | None:
    statement = call.context.issuers.signer.statement
    return _base64(statement) if statement else None


def _statement(call: Call, token: bytes) -> Statement:
    return Statement(issuer=_introduction(call), token=_base64(token))


def _base64(statement: bytes) -> str:
    return urlsafe_b64encode(statement).rstrip(b"=").decode()


def _events(call: Call, device_id: str, limit: int, cursor: str) -> tuple[list[Event], str]:
    device = find(call, device_id)
    after = audit.Place(*map(int, cursor.split(".")))
    found, place = audit.read(call.context, call.person, device, after, limit)
    source = f"{call.context.base_url}{PREFIX}/devices/{device.uid}"
    return [_event(source, each) for each in found], f"{place.deed}.{place.entry}"


def _event(source: str, event: audit.Done | LogEntry) -> Event:
    if isinstance(event, LogEntry):
        entry = described(Entry(event.record))
        return Event(
            id=f"log-{event.branch}-{event.sequence}" if event.branch else f"log-{event.sequence}",
            source=source,
            type=f"sharelock.log.{entry['kind']}",
            time=entry["time"],
            subject=entry["share"],
            data=entry,
        )
    deed, person, share = event
    return Event(
        id=deed.uid,
        source=source,
        type=f"sharelock.{deed.what}",
        time=instant(deed.at).isoformat().replace("+00:00", "Z"),
        subject=share,
        data={"person": person, **deed.details},
    )
