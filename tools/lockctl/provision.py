"""`lockctl provision`: makes a lock of a flashed board."""

import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from firmware.policy.zone import Zone, ZoneError
from host_sim.cloud.keys import load_public
from host_sim.world.zones import posix
from tools.device import Device, DeviceError, ports

from .cli import BadInput, json_option
from .output import print_json

_TIMEOUT_S = 300  # some 2,000 small writes to a flash
_TLS, _PLAIN = 443, 80

_PROGRAM = """
import network
network.WLAN(network.STA_IF).active(True)  # or random numbers are not random
from firmware.provision import provision
provision({lock!r}, {issuer!r}, {root!r}, cloud={cloud!r}, wifi={wifi!r}, zone={zone!r})
"""


def _named(ctx: click.Context, option: click.Parameter, port: str | None) -> str:
    if port is None:
        raise BadInput(f"name the board's port with --port; there are:\n{ports()}")
    return port


port_option = click.option("--port", callback=_named, help="The board's serial port.")


def read_enrolment(text: str) -> tuple[str, str, dict[str, str]]:
    """Id, issuer's key and the cloud, from what `lockctl cloud devices enrol --json` prints.

    Raises BadInput.
    """
    try:
        given = json.loads(text)
        broker, web = urlsplit(given["broker"]), urlsplit(given["url"])
        web_port = web.port or (_TLS if web.scheme == "https" else _PLAIN)
        plain_port = _PLAIN if web.scheme == "https" else web_port
        cloud = {
            "broker": f"{broker.hostname}:{broker.port or 8883}",
            "web": f"{web.hostname}:{web_port}",
            "plain": f"{web.hostname}:{plain_port}",
            "ca": ssl.PEM_cert_to_DER_cert(given["ca"]).hex(),
            "secret": given["secret"],
        }
        return given["lock"], given["issuer"], cloud
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(
            "this is no enrolment; make one: lockctl cloud devices enrol NAME --json >FILE"
        ) from None


@click.command()
@click.argument("enrolment", type=click.File())
@port_option
@click.option("--zone", default="UTC0", show_default=True, help="Of the lock, until it is told.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The public key, a PEM file, that may name another issuer.",
)
@click.option("--wifi", help="The name of the Wi-Fi; else it keeps what Improv told it.")
@click.option(
    "--wifi-password", envvar="SHARELOCK_WIFI", show_envvar=True, help="Else it is asked for."
)
@json_option
def provision(
    enrolment: Any,
    port: str,
    zone: str,
    root: Path | None,
    wifi: str | None,
    wifi_password: str | None,
    as_json: bool,
) -> None:
    """Make a lock of a flashed board: who it is, whom it believes, where its cloud is.

    ENROLMENT is what `lockctl cloud devices enrol` prints. The lock's own key is made on the
    board and stays there. A board that is a lock already is refused.

    \b
    Example:
      lockctl provision front-door.json --port /dev/ttyUSB0 --zone Europe/Warsaw --wifi Home
    """
    lock, issuer, cloud = read_enrolment(enrolment.read())
    if wifi is not None and wifi_password is None:
        wifi_password = click.prompt("Password of the Wi-Fi", hide_input=True, default="")
    vouching = None
    if root is not None:
        public = load_public(root)
        vouching = (public.x + public.y).hex()
    program = _PROGRAM.format(
        lock=lock,
        issuer=issuer,
        root=vouching,
        cloud=cloud,
        wifi=None if wifi is None else (wifi, wifi_password),
        zone=posix_text(zone),
    )
    try:
        with Device(port) as device:
            device.run(program, _TIMEOUT_S)
            device.restart()
    except DeviceError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        print_json({"lock": lock, "port": port})
    else:
        click.echo(f"{lock} is a lock now. It starts.")


def posix_text(zone: str) -> str:
    """The POSIX TZ string of a zone by name. Raises BadInput."""
    text = posix(zone)
    try:
        Zone(text)
    except ZoneError as error:
        raise BadInput(f"{zone}: {error}") from None
    return text
