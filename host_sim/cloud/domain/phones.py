"""The keys of people's phones; a grant is for one of them."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from firmware.crypto.p256 import InvalidPoint, PublicKey

from .. import keys
from . import issuing, locks, names
from .context import Context
from .errors import Conflict, Forbidden, Invalid, NotFound
from .model import ACCEPTED, Key, Person, Share

MOST = 10  # phones of a person; each takes places of every lock that they may open


def add(ctx: Context, person: Person, name: str, public: bytes, system: int = 0) -> Key:
    """Register a phone by its P-256 key (x and y, 64 bytes), and issue its grants.

    A key that was removed stays removed: a lock would not take it again. Raises Forbidden,
    Invalid, Conflict.
    """
    if person.confirmed_at is None:
        raise Forbidden("unconfirmed", "Confirm your address first.")
    try:
        point = PublicKey(public[:32], public[32:])
    except InvalidPoint:
        raise Invalid("that is no P-256 key", code="bad-key") from None
    locks.hold_belongings(ctx, person)
    if len(of(ctx, person)) >= MOST:
        raise Conflict("full", f"A person has at most {MOST} phones; remove one first.")
    key = Key(
        person=person,
        name=names.clean(name),
        system=system,
        public=public,
        thumbprint=keys.short(point),
        created_at=ctx.now,
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(key)
    except IntegrityError:
        raise Conflict("known-key", "This key was registered before; make a new one.") from None
    for share in _shares(ctx, person):
        issuing.issue_for(ctx, share, key)
    return key


def remove(ctx: Context, person: Person, key: Key) -> None:
    """Forget a phone: its grants are revoked, those of the person's others stay good."""
    locks.hold_belongings(ctx, person)
    ctx.session.refresh(key)
    if key.person_id != person.id or key.removed_at is not None:
        raise NotFound("phone")
    key.removed_at = ctx.now
    for share in _shares(ctx, person):
        issuing.withdraw(ctx, share, key)


def of(ctx: Context, person: Person) -> list[Key]:
    """The phones of a person."""
    mine = select(Key).where(Key.person_id == person.id, Key.removed_at.is_(None))
    return list(ctx.session.scalars(mine.order_by(Key.id)))


def find(ctx: Context, person: Person, uid: str) -> Key:
    """A phone of a person. Raises NotFound."""
    for key in of(ctx, person):
        if key.uid == uid:
            return key
    raise NotFound("phone")


def _shares(ctx: Context, person: Person) -> list[Share]:
    held = select(Share).where(Share.person_id == person.id, Share.status == ACCEPTED)
    return list(
        ctx.session.scalars(held.order_by(Share.id), execution_options={"populate_existing": True})
    )
