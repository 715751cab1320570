"""Who changes the same thing does so one after the other, until their transactions end.

What is held is held in this order, so that no two wait for each other: a link that confirms an
address, organisations and then devices in the order of their ids, people, links that offer shares.
SQLite lets only one transaction write anyway. On PostgreSQL these are advisory locks: those of
rows get entangled with what updates and foreign keys take.
"""

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import func, or_, select

from .context import Context
from .model import Device, Member, Organisation, Person, Share

# What a lock is for; in the order in which they are taken.
_ORGANISATION, _DEVICE, _PERSON = range(3)


def hold(ctx: Context, device: Device) -> None:
    """Let nobody else change a device or its shares, and read it again."""
    _lock(ctx, _DEVICE, device.id)
    ctx.session.refresh(device)


def hold_all(ctx: Context, devices: Iterable[Device]) -> None:
    """The same for several."""
    for device in sorted(devices, key=lambda each: each.id):
        hold(ctx, device)


def hold_members(ctx: Context, organisation: Organisation) -> None:
    """Let nobody else change the roles, members and devices of an organisation."""
    _lock(ctx, _ORGANISATION, organisation.id)
    inside = select(Device.id).where(Device.organisation_id == organisation.id)
    for number in ctx.session.scalars(inside.order_by(Device.id)).all():
        _lock(ctx, _DEVICE, number)


def hold_roles(ctx: Context, organisation: Organisation) -> None:
    """Let nobody change roles and members while a device comes into an organisation."""
    _lock(ctx, _ORGANISATION, organisation.id, shared=True)


def hold_person(ctx: Context, email_key: str) -> None:
    """Let nobody confirm an address, or change the phones of its holder; others may do so, too."""
    _lock(ctx, _PERSON, _number(email_key), shared=True)


def hold_belongings(ctx: Context, person: Person) -> None:
    """Let nobody else change what somebody has: invitations, shares and phones.

    What they are in and what is shared with them is held before, and looked at again.
    """
    while True:
        places, doors = _belongings(ctx, person)
        with ctx.session.begin_nested() as attempt:
            for number in places:
                _lock(ctx, _ORGANISATION, number)
            for number in doors:
                _lock(ctx, _DEVICE, number)
            _lock(ctx, _PERSON, _number(person.email_key))
            if _belongings(ctx, person) == (places, doors):
                return
            attempt.rollback()  # lets go of them


def _belongings(ctx: Context, person: Person) -> tuple[list[int], list[int]]:
    """Organisations that an address is invited to; devices in these, and shared with it."""
    invited = select(Member.organisation_id).where(
        Member.email_key == person.email_key, Member.person_id.is_(None)
    )
    shared = select(Share.device_id).where(
        Share.email_key == person.email_key, Share.ended_at.is_(None)
    )
    doors = select(Device.id).where(
        or_(Device.id.in_(shared), Device.organisation_id.in_(invited))
    )
    with ctx.session.no_autoflush:
        places = ctx.session.scalars(invited.order_by(Member.organisation_id)).all()
        return list(places), list(ctx.session.scalars(doors.order_by(Device.id)))


def _number(email_key: str) -> int:
    """Of an address, whether it has an account or not. Two that share one wait for each other."""
    return int.from_bytes(sha256(email_key.encode()).digest()[:4], "big", signed=True)


def _lock(ctx: Context, kind: int, number: int, *, shared: bool = False) -> None:
    if ctx.session.get_bind().dialect.name != "postgresql":
        return
    take = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    with ctx.session.no_autoflush:  # what waits to be written would be held before
        ctx.session.execute(select(take(kind, number)))
