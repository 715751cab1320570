"""Names and passwords at the broker: of locks, and of Home Assistant for a share.

A password is 256 random bits, shown once. What is kept of it is what mosquitto has in a password
file (PBKDF2), so that any broker can be told; with that many bits the number of rounds is nothing.
"""

from base64 import b64decode, b64encode
from hashlib import pbkdf2_hmac
from hmac import compare_digest
from secrets import token_bytes, token_hex

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from . import locks
from .context import Context
from .model import Credential, Deed, Device, Person, Share
from .permissions import Act, require

_ROUNDS = 101
_SALT_BYTES = 12
_FORMAT = "7"  # of mosquitto: PBKDF2 with HMAC-SHA512


def enrol(ctx: Context, actor: Person, device: Device) -> str:
    """The password of a device's lock, for provisioning; the one before is void.

    Raises NotFound, Forbidden.
    """
    locks.hold(ctx, device)
    require(ctx, actor, device, Act.GIVE_AWAY)
    ctx.session.add(
        Deed(device_id=device.id, person_id=actor.id, what="device.enrolled", at=ctx.now)
    )
    return make(ctx, device.lock_id, device)


def make(ctx: Context, name: str, device: Device, share: Share | None = None) -> str:
    """A new password for a name; the one before is void."""
    end(ctx, name)
    password = token_hex(32)
    made = Credential(
        name=name, kept=hashed(password), device=device, share=share, created_at=ctx.now
    )
    ctx.session.add(made)
    ctx.session.flush()
    return password


def end(ctx: Context, name: str) -> None:
    """Let nobody in by this name any more."""
    same = update(Credential).where(Credential.name == name, Credential.ended_at.is_(None))
    ctx.session.execute(same.values(ended_at=ctx.now))


def live(session: Session, name: str | None = None) -> list[Credential]:
    """All that are good now, or that of a name."""
    good = (
        select(Credential)
        .join(Device, Device.id == Credential.device_id)
        .outerjoin(Share, Share.id == Credential.share_id)
        .where(
            Credential.ended_at.is_(None),
            Device.deleted_at.is_(None),
            or_(Credential.share_id.is_(None), Share.ended_at.is_(None)),
        )
        .order_by(Credential.id)
    )
    if name is not None:
        good = good.where(Credential.name == name)
    return list(session.scalars(good))


def shown(ctx: Context, name: str, password: str) -> Credential | None:
    """The credential with this name and password, if it is good."""
    for found in live(ctx.session, name):
        if matches(password, found.kept):
            return found
    return None


def hashed(password: str) -> str:
    """A password as it is kept."""
    salt = token_bytes(_SALT_BYTES)
    key = b64encode(_key(password, salt, _ROUNDS)).decode()
    return f"${_FORMAT}${_ROUNDS}${b64encode(salt).decode()}${key}"


def matches(password: str, kept: str) -> bool:
    """Whether a password is the one that is kept."""
    _, _, rounds, salt, key = kept.split("$")
    return compare_digest(_key(password, b64decode(salt), int(rounds)), b64decode(key))


def _key(password: str, salt: bytes, rounds: int) -> bytes:
    return pbkdf2_hmac("sha512", password.encode(), salt, rounds)
