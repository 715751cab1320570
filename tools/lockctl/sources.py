"""A grant to look at, signed or not yet: from a token, or from the body of a tedee request."""

from collections.abc import Callable
from typing import Any, BinaryIO, TypeVar

import click

from firmware.policy.grant import Grant
from host_sim.cloud import tedee

from .cli import conflict

_F = TypeVar("_F", bound=Callable[..., Any])

tedee_option = click.option(
    "--tedee",
    "body",
    type=click.File("rb"),
    help="The JSON body of a request to share from tedee's API, in place of terms.",
)
local_option = click.option(
    "--local",
    is_flag=True,
    help="Read the hours of the body as the lock's wall clock, not as UTC.",
)


def source(command: _F) -> _F:
    """The parameters `file`, `body` and `local` of a command that `read_source` takes."""
    file = click.argument("file", type=click.File("rb"), required=False)
    return file(tedee_option(local_option(command)))


def read_source(
    file: BinaryIO | None,
    body: BinaryIO | None,
    local: bool,
    read: Callable[[BinaryIO], Grant],
) -> Grant:
    """The grant of a token, through `read`, or of a body. Raises BadRequest."""
    if file and body:
        conflict("FILE", "--tedee")
    if body:
        return read_body(body, local)
    if local:
        raise click.UsageError(
            "--local goes with --tedee: a token says itself what its hours are."
        )
    if not file:
        raise click.UsageError("Missing argument 'FILE', or --tedee FILE.")
    return read(file)


def read_body(body: BinaryIO, local: bool) -> Grant:
    """The terms that a body asks for, in a grant of nobody's for no lock. Raises BadRequest."""
    grant = Grant(b"share", b"lock", b"")
    tedee.read_new(body.read()).write_terms(grant, utc=not local)
    return grant
