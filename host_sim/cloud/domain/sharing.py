"""Shares: made, changed, accepted, passed on and ended, with what the lock is told of it.

All APIs come here, so that they have the same shares. Every function checks who calls before it
changes anything, and every change is a deed that the owner can read.
"""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from firmware.policy.grant import ADMIN, GUEST, OWNER

from . import addresses, issuing, links, locks, organisations, terms
from .context import Context
from .errors import Conflict, Forbidden, Invalid, NotFound
from .model import (
    ACCEPTED,
    ENDED,
    INVITATION,
    OWNERSHIP,
    PASSED_ON,
    PENDING,
    ROLE,
    Deed,
    Device,
    Organisation,
    Person,
    Role,
    Share,
    new_uid,
)
from .permissions import Act, Standing, is_active, most_level, require, share_of, standing
from .terms import Write

MOST_SHARES = 10_000  # of a device: more than a lock can hold is told before it is promised

# Ways to end that a holder is told of; the others are their own doing, or leave them a share.
_TOLD = ("share.revoked", "share.ended-with-device", "share.ended-with-parent")


def create(
    ctx: Context,
    actor: Person,
    device: Device,
    email: str,
    write: Write,
    *,
    by_link: bool = False,
    may_pass_on: bool = False,
    lease_s: int | None = None,
) -> Share:
    """Share a device with an address.

    With an account behind it the share is accepted at once, otherwise when there is one; `by_link`
    it is only accepted by following a mailed link. Raises NotFound, Forbidden, Conflict, Invalid.
    """
    locks.hold(ctx, device)
    found = require(ctx, actor, device, Act.SHARE)
    _check_shareable(device)
    by_role = _check_target(ctx, actor, device, addresses.key(email))
    share = _new(ctx, device, email, INVITATION, actor.id)
    share.by_link = by_link
    share.may_pass_on = may_pass_on
    share.lease_s = lease_s
    return _open(ctx, actor, share, found, write, by_role)


def pass_on(ctx: Context, holder: Person, parent: Share, email: str, write: Write) -> Share:
    """Share on, narrower, what somebody holds, if its owner allowed that. Raises as `create`."""
    device = parent.device
    _hold(ctx, parent)
    if parent.person_id != holder.id or parent.ended_at is not None:
        raise NotFound("share")
    if parent.status != ACCEPTED or not is_active(ctx, parent):
        raise Forbidden("not-active", "Your share is not active now.")
    if not parent.may_pass_on or parent.parent_id is not None:
        raise Forbidden("not-to-pass-on", "This share may not be passed on.")
    _check_shareable(device)
    by_role = _check_target(ctx, holder, device, addresses.key(email))
    share = _new(ctx, device, email, PASSED_ON, holder.id)
    share.parent = parent
    share.lease_s = parent.lease_s
    return _open(ctx, holder, share, Standing.GUEST, write, by_role)


def change(
    ctx: Context,
    actor: Person,
    share: Share,
    write: Write,
    *,
    may_pass_on: bool | None = None,
    lease_s: int | None = None,
) -> Share:
    """Change the terms of a share; what `write` leaves alone stays. Raises as `create`."""
    found = _over(ctx, actor, share)
    if share.origin in (OWNERSHIP, ROLE):
        raise Conflict(f"{share.origin}-share", f"This share comes from {share.origin}.")
    before = (share.terms, share.lease_s, share.may_pass_on)
    terms.write(share, write)
    _check_terms(share, found)
    if may_pass_on is not None:
        share.may_pass_on = may_pass_on
    if lease_s is not None:
        share.lease_s = lease_s or None
    if (share.terms, share.lease_s, share.may_pass_on) == before:
        return share
    issuing.number(share)
    issuing.issue(ctx, share)
    _note(ctx, actor, share, "share.changed")
    return share


def end(ctx: Context, actor: Person, share: Share) -> None:
    """End a share: its owner or an administrator does, or whoever passed it on."""
    _hold(ctx, share)
    if share.parent is None or share.parent.person_id != actor.id or share.ended_at is not None:
        _over(ctx, actor, share)
    _check_ends_alone(share)
    _end(ctx, actor, share, "share.revoked")
    settle(ctx, share.device)


