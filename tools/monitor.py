"""Shows what a board says: `python -m tools.monitor PORT`, or `make monitor PORT=...`.

It is mpremote's own terminal, once the port is one that can be opened. May import its siblings.
"""

import subprocess
import sys

from .device import DeviceError, check_port, named_port


def main() -> None:
    """Exits with mpremote's status, or with 1 and 2 as the other tools."""
    port = named_port("monitor")
    try:
        check_port(port)
    except DeviceError as error:
        sys.exit(f"Error: {error}")
    sys.exit(subprocess.call([sys.executable, "-m", "mpremote", "connect", port, "repl"]))


if __name__ == "__main__":
    main()
