"""Statements that somebody left on the flash as files: taken in by name, each once.

Imports the intake's sizes; the folder and the intake are handed in. A file goes after its
statement was answered, so a power cut in between has it answered again, which changes nothing.
"""

from .intake import LARGEST_BATCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Generator

    Accepting = Callable[[bytes], Generator[None, None, int]]

    from ..store.files import Files

_ENDING = ".cose"


class Inbox:
    """The files `*.cose` of a folder, for `accepting(token)`, a generator of slices; `say(text)`
    tells what became of each.

    To be put there whole: under another name first, then renamed.
    """

    def __init__(self, files: "Files", accepting: "Accepting", say: "Callable[[str], None]"):
        self._files = files
        self._accepting = accepting
        self._say = say
        self._job: "Generator[None, None, None] | None" = None  # the file at hand

    def work(self) -> bool:
        """One slice of taking in the next one; False if there is none.

        OSError passes through; then the file stays for another time.
        """
        if self._job is None:
            names = [name for name in self._files.names() if name.endswith(_ENDING)]
            if not names:
                return False
            self._job = self._take(min(names))
        if next(self._job, True):
            self._job = None
        return True

    def _take(self, name):
        reason = yield from self._accepting(self._read(name))
        self._files.remove(name)
        self._say("%s: %d" % (name, reason))

    def _read(self, name):
        """A file, as far as the intake looks; nothing if it is damaged."""
        try:
            token = bytearray(min(max(self._files.size(name), 0), LARGEST_BATCH + 1))
            count = self._files.read_into(name, 0, token)
        except OSError:
            return b""
        return bytes(token[:count])
