"""Blynk's Platform API: organisations, their users and roles, and devices as roles show them.

Somebody may be a member of several organisations here. A list without `orgId` has what is in all
of them, one with it is Blynk's organisation switch. docs/api-blynk.md tells what else differs.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from starlette.responses import Response

from firmware.policy.zone import ZoneError
from host_sim.world import zones

from ..domain import addresses, devices, membership, names, operations, organisations, permissions
from ..domain.errors import Forbidden, Invalid
from ..domain.model import INVITATION, PASSED_ON, Device, Member, Organisation, Person, Role, Share
from .auth import Call, Route, caller
from .problems import Refusal, Style

TEMPLATE = 1  # every device is a lock
LOCK = 1  # its datastream: what is written into it is done, and it says what the lock said last
BATTERY = 2  # percent
ACTIONS = {0: "unlock", 1: "lock", 2: "pull"}

Item = TypeVar("Item")
Id = Annotated[int, Field(ge=1, lt=1 << 63)]
RoleNumber = Annotated[int, Field(ge=1, le=membership.MOST_ROLES)]
Name = Annotated[str, Field(min_length=1, max_length=names.MOST)]
Email = Annotated[str, Field(max_length=addresses.MOST, examples=["john@example.com"])]
Words = Annotated[str, Query(max_length=255)]
Rows = Select[*tuple[Any, ...]]
Order = Literal["ASC", "DESC"]

Sees = Annotated[Call, caller("Organization.Read")]
Manages = Annotated[Call, caller("Organization.ReadWrite")]
SeesDevices = Annotated[Call, caller("Device.Read")]
ChangesDevices = Annotated[Call, caller("Device.ReadWrite")]
Operates = Annotated[Call, caller("Lock.Operate")]


class ErrorText(BaseModel):
    """What went wrong."""

    message: str


class Error(BaseModel):
    """Of every request that was not fulfilled."""

    error: ErrorText


class BlynkStyle(Style):
    """Errors as Blynk words them; what contradicts the state of things is a bad request."""

    prefixes = ("/api/v1/organization",)

    def error(self, refusal: Refusal) -> Response:
        """The answer."""
        status = 400 if refusal.status == 409 else refusal.status
        body = Error(error=ErrorText(message=refusal.message))
        return JSONResponse(body.model_dump(), status, refusal.headers)


STYLE = BlynkStyle()
_ALWAYS: dict[int | str, dict[str, Any]] = {
    status: {"model": Error} for status in (400, 401, 403, 413, 429, 503)
}
_FINDS: dict[int | str, dict[str, Any]] = {404: {"model": Error}}

router = APIRouter(
    prefix="/api/v1/organization", route_class=Route, tags=["Blynk"], responses=_ALWAYS
)


class Page(BaseModel, Generic[Item]):
    """A part of a list, and how many there are in all."""

    content: list[Item]
    totalElements: int


class Paging(BaseModel):
    """Which part of a list is wanted."""

    page: int = Field(0, ge=0, le=1_000_000, description="From 0 on.")
    size: int = Field(20, ge=1, le=100)


class Sorting(Paging):
    """The same of what a search found."""

    sortBy: str
    sortOrder: Order = "ASC"


class OrganisationSorting(Sorting):
    """The same for organisations."""

    sortBy: Literal["Organization Id", "Name"] = "Organization Id"


class UserSorting(Sorting):
    """The same for users."""

    sortBy: Literal["User Id", "Name", "Email"] = "User Id"


class DeviceSorting(Sorting):
    """The same for devices."""

    sortBy: Literal["Device Id", "Name", "Owner Id", "Organization Id"] = "Device Id"


_ORGANISATIONS_BY = {"Organization Id": Organisation.id, "Name": Organisation.name}
_USERS_BY = {"User Id": Person.id, "Name": Person.name, "Email": Person.email_key}
_DEVICES_BY = {
    "Device Id": Device.id,
    "Name": Device.name,
    "Owner Id": Device.owner_id,
    "Organization Id": Device.organisation_id,
}


class OrganisationItem(BaseModel):
    """An organisation."""

    id: int
    name: str
    parentOrganizationId: int | None = Field(description="`null` if you may not see it.")
    isActive: bool = True
    lastModifiedTs: int


class NewOrganisation(BaseModel):
    """A sub-organisation; other fields of Blynk's are not kept."""

    name: Name
    parentId: Id | None = Field(None, description="Your own organization by default.")


class RoleItem(BaseModel):
    """A role of an organisation; 1 to 3 are Admin, Staff and User in each."""

    id: int
    name: str
    permissions: list[str]


class Permissions(BaseModel):
    """What a role lets its users do."""

    permissions: Annotated[list[str], Field(max_length=len(organisations.PERMISSIONS))] = Field(
        description=", ".join(organisations.PERMISSIONS)
    )


