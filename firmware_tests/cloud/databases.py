"""Databases for tests: copies of one that was migrated once."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from host_sim.cloud.database import connect, migrate
from host_sim.cloud.domain.model import Base

GIVEN = "SHARELOCK_TEST_POSTGRES"  # the URL of a server that may be filled with databases
_END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SEQUENCES = "SELECT sequence_name FROM information_schema.sequences"


class NotInstalled(Exception):
    """There is no PostgreSQL on this machine."""


class Sqlite:
    """Files in a folder."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._template = folder / "template.db"
        engine = connect(f"sqlite:///{self._template}")
        migrate(engine)
        # Closing the last connection folds the log into the file.
        engine.dispose()

    @contextmanager
    def copy(self, is_kept: bool = True) -> Iterator[str]:
        """The URL of a new database with empty tables."""
        path = self._folder / f"{token_hex(8)}.db"
        shutil.copy(self._template, path)
        yield f"sqlite:///{path}"
        for name in (path, f"{path}-wal", f"{path}-shm"):
            Path(name).unlink(missing_ok=True)


class Postgres:
    """Databases on a server, used again: emptying one is much less work than making one."""

    def __init__(self, server: str):
        self._server = make_url(server)
        self._template = self._name()
        self._free: list[str] = []
        self._do("CREATE DATABASE {}", self._template)
        engine = connect(self._url(self._template))
        migrate(engine)
        engine.dispose()

    @contextmanager
    def copy(self, is_kept: bool = True) -> Iterator[str]:
        """The URL of a database with empty tables; a new one unless it `is_kept` for others."""
        if is_kept and self._free:
            name = self._free.pop()
        else:
            name = self._name()
            self._do("CREATE DATABASE {} TEMPLATE {}", name, self._template)
        yield self._url(name)
        if is_kept:
            self._empty(name)
            self._free.append(name)
        else:
            self._do("DROP DATABASE {} WITH (FORCE)", name)

    def _empty(self, database: str) -> None:
        """Leave nothing in it, and nobody who could hold it up."""
        with psycopg.connect(self._url(database), autocommit=True) as connection:
            connection.execute(_END_OTHERS)
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
            for (sequence,) in connection.execute(_SEQUENCES).fetchall():
                restart = sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(sequence))
                connection.execute(restart)

    def close(self) -> None:
        """Leave nothing behind."""
        for name in (*self._free, self._template):
            self._do("DROP DATABASE {} WITH (FORCE)", name)

    @staticmethod
    def _name() -> str:
        return f"sharelock_{token_hex(8)}"

    def _url(self, database: str) -> str:
        return self._server.set(database=database).render_as_string(hide_password=False)

    def _do(self, command: str, *names: str) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as server:
            server.execute(sql.SQL(command).format(*map(sql.Identifier, names)))


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server: the one that is given, or one of our own, for as long as it is needed.

    Raises NotInstalled.
    """
    given = os.environ.get(GIVEN)
    if given:
        yield given
        return
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="sharelock-postgres-") as folder:
        # PostgreSQL refuses to run as root.
        user = "postgres" if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user, user)
        data = f"{folder}/data"

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), "-D", data, *arguments]
            done = subprocess.run(
                command,
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
                user=user,
                group=user,
                extra_groups=[] if user else None,
            )
            assert done.returncode == 0, done.stdout + done.stderr

        run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")
        # A socket in the folder, and no network. What is lost with the power was only a test.
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        run("pg_ctl", "start", "-w", "-o", options, "-l", f"{folder}/log")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate")


def _programs() -> Path:
    """Where initdb and pg_ctl are; Debian keeps them off the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not versions:
        raise NotInstalled
    return versions[-1].parent
