"""Shows what a board says: `python -m tools.monitor PORT`, or `make monitor PORT=...`.

It is mpremote's own terminal, once the port is one that can be opened; but in the tracebacks of
the firmware that was built last, functions have their full names. May import its siblings.
"""

import subprocess
import sys

from .build import TARGET
from .device import DeviceError, check_port, named_port
from .names import Reader


def main() -> None:
    """Exits with mpremote's status, or with 1 and 2 as the other tools."""
    port = named_port("monitor")
    try:
        check_port(port)
    except DeviceError as error:
        sys.exit(f"Error: {error}")
    names = TARGET / "names.txt"
    reader = Reader(names.read_text() if names.exists() else "")
    command = [sys.executable, "-u", "-m", "mpremote", "connect", port, "repl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as terminal:
        assert terminal.stdout
        while said := terminal.stdout.read(4096):
            sys.stdout.buffer.write(reader.read(said))
            sys.stdout.buffer.flush()
    sys.exit(terminal.returncode)


if __name__ == "__main__":
    main()
