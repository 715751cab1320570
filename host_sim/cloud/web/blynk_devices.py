"""Blynk's devices, as far as roles show them, and what they last said."""

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field
from sqlalchemy import and_, func, or_, select

from firmware.policy.zone import ZoneError
from host_sim.world import zones

from ..domain import addresses, devices, names, operations, organisations, permissions
from ..domain.errors import Forbidden, Invalid
from ..domain.model import INVITATION, PASSED_ON, Device, Member, Organisation, Person, Share
from .auth import Call, caller
from .blynk import (
    FINDS,
    Email,
    Id,
    Name,
    Page,
    Paging,
    Rows,
    Sorting,
    Words,
    find_member,
    find_place,
    in_order,
    missing,
    part,
    routes,
    to_ms,
)

TEMPLATE = 1  # every device is a lock
LOCK = 1  # its datastream: what is written into it is done, and it says what the lock said last
BATTERY = 2  # percent
ACTIONS = {0: "unlock", 1: "lock", 2: "pull"}

SeesDevices = Annotated[Call, caller("Device.Read")]
ChangesDevices = Annotated[Call, caller("Device.ReadWrite")]
Operates = Annotated[Call, caller("Lock.Operate")]

router = routes()


class DeviceSorting(Sorting):
    """The same for devices."""

    sortBy: Literal["Device Id", "Name", "Owner Id", "Organization Id"] = "Device Id"


_DEVICES_BY = {
    "Device Id": Device.id,
    "Name": Device.name,
    "Owner Id": Device.owner_id,
    "Organization Id": Device.organisation_id,
}


class DeviceItem(BaseModel):
    """A device."""

    id: int
    templateId: int = TEMPLATE
    orgId: int
    name: str
    activatedAt: int
    ownerUserId: int


class Value(BaseModel):
    """What the lock said last."""

    dataStreamId: int
    pin: str
    dataStreamLabel: str
    dataStreamAlias: str
    value: int
    updatedAt: int


class Text(BaseModel):
    """The value of a meta field."""

    type: str = "Text"
    value: str


class MetaField(BaseModel):
    """Something else about a device."""

    id: int
    name: str
    value: Text


class DeviceInfo(DeviceItem):
    """A device with its state. Meta field 1 tells of shares that no role expresses."""

    dataStreamValues: list[Value]
    metaFieldValues: list[MetaField]


class NewDevice(BaseModel):
    """A lock; other fields of Blynk's are not kept."""

    name: Name
    orgId: Id | None = Field(None, description="Your own organization by default.")
    ownerId: Id | None = Field(None, description="A user of that organization; you by default.")
    tz: str = Field("UTC", max_length=100, description="`Europe/Kyiv`, or a POSIX TZ string.")


class DeviceName(BaseModel):
    """What can be edited."""

    name: Name


class Transfer(BaseModel):
    """To whom, or into which organisation; the first that is given counts."""

    deviceId: Id
    newUserId: Id | None = None
    newUserEmail: Email | None = None
    newOrgId: Id | None = None


class Write(BaseModel):
    """A value for a datastream."""

    deviceId: Id
    dataStreamId: Id
    value: int = Field(description="0 unlocks, 1 locks, 2 pulls the latch.")


@router.get("/devices", responses=FINDS)
def all_devices(
    call: SeesDevices,
    paging: Annotated[Paging, Query()],
    orgId: Annotated[Id | None, Query()] = None,
    includeSubOrgDevices: bool = False,
) -> Page[DeviceItem]:
    """The devices of an organization, or of all yours, as far as your role shows them."""
    places = _switched(call, orgId)
    if includeSubOrgDevices:
        places = [each for place in places for each in organisations.below(call.context, place)]
    here = Device.organisation_id.in_({place.id for place in places})
    return _device_page(call, _in_sight(call).where(here).order_by(Device.id), paging)


@router.get("/search/devices")
def search_devices(
    call: SeesDevices, query: Words, sorting: Annotated[DeviceSorting, Query()]
) -> Page[DeviceItem]:
    """All devices that your roles show you, in sub-organizations too, by name."""
    found = _in_sight(call).where(Device.name.icontains(query, autoescape=True))
    return _device_page(call, in_order(found, _DEVICES_BY, sorting), sorting)


@router.get("/device/by-owner", responses=FINDS)
def devices_by_owner(
    call: SeesDevices,
    ownerEmail: Email,
    paging: Annotated[Paging, Query()],
    orgId: Annotated[Id | None, Query()] = None,
) -> Page[DeviceItem]:
    """The devices of one owner, as far as your role shows them."""
    here = Device.organisation_id.in_([place.id for place in _switched(call, orgId)])
    owned = Device.owner.has(Person.email_key == addresses.key(ownerEmail))
    return _device_page(call, _in_sight(call).where(here, owned).order_by(Device.id), paging)


@router.get("/device/by-user-org")
def devices_by_user_organization(
    call: SeesDevices, userEmail: Email, paging: Annotated[Paging, Query()]
) -> Page[DeviceItem]:
    """The devices in the organizations of somebody, as far as your role shows them."""
    theirs = select(Member.organisation_id).where(
        Member.email_key == addresses.key(userEmail), Member.person_id.is_not(None)
    )
    found = _in_sight(call).where(Device.organisation_id.in_(theirs))
    return _device_page(call, found.order_by(Device.id), paging)


@router.get("/device", responses=FINDS)
def device_info(call: SeesDevices, deviceId: Annotated[Id, Query()]) -> DeviceInfo:
    """A device that your role shows you, and what the lock said last."""
    device = _device(call, deviceId)
    return DeviceInfo(
        **_members(device), dataStreamValues=_values(device), metaFieldValues=_meta(call, device)
    )


