"""Who may do what to a device and its shares: one table, and nothing that is not in it.

Whether a share is active now is asked of the lock's own checks.
"""

from enum import Enum

from sqlalchemy import select

from firmware.policy.grant import ADMIN, OWNER
from firmware.policy.instant import from_unix
from firmware.policy.zone import Zone

from .. import preview
from . import organisations, terms
from .context import Context
from .errors import Forbidden, NotFound
from .model import ACCEPTED, OWNERSHIP, PENDING, Device, Person, Share


class Standing(Enum):
    """What somebody is to a device."""

    STRANGER = "nothing"
    INVITED = "invited, and has not accepted"
    VIEWER = "somebody who may see it through an organisation"
    INACTIVE = "holder of a share that is not active now"
    GUEST = "guest"
    ADMIN = "administrator"
    OWNER = "owner"


class Act(Enum):
    """What can be done to a device."""

    SEE = "see that it is there, and its state"
    SEE_SHARES = "see all of its shares"  # others see the owner's and their own
    SHARE = "create, change and end shares"
    OPERATE = "lock and unlock from afar, send actions, read messages"
    READ = "read messages"
    READ_LOG = "read who did what"
    SET = "change name, zone and settings"
    GIVE_AWAY = "transfer, delete, and share where only the owner may"


_S, _A = Standing, Act
MAY = {
    _S.STRANGER: frozenset[Act](),
    _S.INVITED: frozenset[Act](),
    _S.VIEWER: frozenset({_A.SEE, _A.READ}),
    _S.INACTIVE: frozenset({_A.SEE}),
    _S.GUEST: frozenset({_A.SEE, _A.READ, _A.OPERATE}),
    _S.ADMIN: frozenset(
        {_A.SEE, _A.READ, _A.OPERATE, _A.SEE_SHARES, _A.SHARE, _A.READ_LOG, _A.SET}
    ),
    _S.OWNER: frozenset(Act),
}


def standing(ctx: Context, person: Person, device: Device) -> Standing:
    """What a person is to a device at this instant; whose address is not confirmed is nothing."""
    if device.deleted_at is not None or person.confirmed_at is None:
        return Standing.STRANGER
    share = share_of(ctx, person, device)
    if share is not None and share.origin == OWNERSHIP:
        return Standing.OWNER
    if share is not None and share.status == ACCEPTED and is_active(ctx, share):
        return Standing.ADMIN if terms.level(share) == ADMIN else Standing.GUEST
    if organisations.may(ctx, person, device.organisation, organisations.VIEW_ORGANISATION):
        return Standing.VIEWER
    if share is None:
        return Standing.STRANGER
    return Standing.INVITED if share.status == PENDING else Standing.INACTIVE


def share_of(ctx: Context, person: Person, device: Device) -> Share | None:
    """The share of a device that a person has or is invited to; there is one at most."""
    return ctx.session.scalar(
        select(Share).where(
            Share.device_id == device.id,
            Share.email_key == person.email_key,
            Share.ended_at.is_(None),
        )
    )


def is_active(ctx: Context, share: Share) -> bool:
    """Whether the terms of a share, and of its parent, hold now."""
    zone = Zone(share.device.zone)
    parent = terms.grant(share.parent) if share.parent else None
    spans = preview.allowed(terms.grant(share), zone, from_unix(ctx.now), 1, parent)
    return any(spans)


def may(ctx: Context, person: Person, device: Device, act: Act) -> bool:
    """Whether a person may do this to a device now."""
    return act in MAY[standing(ctx, person, device)]


def require(ctx: Context, person: Person, device: Device, act: Act) -> Standing:
    """The standing of a person who may do this.

    Raises NotFound for whom may not know of the device, Forbidden for whom may.
    """
    found = standing(ctx, person, device)
    if Act.SEE not in MAY[found]:
        raise NotFound("device")
    if act not in MAY[found]:
        raise Forbidden("not-allowed", f"As {found.value} you may not {act.value}.")
    return found


def most_level(found: Standing) -> int:
    """The highest level that somebody of this standing may give, change or take away."""
    return OWNER if found is Standing.OWNER else ADMIN
