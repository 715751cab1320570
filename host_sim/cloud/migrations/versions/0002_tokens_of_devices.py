"""Tokens of devices, and when they say that they said something.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("devices", sa.Column("token_digest", sa.String(length=64), nullable=True))
    op.create_index("ix_devices_token_digest", "devices", ["token_digest"], unique=True)
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("messages", sa.Column("said_ms", number, nullable=True))
