"""Starts the service: tables up to date, mail going out, HTTP answered until Ctrl-C."""

import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import uvicorn

from . import logs
from .config import Config
from .database import DatabaseError, connect, migrate
from .keys import KeyFileError
from .link.bus import BusError
from .link.run import linked
from .mail import MailError
from .web.app import create_app
from .worker import Worker

MAIL_EVERY_S = 15
LEASES_EVERY_S = 60
KEYS_EVERY_S = 5


def now() -> int:
    """Unix seconds."""
    return int(time.time())


@click.command(context_settings={"auto_envvar_prefix": "SHARELOCK_CLOUD", "show_default": True})
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("cloud-data"),
    help="The folder for everything that is not kept elsewhere.",
)
@click.option(
    "--database",
    default="",
    show_default="a file in --data",
    help="postgresql://USER:PASSWORD@HOST/NAME, or sqlite:///PATH.",
)
@click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="a folder in --data",
    help="The folder with the issuer's keys.",
)
@click.option(
    "--mail",
    default="",
    show_default="a folder in --data",
    help="folder:PATH, smtp://USER:PASSWORD@HOST:PORT, or smtps://...",
)
@click.option("--host", default="127.0.0.1", help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="The port; 0 is any.")
@click.option(
    "--broker",
    default="",
    show_default="one of its own",
    help="mqtts://USER:PASSWORD@HOST:PORT of the broker for locks.",
)
@click.option(
    "--mqtt-port",
    type=click.IntRange(0, 65535),
    default=8883,
    help="Where its own broker listens; 0 is any.",
)
@click.option(
    "--base-url",
    default="",
    show_default="http://HOST:PORT",
    help="Where people reach it: https://... of a reverse proxy.",
)
def serve(host: str, port: int, base_url: str, **where: Any) -> None:
    """Run the share cloud.

    Every option can be set in the environment, too: SHARELOCK_CLOUD_DATABASE and so on.
    """
    try:
        with _listen(host, port) as listener:
            _run(Config(base_url=base_url or _url(listener), **where), listener, host)
    except (BusError, DatabaseError, KeyFileError, MailError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _run(config: Config, listener: socket.socket, host: str) -> None:
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = connect(config.database_url)
    migrate(engine)
    app = create_app(config, engine, now)
    logs.to_stderr()
    service = app.state.service
    # uvicorn's own access log has paths and queries in it, ours has not.
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None))
    postman = Worker("postman", service.deliver_mail, MAIL_EVERY_S)
    leases = Worker("leases", service.renew_leases, LEASES_EVERY_S)
    keys = Worker("keys", service.read_keys, KEYS_EVERY_S)
    with (
        postman,
        leases,
        keys,
        linked(service, host) as broker,
        suppress(KeyboardInterrupt),
    ):
        service.new_mail = postman.wake
        click.echo(f"Sharelock cloud at {config.base_url}")
        click.echo(f"Locks come to {broker}")
        server.run([listener])
    engine.dispose()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
