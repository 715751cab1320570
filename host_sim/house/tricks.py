"""What somebody with bad intentions, or bad luck, can try in the house.

Imports the cloud and its siblings.
"""

from asyncio import to_thread

from sqlalchemy import select

from firmware.access import statements
from firmware.crypto.p256 import PublicKey
from firmware.policy.instant import from_unix
from host_sim.cloud import issuer, sign1
from host_sim.cloud.domain import issuing, sharing, terms
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import ACCEPTED, Key, Share, Statement
from host_sim.cloud.keys import PrivateKey

from . import people
from .house import House
from .phone import Came


class NoShare(Exception):
    """Somebody has no share that this could be done with; the message is for people."""


async def replay(house: House, name: str) -> Came:
    """Bring the lock the first grant that somebody ever had, once more."""
    token = await to_thread(_first, house, name)
    came = await house.carry(name, token)
    house.record.bring(name, "replayed", came)
    return came


async def forge(house: House, name: str) -> Came:
    """Bring the lock an owner's grant for somebody, signed by somebody else's key."""
    token = await to_thread(_forged, house, name)
    came = await house.carry(name, token)
    house.record.bring(name, "forged", came)
    return came


async def revoke_unheard(house: House, name: str) -> None:
    """Take the lock's Wi-Fi away, and end somebody's share: the lock cannot know."""
    await house.faults.set("wifi", True)
    await to_thread(_revoke, house, name)


def share_of(ctx: Context, name: str) -> Share:
    """The share that somebody has now. Raises NoShare."""
    mine = select(Share).where(Share.email_key == people.address(name), Share.status == ACCEPTED)
    found = ctx.session.scalar(mine.where(Share.ended_at.is_(None)))
    if found is None:
        raise NoShare(f"{name} has no share now.")
    return found


def _first(house: House, name: str) -> bytes:
    with house.cloud.transaction(reads=True) as ctx:
        share = share_of(ctx, name)
        if share.version == 1:
            raise NoShare(f"{name}'s first grant is still good: change the share before.")
        mine = select(Statement).where(
            Statement.share_id == share.id, Statement.kind == statements.GRANT
        )
        first = ctx.session.scalars(mine.order_by(Statement.id)).first()
        assert first is not None
        return issuing.token(ctx, first)


def _forged(house: House, name: str) -> bytes:
    with house.cloud.transaction(reads=True) as ctx:
        grant = terms.grant(share_of(ctx, name))
        key = ctx.session.scalars(select(Key).where(Key.person.has(name=name))).first()
        assert key is not None
        grant.version += 1
        grant.issued = from_unix(ctx.now)
        grant.rules = []
        kind, payload = issuer.grant_change(grant, PublicKey(key.public[:32], key.public[32:]))
        return sign1.sign(payload, ctx.issuers.current, PrivateKey.new().sign, typ=kind)


def _revoke(house: House, name: str) -> None:
    with house.cloud.transaction() as ctx:
        sharing.end(ctx, people.find(ctx, people.OWNER), share_of(ctx, name))
