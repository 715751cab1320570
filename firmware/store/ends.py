"""The record of a bolt's calibration, in two copies. What is in it is the lock package's business.

Imports its siblings.
"""

from .copies import Copies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Files
    from .seal import Seal

_NAME = "bolt"


class Ends:
    """The `record` that was written last, None if there is nothing, or nothing whole.

    `damaged`: some copy was not whole.
    """

    def __init__(self, folders: "tuple[Files, Files]", seal: "Seal") -> None:
        copies = Copies(folders, _NAME, seal)
        self.record = copies.recall()
        self.damaged = copies.present > copies.whole


def write(folders: "tuple[Files, Files]", seal: "Seal", record: bytes) -> None:
    """Replace it."""
    copies = Copies(folders, _NAME, seal)
    copies.read()  # for its generation
    copies.write(record)