def drop(ctx: Context, holder: Person, share: Share) -> None:
    """A holder gives back a share, or declines one that is pending."""
    _hold(ctx, share)
    if share.email_key != holder.email_key or share.ended_at is not None:
        raise NotFound("share")
    _check_ends_alone(share)
    _end(ctx, holder, share, "share.dropped")
    settle(ctx, share.device)


def resend(ctx: Context, actor: Person, share: Share) -> None:
    """Mail the invitation to a pending share again; an earlier link is void."""
    _over(ctx, actor, share)
    if share.status != PENDING:
        raise Conflict("not-pending", "This share was accepted already.")
    _invite(ctx, share)


def accept(ctx: Context, person: Person, secret: str) -> Share:
    """Accept the share that a mailed link is about. Raises Gone, NotFound."""
    link = links.find(ctx, links.SHARE, secret)
    if person.confirmed_at is None or link.email_key != person.email_key:
        raise NotFound("invitation")  # for this account
    share = ctx.session.get_one(Share, link.subject_id)
    _hold(ctx, share)
    links.use(ctx, links.SHARE, secret)
    if share.status != PENDING:
        raise NotFound("invitation")
    _accept(ctx, share, person)
    return share


def claim(ctx: Context, person: Person) -> None:
    """Give a person what waited for an address that was just confirmed; the caller holds it."""
    waiting = select(Share).where(
        Share.email_key == person.email_key, Share.status == PENDING, Share.by_link.is_(False)
    )
    for share in ctx.session.scalars(waiting.order_by(Share.device_id)).all():
        _accept(ctx, share, person)
    for member in organisations.join_invited(ctx, person):
        settle_organisation(ctx, member.organisation)


def visible(ctx: Context, actor: Person, device: Device) -> list[Share]:
    """The shares of a device that somebody may see: all, or the owner's and their own."""
    found = require(ctx, actor, device, Act.SEE)
    live = list(ctx.session.scalars(_live(device).options(selectinload(Share.person))))
    if found in (Standing.OWNER, Standing.ADMIN):
        return live
    return [
        share for share in live if share.origin == OWNERSHIP or share.email_key == actor.email_key
    ]


def offered_to(ctx: Context, person: Person) -> list[Share]:
    """The shares that somebody holds or is invited to; not those of their own devices."""
    mine = select(Share).where(
        Share.email_key == person.email_key, Share.ended_at.is_(None), Share.origin != OWNERSHIP
    )
    return list(ctx.session.scalars(mine.order_by(Share.id)))


def given_by(ctx: Context, owner: Person) -> list[Share]:
    """The shares of somebody's own devices; not their own of them."""
    others = (
        select(Share)
        .join(Device, Device.id == Share.device_id)
        .where(Device.owner_id == owner.id, Share.ended_at.is_(None), Share.origin != OWNERSHIP)
    )
    return list(ctx.session.scalars(others.order_by(Share.id)))


def find(ctx: Context, actor: Person, share_id: int | str) -> Share:
    """A live share by its id or uid that the actor may see. Raises NotFound."""
    column = Share.uid if isinstance(share_id, str) else Share.id
    share = ctx.session.scalar(select(Share).where(column == share_id, Share.ended_at.is_(None)))
    if share is None:
        raise NotFound("share")
    if share.email_key == actor.email_key:
        return share
    if share.parent is not None and share.parent.person_id == actor.id:
        return share
    found = standing(ctx, actor, share.device)
    if found in (Standing.OWNER, Standing.ADMIN):
        return share
    if share.origin == OWNERSHIP and found not in (Standing.STRANGER, Standing.INVITED):
        return share
    raise NotFound("share")


def settle(ctx: Context, device: Device) -> None:
    """Bring the shares that come from roles in line with who has which role now.

    A share of one's own goes before one by role.
    """
    # Whoever changes roles holds it, too: what is read next is what they left.
    locks.hold(ctx, device)
    wanted = {}
    if device.deleted_at is None and not device.private_type:
        for member in organisations.members(ctx, device.organisation):
            level = _role_level(member.role)
            if level is not None and member.person:
                wanted[member.email_key] = (member.person, level)
    for share in ctx.session.scalars(_live(device)).all():
        want = wanted.pop(share.email_key, None)
        if share.origin != ROLE:
            continue
        if want is None:
            _end(ctx, None, share, "share.ended-with-role")
        elif terms.level(share) != want[1]:
            terms.write(share, terms.plain(want[1]))
            issuing.number(share)
            issuing.issue(ctx, share)
    for person, level in wanted.values():
        by_role = _for_person(ctx, device, person, ROLE, device.owner_id)
        terms.write(by_role, terms.plain(level))
        _add(ctx, by_role)
        issuing.issue(ctx, by_role)
        _note(ctx, None, by_role, "share.by-role")


