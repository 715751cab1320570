"""What the lock has, against what the cloud wants it to have."""

from typing import Any, NamedTuple

from sqlalchemy import select
from starlette.datastructures import QueryParams

from firmware.access import statements
from host_sim.cloud.domain import issuing, log, operations
from host_sim.cloud.domain.model import Device, Share, Statement

from ..panes import Pane, threaded
from ..stand import Stand

_MOST = 20  # statements that wait, shown
_KINDS = {statements.GRANT: "grant", statements.REVOCATION: "revocation"}


class Row(NamedTuple):
    """One thing that both have, as each has it; None if the lock has not said."""

    what: str
    lock: str | int | None
    cloud: str | int

    @property
    def is_same(self) -> bool:
        """Whether both have the same."""
        return self.lock == self.cloud


class Waiting(NamedTuple):
    """A statement that the lock has not taken in."""

    number: int
    kind: str
    who: str
    version: int
    issued_at: int


def view(stand: Stand, query: QueryParams) -> dict[str, Any]:
    """Of the lock itself, whoever looks."""
    state = stand.lock.state
    with stand.cloud.transaction(reads=True) as ctx:
        device = ctx.session.scalars(select(Device).where(Device.uid == stand.device)).one()
        newest = log.newest(ctx, device)
        kept = newest.sequence if newest else 0
        wanted = [
            Row("Changes applied", state.get("applied"), device.sequence),
            Row("Digest of the grants", state.get("digest"), issuing.digest(ctx, device).hex()),
            Row("Version of the settings", state.get("settings"), device.settings_version),
        ]
        applied = state.get("applied", device.applied)
        after = (
            select(Statement, Share)
            .outerjoin(Share, Share.id == Statement.share_id)
            .where(Statement.device_id == device.id, Statement.sequence > applied)
            .order_by(Statement.sequence)
        )
        waiting = [
            Waiting(
                each.sequence or 0,
                _KINDS.get(each.kind, f"{each.kind}"),
                _name(share),
                share.version if share else 0,
                each.issued_at,
            )
            for each, share in ctx.session.execute(after.limit(_MOST))
        ]
        asked = operations.waiting(ctx, device)
        return {
            "device": device.name,
            "lock_id": device.lock_id,
            "is_connected": bool(device.state.get("connected")),
            "is_known": "digest" in state,
            "is_same": all(row.is_same for row in wanted),
            "rows": [*wanted, Row("Last entry of the log", state.get("log"), kept)],
            "waiting": waiting,
            "ahead": device.ahead,
            "asked": asked.action if asked else None,
        }


def _name(share: Share | None) -> str:
    if share is None:
        return ""
    return share.person.name if share.person else share.email


PANE = Pane(
    "sync", "What the lock has", threaded(view), kinds=("mqtt", "cloud", "door", "fault", "log")
)
