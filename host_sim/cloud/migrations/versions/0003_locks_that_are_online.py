"""Credentials of locks, branches of their logs, and how far they are ahead.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("devices", sa.Column("renewed", number, nullable=True))
    op.add_column("devices", sa.Column("ahead", number, nullable=True))
    op.create_table(
        "credentials",
        sa.Column("id", number, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("kept", sa.String(length=200), nullable=False),
        sa.Column("device_id", number, nullable=False),
        sa.Column("share_id", number, nullable=True),
        sa.Column("created_at", number, nullable=False),
        sa.Column("ended_at", number, nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"]),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_credentials_device_id", "credentials", ["device_id"])
    op.create_index("ix_credentials_name", "credentials", ["name"])
    op.drop_table("log_entries")  # nothing has written any so far
    op.create_table(
        "log_entries",
        sa.Column("id", number, nullable=False),
        sa.Column("device_id", number, nullable=False),
        sa.Column("branch", number, nullable=False),
        sa.Column("sequence", number, nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", number, nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("device_id", "branch", "sequence"),
    )
