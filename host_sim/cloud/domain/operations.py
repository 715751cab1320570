"""What people ask a lock to do from afar.

The lock decides. What its own checks would refuse anyway is refused here already, so that who asks
knows why at once; uses and lock-outs only the lock knows.
"""

from sqlalchemy import select

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


def ask(ctx: Context, person: Person, device: Device, action: str) -> Operation:
    """Ask a lock for one of ACTIONS on behalf of a person's share.

    Raises NotFound, or Forbidden with the name of the reason that the lock would give.
    """
    share = may_ask(ctx, person, device, action)
    operation = Operation(device=device, share=share, action=action, asked_at=ctx.now)
    ctx.session.add(operation)
    ctx.session.flush()
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


def finish(ctx: Context, operation: Operation, reason: int) -> None:
    """What the lock answered: a number of `firmware.policy.reasons`, 0 for done."""
    operation.done_at = ctx.now
    operation.result = reason


def find(ctx: Context, person: Person, uid: str) -> Operation:
    """An operation that the person asked for. Raises NotFound."""
    operation = ctx.session.scalar(select(Operation).where(Operation.uid == uid))
    if operation is None or operation.share.person_id != person.id:
        raise NotFound("operation")
    return operation
