"""How alembic reaches the tables; `database.migrate` hands it a connection.

`alembic revision --autogenerate -m "What changes"` (with pyproject.toml) has none, and compares
the model with a database in memory that has all revisions so far.
"""

from alembic import context
from sqlalchemy import Connection

from host_sim.cloud.database import connect
from host_sim.cloud.domain.model import Base


def run(connection: Connection) -> None:
    """Run the revisions in the transaction of a connection."""
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with connect("sqlite://").begin() as scratch:
        run(scratch)
