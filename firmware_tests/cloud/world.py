"""A share service with a clock to set, a mailbox to read, and people with tokens."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path
from typing import Any

import uvicorn
from fastapi.testclient import TestClient
from httpx2 import Response

from host_sim.cloud.config import Config
from host_sim.cloud.database import connect
from host_sim.cloud.domain import links, people
from host_sim.cloud.domain.context import Context
from host_sim.cloud.domain.model import Person
from host_sim.cloud.web.app import create_app

NOW = 1_783_000_000  # in July 2026
SETUP = "setup"  # of a session: it does what no request does in one transaction
PASSWORD = "correct horse battery"


class Client:
    """Somebody who is logged in; `get`, `post` and so on are theirs."""

    def __init__(self, world: "World", email: str, person_id: int, uid: str, token: str):
        self.email = email
        self.id = person_id
        self.uid = uid
        self.token = token
        self._http = world.http

    def request(self, method: str, path: str, **options: Any) -> Response:
        """The answer to a request with this person's token."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self._http.request(method, path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Response:
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        return self.request("DELETE", path, **options)


class World:
    """A service over a database; `http` has no token.

    `now` is its clock, in Unix seconds, unless a `clock` was given.
    """

    def __init__(self, database_url: str, folder: Path, clock: Callable[[], int] | None = None):
        self.database_url = database_url
        self.now = NOW
        self.folder = folder
        config = Config(data=folder, database=database_url, base_url="https://cloud.example")
        self._engine = connect(database_url)
        app = create_app(config, self._engine, clock or (lambda: self.now))
        self.app = app
        self.service = app.state.service
        self.http = TestClient(app, base_url="https://cloud.example")

    def __enter__(self) -> "World":
        self.http.__enter__()
        return self

    def __exit__(self, *what: object) -> None:
        self.http.__exit__(*what)
        self._engine.dispose()

    @contextmanager
    def served(self, **options: Any) -> Iterator[str]:
        """The address of the service, `host:port`, on a real socket; options are uvicorn's."""
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(self.app, log_config=None, lifespan="off", **options)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)

    @contextmanager
    def transaction(self) -> Iterator[Context]:
        """For what has no API, or not the one that is tested, and many things at once."""
        with self.service.transaction() as context:
            context.session.info[SETUP] = True
            yield context

    def person(self, email: str, name: str | None = None) -> Client:
        """Somebody with a confirmed address, who is logged in with PASSWORD."""
        with self.transaction() as context:
            people.sign_up(context, email, name or email.partition("@")[0].title())
            context.session.flush()
            key = people.addresses.key(email)
            secret = links.make(context, links.CONFIRM, key)
            context.session.flush()
            person = people.confirm(context, secret, _hashed())
            _, token = people.log_in(context, person.id, person.password)
            return Client(self, email, person.id, person.uid, token)

    def who(self, context: Context, client: Client) -> Person:
        """The row of somebody."""
        return context.session.get_one(Person, client.id)

    def mails(self, to: str | None = None) -> list[EmailMessage]:
        """All mails so far, oldest first; those `to` somebody only."""
        self.service.deliver_mail()
        files = sorted((self.folder / "mail").glob("*.eml"))
        mails = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
        return [mail for mail in mails if to is None or mail["To"] == to]

    def secret(self, to: str) -> str:
        """What stands after the # of the link in the latest mail to somebody."""
        text = self.mails(to)[-1].get_content()
        (found,) = re.findall(r"#(\S+)", text)
        return found


@cache
def _hashed() -> str:
    return people.hashed(PASSWORD)
