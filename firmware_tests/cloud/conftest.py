"""Fixtures of the share cloud: databases of both kinds, and a service that runs on one."""

from collections import defaultdict

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from firmware_tests.cloud.databases import NotInstalled, Postgres, Sqlite, postgres_server
from firmware_tests.cloud.tedee import House
from firmware_tests.cloud.world import SETUP, World
from host_sim.cloud.domain import locks


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory):
    return Sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres():
    try:
        with postgres_server() as url:
            server = Postgres(url)
            yield server
            server.close()
    except NotInstalled:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request):
    """A migrated, empty database of each kind."""
    with request.getfixturevalue(request.param).copy() as url:
        yield url


@pytest.fixture
def service(database_url, tmp_path):
    """A World on each kind of database."""
    with World(database_url, tmp_path) as world:
        yield world


@pytest.fixture
def anna(service):
    return service.person("anna@example.org")


@pytest.fixture
def bob(service):
    return service.person("bob@example.org")


@pytest.fixture
def cy(service):
    return service.person("cy@example.org")


@pytest.fixture(scope="session")
def databases(request):
    """Of the kind that the run is for: see --database."""
    return request.getfixturevalue(request.config.getoption("database"))


@pytest.fixture
def one_service(databases, tmp_path):
    """A World on this kind alone, for what does not touch the database in a way of its own."""
    with databases.copy() as url, World(url, tmp_path) as world:
        yield world


@pytest.fixture
def house(one_service):
    return House(one_service)


@pytest.fixture(scope="module")
def shared(databases, tmp_path_factory):
    """A house for tests that leave it as it was, or do not mind what others did."""
    with databases.copy() as url, World(url, tmp_path_factory.mktemp("house")) as world:
        yield House(world)


@pytest.fixture(autouse=True)
def in_order(monkeypatch):
    """Each transaction of a service holds things in the order that `domain.locks` is about."""
    # By transaction, and in it by what is held: the savepoint since which it is.
    held: dict[SessionTransaction | None, dict[tuple[int, int], object]] = defaultdict(dict)
    lock = locks._lock

    def checked(ctx, kind, number, **options):
        if not ctx.session.info.get(SETUP):
            mine = held[ctx.session.get_transaction()]
            this = (kind, 0 if kind == locks._PERSON else number)
            assert this in mine or this > max(mine, default=(-1,)), (this, mine)
            mine.setdefault(this, ctx.session.get_nested_transaction())
        lock(ctx, kind, number, **options)

    def let_go(session, before):
        mine = held[session.get_transaction()]
        for this in [this for this, since in mine.items() if since is before]:
            del mine[this]

    monkeypatch.setattr(locks, "_lock", checked)
    event.listen(Session, "after_soft_rollback", let_go)
    yield
    event.remove(Session, "after_soft_rollback", let_go)
