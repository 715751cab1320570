"""Home Assistant: a share of its own, by which it may do what its owner lets it, and no more.

Its holder is nobody's account: an address that takes no mail, and a key that nobody has, because
a lock's grants are for keys. Its rules are changed, and it ends, like any other share.
"""

from secrets import token_hex

from sqlalchemy import select

from firmware.policy.grant import GUEST, GUEST_RIGHTS, REMOTE, Grant

from ..keys import PrivateKey
from . import credentials, locks, phones, sharing
from .context import Context
from .model import Credential, Device, Person, Share
from .permissions import Act, require, share_of

NAME = "Home Assistant"
_DOMAIN = "home-assistant.invalid"  # RFC 6761: no mail ever gets there


def switch_on(ctx: Context, actor: Person, device: Device) -> tuple[Share, str]:
    """The share of a device for Home Assistant, and a new password; an earlier one is void.

    For its owner. Raises NotFound, Forbidden, Conflict.
    """
    locks.hold(ctx, device)
    require(ctx, actor, device, Act.GIVE_AWAY)
    person = _holder(ctx, device)
    share = share_of(ctx, person, device)
    if share is None:
        share = sharing.create(ctx, actor, device, person.email, _afar)
    ctx.touched.add(device.id)
    return share, credentials.make(ctx, share.uid, device, share)


def of(ctx: Context, device: Device) -> list[Credential]:
    """Home Assistant's credentials for a device, also one whose share has ended."""
    mine = select(Credential).where(
        Credential.device_id == device.id,
        Credential.share_id.is_not(None),
        Credential.ended_at.is_(None),
    )
    return list(ctx.session.scalars(mine.order_by(Credential.id)))


def share_with(ctx: Context, device: Device, uid: str) -> Share | None:
    """The share of a device that an entry of its log or its state names."""
    mine = select(Share).where(Share.device_id == device.id, Share.uid == uid)
    return ctx.session.scalar(mine)


def _holder(ctx: Context, device: Device) -> Person:
    address = f"{device.uid}@{_DOMAIN}"
    found = ctx.session.scalar(select(Person).where(Person.email_key == address))
    if found is not None:
        return found
    made = Person(
        email=address,
        email_key=address,
        name=NAME,
        password=f"!{token_hex(16)}",  # no hash: nobody logs in
        created_at=ctx.now,
        confirmed_at=ctx.now,
    )
    ctx.session.add(made)
    ctx.session.flush()
    key = PrivateKey.new().public
    phones.add(ctx, made, NAME, key.x + key.y)
    return made


def _afar(grant: Grant) -> None:
    grant.level = GUEST
    grant.rights = GUEST_RIGHTS
    grant.channels = REMOTE
