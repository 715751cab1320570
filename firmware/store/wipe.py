"""Forgets all that makes a board this lock: identity, grants, settings, Wi-Fi, cloud, log.

Imports `os`. A mark comes first; from then on the lock is none any more, and whoever comes across
the mark goes on until everything is gone, the mark last. So a power cut leaves the lock as it was
or a board that never was one.
"""

import os

_MARK = "/wipe"
_CRASH = "/crash"  # the file of `hal.crash`
_FOLDERS = ("log", "state", "ledger", "statements", "g")  # and g0, g1, ...
_ENOENT = 2


def begin(root: str) -> None:
    """From now on the flash below `root` is no lock's, from the next start on it is empty."""
    with open(root + _MARK, "wb"):
        pass


def is_begun(root: str) -> bool:
    """Whether what is there does not count any more."""
    return _MARK[1:] in os.listdir(root)


def finish(root: str) -> None:
    """Go on with what was begun, if it was. Raises OSError; then it is to be tried again."""
    if not is_begun(root):
        return
    for folder in os.listdir(root):
        if folder in _FOLDERS or folder[:1] == "g" and folder[1:].isdigit():
            for name in os.listdir(root + "/" + folder):
                os.remove(root + "/" + folder + "/" + name)
    try:
        os.remove(root + _CRASH)
    except OSError as error:
        if error.errno != _ENOENT:
            raise
    os.remove(root + _MARK)