class NewRole(Permissions):
    """A role of your own."""

    orgId: Id | None = None
    name: Name


class UserItem(BaseModel):
    """A user, as a member of one organisation."""

    id: int
    name: str
    email: str
    roleId: int
    orgId: int
    status: Literal["Active", "Pending"]
    registeredAt: int | None
    isDev: bool = False


class NewUser(BaseModel):
    """Whom to invite; other fields of Blynk's are not kept."""

    email: Email
    name: Name
    roleId: RoleNumber
    orgId: Id | None = Field(None, description="Your own organization by default.")


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


# --- organisations -------------------------------------------------------------------------------


@router.get("/profile")
def own_organization(call: Sees) -> OrganisationItem:
    """The organization that your account started with."""
    return _organisation(call, organisations.home(call.context, call.person))


@router.get("", responses=_FINDS)
def organization(call: Sees, orgId: Annotated[Id, Query()]) -> OrganisationItem:
    """An organization that you are a member of, or one below that your role shows you."""
    return _organisation(call, _place(call, orgId))


@router.get("/search")
def search_organizations(
    call: Sees, query: Words, sorting: Annotated[OrganisationSorting, Query()]
) -> Page[OrganisationItem]:
    """Your organizations, and those below that your roles show you, by name."""
    found = select(Organisation).where(Organisation.id.in_(_places(call)))
    found = found.where(Organisation.name.icontains(query, autoescape=True))
    found = _sorted(found, _ORGANISATIONS_BY, sorting)
    rows, total = _paged(call, found, sorting)
    return Page(content=[_organisation(call, row) for (row,) in rows], totalElements=total)


@router.post("/create", status_code=201, responses=_FINDS)
def create_organization(call: Manages, body: NewOrganisation) -> OrganisationItem:
    """Create a sub-organization."""
    parent = _place(call, body.parentId, "Parent organization")
    made = organisations.create_below(call.context, call.person, parent, body.name)
    return _organisation(call, made)


# --- roles ---------------------------------------------------------------------------------------


@router.get("/roles", responses=_FINDS)
def roles(call: Sees, orgId: Annotated[Id | None, Query()] = None) -> list[RoleItem]:
    """The roles of an organization."""
    return [_role_item(role) for role in _managed(call, orgId).roles]


@router.post("/roles", status_code=201, responses=_FINDS)
def create_role(call: Manages, body: NewRole) -> RoleItem:
    """Make a role of your own."""
    place = _place(call, body.orgId)
    made = membership.add_role(call.context, call.person, place, body.name, body.permissions)
    call.context.session.refresh(place, ["roles"])
    return _role_item(made)


@router.put("/roles", responses=_FINDS)
def change_role(
    call: Manages,
    body: Permissions,
    roleId: Annotated[RoleNumber, Query()],
    orgId: Annotated[Id | None, Query()] = None,
) -> RoleItem:
    """Change what all users with a role may do."""
    role = _role(_managed(call, orgId), roleId)
    membership.change_role(call.context, call.person, role, body.permissions)
    return _role_item(role)


# --- users ---------------------------------------------------------------------------------------


@router.get("/users", responses=_FINDS)
def users(
    call: Sees, paging: Annotated[Paging, Query()], orgId: Annotated[Id | None, Query()] = None
) -> Page[UserItem]:
    """The users of an organization, those who were invited too."""
    place = _managed(call, orgId)
    found = _users().where(Member.organisation_id == place.id).order_by(Person.id)
    return _user_page(call, found, paging)


@router.get("/search/users")
def search_users(
    call: Sees, query: Words, sorting: Annotated[UserSorting, Query()]
) -> Page[UserItem]:
    """The users of all organizations that you manage, by name or e-mail."""
    managed = organisations.reach(call.context, call.person, organisations.MANAGE)
    alike = or_(
        Person.name.icontains(query, autoescape=True),
        Member.email.icontains(query, autoescape=True),
    )
    found = _users().where(Member.organisation_id.in_(managed), alike)
    found = _sorted(found, _USERS_BY, sorting)
    return _user_page(call, found, sorting)


@router.post("/users/invite", status_code=201, responses=_FINDS)
def invite_user(call: Manages, body: NewUser) -> UserItem:
    """Invite somebody, by e-mail; an account that there is already is a user at once."""
    place = _managed(call, body.orgId)
    role = _role(place, body.roleId)
    member = membership.invite(call.context, call.person, place, body.email, body.name, role)
    return _user(member, _account(call, Person.email_key == member.email_key))


