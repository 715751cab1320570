"""What a device said and what was sent to it; a holder reads it from acceptance on."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from . import operations
from .context import Context
from .model import OWNERSHIP, Device, Message, Person
from .permissions import Act, require, share_of

MOST = 1_000  # messages to one answer


def record(ctx: Context, device: Device, data: dict[str, Any]) -> Message:
    """Keep what a device said."""
    return _keep(ctx, device, "message", data, None)


def act(ctx: Context, person: Person, device: Device, data: dict[str, Any]) -> Message:
    """Send actions to a device, as far as the share's rules let; it carries the owner's user id.

    `data` has a list `actions`, each with a `name` of `operations.ACTIONS`. Raises as
    `operations.ask`; none is sent unless all may be.
    """
    for action in data["actions"]:
        operations.ask(ctx, person, device, action["name"])
    return _keep(ctx, device, "action", data, person)


def read(
    ctx: Context,
    person: Person,
    device: Device,
    *,
    after_id: int = 0,
    start: int = 0,
    end: int | None = None,
    most: int = MOST,
) -> Sequence[Message]:
    """Messages from `start` until `end` (Unix seconds), the oldest first. Raises NotFound."""
    require(ctx, person, device, Act.READ)
    share = share_of(ctx, person, device)
    if share is not None and share.origin != OWNERSHIP and share.accepted_at is not None:
        start = max(start, share.accepted_at)
    wanted = select(Message).where(
        Message.device_id == device.id, Message.id > after_id, Message.at >= start
    )
    if end is not None:
        wanted = wanted.where(Message.at < end)
    return ctx.session.scalars(wanted.order_by(Message.id).limit(min(most, MOST))).all()


def _keep(
    ctx: Context, device: Device, kind: str, data: dict[str, Any], sender: Person | None
) -> Message:
    message = Message(
        device_id=device.id,
        type=kind,
        data=data,
        owner_uid=device.owner.uid,
        sender_id=sender.id if sender else None,
        at=ctx.now,
    )
    ctx.session.add(message)
    ctx.session.flush()
    return message
