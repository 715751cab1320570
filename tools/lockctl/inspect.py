"""`lockctl grant inspect`: what a token says, and whether it was signed by whom one thinks."""

import json
from pathlib import Path
from typing import Any, BinaryIO

import click
from rich.console import Console
from rich.text import Text

from firmware.crypto import cose
from host_sim import words
from host_sim.cloud.keys import load_public
from host_sim.cloud.notation import read_claims
from host_sim.cloud.terms import write_terms
from host_sim.words import iso, readable

from .cli import NO, json_option
from .output import console, print_json
from .tokens import Token, read

UNVERIFIED, VALID, INVALID = "UNVERIFIED", "VALID", "INVALID"
_STYLES = {UNVERIFIED: "bold yellow", VALID: "bold green", INVALID: "bold red"}


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--issuer",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The key that should have signed it (PEM).",
)
@json_option
def inspect(file: BinaryIO, issuer: Path | None, as_json: bool) -> None:
    """Show what is in a token, and with --issuer whether its signature is valid.

    FILE is raw, in hexadecimal or in base64url, and may be anything. Exits with 1 if no lock would
    take it in, or if the signature is not valid.

    \b
    Example:
      lockctl grant inspect anna.cwt --issuer issuer.pub.pem
    """
    token = read(file.read())
    verdict = _verify(token, issuer)
    if as_json:
        print_json(_members(token, verdict))
    else:
        _tell(token, verdict, console())
    click.get_current_context().exit(NO if token.reason or verdict[0] == INVALID else 0)


def _verify(token: Token, issuer: Path | None) -> tuple[str, str]:
    """A verdict on the signature, and what is behind it."""
    if issuer is None:
        return UNVERIFIED, "anybody may have written this; --issuer FILE checks the signature"
    if token.statement is None:
        return INVALID, "there is no signature in it"
    key = load_public(issuer)
    try:
        cose.verify(token.statement, key)
    except cose.CoseError as error:
        if error.code == cose.KID:
            return (
                INVALID,
                f"signed by {token.statement.kid.hex()}, not by {cose.key_id(key).hex()}",
            )
        return INVALID, f"{issuer} did not sign this"
    return VALID, f"signed by {issuer}"


def _members(token: Token, verdict: tuple[str, str]) -> dict[str, Any]:
    members: dict[str, Any] = {
        "bytes": len(token.octets),
        "signature": verdict[0].lower(),
        "reason": words.name(token.reason),
        "number": token.reason,
    }
    if token.statement:
        members["header"] = {
            "alg": "ES256",
            "kid": token.statement.kid.hex(),
            "typ": token.statement.typ,
        }
        members["claims"] = read_claims(token.statement.payload)
    if token.grant and not token.reason:
        members["grant"] = _in_words(token)
    return members


def _tell(token: Token, verdict: tuple[str, str], out: Console) -> None:
    _line(out, "signature", (verdict[0], _STYLES[verdict[0]]), f"  {verdict[1]}")
    name, text = words.name(token.reason), words.text(token.reason)
    if token.reason:
        _line(out, "content", ("refused", "bold red"), f"  {text} ({name}, {token.reason})")
    else:
        _line(out, "content", ("a grant", "green"))
    statement = token.statement
    if not statement:
        _line(out, "size", f"{len(token.octets)} bytes")
        return
    header, payload, signature = (
        len(statement.protected),
        len(statement.payload),
        len(statement.signature),
    )
    parts = f"header {header}, claims {payload}, signature {signature}"
    _line(out, "size", f"{len(token.octets)} bytes: {parts}")
    _line(out, "header", f"alg ES256, kid {statement.kid.hex()}, typ {statement.typ}")
    for name, value in read_claims(statement.payload).items():
        _line(out, "claims" if name == "sub" else "", f"{name:6}{value}")
    if token.grant and not token.reason:
        for name, value in _in_words(token).items():
            shown = ", ".join(value) if isinstance(value, list) else str(value)
            _line(out, "terms" if name == "share" else "", f"{name:16}{shown}")


def _in_words(token: Token) -> dict[str, Any]:
    grant = token.grant
    assert grant and grant.issued
    return {
        "share": readable(grant.share),
        "version": grant.version,
        "holder": _printable(grant.holder.decode()),
        "lock": readable(grant.lock),
        "key": grant.key.hex(),
        "issued": iso(grant.issued),
        **write_terms(grant),
    }


def _printable(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)


def _line(out: Console, heading: str, *parts: str | tuple[str, str]) -> None:
    out.print(Text.assemble((f"{heading:11}", "dim"), *parts), soft_wrap=True)
