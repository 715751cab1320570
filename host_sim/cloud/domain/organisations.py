"""Organisations and what their roles let members do, in the manner of Blynk.

What a member may see holds in the organisation of the role and below it, never above. What a
member may control is not handed down: a door of a sub-organisation opens for its own members.
Roles and members are changed in `membership`, because the locks have to hear of it.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from . import names
from .context import Context
from .errors import Conflict, Forbidden, Invalid, NotFound
from .model import Member, Organisation, Person, Role

VIEW_ORGANISATION = "View Organization Devices"
CONTROL_ORGANISATION = "Control Organization Devices"
VIEW_OWN = "View Own Devices"
CONTROL_OWN = "Control Own Devices"
MANAGE = "Manage Organization"  # its users, roles, devices and sub-organisations
# What makes no sense without another one.
NEEDS = {
    CONTROL_ORGANISATION: VIEW_ORGANISATION,
    CONTROL_OWN: VIEW_OWN,
    MANAGE: VIEW_ORGANISATION,
}
PERMISSIONS = (VIEW_ORGANISATION, CONTROL_ORGANISATION, VIEW_OWN, CONTROL_OWN, MANAGE)

MOST_LEVELS = 8  # each costs a look at every question of permission

ADMIN, STAFF, USER = "Admin", "Staff", "User"
_DEFAULT_ROLES: dict[str, tuple[str, ...]] = {
    ADMIN: PERMISSIONS,
    STAFF: PERMISSIONS[:4],
    USER: (),
}


def create(ctx: Context, name: str, parent: Organisation | None = None) -> Organisation:
    """An organisation with the default roles and without members."""
    made = Organisation(name=name, parent=parent, created_at=ctx.now)
    made.roles = [Role(name=role, permissions=list(may)) for role, may in _DEFAULT_ROLES.items()]
    ctx.session.add(made)
    ctx.session.flush()
    return made


def create_below(ctx: Context, actor: Person, parent: Organisation, name: str) -> Organisation:
    """A sub-organisation; who manages those above manages it, too."""
    require(ctx, actor, parent, MANAGE)
    if len(list(upwards(parent))) >= MOST_LEVELS:
        raise Conflict("too-deep", f"There are at most {MOST_LEVELS} levels of organizations.")
    return create(ctx, names.clean(name), parent)


def found_for(ctx: Context, person: Person) -> Organisation:
    """The organisation of one that every person starts with."""
    made = create(ctx, person.name)
    ctx.session.add(
        Member(
            organisation=made,
            email=person.email,
            email_key=person.email_key,
            person=person,
            role=role_named(made, ADMIN),
            home=True,
            invited_at=ctx.now,
            joined_at=ctx.now,
        )
    )
    ctx.session.flush()
    return made


def home(ctx: Context, person: Person) -> Organisation:
    """The organisation that a person started with, or a new one for who has left it."""
    return home_of(ctx, person) or found_for(ctx, person)


def home_of(ctx: Context, person: Person) -> Organisation | None:
    """The organisation that a person started with, None for who has left it."""
    for member in memberships(ctx, person):
        if member.home:
            return member.organisation
    return None


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


def upwards(organisation: Organisation | None) -> Iterator[Organisation]:
    """Yield an organisation and all above it."""
    while organisation is not None:
        yield organisation
        organisation = organisation.parent


def below(ctx: Context, organisation: Organisation) -> list[Organisation]:
    """An organisation and all below it, each after the one that it is in."""
    inside = select(Organisation.id).where(Organisation.id == organisation.id)
    tree = inside.cte("tree", recursive=True)
    tree = tree.union(select(Organisation.id).where(Organisation.parent_id == tree.c.id))
    found = select(Organisation).join(tree, Organisation.id == tree.c.id)
    return list(ctx.session.scalars(found.order_by(Organisation.id)))


def members(ctx: Context, organisation: Organisation) -> list[Member]:
    """All members, those who were invited too, with their roles as they are in the database."""
    with_roles = _members(organisation).options(joinedload(Member.role))
    return list(ctx.session.scalars(with_roles, execution_options={"populate_existing": True}))


def memberships(ctx: Context, person: Person) -> list[Member]:
    """All organisations that a person is a member of, with the role."""
    mine = select(Member).where(Member.person_id == person.id)
    return list(ctx.session.scalars(mine.order_by(Member.id)))


def member_of(ctx: Context, person: Person, organisation: Organisation) -> Member | None:
    """The membership of a person in just this organisation."""
    return ctx.session.scalar(_members(organisation).where(Member.person_id == person.id))


def belongs(ctx: Context, person: Person, organisation: Organisation) -> bool:
    """Whether a person is a member here or above."""
    return any(member_of(ctx, person, each) is not None for each in upwards(organisation))


def may(ctx: Context, person: Person, organisation: Organisation, permission: str) -> bool:
    """Whether a role here or above gives a person a permission. Control is not handed down."""
    reach = [organisation] if permission == CONTROL_ORGANISATION else upwards(organisation)
    return permission in _given(ctx, person, reach)


def may_give(ctx: Context, person: Person, organisation: Organisation) -> set[str]:
    """The permissions that a person may give to others: nobody gives more than they have."""
    return _given(ctx, person, upwards(organisation))


def reach(ctx: Context, person: Person, permission: str) -> set[int]:
    """The ids of the organisations in which a person may see something by a permission."""
    return {
        place.id
        for member in memberships(ctx, person)
        if permission in member.role.permissions
        for place in below(ctx, member.organisation)
    }


def require(ctx: Context, person: Person, organisation: Organisation, permission: str) -> None:
    """Raises NotFound for who is neither in it nor above, Forbidden without the permission."""
    if may(ctx, person, organisation, permission):
        return
    if not belongs(ctx, person, organisation):
        raise NotFound("organization")
    raise Forbidden("not-allowed", f"Your role lacks the permission {permission}.")


def _given(ctx: Context, person: Person, places: Iterable[Organisation]) -> set[str]:
    here = [place.id for place in places]
    roles = select(Role).join(Member, Member.role_id == Role.id)
    mine = roles.where(Member.person_id == person.id, Member.organisation_id.in_(here))
    return {permission for role in ctx.session.scalars(mine) for permission in role.permissions}


def _members(organisation: Organisation):  # type: ignore[no-untyped-def]
    return select(Member).where(Member.organisation_id == organisation.id).order_by(Member.id)
