"""`lockctl cloud issuer`: the keys with which a cloud signs, for whoever runs it."""

from pathlib import Path
from typing import Any, BinaryIO

import click

from firmware.policy.instant import to_unix
from host_sim.cloud import issuers
from host_sim.cloud.config import Config
from host_sim.cloud.issuers import Issuer, Issuers

from .cli import Group, json_option, now
from .cloud import data_option
from .output import console, print_json, table
from .tokens import octets

_keys_option = click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="SHARELOCK_CLOUD_KEYS",
    help="As for `serve`.",
)


@click.group(cls=Group)
def issuer() -> None:
    """The keys with which the cloud signs; it reads and writes their folder itself."""


@issuer.command("list")
@data_option
@_keys_option
@json_option
def list_keys(data: Path, keys: Path | None, as_json: bool) -> None:
    """List the keys, and which of them signs."""
    found = Issuers(_folder(data, keys), to_unix(now()))
    told = [_told(each, found.signer) for each in found.all]
    if as_json:
        print_json(told)
        return
    rows = table("key", "kid", "state")
    for each in told:
        rows.add_row(each["key"], each["kid"], each["state"])
    console().print(rows)


@issuer.command()
@data_option
@_keys_option
@json_option
def new(data: Path, keys: Path | None, as_json: bool) -> None:
    """Make the next key. It does not sign before the root has vouched for it.

    Prints the file that goes to the root.

    \b
    Example:
      lockctl cloud issuer new
      lockctl issuer vouch issuer-2.pub.pem --root root.pem --epoch 2 --out issuer-2.cose
    """
    number, public = issuers.new(_folder(data, keys))
    if as_json:
        print_json({"epoch": number, "public": str(public)})
    else:
        click.echo(public)


@issuer.command()
@click.argument("file", type=click.File("rb"))
@data_option
@_keys_option
@json_option
def accept(file: BinaryIO, data: Path, keys: Path | None, as_json: bool) -> None:
    """Let the key sign for which FILE, a statement of the root, vouches.

    A cloud that is running takes it within seconds. The file can also be put into the folder of
    the keys, as issuer-2.cose for issuer-2.pem.

    \b
    Example:
      lockctl cloud issuer accept issuer-2.cose
    """
    at = to_unix(now())
    accepted = Issuers(_folder(data, keys), at).accept(octets(file.read()), at)
    if as_json:
        print_json(_told(accepted, accepted))
    else:
        click.echo(f"issuer-{accepted.number}.pem signs from now on.")


def _folder(data: Path, keys: Path | None) -> Path:
    return Config(data=data, keys=keys).keys_folder


def _told(each: Issuer, signer: Issuer) -> dict[str, Any]:
    return {
        "key": f"issuer-{each.number}.pem",
        "kid": each.kid.hex(),
        "epoch": each.number if each.statement else None,
        "state": _state(each, signer),
    }


def _state(each: Issuer, signer: Issuer) -> str:
    if each.number == signer.number:
        return "signs"
    if each.number > signer.number:
        return "waits for the root"
    return "signed before" if each.may_sign else "never signed"
