"""The command `lockctl`, also `python -m tools.lockctl`."""

import click

from .cli import Group
from .doctor import doctor
from .explain import explain
from .inspect import inspect
from .issue import issue
from .issuer import issuer
from .keys import keys
from .lint import lint
from .log import log
from .preview import preview
from .provision import provision


@click.group(cls=Group, later={"cloud": "tools.lockctl.cloud", "phone": "tools.lockctl.phone"})
@click.version_option(package_name="sharelock")
def main() -> None:
    """Keys, grants and logs of Sharelock.

    Everything that prints data prints JSON with --json. A file called - is standard input.

    \b
    Exit status:
      0    done, or yes
      1    no: refused, denied, or something to warn about
      2    bad usage or input that cannot be read
      130  interrupted
    """


@main.group(cls=Group)
def grant() -> None:
    """Grants: signed statements of who may open which lock, and when."""


main.add_command(doctor)
main.add_command(issuer)
main.add_command(keys)
main.add_command(log)
main.add_command(provision)
for command in (issue, inspect, explain, preview, lint):
    grant.add_command(command)

if __name__ == "__main__":
    main(prog_name="lockctl")
