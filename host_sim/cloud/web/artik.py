"""ARTIK's API (v1.1): users, devices and their shares; messages are in `artik_messages`.

It knows one kind of share: offered by mail, PENDING until its link is followed, then ACCEPTED,
without any limit. A share that means something else is marked as not `expressible`. Only the owner
of a device shares it here. Instants are milliseconds.
"""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import JSONResponse, Response

from firmware.policy.grant import GUEST
from firmware.policy.zone import ZoneError
from host_sim.world.zones import posix

from ..domain import addresses, devices, names, sharing, terms
from ..domain.errors import Invalid, NotFound
from ..domain.model import ACCEPTED, OWNERSHIP, Device, Person, Share
from ..domain.permissions import Act, require, share_of
from .auth import Call, Route, caller
from .problems import Refusal, Style

# The types of device that there are, and whether they are private.
LOCK = "dt8c1f6e0b5d3a49d7b2e4907f13ca68f5"
PRIVATE_LOCK = "dt25b9d7c4e8f0416a93a6d8175cbe0f42"
TYPES = {LOCK: False, PRIVATE_LOCK: True}
MANIFEST = 1
MOST = 100  # items to one answer


def ms(unix_s: int) -> int:
    """An instant as it is written here."""
    return unix_s * 1000


class Error(BaseModel):
    """What went wrong; `code` is the HTTP status."""

    code: int
    message: str


class ErrorEnvelope(BaseModel):
    """Every answer that is an error."""

    error: Error


class ArtikStyle(Style):
    """Errors as ARTIK has them."""

    prefixes = ("/v1.1/",)

    def error(self, refusal: Refusal) -> Response:
        """The answer."""
        body = ErrorEnvelope(error=Error(code=refusal.status, message=refusal.message))
        return JSONResponse(body.model_dump(), refusal.status, refusal.headers)


STYLE = ArtikStyle()


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, with those that any has."""
    always = (400, 401, 403, 413, 429, 503)
    return {
        status: {"description": HTTPStatus(status).phrase, "model": ErrorEnvelope}
        for status in sorted({*always, *statuses})
    }


class Camel(BaseModel):
    """With names as JavaScript has them."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Body(Camel):
    """Of a request; a field with an unknown name is refused."""

    model_config = ConfigDict(extra="forbid")


class ArtikUser(Camel):
    """Somebody with an account."""

    id: str
    name: str
    email: str
    full_name: str
    created_on: int
    modified_on: int


class UserEnvelope(BaseModel):
    """A user."""

    data: ArtikUser


class ArtikDevice(Camel):
    """A device; `uid` is its owner. How it is shared is there only if it was asked for."""

    id: str
    uid: str
    dtid: str
    name: str
    manifest_version: int = MANIFEST
    manifest_version_policy: str = "LATEST"
    need_provider_auth: bool = False
    properties: dict[str, str] | None = None
    created_on: int
    shared_with_others: bool | None = None
    shared_with_me: str | None = Field(default=None, description="The id of the caller's share.")

    @classmethod
    def of(cls, device: Device) -> "ArtikDevice":
        """A device."""
        return cls(
            id=device.uid,
            uid=device.owner.uid,
            dtid=type_of(device),
            name=device.name,
            created_on=ms(device.created_at),
        )


class DeviceEnvelope(BaseModel):
    """A device."""

    data: ArtikDevice


class DeviceArray(BaseModel):
    """Devices."""

    devices: list[ArtikDevice]


class DevicesEnvelope(BaseModel):
    """Some of `total` devices."""

    data: DeviceArray
    total: int
    offset: int
    count: int


class Properties(Body):
    """What a device is told when it is made: a name of the tz database, or a POSIX TZ string."""

    zone: str = Field(default="UTC0", max_length=100)


