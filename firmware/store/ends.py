"""The record of a bolt's calibration, in two copies. What is in it is the lock package's business.

Imports its siblings.
"""

from .copies import Copies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Files
    from .seal import Seal

_NAME = "bolt"


def read(folders: "tuple[Files, Files]", seal: "Seal") -> "bytes | None":
    """What was written last; None if there is nothing, or nothing whole."""
    copies = Copies(folders, _NAME, seal)
    record = copies.read()
    if record is not None:
        copies.heal(record)
    return record


def write(folders: "tuple[Files, Files]", seal: "Seal", record: bytes) -> None:
    """Replace it."""
    copies = Copies(folders, _NAME, seal)
    copies.read()  # for its generation
    copies.write(record)
