"""`lockctl grant lint`: what is legal and probably not meant."""

from typing import BinaryIO

import click
from rich.text import Text

from firmware.policy.grant import Grant
from firmware.policy.instant import Instant
from firmware.policy.zone import Zone
from host_sim.cloud.lint import Finding
from host_sim.cloud.lint import lint as look

from .cli import NO, json_option, time_option, zone_option
from .output import console, print_json
from .sources import read_source, source
from .tokens import read_any_grant


@click.command()
@source
@zone_option
@time_option("--at", "at", "From when on to look.")
@json_option
def lint(
    file: BinaryIO | None,
    body: BinaryIO | None,
    local: bool,
    zone: Zone,
    at: Instant,
    as_json: bool,
) -> None:
    """Warn of what is legal in a grant and probably not meant; docs/lockctl.md lists the codes.

    FILE is a token: raw, in hexadecimal or in base64url; its signature is not checked. Exits with
    0 if there is nothing to warn of, with 1 if there is.

    \b
    Example:
      lockctl grant lint --tedee body.json --zone Europe/Warsaw
    """
    findings = look(read_source(file, body, local, _read_any), zone, at)
    if as_json:
        print_json([_members(finding) for finding in findings])
    else:
        _tell(findings)
    click.get_current_context().exit(NO if findings else 0)


def _read_any(file: BinaryIO) -> Grant:
    """The grant of a token, even one that no lock takes in: lint has something to say about it."""
    return read_any_grant(file)[0]


def _members(finding: Finding) -> dict[str, str | int | None]:
    return {
        "code": finding.code,
        "rule": finding.rule,
        "text": finding.text,
        "advice": finding.advice,
    }


def _tell(findings: list[Finding]) -> None:
    out = console()
    for finding in findings:
        out.print(Text.assemble((finding.code, "bold yellow"), "  ", finding.text), soft_wrap=True)
        out.print(Text.assemble("  ", (finding.advice, "dim")), soft_wrap=True)
    if not findings:
        out.print("Nothing to warn of.")