@router.get("/user", responses=_FINDS)
def user(
    call: Sees,
    userId: Annotated[Id, Query()],
    orgId: Annotated[Id | None, Query()] = None,
) -> UserItem:
    """A user of an organization that you manage, or yourself."""
    member = _member(call, userId, orgId)
    return _user(member, _account(call, Person.id == userId))


@router.put("/users/role", responses=_FINDS)
def change_user_role(
    call: Manages,
    userId: Annotated[Id, Query()],
    roleId: Annotated[RoleNumber, Query()],
    orgId: Annotated[Id | None, Query()] = None,
) -> UserItem:
    """Give a user another role."""
    member = _member(call, userId, orgId)
    role = _role(member.organisation, roleId)
    membership.set_role(call.context, call.person, member, role)
    return _user(member, _account(call, Person.id == userId))


@router.delete("/user", status_code=204, responses=_FINDS)
def remove_user(
    call: Manages,
    userId: Annotated[Id, Query()],
    orgId: Annotated[Id | None, Query()] = None,
) -> None:
    """Take somebody out of an organization, or leave it."""
    membership.remove(call.context, call.person, _member(call, userId, orgId))


# --- devices -------------------------------------------------------------------------------------


@router.get("/devices", responses=_FINDS)
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
    return _device_page(call, _sorted(found, _DEVICES_BY, sorting), sorting)


@router.get("/device/by-owner", responses=_FINDS)
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


@router.get("/device", responses=_FINDS)
def device_info(call: SeesDevices, deviceId: Annotated[Id, Query()]) -> DeviceInfo:
    """A device that your role shows you, and what the lock said last."""
    device = _device(call, deviceId)
    return DeviceInfo(
        **_members(device), dataStreamValues=_values(device), metaFieldValues=_meta(call, device)
    )


@router.post("/device/create", status_code=201, responses=_FINDS)
def create_device(call: ChangesDevices, body: NewDevice) -> DeviceItem:
    """Add a lock: your own, or as a manager that of another user."""
    place = _place(call, body.orgId)
    owner: Person | None = call.person
    if body.ownerId not in (None, call.person.id):
        owner = _member(call, body.ownerId, place.id).person
    if owner is None:
        raise _missing("User is not found or you don't have access to him.")
    try:
        zone = zones.posix(body.tz)
    except ZoneError as error:
        raise Invalid(str(error), code="bad-zone") from None
    made = devices.create(call.context, owner, names.clean(body.name), zone, organisation=place)
    return DeviceItem(**_members(made))


@router.put("/device", responses=_FINDS)
def edit_device(
    call: ChangesDevices, body: DeviceName, deviceId: Annotated[Id, Query()]
) -> DeviceItem:
    """Rename a device, as its owner or as a manager who may also control it."""
    device = _device(call, deviceId)
    devices.configure(call.context, call.person, device, name=names.clean(body.name))
    return DeviceItem(**_members(device))


@router.post("/device/transfer", status_code=204, responses=_FINDS)
def transfer_device(call: ChangesDevices, body: Transfer) -> None:
    """Give a device to another user of its organization or of one below, where it is then.

    With only `newOrgId` it keeps its owner and moves.
    """
    device = _device(call, body.deviceId)
    if body.newUserId is None and body.newUserEmail is None:
        if body.newOrgId is None:
            raise Invalid("name a new user or a new organization")
        to = _place(call, body.newOrgId, "Destination organization")
        devices.move(call.context, call.person, device, to)
        return
    wanted = Person.id == body.newUserId
    if body.newUserId is None:
        wanted = Person.email_key == addresses.key(body.newUserEmail or "")
    heir = call.context.session.scalar(select(Person).where(wanted))
    devices.hand_over(call.context, call.person, device, heir)


@router.delete("/device", status_code=204, responses=_FINDS)
def delete_device(call: ChangesDevices, deviceId: Annotated[Id, Query()]) -> None:
    """Delete a device of your own; whoever it was shared with is told."""
    devices.delete(call.context, call.person, _device(call, deviceId))


@router.post("/device/datastream", status_code=204, responses=_FINDS)
def write_datastream(call: Operates, body: Write) -> None:
    """Ask the lock to do something, as far as your role lets you control it; the lock decides."""
    device = _device(call, body.deviceId)
    if body.dataStreamId != LOCK:
        raise _missing(f"Data stream with identifier {body.dataStreamId} is not found!")
    if body.value not in ACTIONS:
        raise Invalid("the value is 0 to unlock, 1 to lock, or 2 to pull the latch")
    if not _controls(call, device):
        raise Forbidden("not-allowed", "Your role does not let you control this device.")
    operations.ask(call.context, call.person, device, ACTIONS[body.value])


# --- who sees what -------------------------------------------------------------------------------


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
        raise _missing(text)
    return device


