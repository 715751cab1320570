"""Blynk's organisations, their roles, and their users."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, or_, select

from ..domain import membership, organisations
from ..domain.model import Member, Organisation, Person, Role
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
    find_managed,
    find_member,
    find_place,
    in_order,
    known_places,
    missing,
    part,
    routes,
    to_ms,
)

router = routes()

RoleNumber = Annotated[int, Field(ge=1, le=membership.MOST_ROLES)]
Sees = Annotated[Call, caller("Organization.Read")]
Manages = Annotated[Call, caller("Organization.ReadWrite")]


class OrganisationSorting(Sorting):
    """The same for organisations."""

    sortBy: Literal["Organization Id", "Name"] = "Organization Id"


class UserSorting(Sorting):
    """The same for users."""

    sortBy: Literal["User Id", "Name", "Email"] = "User Id"


_ORGANISATIONS_BY = {"Organization Id": Organisation.id, "Name": Organisation.name}
_USERS_BY = {"User Id": Person.id, "Name": Person.name, "Email": Person.email_key}


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


@router.get("/profile")
def own_organization(call: Sees) -> OrganisationItem:
    """The organization that your account started with."""
    return _organisation(call, organisations.home(call.context, call.person))


@router.get("", responses=FINDS)
def organization(call: Sees, orgId: Annotated[Id, Query()]) -> OrganisationItem:
    """An organization that you are a member of, or one below that your role shows you."""
    return _organisation(call, find_place(call, orgId))


@router.get("/search")
def search_organizations(
    call: Sees, query: Words, sorting: Annotated[OrganisationSorting, Query()]
) -> Page[OrganisationItem]:
    """Your organizations, and those below that your roles show you, by name."""
    found = select(Organisation).where(Organisation.id.in_(known_places(call)))
    found = found.where(Organisation.name.icontains(query, autoescape=True))
    found = in_order(found, _ORGANISATIONS_BY, sorting)
    rows, total = part(call, found, sorting)
    return Page(content=[_organisation(call, row) for (row,) in rows], totalElements=total)


@router.post("/create", status_code=201, responses=FINDS)
def create_organization(call: Manages, body: NewOrganisation) -> OrganisationItem:
    """Create a sub-organization."""
    parent = find_place(call, body.parentId, "Parent organization")
    made = organisations.create_below(call.context, call.person, parent, body.name)
    return _organisation(call, made)


@router.get("/roles", responses=FINDS)
def roles(call: Sees, orgId: Annotated[Id | None, Query()] = None) -> list[RoleItem]:
    """The roles of an organization."""
    return [_role_item(role) for role in find_managed(call, orgId).roles]


@router.post("/roles", status_code=201, responses=FINDS)
def create_role(call: Manages, body: NewRole) -> RoleItem:
    """Make a role of your own."""
    place = find_place(call, body.orgId)
    made = membership.add_role(call.context, call.person, place, body.name, body.permissions)
    call.context.session.refresh(place, ["roles"])
    return _role_item(made)


@router.put("/roles", responses=FINDS)
def change_role(
    call: Manages,
    body: Permissions,
    roleId: Annotated[RoleNumber, Query()],
    orgId: Annotated[Id | None, Query()] = None,
) -> RoleItem:
    """Change what all users with a role may do."""
    role = _role(find_managed(call, orgId), roleId)
    membership.change_role(call.context, call.person, role, body.permissions)
    return _role_item(role)


@router.get("/users", responses=FINDS)
def users(
    call: Sees, paging: Annotated[Paging, Query()], orgId: Annotated[Id | None, Query()] = None
) -> Page[UserItem]:
    """The users of an organization, those who were invited too."""
    place = find_managed(call, orgId)
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
    found = in_order(found, _USERS_BY, sorting)
    return _user_page(call, found, sorting)


@router.post("/users/invite", status_code=201, responses=FINDS)
def invite_user(call: Manages, body: NewUser) -> UserItem:
    """Invite somebody, by e-mail; an account that there is already is a user at once."""
    place = find_managed(call, body.orgId)
    role = _role(place, body.roleId)
    member = membership.invite(call.context, call.person, place, body.email, body.name, role)
    return _user(member, _account(call, Person.email_key == member.email_key))


@router.get("/user", responses=FINDS)
def user(
    call: Sees,
    userId: Annotated[Id, Query()],
    orgId: Annotated[Id | None, Query()] = None,
) -> UserItem:
    """A user of an organization that you manage, or yourself."""
    member = find_member(call, userId, orgId)
    return _user(member, _account(call, Person.id == userId))


@router.put("/users/role", responses=FINDS)
def change_user_role(
    call: Manages,
    userId: Annotated[Id, Query()],
    roleId: Annotated[RoleNumber, Query()],
    orgId: Annotated[Id | None, Query()] = None,
) -> UserItem:
    """Give a user another role."""
    member = find_member(call, userId, orgId)
    role = _role(member.organisation, roleId)
    membership.set_role(call.context, call.person, member, role)
    return _user(member, _account(call, Person.id == userId))


@router.delete("/user", status_code=204, responses=FINDS)
def remove_user(
    call: Manages,
    userId: Annotated[Id, Query()],
    orgId: Annotated[Id | None, Query()] = None,
) -> None:
    """Take somebody out of an organization, or leave it."""
    membership.remove(call.context, call.person, find_member(call, userId, orgId))


def _organisation(call: Call, row: Organisation) -> OrganisationItem:
    above = row.parent_id if row.parent_id in known_places(call) else None
    return OrganisationItem(
        id=row.id, name=row.name, parentOrganizationId=above, lastModifiedTs=to_ms(row.created_at)
    )


def _role(place: Organisation, number: int) -> Role:
    if number > len(place.roles):
        raise missing("Role is not found.")
    return place.roles[number - 1]


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
        registeredAt=None if member.joined_at is None else to_ms(member.joined_at),
    )


def _user_page(call: Call, found: Rows, paging: Paging) -> Page[UserItem]:
    rows, total = part(call, found, paging)
    return Page(content=[_user(member, person) for member, person in rows], totalElements=total)


def _account(call: Call, which: ColumnElement[bool]) -> Person:
    return call.context.session.scalars(select(Person).where(which)).one()
