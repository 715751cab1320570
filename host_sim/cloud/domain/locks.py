"""Who changes the same thing does so one after the other, until their transactions end.

An organisation is held before its devices, and devices in the order of their ids, so that no two
wait for each other. SQLite lets only one transaction write anyway. On PostgreSQL these are
advisory locks: those of rows get entangled with what updates and foreign keys take.
"""

from typing import Any

from sqlalchemy import ColumnElement, func, select

from .context import Context
from .model import Device, Organisation


def hold(ctx: Context, device: Device) -> None:
    """Let nobody else change a device or its shares, and read it again."""
    _lock(ctx, func.pg_advisory_xact_lock(device.id))
    ctx.session.refresh(device)


def hold_members(ctx: Context, organisation: Organisation) -> None:
    """Let nobody else change the roles, members and devices of an organisation."""
    _lock(ctx, func.pg_advisory_xact_lock(-organisation.id))
    inside = select(Device.id).where(Device.organisation_id == organisation.id)
    for number in ctx.session.scalars(inside.order_by(Device.id)).all():
        _lock(ctx, func.pg_advisory_xact_lock(number))


def hold_roles(ctx: Context, organisation: Organisation) -> None:
    """Let nobody change roles and members while a device comes into an organisation."""
    _lock(ctx, func.pg_advisory_xact_lock_shared(-organisation.id))


def _lock(ctx: Context, lock: ColumnElement[Any]) -> None:
    if ctx.session.get_bind().dialect.name == "postgresql":
        ctx.session.execute(select(lock))
