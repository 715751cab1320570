"""What the commands share: exit codes, errors in one line, and types of options."""

import errno
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NoReturn, TypeVar

import click

from firmware.policy.grant import FIRST_DAY, LAST_DAY
from firmware.policy.instant import FAR_S, Instant, from_unix
from firmware.policy.zone import Zone, ZoneError
from host_sim import words
from host_sim.cloud.keys import KeyFileError
from host_sim.cloud.tedee import BadRequest
from host_sim.cloud.terms import TermsError, read_duration, read_instant
from host_sim.world.zones import posix

NO = 1
INTERRUPTED = 130  # what shells say of SIGINT

_F = TypeVar("_F", bound=Callable[..., Any])


class BadInput(click.ClickException):
    """Input that cannot be read or used."""

    exit_code = 2


class Refused(click.ClickException):
    """A negative answer, with the lock's reason for it."""

    exit_code = NO

    def __init__(self, what: str, reason: int):
        super().__init__(f"{what}: {words.text(reason)} ({words.name(reason)}, {reason})")


class Group(click.Group):
    """A group whose commands say in one line what is wrong with their input, with no traceback.

    `later` names commands and their modules, which are imported when they are asked for: the ones
    that need a web service need a second to load.
    """

    def __init__(self, *args: Any, later: dict[str, str] | None = None, **options: Any):
        super().__init__(*args, **options)
        self._later = later or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return sorted([*super().list_commands(ctx), *self._later])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with a name."""
        if cmd_name in self._later:
            return getattr(import_module(self._later[cmd_name]), cmd_name)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except (KeyFileError, TermsError, BadRequest, UnicodeError) as error:
            raise BadInput(str(error)) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            raise BadInput(f"{error.filename}: {error.strerror}") from None


def now() -> Instant:
    """The time, for options that were left out; nothing else in lockctl reads a clock."""
    return from_unix(int(datetime.now(UTC).timestamp()))


class _Zone(click.ParamType):
    name = "zone"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Zone:
        if isinstance(value, Zone):
            return value
        try:
            return Zone(posix(value))
        except ZoneError as error:
            self.fail(f"{error}; write for example Europe/Warsaw or UTC0", param, ctx)


class _Time(click.ParamType):
    """An instant; without a zone it is on the wall clock of --zone, which is read first."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Instant:
        if isinstance(value, Instant):
            return value
        try:
            at = read_instant(value, ctx.params["zone"] if ctx else Zone("UTC0"))
        except TermsError as error:
            self.fail(str(error), param, ctx)
        if not FIRST_DAY <= at.day <= LAST_DAY:
            self.fail(f"{value!r} is not in the years 2000 to 2199", param, ctx)
        return at


class _Seconds(click.ParamType):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            seconds = int(value) if value.isdecimal() else read_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds > FAR_S:
            self.fail(f"{value!r} is longer than any lock counts", param, ctx)
        return seconds


TIME = _Time()
SECONDS = _Seconds()

zone_option = click.option(
    "--zone",
    type=_Zone(),
    default="UTC0",
    show_default=True,
    is_eager=True,
    help="The lock's zone: a name of the tz database, or a POSIX TZ string.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def time_option(name: str, parameter: str, text: str) -> Callable[[_F], _F]:
    """An option for an instant that is now when left out."""
    return click.option(name, parameter, type=TIME, default=now, show_default="now", help=text)


def conflict(one: str, other: str) -> NoReturn:
    """Refuse two options that contradict each other."""
    raise click.UsageError(f"{one} and {other} cannot be used together; leave one out.")
