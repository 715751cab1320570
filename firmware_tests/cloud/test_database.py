"""The tables that the migrations make are those of the model."""

import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from host_sim.cloud.database import DatabaseError, connect, migrate, transaction
from host_sim.cloud.domain.model import Base, Mail

CATALOGUE = {
    "sqlite": """
        SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name <> 'alembic_version'
        AND tbl_name <> 'alembic_version'
    """,
    "postgresql": """
        SELECT 'column', table_name, column_name, data_type, character_maximum_length::text,
               is_nullable, column_default
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'alembic_version'
        UNION ALL
        SELECT 'index', tablename, indexname, indexdef, '', '', ''
        FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION ALL
        SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid),
               '', '', ''
        FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        AND conrelid::regclass::text <> 'alembic_version'
    """,
}


def catalogue(connection):
    """What the database says it has, without regard to blanks and the order of clauses."""
    rows = connection.execute(text(CATALOGUE[connection.dialect.name]))
    return {tuple(clauses(str(part)) for part in row) for row in rows}


def clauses(definition):
    plain = " ".join(definition.split()).replace('"', "")
    return tuple(sorted(re.split(r", | \( | \)$", plain)))


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request):
    """Of a database that nobody uses afterwards, because its tables change."""
    with request.getfixturevalue(request.param).copy(is_kept=False) as url:
        made = connect(url)
        yield made
        made.dispose()


def test_the_migrations_make_what_the_model_says(engine):
    with engine.connect() as connection:
        migrated = catalogue(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    with engine.begin() as connection:
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
        assert catalogue(connection) == migrated
    assert len(migrated) > len(Base.metadata.tables)


def test_migrating_again_changes_nothing(engine):
    with transaction(engine) as session:
        session.add(Mail(to="a", subject="b", text="c", created_at=1))
    migrate(engine)
    with transaction(engine) as session:
        assert session.get_one(Mail, 1).text == "c"


def test_a_database_of_a_newer_version_is_refused(engine):
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer version"):
        migrate(engine)


def test_a_transaction_that_fails_leaves_nothing(engine):
    with pytest.raises(ZeroDivisionError), transaction(engine) as session:
        session.add(Mail(to="a", subject="b", text="c", created_at=1))
        session.flush()
        raise ZeroDivisionError
    with transaction(engine) as session:
        assert session.get(Mail, 1) is None


@pytest.mark.parametrize("url", ["", "mysql://x", "nonsense", "/tmp/file", "oracle://a@b/c"])
def test_another_database_is_refused(url):
    with pytest.raises(DatabaseError, match="a database URL is"):
        connect(url)


def test_a_server_that_is_not_there_is_said_to_be(tmp_path):
    engine = connect(f"postgresql://nobody@/x?host={tmp_path}")
    with pytest.raises(DatabaseError, match="cannot be used"):
        migrate(engine)


def test_sqlite_checks_foreign_keys_and_writes_ahead(sqlite):
    with sqlite.copy() as url:
        engine = connect(url)
        with engine.connect() as connection:
            values = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("foreign_keys", "journal_mode", "synchronous")
            ]
        assert values == [1, "wal", 2]
        engine.dispose()
