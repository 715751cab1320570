"""Somebody at the door who keeps bringing the lock grants that it must not take.

Imports the cloud and its siblings. Two of a house's faults are such people.
"""

import asyncio
from asyncio import to_thread
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from firmware.access import statements
from firmware.crypto.p256 import PublicKey
from firmware.policy import reasons
from firmware.policy.instant import from_unix
from host_sim.cloud import issuer, sign1
from host_sim.cloud.domain import issuing, terms
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import Device, Person, Share, Statement
from host_sim.cloud.keys import PrivateKey

from . import people
from .phone import Phone

if TYPE_CHECKING:
    from .house import House

EVERY_S = 10
# What is brought: words of a story's `[[bring]]`.
REPLAYED, FORGED = "replayed", "forged"


class Loot(NamedTuple):
    """A grant made of somebody's share.

    `became` is why a lock refuses it that knows all about the share: None if there is no reason.
    """

    who: str
    token: bytes
    became: int | None


class Attacker:
    """Brings `what` with a phone of no account; `said` has the lock's last answers, by name."""

    def __init__(self, house: "House", what: str, phone: Phone):
        self._house = house
        self._what = what
        self._phone = phone
        self._trying: asyncio.Task[None] | None = None
        self.said: dict[str, int] = {}

    async def begin(self) -> None:
        """Try it now, and from then on again and again."""
        await self._try()
        self._trying = asyncio.create_task(self._keep_trying())

    async def end(self) -> None:
        """Go away."""
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.wait((self._trying,))
        self._trying = None
        self.said = {}

    async def _keep_trying(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self._try()

    async def _try(self) -> None:
        house = self._house
        loot = await to_thread(self._find)
        answers = await self._phone.bring(house.lock_id, *(each.token for each in loot))
        await house.record.look()  # shares come before what is made of them
        said = {each.who: reason for each, reason in zip(loot, answers, strict=False)}
        for each in loot:
            if said.get(each.who) != self.said.get(each.who):
                house.record.bring(each.who, self._what, said.get(each.who), each.became)
        if said != self.said:
            self.said = said
            house.events.add("fault", name=self._what, on=True)

    def _find(self) -> list[Loot]:
        with self._house.cloud.transaction(reads=True) as ctx:
            if self._what == FORGED:
                return _forged(ctx, self._house.device, self._phone.point)
            return _recorded(ctx, self._house.device)


def _recorded(ctx: Context, device: str) -> list[Loot]:
    """The first grant that each person ever had."""
    rows = ctx.session.execute(
        select(Person.name, Statement, Share)
        .join(Share, Share.id == Statement.share_id)
        .join(Person, Person.id == Share.person_id)
        .where(Share.device.has(Device.uid == device), Statement.kind == statements.GRANT)
        .order_by(Statement.id)
    )
    loot: dict[str, Loot] = {}
    for who, statement, share in rows:
        if who not in loot:
            loot[who] = Loot(who, issuing.token(ctx, statement), _became(share))
    return list(loot.values())


def _became(share: Share) -> int | None:
    if share.ended_at is not None:
        return reasons.SHARE_REVOKED
    return reasons.OLD_VERSION if share.version > 1 else None


def _forged(ctx: Context, device: str, point: bytes) -> list[Loot]:
    """The owner's share as a grant for a key of one's own, signed by another one."""
    owner = people.device_of(ctx, device).owner
    mine = select(Share).where(Share.device.has(Device.uid == device), Share.person_id == owner.id)
    share = ctx.session.scalars(mine.where(Share.ended_at.is_(None))).one()
    grant = terms.grant(share)
    grant.version += 1
    grant.issued = from_unix(ctx.now)
    kind, payload = issuer.grant_change(grant, PublicKey(point[:32], point[32:]))
    token = sign1.sign(payload, ctx.issuers.current, PrivateKey.new().sign, typ=kind)
    return [Loot(owner.name, token, reasons.BAD_SIGNATURE)]