def settle_organisation(ctx: Context, organisation: Organisation) -> None:
    """The same for all devices of an organisation of which a member came, went or changed."""
    devices = select(Device).where(
        Device.organisation_id == organisation.id, Device.deleted_at.is_(None)
    )
    for device in ctx.session.scalars(devices.order_by(Device.id)):
        settle(ctx, device)


def own(ctx: Context, device: Device, person: Person) -> Share:
    """Make a person's share that of the owner; whoever had it before has none."""
    held = share_of(ctx, person, device)
    if held is not None:
        _end(ctx, None, held, "share.replaced")
    before = ctx.session.scalar(_live(device).where(Share.origin == OWNERSHIP))
    device.owner = person
    share = _for_person(ctx, device, person, OWNERSHIP, person.id)
    terms.write(share, terms.plain(OWNER))
    _add(ctx, share)
    issuing.issue(ctx, share)
    if before is not None:
        # The lock has the new owner before it loses the old one.
        _end(ctx, None, before, "share.given-away")
    return share


def end_all(ctx: Context, actor: Person, device: Device, *, but_owner: bool) -> None:
    """End all shares of a device, pending ones too, and tell their holders."""
    for share in ctx.session.scalars(_live(device)).all():
        if share.ended_at is not None or (but_owner and share.origin == OWNERSHIP):
            continue
        _end(ctx, actor, share, "share.ended-with-device")


# --- steps ---------------------------------------------------------------------------------------


def _new(ctx: Context, device: Device, email: str, origin: str, creator_id: int) -> Share:
    return Share(
        uid=new_uid(),
        device=device,
        email=email.strip(),
        email_key=addresses.key(email),
        origin=origin,
        status=PENDING,
        version=1,
        terms={},
        created_by_id=creator_id,
        created_at=ctx.now,
    )


def _for_person(
    ctx: Context, device: Device, person: Person, origin: str, creator_id: int
) -> Share:
    share = _new(ctx, device, person.email, origin, creator_id)
    share.person = person
    share.status = ACCEPTED
    share.accepted_at = ctx.now
    return share


def _open(
    ctx: Context,
    actor: Person,
    share: Share,
    found: Standing,
    write: Write,
    by_role: Share | None,
) -> Share:
    terms.write(share, write)
    _check_terms(share, found)
    if by_role is not None:
        _end(ctx, actor, by_role, "share.replaced")
    locks.hold_person(ctx, share.email_key)
    _add(ctx, share)
    _note(ctx, actor, share, "share.created")
    holder = ctx.session.scalar(
        select(Person).where(Person.email_key == share.email_key, Person.confirmed_at.is_not(None))
    )
    if holder is None or share.by_link:
        _invite(ctx, share)
    else:
        _accept(ctx, share, holder)
        _tell(ctx, share, "was shared with you", "You may use it now.")
    return share


def _add(ctx: Context, share: Share) -> None:
    """Write a new share; the database allows one to a person and device, whoever came first."""
    try:
        with ctx.session.begin_nested():
            ctx.session.add(share)
    except IntegrityError:
        raise Conflict("already-shared", "This person has a share of the device.") from None


def _accept(ctx: Context, share: Share, person: Person) -> None:
    share.person = person
    share.status = ACCEPTED
    share.accepted_at = ctx.now
    ctx.session.flush()
    issuing.issue(ctx, share)
    _note(ctx, person, share, "share.accepted")