@router.post("/device/create", status_code=201, responses=FINDS)
def create_device(call: ChangesDevices, body: NewDevice) -> DeviceItem:
    """Add a lock: your own, or as a manager that of another user."""
    place = find_place(call, body.orgId)
    owner: Person | None = call.person
    if body.ownerId not in (None, call.person.id):
        owner = find_member(call, body.ownerId, place.id).person
    if owner is None:
        raise missing("User is not found or you don't have access to him.")
    try:
        zone = zones.posix(body.tz)
    except ZoneError as error:
        raise Invalid(str(error), code="bad-zone") from None
    made = devices.create(call.context, owner, names.clean(body.name), zone, organisation=place)
    return DeviceItem(**_members(made))


@router.put("/device", responses=FINDS)
def edit_device(
    call: ChangesDevices, body: DeviceName, deviceId: Annotated[Id, Query()]
) -> DeviceItem:
    """Rename a device, as its owner or as a manager who may also control it."""
    device = _device(call, deviceId)
    devices.configure(call.context, call.person, device, name=names.clean(body.name))
    return DeviceItem(**_members(device))


@router.post("/device/transfer", status_code=204, responses=FINDS)
def transfer_device(call: ChangesDevices, body: Transfer) -> None:
    """Give a device to another user of its organization or of one below, where it is then.

    With only `newOrgId` it keeps its owner and moves.
    """
    device = _device(call, body.deviceId)
    if body.newUserId is None and body.newUserEmail is None:
        if body.newOrgId is None:
            raise Invalid("name a new user or a new organization")
        to = find_place(call, body.newOrgId, "Destination organization")
        devices.move(call.context, call.person, device, to)
        return
    wanted = Person.id == body.newUserId
    if body.newUserId is None:
        wanted = Person.email_key == addresses.key(body.newUserEmail or "")
    heir = call.context.session.scalar(select(Person).where(wanted))
    devices.hand_over(call.context, call.person, device, heir)


@router.delete("/device", status_code=204, responses=FINDS)
def delete_device(call: ChangesDevices, deviceId: Annotated[Id, Query()]) -> None:
    """Delete a device of your own; whoever it was shared with is told."""
    devices.delete(call.context, call.person, _device(call, deviceId))


@router.post("/device/datastream", status_code=204, responses=FINDS)
def write_datastream(call: Operates, body: Write) -> None:
    """Ask the lock to do something, as far as your role lets you control it; the lock decides."""
    device = _device(call, body.deviceId)
    if body.dataStreamId != LOCK:
        raise missing(f"Data stream with identifier {body.dataStreamId} is not found!")
    if body.value not in ACTIONS:
        raise Invalid("the value is 0 to unlock, 1 to lock, or 2 to pull the latch")
    if not _controls(call, device):
        raise Forbidden("not-allowed", "Your role does not let you control this device.")
    operations.ask(call.context, call.person, device, ACTIONS[body.value])


def _in_sight(call: Call) -> Rows:
    """The devices that roles show: those of organisations, and those of one's own."""
    everything = organisations.reach(call.context, call.person, organisations.VIEW_ORGANISATION)
    own = organisations.reach(call.context, call.person, organisations.VIEW_OWN)
    mine = and_(Device.owner_id == call.person.id, Device.organisation_id.in_(own))
    seen = or_(Device.organisation_id.in_(everything), mine)
    return select(Device).where(Device.deleted_at.is_(None), seen)


def _device(call: Call, device_id: int) -> Device:
    device = call.context.session.scalar(_in_sight(call).where(Device.id == device_id))
    if device is None:
        text = (
            f"Device with identifier {device_id} is not found or belong to another organization."
        )
        raise missing(text)
    return device


def _controls(call: Call, device: Device) -> bool:
    def may(permission: str) -> bool:
        return organisations.may(call.context, call.person, device.organisation, permission)

    own = device.owner_id == call.person.id
    return may(organisations.CONTROL_ORGANISATION) or (own and may(organisations.CONTROL_OWN))


def _switched(call: Call, org_id: int | None) -> list[Organisation]:
    """Where to look for devices."""
    if org_id is not None:
        return [find_place(call, org_id)]
    return [each.organisation for each in organisations.memberships(call.context, call.person)]


def _device_page(call: Call, found: Rows, paging: Paging) -> Page[DeviceItem]:
    rows, total = part(call, found, paging)
    return Page(content=[DeviceItem(**_members(row)) for (row,) in rows], totalElements=total)


def _members(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "orgId": device.organisation_id,
        "name": device.name,
        "activatedAt": to_ms(device.created_at),
        "ownerUserId": device.owner_id,
    }


def _values(device: Device) -> list[Value]:
    if device.state_at is None:
        return []
    return [
        Value(
            dataStreamId=number,
            pin=f"v{number}",
            dataStreamLabel=label,
            dataStreamAlias=label,
            value=device.state[member],
            updatedAt=to_ms(device.state_at),
        )
        for number, label, member in ((LOCK, "Lock", "lock"), (BATTERY, "Battery", "battery"))
        if device.state.get(member) is not None
    ]


def _meta(call: Call, device: Device) -> list[MetaField]:
    """How many shares there are that no role and no ownership expresses, for who may see them."""
    if not permissions.may(call.context, call.person, device, permissions.Act.SEE_SHARES):
        return []
    given = select(func.count(Share.id)).where(
        Share.device_id == device.id,
        Share.ended_at.is_(None),
        Share.origin.in_((INVITATION, PASSED_ON)),
    )
    text = Text(value=str(call.context.session.scalar(given)))
    return [MetaField(id=1, name="Shares beyond roles", value=text)]
