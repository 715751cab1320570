"""Organisations of the person who looks, their roles, members and locks."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import select
from starlette.datastructures import QueryParams

from host_sim.cloud.domain import membership, organisations
from host_sim.cloud.domain.errors import NotFound
from host_sim.cloud.domain.model import Device, Member, Organisation

from ..looking import Look, looking
from ..panes import Pane, threaded
from ..stand import Stand


class Belongs(NamedTuple):
    """A member, or an address that was invited."""

    id: int
    name: str
    email: str
    role: str
    has_joined: bool


class Shown(NamedTuple):
    """An organisation; `roles` are its names and permissions, `mine` is that of who looks."""

    uid: str
    name: str
    above: str
    mine: str
    roles: list[tuple[str, list[str]]]
    members: list[Belongs]
    locks: list[str]
    is_managed: bool


def view(stand: Stand, query: QueryParams) -> dict[str, Any]:
    """Those that somebody is a member of, and those below."""
    with looking(stand, query) as look:
        return {
            "me": look.me.name,
            "permissions": organisations.PERMISSIONS,
            "organisations": [_shown(look, each) for each in _known(look)],
        }


def _known(look: Look) -> list[Organisation]:
    found = {
        place.id: place
        for member in organisations.memberships(look.ctx, look.me)
        for place in organisations.below(look.ctx, member.organisation)
    }
    return [
        place
        for place in found.values()
        if organisations.may(look.ctx, look.me, place, organisations.VIEW_ORGANISATION)
        or organisations.member_of(look.ctx, look.me, place) is not None
    ]


def _shown(look: Look, place: Organisation) -> Shown:
    ctx, me = look.ctx, look.me
    member = organisations.member_of(ctx, me, place)
    inside = select(Device).where(Device.organisation_id == place.id, Device.deleted_at.is_(None))
    sees = organisations.may(ctx, me, place, organisations.VIEW_ORGANISATION)
    return Shown(
        place.uid,
        place.name,
        place.parent.name if place.parent else "",
        member.role.name if member else "a manager above it",
        [(role.name, role.permissions) for role in place.roles],
        [
            Belongs(
                each.id,
                each.person.name if each.person else each.email,
                each.email,
                each.role.name,
                each.joined_at is not None,
            )
            for each in (organisations.members(ctx, place) if sees else [])
        ],
        [each.name for each in ctx.session.scalars(inside.order_by(Device.id)) if sees],
        organisations.may(ctx, me, place, organisations.MANAGE),
    )


def _invite(look: Look, place: Organisation, form: QueryParams) -> str:
    role = organisations.role_named(place, form.get("role", ""))
    email = form.get("email", "")
    name = form.get("name", "") or email.partition("@")[0]
    membership.invite(look.ctx, look.me, place, email, name, role)
    return f"{email} is invited to {place.name} as {role.name}."


def _set_role(look: Look, place: Organisation, form: QueryParams) -> str:
    role = organisations.role_named(place, form.get("role", ""))
    member = _member(look, place, form)
    membership.set_role(look.ctx, look.me, member, role)
    return f"{member.email} is {role.name} of {place.name} now."


def _remove(look: Look, place: Organisation, form: QueryParams) -> str:
    member = _member(look, place, form)
    membership.remove(look.ctx, look.me, member)
    return f"{member.email} is no member of {place.name} any more."


def _define(look: Look, place: Organisation, form: QueryParams) -> str:
    """Make a role, or change what one may do that there is."""
    name, wanted = form.get("name", "").strip(), form.getlist("permission")
    for role in place.roles:
        if role.name == name:
            membership.change_role(look.ctx, look.me, role, wanted)
            return f"{name} of {place.name} is changed."
    membership.add_role(look.ctx, look.me, place, name, wanted)
    return f"{place.name} has the role {name} now."


def _add_below(look: Look, place: Organisation, form: QueryParams) -> str:
    made = organisations.create_below(look.ctx, look.me, place, form.get("name", ""))
    return f"{made.name} is below {place.name}."


def _member(look: Look, place: Organisation, form: QueryParams) -> Member:
    for member in organisations.members(look.ctx, place):
        if f"{member.id}" == form.get("member"):
            return member
    raise NotFound("member")


def _doing(do: Callable[[Look, Organisation, QueryParams], str]) -> Any:
    """An action in the organisation that a form names."""

    def action(stand: Stand, query: QueryParams, form: QueryParams) -> str:
        with looking(stand, query, reads=False) as look:
            for place in _known(look):
                if place.uid == form.get("organisation"):
                    return do(look, place, form)
            raise NotFound("organization")

    return threaded(action)


PANE = Pane(
    "organisations",
    "Organisations and roles",
    threaded(view),
    kinds=("cloud",),
    actions={
        "invite": _doing(_invite),
        "role": _doing(_set_role),
        "remove": _doing(_remove),
        "define": _doing(_define),
        "below": _doing(_add_below),
    },
)