class NewDevice(Body):
    """A device to add to the caller's account."""

    uid: str | None = Field(default=None, description="The caller's id, or nothing.")
    dtid: str = Field(description=f"{LOCK}, or {PRIVATE_LOCK} for a device of a private type.")
    name: str = Field(max_length=names.MOST)
    manifest_version: Literal[1] = 1
    manifest_version_policy: Literal["LATEST", "DEVICE"] = "LATEST"
    properties: Properties = Properties()


class DeviceChange(Body):
    """A new name for a device."""

    name: str = Field(max_length=names.MOST)


class DeviceToken(Camel):
    """What a device shows when it sends messages."""

    access_token: str
    uid: str
    did: str


class DeviceTokenEnvelope(BaseModel):
    """The token of a device."""

    data: DeviceToken


class ShareInfo(Body):
    """Whom to share with: the field is called `uid`, and holds an e-mail address."""

    uid: str = Field(max_length=addresses.MOST, examples=["bob@example.org"])


class ShareId(Camel):
    """The id of a share."""

    id: str


class ShareIdEnvelope(Camel):
    """The same twice: ARTIK answered with `data`, its own clients look for `shareId`."""

    data: ShareId
    share_id: str

    @classmethod
    def of(cls, share: Share) -> "ShareIdEnvelope":
        """A share's."""
        return cls(data=ShareId(id=share.uid), share_id=share.uid)


class ArtikShare(Camel):
    """A share."""

    id: str
    email: str
    status: Literal["PENDING", "ACCEPTED"]
    shared_on: int
    device_id: str
    expressible: bool = Field(
        description="Whether it is all that can be done to a device, at any time. If not, another"
        " API tells what it is."
    )

    @classmethod
    def of(cls, share: Share) -> "ArtikShare":
        """A share that has not ended."""
        return cls(**_members(share))


class ArtikShareEnvelope(ArtikShare):
    """The same twice: ARTIK answered with `data`, its own clients look beside it."""

    data: ArtikShare

    @classmethod
    def of(cls, share: Share) -> "ArtikShareEnvelope":
        """A share that has not ended."""
        return cls(**_members(share), data=ArtikShare.of(share))


class ShareArray(BaseModel):
    """Shares."""

    shares: list[ArtikShare]


class SharesEnvelope(BaseModel):
    """Some of `total` shares."""

    data: ShareArray
    total: int
    offset: int
    count: int


