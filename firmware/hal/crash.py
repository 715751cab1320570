"""Why the program ended, kept over restarts: for the console, the log and `lockctl doctor`.

Imports nothing. One small file, written at most `_MOST` times in a row.
"""

_FILE = "crash"
_MOST = 9
_LONGEST = 120  # characters


class Crash:
    """`count` is how often in a row it was no orderly stop, `why` what the last one was."""

    def __init__(self) -> None:
        self.count = 0
        self.why = ""
        try:
            with open(_FILE) as file:
                count, _, self.why = file.read().partition(" ")
            self.count = int(count)
        except (OSError, ValueError):  # none yet, or the power went while the first was written
            pass

    def note(self, why: str) -> None:
        """It ends, or ended, for this reason."""
        self.why = why[:_LONGEST]
        if self.count < _MOST:
            self.count += 1
            self._write()

    def forget(self) -> None:
        """It runs well; the reason stays for whoever asks."""
        if self.count:
            self.count = 0
            self._write()

    def _write(self):
        try:
            with open(_FILE, "w") as file:
                file.write("%d %s" % (self.count, self.why))
        except OSError:  # a full flash: that nobody will know is no reason to end
            return
