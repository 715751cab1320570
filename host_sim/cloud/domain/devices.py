"""Locks: added, named, set, transferred, moved between organisations, deleted, found."""

from secrets import token_urlsafe
from typing import Any

from sqlalchemy import or_, select

from firmware.crypto.p256 import COORDINATE_BYTES, InvalidPoint, PublicKey

from . import addresses, issuing, links, locks, organisations, sharing
from .context import Context
from .errors import Conflict, Forbidden, NotFound
from .model import ACCEPTED, Deed, Device, Organisation, Person, Share
from .permissions import MAY, Act, may, require, standing

SETTINGS = ("auto_lock_s", "mode", "most_error_s")  # beside the zone, as the lock names them


def create(
    ctx: Context,
    owner: Person,
    name: str,
    zone: str,
    *,
    organisation: Organisation | None = None,
    private_type: bool = False,
    public_key: bytes | None = None,
) -> Device:
    """Add a lock to an organisation, at first the owner's own.

    Raises Forbidden, Conflict, Invalid.
    """
    if owner.confirmed_at is None:
        raise Forbidden("unconfirmed", "Confirm your address first.")
    home = organisation or organisations.home(ctx, owner)
    locks.hold_roles(ctx, home)
    if not organisations.belongs(ctx, owner, home):
        raise Conflict("no-member", "The owner is no member of the organization.")
    device = Device(
        name=name,
        zone=zone,
        owner=owner,
        organisation=home,
        private_type=private_type,
        public_key=public_key,
        settings={},
        created_at=ctx.now,
    )
    ctx.session.add(device)
    ctx.session.flush()
    locks.hold(ctx, device)
    issuing.configure(ctx, device)
    sharing.own(ctx, device, owner)
    sharing.settle(ctx, device)
    _note(ctx, owner, device, "device.created")
    return device


def configure(
    ctx: Context,
    actor: Person,
    device: Device,
    *,
    name: str | None = None,
    zone: str | None = None,
    settings: dict[str, Any] | None = None,
) -> None:
    """Change the name, the zone, or some of SETTINGS; None is the lock's default.

    Raises NotFound, Forbidden, Invalid.
    """
    locks.hold(ctx, device)
    require(ctx, actor, device, Act.SET)
    if name is not None:
        device.name = name
    before = (device.zone, device.settings)
    if zone is not None:
        device.zone = zone
    merged = {**device.settings, **(settings or {})}
    device.settings = {name: value for name, value in merged.items() if value is not None}
    if (device.zone, device.settings) != before:
        device.settings_version += 1
        issuing.configure(ctx, device)
    _note(ctx, actor, device, "device.changed")


def transfer(
    ctx: Context, actor: Person, device: Device, email: str, *, keep_shares: bool
) -> None:
    """Give a device to the account with an address, and tell both. Raises NotFound, Conflict."""
    heir = ctx.session.scalar(
        select(Person).where(
            Person.email_key == addresses.key(email), Person.confirmed_at.is_not(None)
        )
    )
    home = None if heir is None else organisations.home_of(ctx, heir)
    if home is not None:
        locks.hold_roles(ctx, home)  # where the device may come
    locks.hold(ctx, device)
    require(ctx, actor, device, Act.GIVE_AWAY)
    if heir is None:
        raise Conflict("no-account", "The new owner needs an account with a confirmed address.")
    _give(ctx, actor, device, heir, keep_shares=keep_shares)


def _give(ctx: Context, actor: Person, device: Device, heir: Person, *, keep_shares: bool) -> None:
    before = device.owner
    if heir.id == before.id:
        raise Conflict("owner", "This person is the owner already.")
    if not keep_shares:
        sharing.end_all(ctx, actor, device, but_owner=True)
    if not organisations.belongs(ctx, heir, device.organisation):
        # Or who gave it away could still open it, by a role there.
        device.organisation = organisations.home(ctx, heir)
    sharing.own(ctx, device, heir)
    sharing.settle(ctx, device)
    _note(ctx, actor, device, "device.transferred")
    ctx.mail(heir.email, f"{device.name} is yours", f"You are the owner of {device.name} now.\n")
    text = f"{heir.name} is the owner of {device.name} now.\n"
    ctx.mail(before.email, f"{device.name} was transferred", text)


def hand_over(ctx: Context, actor: Person, device: Device, heir: Person | None) -> None:
    """Give a device to a member of its organisation, or of one below, where it is from then on.

    Its owner does, or who manages the organisation. Raises NotFound, Forbidden, Conflict.
    """
    place = device.organisation
    for near in organisations.below(ctx, place):
        if heir is not None and organisations.member_of(ctx, heir, near) is not None:
            break
    else:
        raise Conflict("no-member", "The new owner is no member of the organization.")
    locks.hold_roles(ctx, near)
    locks.hold(ctx, device)
    if not may(ctx, actor, device, Act.GIVE_AWAY):
        organisations.require(ctx, actor, device.organisation, organisations.MANAGE)
    if near is not device.organisation:
        move(ctx, actor, device, near)
    _give(ctx, actor, device, heir, keep_shares=True)


