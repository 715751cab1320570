"""Who belongs to an organisation and what their role lets them do: every change reaches the locks.

Nobody gives, changes or takes away more than they have, and nobody leaves an organisation without
anybody to manage it.
"""

from collections.abc import Iterable

from sqlalchemy import select

from . import locks, names, people, sharing
from .context import Context
from .errors import Conflict, Forbidden, Invalid, NotFound
from .model import Member, Organisation, Person, Role
from .organisations import MANAGE, NEEDS, PERMISSIONS, may_give, require, upwards

MOST_ROLES = 20  # of an organisation
MOST_MEMBERS = 10_000


def invite(
    ctx: Context, actor: Person, organisation: Organisation, email: str, name: str, role: Role
) -> Member:
    """Invite an address, and mail it; a confirmed account is a member at once, others when it is.

    Raises NotFound, Forbidden, Conflict, Invalid.
    """
    _check(ctx, actor, organisation, role.permissions)
    locks.hold_members(ctx, organisation)
    person = people.expected(ctx, email, name)
    here = select(Member.email_key).where(Member.organisation_id == organisation.id)
    keys = ctx.session.scalars(here).all()
    if person.email_key in keys:
        raise Conflict("already-member", f"{email.strip()} is in this organization already.")
    if len(keys) >= MOST_MEMBERS:
        raise Conflict("full", f"An organization has at most {MOST_MEMBERS} members.")
    locks.hold_person(ctx, person.email_key)
    ctx.session.refresh(person)
    joins = person.confirmed_at is not None
    member = Member(
        organisation=organisation,
        email=email.strip(),
        email_key=person.email_key,
        person=person if joins else None,
        role=role,
        invited_at=ctx.now,
        joined_at=ctx.now if joins else None,
    )
    ctx.session.add(member)
    ctx.session.flush()
    what = "You are a member now." if joins else f"Sign up at {ctx.base_url}/sign-up to join."
    ctx.mail(
        member.email,
        f"You are invited to {organisation.name}",
        f"You are invited to the organization {organisation.name} as {role.name}. {what}\n",
    )
    sharing.settle_organisation(ctx, organisation)
    return member


def set_role(ctx: Context, actor: Person, member: Member, role: Role) -> None:
    """Give a member another role. Raises as `invite`."""
    _check(ctx, actor, member.organisation, (*member.role.permissions, *role.permissions))
    locks.hold_members(ctx, member.organisation)
    _read_again(ctx, member)
    member.role = role
    _settle(ctx, member.organisation)


def remove(ctx: Context, actor: Person, member: Member) -> None:
    """Take somebody out of an organisation, or leave it. Raises as `invite`."""
    organisation = member.organisation
    if member.person_id != actor.id:
        _check(ctx, actor, organisation, member.role.permissions)
    locks.hold_members(ctx, organisation)
    _read_again(ctx, member)
    ctx.session.delete(member)
    _settle(ctx, organisation)


def add_role(
    ctx: Context,
    actor: Person,
    organisation: Organisation,
    name: str,
    permissions: Iterable[str],
) -> Role:
    """Make a role. Raises as `invite`."""
    kept = _checked(permissions)
    _check(ctx, actor, organisation, kept)
    locks.hold_members(ctx, organisation)
    name = names.clean(name)
    if any(role.name == name for role in organisation.roles):
        raise Conflict("role-exists", f"There is a role {name} already.")
    if len(organisation.roles) >= MOST_ROLES:
        raise Conflict("full", f"An organization has at most {MOST_ROLES} roles.")
    role = Role(organisation=organisation, name=name, permissions=kept)
    ctx.session.add(role)
    ctx.session.flush()
    return role


def change_role(ctx: Context, actor: Person, role: Role, permissions: Iterable[str]) -> None:
    """Change what all who have a role may do. Raises as `invite`."""
    kept = _checked(permissions)
    _check(ctx, actor, role.organisation, (*role.permissions, *kept))
    locks.hold_members(ctx, role.organisation)
    role.permissions = kept
    _settle(ctx, role.organisation)


def find(ctx: Context, organisation: Organisation, person_id: int) -> Member | None:
    """The membership, or the invitation, of a person here."""
    mine = select(Member).join(Person, Person.email_key == Member.email_key)
    return ctx.session.scalar(
        mine.where(Member.organisation_id == organisation.id, Person.id == person_id)
    )


def _checked(permissions: Iterable[str]) -> list[str]:
    """Permissions in the order of the table, if they make sense together. Raises Invalid."""
    wanted = set(permissions)
    unknown = sorted(wanted.difference(PERMISSIONS))
    if unknown:
        text = f"unknown: {', '.join(unknown)}; there are {', '.join(PERMISSIONS)}"
        raise Invalid(text, code="no-permission")
    lacking = [f"{each} needs {NEEDS[each]}" for each in PERMISSIONS if _lacks(each, wanted)]
    if lacking:
        raise Invalid(*lacking, code="permission-needs-another")
    return [each for each in PERMISSIONS if each in wanted]


def _lacks(permission: str, wanted: set[str]) -> bool:
    return permission in wanted and NEEDS.get(permission, permission) not in wanted


def _check(
    ctx: Context, actor: Person, organisation: Organisation, permissions: Iterable[str]
) -> None:
    """That somebody manages an organisation, and has each of the permissions that are at stake."""
    require(ctx, actor, organisation, MANAGE)
    if set(permissions) - may_give(ctx, actor, organisation):
        raise Forbidden("level", "Nobody gives or takes away more than they have.")


def _read_again(ctx: Context, member: Member) -> None:
    """Raises NotFound if somebody has taken them out meanwhile."""
    same = select(Member).where(Member.id == member.id)
    if ctx.session.scalar(same, execution_options={"populate_existing": True}) is None:
        raise NotFound("user")


def _settle(ctx: Context, organisation: Organisation) -> None:
    ctx.session.flush()
    here = [place.id for place in upwards(organisation)]
    manages = select(Role).join(Member, Member.role_id == Role.id)
    manages = manages.where(Member.organisation_id.in_(here), Member.person_id.is_not(None))
    if not any(MANAGE in role.permissions for role in ctx.session.scalars(manages)):
        raise Conflict("last-manager", "Nobody would be left to manage the organization.")
    sharing.settle_organisation(ctx, organisation)
