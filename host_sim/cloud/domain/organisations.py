"""Organisations, their roles and members, in the manner of Blynk.

What a member may see holds in the organisation of the role and below it, never above. What a
member may control is not handed down: a door of a sub-organisation opens for its own members.
"""

from collections.abc import Iterator

from sqlalchemy import select

from . import addresses
from .context import Context
from .errors import Conflict, Forbidden, Invalid, NotFound
from .model import Member, Organisation, Person, Role

VIEW_ORGANISATION = "View Organization Devices"
CONTROL_ORGANISATION = "Control Organization Devices"
VIEW_OWN = "View Own Devices"
CONTROL_OWN = "Control Own Devices"
MANAGE = "Manage Organization"  # its users, roles, devices and sub-organisations
PERMISSIONS = (VIEW_ORGANISATION, CONTROL_ORGANISATION, VIEW_OWN, CONTROL_OWN, MANAGE)

ADMIN, STAFF, USER = "Admin", "Staff", "User"
_DEFAULT_ROLES: dict[str, tuple[str, ...]] = {
    ADMIN: PERMISSIONS,
    STAFF: PERMISSIONS[:4],
    USER: (),
}


def create(ctx: Context, name: str, parent: Organisation | None = None) -> Organisation:
    """An organisation with the default roles; its members come by `add` and `invite`."""
    made = Organisation(name=name, parent=parent, created_at=ctx.now)
    made.roles = [Role(name=role, permissions=list(may)) for role, may in _DEFAULT_ROLES.items()]
    ctx.session.add(made)
    ctx.session.flush()
    return made


def found_for(ctx: Context, person: Person) -> Organisation:
    """The organisation of one that every person starts with."""
    made = create(ctx, person.name)
    add(ctx, made, person, role_named(made, ADMIN))
    return made


def add(ctx: Context, organisation: Organisation, person: Person, role: Role) -> Member:
    """Make a person a member."""
    member = Member(
        organisation=organisation,
        email=person.email,
        email_key=person.email_key,
        person=person,
        role=role,
        invited_at=ctx.now,
        joined_at=ctx.now,
    )
    ctx.session.add(member)
    ctx.session.flush()
    return member


def invite(ctx: Context, organisation: Organisation, email: str, role: Role) -> Member:
    """Invite an address; whoever confirms it, or has done so, is a member. Raises Conflict."""
    key = addresses.key(email)
    if ctx.session.scalar(_members(organisation).where(Member.email_key == key)) is not None:
        raise Conflict("already-member", f"{email} is in this organization already.")
    person = ctx.session.scalar(
        select(Person).where(Person.email_key == key, Person.confirmed_at.is_not(None))
    )
    member = Member(
        organisation=organisation,
        email=email.strip(),
        email_key=key,
        person=person,
        role=role,
        invited_at=ctx.now,
        joined_at=ctx.now if person else None,
    )
    ctx.session.add(member)
    ctx.session.flush()
    what = "You are a member now." if person else f"Sign up at {ctx.base_url} to join."
    ctx.mail(
        member.email,
        f"You are invited to {organisation.name}",
        f"You are invited to the organization {organisation.name} as {role.name}. {what}\n",
    )
    return member


def join_invited(ctx: Context, person: Person) -> list[Member]:
    """Turn the invitations of an address into memberships, once it is confirmed."""
    waiting = select(Member).where(
        Member.email_key == person.email_key, Member.person_id.is_(None)
    )
    joined = list(ctx.session.scalars(waiting))
    for member in joined:
        member.person = person
        member.joined_at = ctx.now
    return joined


def role_named(organisation: Organisation, name: str) -> Role:
    """A role of an organisation. Raises Invalid, naming those that there are."""
    for role in organisation.roles:
        if role.name == name:
            return role
    names = ", ".join(role.name for role in organisation.roles)
    raise Invalid(f"there is no role {name!r}; there are {names}", code="no-role")


def write_role(
    ctx: Context, organisation: Organisation, name: str, permissions: list[str]
) -> Role:
    """Make a role, or change what one may; whoever calls settles the devices. Raises Invalid.

    The last role by which somebody manages the organisation keeps that.
    """
    unknown = [each for each in permissions if each not in PERMISSIONS]
    if unknown:
        text = f"unknown: {', '.join(unknown)}; there are {', '.join(PERMISSIONS)}"
        raise Invalid(text, code="no-permission")
    kept = [each for each in PERMISSIONS if each in permissions]
    role = next((role for role in organisation.roles if role.name == name), None)
    if role is None:
        role = Role(organisation=organisation, name=name, permissions=kept)
        ctx.session.add(role)
    else:
        role.permissions = kept
    ctx.session.flush()
    _check_managed(ctx, organisation)
    return role


def set_role(ctx: Context, member: Member, role: Role) -> None:
    """Give a member another role; the last who manages the organisation stays one."""
    member.role = role
    ctx.session.flush()
    _check_managed(ctx, member.organisation)


def remove(ctx: Context, member: Member) -> None:
    """Take somebody out of an organisation; not the last who manages it."""
    ctx.session.delete(member)
    ctx.session.flush()
    _check_managed(ctx, member.organisation)


def _check_managed(ctx: Context, organisation: Organisation) -> None:
    for above in upwards(organisation):
        for member in ctx.session.scalars(_members(above).where(Member.person_id.is_not(None))):
            if MANAGE in member.role.permissions:
                return
    raise Conflict("last-manager", "Nobody would be left to manage the organization.")


def upwards(organisation: Organisation | None) -> Iterator[Organisation]:
    """Yield an organisation and all above it."""
    while organisation is not None:
        yield organisation
        organisation = organisation.parent


def below(ctx: Context, organisation: Organisation) -> Iterator[Organisation]:
    """Yield an organisation and all below it."""
    waiting = [organisation]
    while waiting:
        each = waiting.pop(0)
        yield each
        under = select(Organisation).where(Organisation.parent_id == each.id)
        waiting += ctx.session.scalars(under.order_by(Organisation.id))


def members(ctx: Context, organisation: Organisation) -> list[Member]:
    """All members, those who were invited too."""
    return list(ctx.session.scalars(_members(organisation)))


def memberships(ctx: Context, person: Person) -> list[Member]:
    """All organisations that a person is a member of, with the role."""
    mine = select(Member).where(Member.person_id == person.id)
    return list(ctx.session.scalars(mine.order_by(Member.id)))


def member_of(ctx: Context, person: Person, organisation: Organisation) -> Member | None:
    """The membership of a person in just this organisation."""
    return ctx.session.scalar(_members(organisation).where(Member.person_id == person.id))


def may(ctx: Context, person: Person, organisation: Organisation, permission: str) -> bool:
    """Whether a role here or above gives a person a permission. Control is not handed down."""
    reach = [organisation] if permission == CONTROL_ORGANISATION else upwards(organisation)
    for each in reach:
        member = member_of(ctx, person, each)
        if member is not None and permission in member.role.permissions:
            return True
    return False


def require(ctx: Context, person: Person, organisation: Organisation, permission: str) -> None:
    """Raises NotFound for who is neither in it nor above, Forbidden without the permission."""
    if may(ctx, person, organisation, permission):
        return
    if not any(member_of(ctx, person, each) for each in upwards(organisation)):
        raise NotFound("organization")
    raise Forbidden("not-allowed", f"Your role lacks the permission {permission}.")


def _members(organisation: Organisation):  # type: ignore[no-untyped-def]
    return select(Member).where(Member.organisation_id == organisation.id).order_by(Member.id)
