"""A small record kept in two copies, each sealed, so that one damaged bit loses nothing.

Imports crypto and `seal`. The copies should be in different folders: littlefs may lose the last
changes of a whole folder to one damaged bit.
"""

from ..crypto.constant_time import equal
from .seal import SEAL_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .files import Files
    from .seal import Seal

_GENERATION_BYTES = 4


class Copies:
    """The record `name` in two folders, sealed; the newest whole copy counts.

    A write is done when the first copy is: after a cut there is the old record or the new one.
    When last read, `present` copies were there and `whole` of them good.
    """

    def __init__(self, folders: "tuple[Files, Files]", name: str, seal: "Seal") -> None:
        self._folders = folders
        self._name = name
        self._seal = seal
        self._generation = 0
        self.whole = 0
        self.present = 0
        self._agree = False

    def read(self) -> "bytes | None":
        """The record, None if there is no whole copy."""
        self._generation = self.whole = self.present = 0
        self._agree = True
        newest = None
        for folder in self._folders:
            copy = self._copy(folder)
            if copy is None:
                self._agree = False
                continue
            generation = int.from_bytes(copy[:_GENERATION_BYTES], "big")
            self._agree = self._agree and generation == (self._generation or generation)
            if newest is None or generation > self._generation:
                newest = copy[_GENERATION_BYTES:-SEAL_BYTES]
                self._generation = generation
        return newest

    def _copy(self, folder: "Files") -> "bytes | None":
        try:
            copy = folder.read(self._name)
        except OSError:  # what littlefs makes of damage to its own structures
            self.present += 1
            return None
        if copy is None:
            return None
        self.present += 1
        if len(copy) < _GENERATION_BYTES + SEAL_BYTES:
            return None
        if not equal(self._sealed(copy[:-SEAL_BYTES]), copy[-SEAL_BYTES:]):
            return None
        self.whole += 1
        return copy

    def recall(self) -> "bytes | None":
        """Read and heal."""
        record = self.read()
        if record is not None:
            self.heal(record)
        return record

    def heal(self, record: bytes) -> None:
        """After a read: write the record again unless both copies are good and the same.

        A write that fails is left for the next one: reading must not depend on it.
        """
        if not self._agree:
            try:
                self.write(record)
            except OSError:
                return

    def write(self, record: "bytes | bytearray") -> None:
        """Replace the record in both folders."""
        content = (self._generation + 1).to_bytes(_GENERATION_BYTES, "big") + record
        content += self._sealed(content)
        self._generation += 1
        for folder in self._folders:
            folder.replace(self._name, content)

    def _sealed(self, content: bytes) -> bytes:
        return self._seal.of(self._name.encode() + b"\x00", content)
