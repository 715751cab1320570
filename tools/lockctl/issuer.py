"""`lockctl issuer`: the root's word for the issuer's next key, where the root's key is."""

from pathlib import Path

import click

from firmware.policy.grant import MOST_VERSION
from host_sim.cloud.issuer import next_issuer, sign
from host_sim.cloud.keys import PrivateKey, load_public
from host_sim.files import write_whole

from .cli import Group, json_option, now
from .output import print_json

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(cls=Group)
def issuer() -> None:
    """The issuer's keys, and the root that vouches for them."""


@issuer.command()
@click.argument("file", type=_FILE)
@click.option("--root", type=_FILE, required=True, help="The root's private key (PEM).")
@click.option(
    "--epoch",
    type=click.IntRange(1, MOST_VERSION),
    required=True,
    help="The number of the key: 2 for issuer-2.pem. Locks never go back to a lower one.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file for the statement.",
)
@json_option
def vouch(file: Path, root: Path, epoch: int, out: Path, as_json: bool) -> None:
    """Sign that FILE, a public key (PEM), is the issuer from this epoch on.

    It needs no network: the root's key is best kept on a machine that has none. The clock of that
    machine has to be right, because locks believe that the time of a statement has passed.

    \b
    Example:
      lockctl issuer vouch issuer-2.pub.pem --root root.pem --epoch 2 --out issuer-2.cose
    """
    statement = sign(next_issuer(now(), epoch, load_public(file)), PrivateKey.load(root))
    write_whole(out, statement)
    if as_json:
        print_json({"file": str(out), "bytes": len(statement)})
    else:
        click.echo(f"{out}: {len(statement)} bytes", err=True)