def _controls(call: Call, device: Device) -> bool:
    def may(permission: str) -> bool:
        return organisations.may(call.context, call.person, device.organisation, permission)

    own = device.owner_id == call.person.id
    return may(organisations.CONTROL_ORGANISATION) or (own and may(organisations.CONTROL_OWN))


def _places(call: Call) -> set[int]:
    """The ids of the organisations that somebody knows of."""
    mine = {each.organisation_id for each in organisations.memberships(call.context, call.person)}
    view = organisations.VIEW_ORGANISATION
    return mine | organisations.reach(call.context, call.person, view)


def _place(call: Call, org_id: int | None, what: str = "Organization") -> Organisation:
    """An organisation that somebody knows of; without an id their own."""
    if org_id is None:
        return organisations.home(call.context, call.person)
    if org_id not in _places(call):
        raise _missing(f"{what} is not found or you don't have access to it.")
    return call.context.session.get_one(Organisation, org_id)


def _managed(call: Call, org_id: int | None) -> Organisation:
    """The same, if they manage it."""
    place = _place(call, org_id)
    organisations.require(call.context, call.person, place, organisations.MANAGE)
    return place


def _switched(call: Call, org_id: int | None) -> list[Organisation]:
    """Where to look for devices."""
    if org_id is not None:
        return [_place(call, org_id)]
    return [each.organisation for each in organisations.memberships(call.context, call.person)]


def _member(call: Call, person_id: int, org_id: int | None) -> Member:
    """A user of an organisation that the caller manages, or the caller there."""
    place = _place(call, org_id)
    if person_id != call.person.id:
        organisations.require(call.context, call.person, place, organisations.MANAGE)
    found = membership.find(call.context, place, person_id)
    if found is None:
        text = f"User with identifier {person_id} is not found or belong to another organization."
        raise _missing(text)
    return found


def _role(place: Organisation, number: int) -> Role:
    if number > len(place.roles):
        raise _missing("Role is not found.")
    return place.roles[number - 1]


def _missing(text: str) -> Refusal:
    return Refusal(404, "not-found", text)


# --- as Blynk shows it ---------------------------------------------------------------------------


def _ms(unix_s: int) -> int:
    return unix_s * 1000


def _organisation(call: Call, row: Organisation) -> OrganisationItem:
    above = row.parent_id if row.parent_id in _places(call) else None
    return OrganisationItem(
        id=row.id, name=row.name, parentOrganizationId=above, lastModifiedTs=_ms(row.created_at)
    )


def _role_number(role: Role) -> int:
    """The number of a role in its organisation, as in Blynk's documentation; none is deleted."""
    return role.organisation.roles.index(role) + 1


def _role_item(role: Role) -> RoleItem:
    return RoleItem(id=_role_number(role), name=role.name, permissions=role.permissions)


def _users() -> Rows:
    return select(Member, Person).join(Person, Person.email_key == Member.email_key)


def _user(member: Member, person: Person) -> UserItem:
    return UserItem(
        id=person.id,
        name=person.name,
        email=member.email,
        roleId=_role_number(member.role),
        orgId=member.organisation_id,
        status="Pending" if member.joined_at is None else "Active",
        registeredAt=None if member.joined_at is None else _ms(member.joined_at),
    )


def _account(call: Call, which: ColumnElement[bool]) -> Person:
    return call.context.session.scalars(select(Person).where(which)).one()


def _user_page(call: Call, found: Rows, paging: Paging) -> Page[UserItem]:
    rows, total = _paged(call, found, paging)
    return Page(content=[_user(member, person) for member, person in rows], totalElements=total)


def _device_page(call: Call, found: Rows, paging: Paging) -> Page[DeviceItem]:
    rows, total = _paged(call, found, paging)
    return Page(content=[DeviceItem(**_members(row)) for (row,) in rows], totalElements=total)


def _members(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "orgId": device.organisation_id,
        "name": device.name,
        "activatedAt": _ms(device.created_at),
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
            updatedAt=_ms(device.state_at),
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


def _sorted(found: Rows, columns: dict[str, Any], sorting: Sorting) -> Rows:
    """In the wanted order; what is alike in it, by id, which is the first of the columns."""
    chosen = columns[sorting.sortBy]
    down = sorting.sortOrder == "DESC"
    return found.order_by(chosen.desc() if down else chosen, next(iter(columns.values())))


def _paged(call: Call, found: Rows, paging: Paging) -> tuple[Sequence[Any], int]:
    """The rows of a page, and how many there are in all."""
    session = call.context.session
    total = session.scalar(select(func.count()).select_from(found.order_by(None).subquery()))
    part = found.offset(paging.page * paging.size).limit(paging.size)
    return session.execute(part).all(), total or 0
