"""`python -m host_sim`: `command`, which Ctrl-C ends without a word, also while it loads."""

import signal
import sys


def _main() -> None:
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    from .command import main  # which takes a second

    main(prog_name="python -m host_sim")


_main()
