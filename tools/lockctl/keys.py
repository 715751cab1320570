"""`lockctl keys`: P-256 keys in PEM files."""

from pathlib import Path

import click

from firmware.crypto import cose
from firmware.crypto.p256 import PublicKey
from host_sim.cloud.keys import PrivateKey, load_public

from .cli import Group, conflict, json_option
from .output import print_members


@click.group(cls=Group)
def keys() -> None:
    """P-256 keys in PEM files."""


@keys.command()
@click.argument("name", required=False)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The private key's file, in place of NAME.pem."
)
@json_option
def new(name: str | None, out: Path | None, as_json: bool) -> None:
    """Make a key: NAME.pem for its owner's eyes only, and NAME.pub.pem to hand out.

    A file that is there already is never overwritten.

    \b
    Example:
      lockctl keys new issuer
    """
    if name and out:
        conflict("NAME", "--out")
    path = out or (Path(f"{name}.pem") if name else None)
    if path is None:
        raise click.UsageError("Missing argument 'NAME', or --out FILE.")
    public_path = path.with_suffix(".pub.pem")
    key = PrivateKey.new()
    key.save_pair(path, public_path)
    print_members(
        {"private": str(path), "public": str(public_path), **_names(key.public)}, as_json
    )


@keys.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def show(file: Path, as_json: bool) -> None:
    """Show by which names a key is known: its kid and its thumbprint (RFC 9679).

    FILE is a PEM file with a public or a private key; nothing of a private key is shown.

    \b
    Example:
      lockctl keys show issuer.pub.pem
    """
    print_members({"file": str(file), **_names(load_public(file))}, as_json)


def _names(key: PublicKey) -> dict[str, str]:
    return {"kid": cose.key_id(key).hex(), "thumbprint": cose.thumbprint(key).hex()}