def move(ctx: Context, actor: Person, device: Device, to: Organisation) -> None:
    """Move a device to another organisation that the actor manages, as that of the device."""
    locks.hold_roles(ctx, to)
    locks.hold(ctx, device)
    for place in (device.organisation, to):
        organisations.require(ctx, actor, place, organisations.MANAGE)
    device.organisation = to
    ctx.session.flush()
    sharing.settle(ctx, device)
    _note(ctx, actor, device, "device.moved")


def delete(ctx: Context, actor: Person, device: Device) -> None:
    """Delete a device: its shares end, pending ones too, and their holders are told.

    The owner's grant stays good at the lock, until it is reset: nobody is shut out of their house.
    """
    locks.hold(ctx, device)
    require(ctx, actor, device, Act.GIVE_AWAY)
    sharing.end_all(ctx, actor, device, but_owner=True)
    owners = select(Share).where(Share.device_id == device.id, Share.ended_at.is_(None))
    for share in ctx.session.scalars(owners):
        share.ended_at = ctx.now
    device.deleted_at = ctx.now
    _note(ctx, actor, device, "device.deleted")


def fall_behind(ctx: Context, device: Device, applied: int) -> None:
    """A lock has applied more than was signed: this database was put back from a copy.

    Numbers go on behind those of the lock, so that it takes what is changed from now on. What it
    holds stays until its owner has looked: who was revoked since is not let in again silently.
    """
    locks.hold(ctx, device)
    device.sequence = max(device.sequence, applied)
    device.ahead = applied
    ctx.session.add(
        Deed(device_id=device.id, what="lock.ahead", details={"applied": applied}, at=ctx.now)
    )


def know_key(ctx: Context, device: Device, key: bytes) -> None:
    """A lock says by which key (x and y) phones know it; that it has another is to be read.

    What is no key changes nothing.
    """
    if key == device.public_key:
        return
    try:
        PublicKey(key[:COORDINATE_BYTES], key[COORDINATE_BYTES:])
    except InvalidPoint:
        return
    if device.public_key is not None:
        ctx.session.add(Deed(device_id=device.id, what="lock.key-changed", details={}, at=ctx.now))
    device.public_key = key


def overrule(ctx: Context, actor: Person, device: Device) -> None:
    """Have a lock that is ahead of this database hold what stands here, and nothing else.

    Raises NotFound, Forbidden, Conflict.
    """
    locks.hold(ctx, device)
    require(ctx, actor, device, Act.GIVE_AWAY)
    if device.ahead is None:
        raise Conflict("not-ahead", "The lock has applied nothing that is not known here.")
    device.ahead = None
    issuing.supersede(ctx, device)
    _note(ctx, actor, device, "device.overruled")


def find(ctx: Context, actor: Person, device_id: int | str) -> Device:
    """A device by id or uid that the actor may know of. Raises NotFound."""
    column = Device.uid if isinstance(device_id, str) else Device.id
    device = ctx.session.scalar(select(Device).where(column == device_id))
    if device is None or Act.SEE not in MAY[standing(ctx, actor, device)]:
        raise NotFound("device")
    return device


def new_token(ctx: Context, actor: Person, device: Device) -> str:
    """What a device shows when it sends messages, for its owner; an earlier one is void."""
    require(ctx, actor, device, Act.GIVE_AWAY)
    secret = token_urlsafe(32)
    device.token_digest = links.digest(secret)
    _note(ctx, actor, device, "device.token-made")
    return secret


def end_token(ctx: Context, actor: Person, device: Device) -> None:
    """Let a device send no more messages, until it has a new token."""
    require(ctx, actor, device, Act.GIVE_AWAY)
    if device.token_digest is None:
        raise NotFound("token")
    device.token_digest = None
    _note(ctx, actor, device, "device.token-ended")


def with_token(ctx: Context, secret: str) -> Device | None:
    """The device that a token belongs to."""
    mine = select(Device).where(Device.token_digest == links.digest(secret))
    return ctx.session.scalar(mine.where(Device.deleted_at.is_(None)))


def known_to(ctx: Context, person: Person) -> list[Device]:
    """All devices that somebody may see, in the order in which they were added."""
    held = select(Share.device_id).where(
        Share.person_id == person.id, Share.status == ACCEPTED, Share.ended_at.is_(None)
    )
    places = organisations.reach(ctx, person, organisations.VIEW_ORGANISATION)
    devices = select(Device).where(
        Device.deleted_at.is_(None),
        or_(Device.id.in_(held), Device.organisation_id.in_(places)),
    )
    found = ctx.session.scalars(devices.order_by(Device.id))
    return [device for device in found if Act.SEE in MAY[standing(ctx, person, device)]]


def _note(ctx: Context, actor: Person, device: Device, what: str) -> None:
    ctx.session.add(Deed(device_id=device.id, person_id=actor.id, what=what, at=ctx.now))
