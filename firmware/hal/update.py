"""Finishes an update of these very files, which `make flash` left beside them.

Imports `os`. The list gets its name when it and all files that it names are whole; from then on
whoever comes across it renames them into place, as often as the power goes, until the list itself
is gone. So the files on a lock are the old ones, or all of them are the new ones before anything
but this module is imported.
"""

import os

FOLDER = "update"
READY = "update/ready"
_ENOENT = 2
_EEXIST = 17


def finish() -> bool:
    """Put an update into place that is complete; False if there is none.

    Each line of the list is the number of a file and its path, or "-" and what is to be removed.
    """
    try:
        with open(READY) as file:
            lines = file.read().split("\n")
    except OSError as error:
        if error.errno == _ENOENT:
            return False
        raise
    for line in lines:
        number, _, path = line.partition(" ")
        if number == "-":
            _unless(_ENOENT, os.remove, path)
        elif number:
            _make_folders(path)
            _unless(_ENOENT, os.rename, FOLDER + "/" + number, path)  # or it was done before
    os.remove(READY)
    return True


def _make_folders(path):
    at = path.find("/")
    while at > 0:
        _unless(_EEXIST, os.mkdir, path[:at])
        at = path.find("/", at + 1)


def _unless(expected, function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        if error.errno != expected:
            raise
