"""`lockctl grant issue`: terms in, a signed token out."""

from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import click

from firmware.policy.grant import Grant
from host_sim.cloud import tedee
from host_sim.cloud.issuer import GrantRefused
from host_sim.cloud.issuer import issue as sign
from host_sim.cloud.keys import PrivateKey, load_public
from host_sim.cloud.terms import Terms, write_terms
from host_sim.files import write_whole
from host_sim.words import ACTION_NAMES, CHANNEL_NAMES, LEVEL_NAMES

from .cli import Refused, conflict, json_option, time_option, zone_option
from .output import print_json
from .sources import local_option, tedee_option

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_IN_A_BODY = {
    "level": "--level",
    "right": "--right",
    "channel": "--channel",
    "start": "--from",
    "until": "--until",
    "rule": "--rule",
}


@click.command()
@click.option("--issuer", type=_FILE, required=True, help="The issuer's private key (PEM).")
@click.option("--holder-key", type=_FILE, required=True, help="The holder's public key (PEM).")
@click.option("--holder", required=True, metavar="ID", help="Who holds it; at most 32 bytes.")
@click.option("--share", required=True, metavar="ID", help="The share; at most 16 bytes.")
@click.option("--lock", required=True, metavar="ID", help="The lock; at most 16 bytes.")
@click.option("--version", type=int, default=1, show_default=True, help="Of the share's terms.")
@click.option("--level", type=click.Choice(list(LEVEL_NAMES.values())), help="[default: guest]")
@click.option(
    "--right",
    multiple=True,
    type=click.Choice(list(ACTION_NAMES.values())),
    help="Repeat for more. [default: all of the level]",
)
@click.option(
    "--channel",
    multiple=True,
    type=click.Choice(list(CHANNEL_NAMES.values())),
    help="[default: both]",
)
@click.option(
    "--from",
    "start",
    metavar="TIME",
    help="Not before: 2026-07-01T12:00Z, or without Z on the wall clock of --zone.",
)
@click.option("--until", metavar="TIME", help="Not from then on.")
@click.option("--lease", metavar="TIME", help="When the token itself expires; can be renewed.")
@click.option(
    "--rule",
    multiple=True,
    metavar="RULE",
    help="'[deny] DAYS [HH:MM-HH:MM] [utc] [from DATE] [to DATE]', up to eight.",
)
@click.option("--uses", type=int, help="How often it may open.")
@click.option(
    "--after-first-use",
    metavar="DURATION",
    help="How long it lasts from the first opening: 90 s, 2 h, 1 d.",
)
@click.option("--duress", is_flag=True, help="Opening raises a silent alarm.")
@click.option("--parent", metavar="ID", help="The share that it is passed on from.")
@tedee_option
@local_option
@zone_option
@time_option("--issued-at", "issued", "When it is issued.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file for the raw bytes, in place of text on standard output.",
)
@click.option(
    "--encoding",
    type=click.Choice(["hex", "base64url"]),
    default="hex",
    show_default=True,
    help="Of the text.",
)
@json_option
def issue(
    issuer: Path, holder_key: Path, out: Path | None, encoding: str, as_json: bool, **options: Any
) -> None:
    """Sign a grant. Terms that no lock takes in are refused, and then nothing is written.

    \b
    Examples:
      lockctl grant issue --issuer issuer.pem --holder-key anna.pub.pem --holder anna \\
        --share 7 --lock front-door --rule 'mon-fri 08:00-16:00' --out anna.cwt
      lockctl grant issue --issuer issuer.pem --holder-key anna.pub.pem --holder anna \\
        --share 7 --lock front-door --tedee body.json --out anna.cwt
    """
    grant = _grant(options)
    try:
        token = sign(grant, load_public(holder_key), PrivateKey.load(issuer))
    except GrantRefused as error:
        raise Refused("Refused", error.reason) from None
    if out:
        write_whole(out, token)
    _tell(grant, token, out, encoding, as_json)


def _grant(options: dict[str, Any]) -> Grant:
    if options["body"]:
        for name, option in _IN_A_BODY.items():
            if options[name]:
                conflict(option, "--tedee")
    elif options["local"]:
        raise click.UsageError("--local goes with --tedee; a --rule without utc is local anyway.")
    grant = Grant(options["share"].encode(), options["lock"].encode(), b"")
    grant.holder = options["holder"].encode()
    grant.version = options["version"]
    grant.issued = options["issued"]
    _terms(options).write(grant, options["zone"])
    if options["body"]:
        tedee.read_new(options["body"].read()).write_terms(grant, utc=not options["local"])
    return grant


def _terms(options: dict[str, Any]) -> Terms:
    """The terms of the options, in the words of a share."""
    named = {
        "level": options["level"],
        "rights": list(options["right"]) or None,
        "channels": list(options["channel"]) or None,
        "from": options["start"],
        "until": options["until"],
        "lease": options["lease"],
        "rules": list(options["rule"]) or None,
        "uses": options["uses"],
        "after_first_use": options["after_first_use"],
        "duress": options["duress"],
        "parent": options["parent"],
    }
    return Terms.model_validate(
        {name: value for name, value in named.items() if value is not None}
    )


def _tell(grant: Grant, token: bytes, out: Path | None, encoding: str, as_json: bool) -> None:
    text = token.hex() if encoding == "hex" else urlsafe_b64encode(token).rstrip(b"=").decode()
    if as_json:
        where = {"file": str(out)} if out else {"token": text}
        print_json({**where, "bytes": len(token), "terms": write_terms(grant)})
    elif out:
        click.echo(f"{out}: {len(token)} bytes", err=True)
    else:
        click.echo(text)
