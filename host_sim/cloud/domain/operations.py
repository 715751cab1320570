"""What people ask a lock to do from afar.

The lock decides. What its own checks would refuse anyway is refused here already, so that who asks
knows why at once; uses and lock-outs only the lock knows.
"""

from sqlalchemy import Select, select

from firmware.policy import reasons
from firmware.policy.decision import Decision, Now, Request, State, decide
from firmware.policy.grant import LOCK, PULL, REMOTE, UNLOCK
from firmware.policy.instant import from_unix
from firmware.policy.zone import Zone
from host_sim import words

from . import terms
from .context import Context
from .errors import Forbidden, NotFound
from .model import ACCEPTED, Device, Operation, Person, Share
from .permissions import Act, require, share_of

ACTIONS = {"unlock": UNLOCK, "lock": LOCK, "pull": PULL}
NO_ANSWER = 256  # beyond all reasons of a lock: it did not answer in time
ANSWERS_IN_S = 30


def ask(ctx: Context, person: Person, device: Device, action: str) -> Operation:
    """Ask a lock for one of ACTIONS on behalf of a person's share.

    Raises NotFound, or Forbidden with the name of the reason that the lock would give.
    """
    share = may_ask(ctx, person, device, action)
    operation = Operation(device=device, share=share, action=action, asked_at=ctx.now)
    ctx.session.add(operation)
    ctx.session.flush()
    ctx.touched.add(device.id)
    return operation


def may_ask(ctx: Context, person: Person, device: Device, action: str) -> Share:
    """The share by which a person may do this now. Raises as `ask`."""
    require(ctx, person, device, Act.SEE)
    share = share_of(ctx, person, device)
    reason = reasons.UNKNOWN_SHARE
    if share is not None and share.status == ACCEPTED:
        reason = verdict(ctx, share, ACTIONS[action])
    if share is None or reason:
        raise Forbidden(words.name(reason), words.text(reason))
    return share


def verdict(ctx: Context, share: Share, action: int) -> int:
    """The reason that the lock's checks give for an action from afar, on time by this clock."""
    grant = terms.grant(share)
    state = State(grant.lock)
    if share.parent:
        state.parent = terms.grant(share.parent)
        state.parent_state = State(grant.lock)
    asked = Request(grant.key, action, REMOTE, True)
    decision = Decision()
    decide(grant, asked, Now(from_unix(ctx.now)), Zone(share.device.zone), state, decision)
    return decision.reason


def waiting(ctx: Context, device: Device) -> Operation | None:
    """What a lock was asked first of all that it has not answered."""
    return ctx.session.scalar(_open().where(Operation.device_id == device.id).limit(1))


def answered(ctx: Context, number: int, reason: int) -> None:
    """What the lock answered to an operation: a number of `firmware.policy.reasons`, 0 for done.

    A challenge that had just run out is no answer: it is asked again with the next one.
    """
    operation = ctx.session.get_one(Operation, number)
    if operation.done_at is None and reason != reasons.OLD_CHALLENGE:
        finish(ctx, operation, reason)


def expire(ctx: Context) -> None:
    """Give up what no lock has answered in time."""
    late = _open().where(Operation.asked_at <= ctx.now - ANSWERS_IN_S)
    for operation in ctx.session.scalars(late).all():
        finish(ctx, operation, NO_ANSWER)


def _open() -> Select[Operation]:
    return select(Operation).where(Operation.done_at.is_(None)).order_by(Operation.id)


def finish(ctx: Context, operation: Operation, reason: int) -> None:
    """That is what came of it: a reason, 0 for done."""
    operation.done_at = ctx.now
    operation.result = reason


def find(ctx: Context, person: Person, uid: str) -> Operation:
    """An operation that the person asked for. Raises NotFound."""
    operation = ctx.session.scalar(select(Operation).where(Operation.uid == uid))
    if operation is None or operation.share.person_id != person.id:
        raise NotFound("operation")
    return operation
