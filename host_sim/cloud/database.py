"""The database: SQLite by default, PostgreSQL by URL.

A transaction on SQLite that may write takes the write lock when it begins, so that none fails
halfway because another one was faster. One that only reads waits for nobody (WAL), and cannot
write, on either database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session

MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_S = 30
# By dialect, of a transaction that only reads: PostgreSQL shows each statement another state else.
_READS: dict[str, dict[str, Any]] = {
    "sqlite": {"query_only": True},
    "postgresql": {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"},
}
_MIGRATING = 0x5348_4152  # any number that no other program locks


class DatabaseError(Exception):
    """The database cannot be used, and why."""


def connect(url: str) -> Engine:
    """An engine for a URL; `postgresql://` means psycopg 3. Raises DatabaseError."""
    try:
        target = make_url(url)
    except ArgumentError:
        target = None
    if target is not None and target.drivername == "sqlite":
        return _sqlite(target)
    if target is not None and target.drivername == "postgresql":
        target = target.set(drivername="postgresql+psycopg")
        # As many connections as FastAPI has threads; no error shows what was to be written.
        return create_engine(target, hide_parameters=True, pool_pre_ping=True, pool_size=40)
    raise DatabaseError("a database URL is sqlite:///PATH or postgresql://USER@HOST/NAME")


def _sqlite(target: Any) -> Engine:
    engine = create_engine(target, hide_parameters=True, connect_args={"timeout": _BUSY_S})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where `begin` says
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        reads = connection.get_execution_options().get("query_only", False)
        connection.exec_driver_sql(f"PRAGMA query_only = {reads}")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def transaction(engine: Engine, *, reads: bool = False) -> Iterator[Session]:
    """A session that commits at its end, or takes everything back when an exception passes.

    One that only `reads` sees one state of the database all the time, and cannot change it.
    """
    if reads:
        engine = engine.execution_options(**_READS[engine.dialect.name])
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def migrate(engine: Engine) -> None:
    """Bring the tables up to date. Raises DatabaseError."""
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATING})
            command.upgrade(_alembic(connection), "head")
    except CommandError:
        raise DatabaseError("the database was made by a newer version of this program") from None
    except DBAPIError as error:
        raise DatabaseError(f"the database cannot be used: {error.orig}") from None


def newest() -> str:
    """The revision that `migrate` leads to."""
    head = ScriptDirectory.from_config(_alembic(None)).get_current_head()
    assert head is not None
    return head


def _alembic(connection: Any) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
