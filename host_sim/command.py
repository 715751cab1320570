"""Play a story on a simulated lock, and then let a house run.

Without a terminal it ends after the story: with 0, with 1 on any surprise, with 2 if there is no
story to play.
"""

import asyncio
import os
import sys
from contextlib import closing
from pathlib import Path

import click
from rich.console import Console

from . import runtimes
from .lock.client import RUNTIMES, LockCrashed
from .runtimes import NotInstalled
from .scenario import ScenarioError, load
from .story import play
from .telling import Teller, tell_json

STORY = Path(__file__).parent / "scenarios" / "tedee.toml"


@click.command()
@click.option(
    "--runtime",
    type=click.Choice(RUNTIMES),
    help="The interpreter that runs the lock.  [default: micropython, if it is installed]",
)
@click.option(
    "--scenario",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=STORY,
    help="A story in TOML; by default the samples of tedee's share API.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, and end.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Where the page is; 0 is any port."
)
@click.option(
    "--bluetooth",
    is_flag=True,
    help="Let Chromium's Web Bluetooth find the lock; needs dbus-daemon.",
)
def main(runtime: str | None, scenario: Path, as_json: bool, port: int, bluetooth: bool) -> None:
    """Play a story about shares and people on a simulated lock; then start a house to look at.

    The cloud signs grants, the lock takes them in and decides by itself, with no network. Exits
    with 1 if any decision differs from what the story expects. On a terminal, or with SERVE=1,
    and not where CI is set, a house follows instead: its page is at the URL that is printed last.
    """
    console = Console(highlight=False)
    if runtime is None:
        runtime = runtimes.best()
        if runtime == "cpython" and not as_json:
            console.print("MicroPython's unix port is not installed: the lock runs on CPython.\n")
    try:
        with closing(play(load(scenario), runtime)) as records:
            surprises = tell_json(records, console) if as_json else Teller(console).tell(records)
        if not surprises and not as_json and _may_stay():
            _stay(port, bluetooth, runtime, console)
    except (ScenarioError, NotInstalled, LockCrashed, OSError) as error:
        raise click.UsageError(str(error)) from None
    sys.exit(1 if surprises else 0)


def _may_stay() -> bool:
    """Whether somebody is there to look."""
    return os.environ.get("SERVE") == "1" or (sys.stdout.isatty() and "CI" not in os.environ)


def _stay(port: int, bluetooth: bool, runtime: str, console: Console) -> None:
    # Which takes a second to load.
    from .house.run import stay
    from .house.service import PortTaken
    from .radio.bus import BusError

    def tell(text: str) -> None:
        console.print(f"  {text}", soft_wrap=True)

    console.print("\nStarting a house; Ctrl-C ends it.")
    try:
        asyncio.run(stay(port, bluetooth, runtime, tell))
    except (BusError, PortTaken) as error:
        raise click.ClickException(str(error)) from None
