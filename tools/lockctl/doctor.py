"""`lockctl doctor`: lets a board look at itself."""

from pathlib import Path

import click

from tools.device import Device, DeviceError

from .cli import NO, json_option
from .output import console, print_json, table
from .provision import port_option

_PROGRAM = Path(__file__).with_name("_doctor_device.py")
_TIMEOUT_S = 120
_MARKS = {True: "good", False: "BAD", None: ""}


@click.command()
@port_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, port: str, as_json: bool) -> None:
    """Let a board test itself: firmware, pins, clock chip, clock, flash, memory, radio.

    It needs the board's prompt, which a lock has only if its inside button is held while it
    starts. Nothing is changed and nothing moves. Exits with 1 if something is bad.

    \b
    Example:
      lockctl doctor --port /dev/ttyUSB0
    """
    try:
        with Device(port) as device:
            device.check_version()
            found = device.ask(_PROGRAM.read_text(encoding="utf-8"), _TIMEOUT_S)
    except DeviceError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        print_json([{"check": name, "good": good, "seen": seen} for name, good, seen in found])
    else:
        rows = table("check", "", "seen")
        for name, good, seen in found:
            rows.add_row(name, _MARKS[good], seen)
        console().print(rows)
    if any(good is False for _, good, _ in found):
        ctx.exit(NO)
