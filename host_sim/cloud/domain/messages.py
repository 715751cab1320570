"""What a device said and what was sent to it; a holder reads it from acceptance on."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, or_, select

from . import operations
from .context import Context
from .errors import Invalid, NotFound
from .model import OWNERSHIP, Device, Message, Person
from .permissions import Act, may, require, share_of

MESSAGE, ACTION = "message", "action"  # what a message can be
MOST = 1_000  # messages to one answer
MOST_BYTES = 1_024  # of a message, as JSON
MOST_LEVELS = 16  # of objects and lists within each other
AHEAD_MS = 60_000  # how far the clock of a device may be ahead
STRAGGLERS = 100  # messages of transactions that began earlier and were done later


def record(
    ctx: Context, device: Device, data: dict[str, Any], said_ms: int | None = None
) -> Message:
    """Keep what a device said, by its own clock at `said_ms` (Unix). Raises Invalid."""
    if said_ms is not None and said_ms > ctx.now * 1000 + AHEAD_MS:
        raise Invalid("a message cannot come from the future", code="bad-time")
    return _keep(ctx, device, MESSAGE, data, None, said_ms)


def act(ctx: Context, person: Person, device: Device, data: dict[str, Any]) -> Message:
    """Send actions to a device, as far as the share's rules let; it carries the owner's user id.

    `data` has a list `actions`, each with a `name` of `operations.ACTIONS`. Raises as
    `operations.ask`, and Invalid; none is sent unless all may be.
    """
    for action in data["actions"]:
        operations.ask(ctx, person, device, action["name"])
    return _keep(ctx, device, ACTION, data, person, None)


def read(
    ctx: Context,
    person: Person,
    device: Device,
    kind: str | None = None,
    *,
    after_id: int | None = None,
    newest_first: bool = False,
    start: int = 0,
    end: int | None = None,
    most: int = MOST,
) -> Sequence[Message]:
    """Messages that came from `start` until `end` (Unix seconds), in their order or backwards.

    `after_id` is the last one that was read already. Raises NotFound, Forbidden.
    """
    require(ctx, person, device, Act.READ)
    since = _accepted(ctx, person, device)
    wanted = select(Message).where(Message.device_id == device.id, Message.at >= max(start, since))
    # Nor what was said earlier and came later.
    wanted = wanted.where(or_(Message.said_ms.is_(None), Message.said_ms >= since * 1000))
    if kind is not None:
        wanted = wanted.where(Message.type == kind)
    if end is not None:
        wanted = wanted.where(Message.at < end)
    if after_id is not None:
        wanted = wanted.where(Message.id < after_id if newest_first else Message.id > after_id)
    order = Message.id.desc() if newest_first else Message.id
    return ctx.session.scalars(wanted.order_by(order).limit(min(most, MOST))).all()


def find(ctx: Context, person: Person, kind: str, uid: str) -> Message:
    """A message by its uid, if the person may read it. Raises NotFound."""
    wanted = select(Message).where(Message.uid == uid, Message.type == kind)
    message = ctx.session.scalar(wanted)
    if message is None or not is_for(ctx, person, message):
        raise NotFound("message")
    return message


def newest(ctx: Context) -> int:
    """The id of the newest message, of whatever device; 0 if there is none."""
    return ctx.session.scalar(select(func.max(Message.id))) or 0


def since(ctx: Context, after_id: int, but: Collection[int]) -> Sequence[Message]:
    """Messages of all devices after one, with those that it may have overtaken, `but` some."""
    late = select(Message).where(Message.id > after_id - STRAGGLERS, Message.id.not_in(but))
    return ctx.session.scalars(late.order_by(Message.id).limit(MOST)).all()


def is_for(ctx: Context, person: Person, message: Message) -> bool:
    """Whether a person may read a message now."""
    if not may(ctx, person, message.device, Act.READ):
        return False
    since = _accepted(ctx, person, message.device)
    return message.at >= since and (message.said_ms is None or message.said_ms >= since * 1000)


def _accepted(ctx: Context, person: Person, device: Device) -> int:
    """When the share of a holder was accepted; 0 for whom may read all."""
    share = share_of(ctx, person, device)
    if share is None or share.origin == OWNERSHIP or share.accepted_at is None:
        return 0
    return share.accepted_at


def _keep(
    ctx: Context,
    device: Device,
    kind: str,
    data: dict[str, Any],
    sender: Person | None,
    said_ms: int | None,
) -> Message:
    _check(data)
    message = Message(
        device=device,
        type=kind,
        data=data,
        owner_uid=device.owner.uid,
        sender_id=sender.id if sender else None,
        said_ms=said_ms,
        at=ctx.now,
    )
    ctx.session.add(message)
    ctx.session.flush()
    return message


def _check(data: dict[str, Any]) -> None:
    """Raises Invalid for what is too long or too deep, or cannot be written as JSON."""
    level: list[Any] = [data]
    for _ in range(MOST_LEVELS):
        inside = [each.values() if isinstance(each, dict) else each for each in level]
        level = [inner for each in inside for inner in each if isinstance(inner, dict | list)]
    if level:
        raise Invalid(f"a message has at most {MOST_LEVELS} levels", code="too-deep")
    try:
        size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode())
    except ValueError:  # half a character, or a number that JSON does not have
        raise Invalid("a value cannot be kept", code="bad-value") from None
    if size > MOST_BYTES:
        raise Invalid(f"a message has at most {MOST_BYTES} bytes", code="too-long")
