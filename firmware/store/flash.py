"""The folders of a lock's flash: what lies where, and what must not lie together.

Imports its siblings. littlefs may lose the last changes of a whole folder to one damaged bit, so
copies are in two folders, the ledger of the grants in a third; docs/storage.md has the reasons.
"""

from . import wipe
from .files import Files, settle
from .grants import FOLDERS


class Flash:
    """The folders below `root`, a path without a slash at its end; missing ones are made.

    `log` has the log; `pair`, which are `log` and `state`, two copies of all small records;
    `grants` and `ledger` the grant cache; `statements` what somebody left here to be taken in.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self.log = Files(root + "/log")
        self.state = Files(root + "/state")
        self.pair = (self.log, self.state)
        self.ledger = Files(root + "/ledger")
        self.grants = [Files(root + "/g%d" % number) for number in range(FOLDERS)]
        self.statements = Files(root + "/statements")

    def wipe(self) -> None:
        """See `wipe.begin`."""
        wipe.begin(self._root)

    def is_wiped(self) -> bool:
        """Whether what is here does not count any more."""
        return wipe.is_begun(self._root)

    def settle_all(self) -> None:
        """See `files.settle`: once, before anything is stored here."""
        for folder in [self.log, self.state, self.ledger, self.statements] + self.grants:
            settle(folder)
        settle(Files(self._root))