def _end(ctx: Context, actor: Person | None, share: Share, what: str) -> None:
    issuing.withdraw(ctx, share)
    share.status = ENDED
    share.ended_at = ctx.now
    ctx.session.flush()
    _note(ctx, actor, share, what)
    if share.origin in (INVITATION, PASSED_ON) and what in _TOLD:
        _tell(ctx, share, "is not shared with you any more", "")
    children = select(Share).where(Share.parent_id == share.id, Share.ended_at.is_(None))
    for child in ctx.session.scalars(children).all():
        _end(ctx, actor, child, "share.ended-with-parent")


def _invite(ctx: Context, share: Share) -> None:
    sign_up = f"If you have no account, make one with this address at {ctx.base_url}/sign-up.\n"
    text = sign_up
    if share.by_link:
        secret = links.make(ctx, links.SHARE, share.email_key, share.id)
        text = f"To accept, follow {ctx.base_url}/accept#{secret}\n{sign_up}"
    _tell(ctx, share, "is to be shared with you", text)


def _tell(ctx: Context, share: Share, what: str, text: str) -> None:
    ctx.mail(share.email, f"{share.device.name} {what}", f"{share.device.name} {what}.\n{text}")


def _note(ctx: Context, actor: Person | None, share: Share, what: str) -> None:
    ctx.session.add(
        Deed(
            device_id=share.device.id,
            person_id=actor.id if actor else None,
            share_id=share.id,
            what=what,
            details={"version": share.version, "terms": share.terms},
            at=ctx.now,
        )
    )


# --- checks --------------------------------------------------------------------------------------


def _over(ctx: Context, actor: Person, share: Share) -> Standing:
    """The standing of somebody who may change or end this share."""
    _hold(ctx, share)
    found = require(ctx, actor, share.device, Act.SHARE)
    if share.ended_at is not None:
        raise NotFound("share")
    if terms.level(share) > most_level(found):
        raise Forbidden("owner", "Nobody but the owner decides about the owner's share.")
    return found


def _hold(ctx: Context, share: Share) -> None:
    """See a share as it is, and let nobody else change it until the transaction ends."""
    locks.hold(ctx, share.device)
    ctx.session.refresh(share)


def _check_ends_alone(share: Share) -> None:
    """A share by ownership or by a role ends with that, and not by itself."""
    if share.origin == OWNERSHIP:
        raise Conflict("ownership-share", "An owner leaves by giving the device away.")
    if share.origin == ROLE:
        raise Conflict("role-share", "This share comes from a role in an organization.")


def _check_shareable(device: Device) -> None:
    if device.private_type:
        raise Forbidden("private-type", "A device of a private type cannot be shared.")


def _check_target(ctx: Context, actor: Person, device: Device, key: str) -> Share | None:
    """The share by role that one of somebody's own would replace, if they have one."""
    if key == actor.email_key:
        raise Conflict("self", "You cannot share a device with yourself.")
    if key == device.owner.email_key:
        raise Conflict("owner", "The owner has the device already.")
    held = ctx.session.scalar(_live(device).where(Share.email_key == key))
    if held is not None and held.origin != ROLE:
        what = "was invited to" if held.status == PENDING else "has a share of"
        code = "already-invited" if held.status == PENDING else "already-shared"
        raise Conflict(code, f"This person {what} the device.")
    if len(ctx.session.scalars(_live(device).with_only_columns(Share.id)).all()) >= MOST_SHARES:
        raise Conflict("full", f"A device has at most {MOST_SHARES} shares.")
    return held


def _check_terms(share: Share, found: Standing) -> None:
    level = terms.level(share)
    if level == OWNER:
        raise Conflict("level", "Somebody becomes the owner only when the device is transferred.")
    if level > most_level(found):
        raise Forbidden("level", "Nobody gives more than they have.")
    if share.parent is None:
        return
    mine, whole = terms.grant(share), terms.grant(share.parent)
    if level != GUEST or mine.rights & ~whole.rights or mine.channels & ~whole.channels:
        raise Invalid("a share that is passed on is no wider than yours", code="wider")


def _role_level(role: Role) -> int | None:
    if organisations.CONTROL_ORGANISATION not in role.permissions:
        return None
    return ADMIN if organisations.MANAGE in role.permissions else GUEST


def _live(device: Device):  # type: ignore[no-untyped-def]
    mine = select(Share).where(Share.device_id == device.id, Share.ended_at.is_(None))
    return mine.order_by(Share.id)
