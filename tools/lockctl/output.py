"""How things are printed: for people on a console, for programs as JSON."""

import json
import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

_FILE_WIDTH = 200  # a file or a pipe does not wrap


def console() -> Console:
    """Standard output; colours on a terminal only, and not when NO_COLOR is set."""
    # No markup: ids are strangers' text.
    return Console(
        highlight=False, markup=False, width=None if sys.stdout.isatty() else _FILE_WIDTH
    )


def print_json(value: Any) -> None:
    """One JSON value."""
    click.echo(json.dumps(value, indent=2))


def table(*headings: str) -> Table:
    """A table without lines; what does not fit is folded, never cut."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def print_members(members: dict[str, Any], as_json: bool) -> None:
    """What one thing is: a line for each member, or a JSON object."""
    if as_json:
        print_json(members)
        return
    rows = table("", "")
    rows.show_header = False
    for name, value in members.items():
        rows.add_row(Text(name, "dim"), "-" if value is None else str(value))
    console().print(rows)
