"""`python -m tools.bench [--json] [NAME ...]`: run the benchmarks and print their rows.

A benchmark is a module of this package with a generator

    def rows() -> Iterator[tuple[str, int | float | str, str, str]]

of what was measured, the value, its unit ("" for a ratio), and the budget or a note. Times wander
on shared machines, so no budget here fails anything; tests hold the counts to theirs.
"""

import importlib
import json
import pkgutil
import sys
import traceback
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

import tools.bench

# Where there is no terminal to ask, a table gets this many columns.
WIDTH_OF_A_FILE = 140


class Row(NamedTuple):
    """One measured value."""

    bench: str
    what: str
    value: int | float | str
    unit: str
    note: str


def names() -> list[str]:
    """The benchmarks there are."""
    found = [module.name for module in pkgutil.iter_modules(tools.bench.__path__)]
    return sorted(name for name in found if not name.startswith("_"))


def measure(name: str) -> Iterator[Row]:
    """The rows of one benchmark, as they are measured."""
    module = importlib.import_module(f"tools.bench.{name}")
    for what, value, unit, note in module.rows():
        yield Row(name, what, value, unit, str(note))


def as_text(value: int | float | str) -> str:
    """A value as a table shows it: a measurement with 4 digits, a count with all."""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else value


def table(title: str, rows: Iterable[Row]) -> Table:
    """A benchmark's rows for people."""
    shown = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    shown.add_column("measured")
    shown.add_column("value", justify="right")
    shown.add_column("unit")
    shown.add_column("budget or note")
    for row in rows:
        shown.add_row(row.what, as_text(row.value), row.unit, row.note)
    return shown


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array instead of tables.")
@click.argument("chosen", metavar="[NAME]...", nargs=-1)
def main(as_json: bool, chosen: tuple[str, ...]) -> None:
    """Run the benchmarks, all or those named, and print what they measure beside the budgets."""
    unknown = sorted(set(chosen) - set(names()))
    if unknown:
        raise click.UsageError(
            f"no benchmark {', '.join(unknown)}; there are: {', '.join(names())}"
        )
    width = None if sys.stdout.isatty() else WIDTH_OF_A_FILE
    console = Console(width=width, highlight=False, markup=False)
    measured: list[Row] = []
    broken = []
    for name in chosen or names():
        try:
            rows = list(measure(name))
        except Exception:  # noqa: BLE001 - the others are still worth running
            traceback.print_exc()
            broken.append(name)
            continue
        measured += rows
        if not as_json:
            console.print(table(name, rows))
            console.print()
    if as_json:
        print(json.dumps([row._asdict() for row in measured], indent=2))
    if broken:
        sys.exit(f"failed: {', '.join(broken)}")


if __name__ == "__main__":
    main()
