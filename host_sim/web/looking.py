"""Through whose eyes the page looks, at which device, and when.

The page is one person's who plays everybody: `me` of a query is the person that the cloud is
asked as, and it shows and lets do what that person may.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from starlette.datastructures import QueryParams

from firmware.policy.grant import FIRST_DAY, LAST_DAY
from firmware.policy.instant import Instant, from_unix
from firmware.policy.zone import Zone
from host_sim.cloud.domain import devices
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.errors import NotFound
from host_sim.cloud.domain.model import Device, Person

from .stand import Stand

_EPOCH = date(1970, 1, 1)


@dataclass
class Look:
    """A transaction, who looks, and at what; the device is None if they may not know of it."""

    ctx: Context
    me: Person
    device: Device | None

    @property
    def zone(self) -> Zone:
        """The device's; it has to be there."""
        return Zone(self.must().zone)

    def must(self) -> Device:
        """The device. Raises NotFound."""
        if self.device is None:
            raise NotFound("device")
        return self.device


@contextmanager
def looking(stand: Stand, query: QueryParams, *, reads: bool = True) -> Iterator[Look]:
    """A look: as the owner of the lock, at the lock, unless the query names others."""
    with stand.cloud.transaction(reads=reads) as ctx:
        lock = ctx.session.scalars(select(Device).where(Device.uid == stand.device)).one()
        wanted = query.get("me", "")
        me = next((each for each in people(ctx) if each.email_key == wanted), lock.owner)
        yield Look(ctx, me, _seen(ctx, me, query.get("device") or stand.device))


def people(ctx: Context) -> list[Person]:
    """All who can look: those with a confirmed address, but for what is no person."""
    everybody = select(Person).where(Person.confirmed_at.is_not(None)).order_by(Person.id)
    return [each for each in ctx.session.scalars(everybody) if not each.email.endswith(".invalid")]


def day_of(text: str, otherwise_s: int, zone: Zone) -> Instant:
    """Noon of a day that a query names, on the wall clock; an instant for one that it does not."""
    try:
        day = (date.fromisoformat(text) - _EPOCH).days
    except ValueError:
        return from_unix(otherwise_s)
    if not FIRST_DAY < day < LAST_DAY - 400:
        return from_unix(otherwise_s)
    return Instant(day, 43_200)


def _seen(ctx: Context, me: Person, uid: str) -> Device | None:
    try:
        return devices.find(ctx, me, uid)
    except NotFound:
        return None