Count = Annotated[int, Query(ge=1, le=MOST)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Reads = Annotated[Call, caller("Device.Read")]
Writes = Annotated[Call, caller("Device.ReadWrite")]
ReadsShares = Annotated[Call, caller("DeviceShare.Read")]
WritesShares = Annotated[Call, caller("DeviceShare.ReadWrite")]

router = APIRouter(
    prefix="/v1.1",
    route_class=Route,
    tags=["ARTIK"],
    responses=errors(),
)


@router.get("/users/self")
def get_self(call: Annotated[Call, caller("Account.Read")]) -> UserEnvelope:
    """Whose token it is."""
    person = call.person
    user = ArtikUser(
        id=person.uid,
        name=person.name,
        email=person.email,
        full_name=person.name,
        created_on=ms(person.created_at),
        modified_on=ms(person.confirmed_at or person.created_at),
    )
    return UserEnvelope(data=user)


@router.get("/users/{user_id}/devices", responses=errors(404), response_model_exclude_none=True)
def get_user_devices(
    user_id: str,
    call: Reads,
    owner: Literal["ALL", "ME", "SHARED"] = "ALL",
    include_share_info: Annotated[bool, Query(alias="includeShareInfo")] = False,
    include_properties: Annotated[bool, Query(alias="includeProperties")] = False,
    dtid: str | None = None,
    count: Count = MOST,
    offset: Offset = 0,
) -> DevicesEnvelope:
    """The caller's devices, and those that are shared with them."""
    _check_self(call, user_id)
    known = [
        device
        for device in devices.known_to(call.context, call.person)
        if _is_wanted(device, call.person, owner) and dtid in (None, type_of(device))
    ]
    page = []
    for device in known[offset : offset + count]:
        shown = ArtikDevice.of(device)
        if include_properties:
            shown.properties = {"zone": device.zone}
        if include_share_info:
            _tell_shares(call, device, shown)
        page.append(shown)
    data = DeviceArray(devices=page)
    return DevicesEnvelope(data=data, total=len(known), offset=offset, count=len(page))


@router.get("/users/{user_id}/shares", responses=errors(404))
def list_all_shares_for_user(
    user_id: str,
    call: ReadsShares,
    filter: Literal["ALL", "SHARED_BY_ME", "SHARED_WITH_ME"] = "ALL",
    count: Count = MOST,
    offset: Offset = 0,
) -> SharesEnvelope:
    """The shares of the caller's devices, and those that they hold or are invited to."""
    _check_self(call, user_id)
    found: list[Share] = []
    if filter != "SHARED_WITH_ME":
        found += sharing.given_by(call.context, call.person)
    if filter != "SHARED_BY_ME":
        found += sharing.offered_to(call.context, call.person)
    return _page(found, count, offset)


@router.post("/devices", responses=errors(404, 409), response_model_exclude_none=True)
def add_device(body: NewDevice, call: Writes) -> DeviceEnvelope:
    """Add a device to the caller's account."""
    if body.uid not in (None, call.person.uid):
        raise NotFound("user")
    if body.dtid not in TYPES:
        raise Invalid("there is no such type of device", code="bad-type")
    try:
        zone = posix(body.properties.zone)
    except ZoneError as error:
        raise Invalid(str(error), code="bad-zone") from None
    private = TYPES[body.dtid]
    name = names.clean(body.name)
    made = devices.create(call.context, call.person, name, zone, private_type=private)
    return DeviceEnvelope(data=ArtikDevice.of(made))


@router.get("/devices/{device_id}", responses=errors(404), response_model_exclude_none=True)
def get_device(device_id: str, call: Reads) -> DeviceEnvelope:
    """A device."""
    return DeviceEnvelope(data=ArtikDevice.of(find(call, device_id)))


@router.put("/devices/{device_id}", responses=errors(404), response_model_exclude_none=True)
def update_device(device_id: str, body: DeviceChange, call: Writes) -> DeviceEnvelope:
    """Give a device another name."""
    device = find(call, device_id)
    devices.configure(call.context, call.person, device, name=names.clean(body.name))
    return DeviceEnvelope(data=ArtikDevice.of(device))


@router.delete("/devices/{device_id}", responses=errors(404), response_model_exclude_none=True)
def delete_device(device_id: str, call: Writes) -> DeviceEnvelope:
    """Delete one's device. Its shares end, pending ones too, and their holders are told."""
    device = find(call, device_id)
    devices.delete(call.context, call.person, device)
    return DeviceEnvelope(data=ArtikDevice.of(device))


@router.put("/devices/{device_id}/tokens", responses=errors(404))
def update_device_token(device_id: str, call: Writes) -> DeviceTokenEnvelope:
    """Give one's device a new token. It is shown this once; an earlier one is void."""
    device = find(call, device_id)
    secret = devices.new_token(call.context, call.person, device)
    token = DeviceToken(access_token=secret, uid=call.person.uid, did=device.uid)
    return DeviceTokenEnvelope(data=token)


@router.delete("/devices/{device_id}/tokens", status_code=204, responses=errors(404))
def delete_device_token(device_id: str, call: Writes) -> None:
    """Make the token of one's device void."""
    devices.end_token(call.context, call.person, find(call, device_id))


@router.post("/devices/{device_id}/shares", responses=errors(404, 409))
def create_share_for_device(
    device_id: str, body: ShareInfo, call: WritesShares
) -> ShareIdEnvelope:
    """Share one's device. It is PENDING until the link in the mail is followed."""
    device = find(call, device_id)
    require(call.context, call.person, device, Act.GIVE_AWAY)
    made = sharing.create(
        call.context, call.person, device, body.uid, terms.plain(GUEST), by_link=True
    )
    return ShareIdEnvelope.of(made)


@router.get("/devices/{device_id}/shares", responses=errors(404))
def get_all_shares_for_device(
    device_id: str, call: ReadsShares, count: Count = MOST, offset: Offset = 0
) -> SharesEnvelope:
    """The shares of a device: all for its owner, one's own for others."""
    device = find(call, device_id)
    found = sharing.visible(call.context, call.person, device)
    return _page([share for share in found if share.origin != OWNERSHIP], count, offset)


@router.get("/devices/{device_id}/shares/{share_id}", responses=errors(404))
def get_sharing_for_device(device_id: str, share_id: str, call: ReadsShares) -> ArtikShareEnvelope:
    """A share, with its status."""
    return ArtikShareEnvelope.of(_share(call, device_id, share_id))


@router.delete("/devices/{device_id}/shares/{share_id}", responses=errors(404, 409))
def delete_sharing_for_device(
    device_id: str, share_id: str, call: WritesShares
) -> ShareIdEnvelope:
    """Revoke a share of one's device; or drop, or decline, a share of one's own."""
    share = _share(call, device_id, share_id)
    if share.email_key == call.person.email_key:
        sharing.drop(call.context, call.person, share)
    else:
        require(call.context, call.person, share.device, Act.GIVE_AWAY)
        sharing.end(call.context, call.person, share)
    return ShareIdEnvelope.of(share)


@router.post("/devices/{device_id}/shares/{share_id}/resend", responses=errors(404, 409))
def resend_invitation(device_id: str, share_id: str, call: WritesShares) -> ShareIdEnvelope:
    """Mail the invitation to a PENDING share again; the link of an earlier mail is void."""
    share = _share(call, device_id, share_id)
    require(call.context, call.person, share.device, Act.GIVE_AWAY)
    sharing.resend(call.context, call.person, share)
    return ShareIdEnvelope.of(share)


def find(call: Call, device_id: str) -> Device:
    """A device that the caller may know of. Raises NotFound."""
    return devices.find(call.context, call.person, device_id)


def type_of(device: Device) -> str:
    """The type of a device."""
    return PRIVATE_LOCK if device.private_type else LOCK


def _share(call: Call, device_id: str, share_id: str) -> Share:
    share = sharing.find(call.context, call.person, share_id)
    if share.device.uid != device_id or share.origin == OWNERSHIP:
        raise NotFound("share")
    return share


def _check_self(call: Call, user_id: str) -> None:
    if user_id != call.person.uid:
        raise NotFound("user")


def _is_wanted(device: Device, person: Person, owner: str) -> bool:
    mine = device.owner_id == person.id
    return owner == "ALL" or mine == (owner == "ME")


def _tell_shares(call: Call, device: Device, shown: ArtikDevice) -> None:
    mine = share_of(call.context, call.person, device)
    if device.owner_id == call.person.id:
        given = sharing.visible(call.context, call.person, device)
        shown.shared_with_others = any(share.origin != OWNERSHIP for share in given)
    elif mine is not None:
        shown.shared_with_me = mine.uid


def _page(found: list[Share], count: int, offset: int) -> SharesEnvelope:
    page = [ArtikShare.of(share) for share in found[offset : offset + count]]
    data = ShareArray(shares=page)
    return SharesEnvelope(data=data, total=len(found), offset=offset, count=len(page))


def _members(share: Share) -> dict[str, Any]:
    return {
        "id": share.uid,
        "email": share.email,
        "status": "ACCEPTED" if share.status == ACCEPTED else "PENDING",
        "shared_on": ms(share.created_at),
        "device_id": share.device.uid,
        "expressible": terms.is_plain(share),
    }
