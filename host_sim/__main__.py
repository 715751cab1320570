"""`python -m host_sim`: play a story on a simulated lock.

Exits with 0, with 1 on any surprise, with 2 if there is no story to play.
"""

import sys
from pathlib import Path

import click
from rich.console import Console

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
    default="cpython",
    show_default=True,
    help="The interpreter that runs the lock's side.",
)
@click.option(
    "--scenario",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=STORY,
    help="A story in TOML; by default the samples of tedee's share API.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def main(runtime: str, scenario: Path, as_json: bool) -> None:
    """Play a story about shares and people on a simulated lock.

    The cloud signs grants, the lock takes them in and decides by itself, with no network. Exits
    with 1 if any decision differs from what the story expects.
    """
    console = Console(highlight=False)
    try:
        records = play(load(scenario), runtime)
        surprises = tell_json(records, console) if as_json else Teller(console).tell(records)
    except (ScenarioError, NotInstalled, LockCrashed, OSError) as error:
        raise click.UsageError(str(error)) from None
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(1 if surprises else 0)


main()
