"""`lockctl cloud`: run a share cloud, and be somebody there."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx2
from sqlalchemy import select
from sqlalchemy.orm import Session

from host_sim.cloud.config import Config
from host_sim.cloud.database import DatabaseError, connect, transaction
from host_sim.cloud.domain import credentials
from host_sim.cloud.domain.model import Person
from host_sim.cloud.link import mosquitto, topics
from host_sim.cloud.link.certificates import Certificates
from host_sim.cloud.serve import now, serve

from .cli import BadInput, Group, json_option
from .output import console, print_json, table

_DEFAULT = "http://127.0.0.1:8080"
_TIMEOUT_S = 30

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("cloud-data"),
    envvar="SHARELOCK_CLOUD_DATA",
    show_default=True,
    help="The folder of `serve`.",
)

_LATER = {
    "devices": "tools.lockctl.cloud_devices",
    "issuer": "tools.lockctl.cloud_issuer",
    "phones": "tools.lockctl.cloud_devices",
    "shares": "tools.lockctl.cloud_shares",
    "invitations": "tools.lockctl.cloud_shares",
}


@click.group(cls=Group, later=_LATER)
def cloud() -> None:
    """The share cloud: run it, log in to it, and use it."""


cloud.add_command(serve)


class CloudRefused(click.ClickException):
    """A negative answer of the cloud, with its HTTP status."""

    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status


class Login:
    """Where one is logged in, and the token for it; kept in a file that only its owner reads."""

    def __init__(self, url: str, token: str):
        self.url = url
        self.token = token

    @staticmethod
    def path() -> Path:
        """The file, in the folder for settings (XDG)."""
        folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(folder) / "sharelock" / "cloud.json"

    @classmethod
    def load(cls) -> "Login":
        """The one that was saved. Raises BadInput."""
        try:
            kept = json.loads(cls.path().read_text(encoding="utf-8"))
            return cls(kept["url"], kept["token"])
        except FileNotFoundError:
            raise BadInput("Log in first: lockctl cloud login EMAIL") from None
        except (ValueError, KeyError, TypeError):
            raise BadInput(f"{cls.path()} is damaged; log in again") from None

    def save(self) -> None:
        """Keep it."""
        path = self.path()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.unlink(missing_ok=True)
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(vars(self), file)
        partial.rename(path)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """The answer of the cloud, as JSON; see `request`."""
        return request(self.url, method, path, self.token, **options)


def request(url: str, method: str, path: str, token: str = "", **options: Any) -> Any:
    """The answer to a request, as JSON; None if it has none.

    Raises CloudRefused, and BadInput for a cloud that cannot be reached.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx2.Client(base_url=url, timeout=_TIMEOUT_S, headers=headers) as client:
            answer = client.request(method, path, **options)
            if answer.is_success:
                return answer.json() if answer.content else None
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise BadInput(f"{url} gives no answer: {error}") from None
    text = f"{answer.status_code} {answer.reason_phrase}"
    with suppress(ValueError, KeyError, TypeError):
        text = answer.json()["detail"]
    raise CloudRefused(answer.status_code, text)


@cloud.command()
@click.argument("email")
@click.option("--url", default=_DEFAULT, show_default=True, help="Where the cloud is.")
@click.option(
    "--password",
    envvar="SHARELOCK_PASSWORD",
    prompt=True,
    hide_input=True,
    show_envvar=True,
    help="Better left out: it is asked for.",
)
def login(email: str, url: str, password: str) -> None:
    """Log in, and stay so for a month.

    \b
    Example:
      lockctl cloud login anna@example.org --url https://cloud.example.org
    """
    made = request(url, "POST", "/account/log-in", json={"email": email, "password": password})
    Login(url, made["token"]).save()
    click.echo(f"Logged in at {url} until {made['expires_at']}.")


@cloud.command()
def logout() -> None:
    """End the log-in, there and here."""
    Login.load().ask("POST", "/account/log-out")
    Login.path().unlink()


@cloud.command()
@json_option
def whoami(as_json: bool) -> None:
    """Show as whom one is logged in, and where."""
    login = Login.load()
    account = {"url": login.url, **login.ask("GET", "/account")}
    if as_json:
        print_json(account)
        return
    rows = table("", "")
    rows.show_header = False
    for name, value in account.items():
        rows.add_row(name, value)
    console().print(rows)


_database = click.option(
    "--database", default="", envvar="SHARELOCK_CLOUD_DATABASE", help="As for `serve`."
)


@contextmanager
def _session(config: Config) -> Iterator[Session]:
    """The database itself, for whoever runs the cloud. Raises BadInput."""
    if not config.database and not (config.data / "cloud.db").exists():
        raise BadInput(f"{config.data} has no database; name the folder with --data")
    try:
        engine = connect(config.database_url)
        with transaction(engine) as session:
            yield session
        engine.dispose()
    except DatabaseError as error:
        raise BadInput(str(error)) from None


@cloud.command("broker-files")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@data_option
@_database
@click.option("--port", type=click.IntRange(1, 65535), default=8883, show_default=True)
@click.option("--host", default="localhost", show_default=True, help="Under which it is reached.")
def broker_files(folder: Path, data: Path, database: str, port: int, host: str) -> None:
    """Write files for mosquitto into FOLDER: its configuration, passwords and access list.

    To be done again when locks were enrolled; mosquitto reads them at a SIGHUP. Prints what
    `serve --broker` is to be told; that password stays the same.

    \b
    Example:
      lockctl cloud broker-files /etc/mosquitto/sharelock --host broker.example.org
    """
    config = Config(data=data, database=database)
    with _session(config) as session:
        logins = [(each.name, each.kept) for each in credentials.live(session)]
    certificates = Certificates(config.tls_folder)
    certificates.issue(list(dict.fromkeys((host, "localhost", "127.0.0.1"))), now())
    password = mosquitto.password(folder)
    mosquitto.write(folder, logins, certificates, password, port)
    click.echo(f"mqtts://{topics.CLOUD}:{password}@{host}:{port}")


@cloud.command()
@data_option
@_database
@json_option
def users(data: Path, database: str, as_json: bool) -> None:
    """List everybody with an account, for whoever runs the cloud: it reads the database itself."""
    with _session(Config(data=data, database=database)) as session:
        people = [_told(person) for person in session.scalars(select(Person).order_by("id"))]
    if as_json:
        print_json(people)
        return
    rows = table("id", "e-mail", "name", "since", "confirmed")
    for each in people:
        rows.add_row(
            str(each["id"]), each["email"], each["name"], each["since"], each["confirmed"] or "no"
        )
    console().print(rows)


def _told(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "uid": person.uid,
        "email": person.email,
        "name": person.name,
        "since": _moment(person.created_at),
        "confirmed": None if person.confirmed_at is None else _moment(person.confirmed_at),
    }


def _moment(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat().replace("+00:00", "Z")
