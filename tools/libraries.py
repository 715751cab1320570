"""Fetches MicroPython's MQTT and HTTP libraries: `python -m tools.libraries` fills build/lib.

They are source archives on PyPI without a setup.py, which pip and uv refuse to install; unearth
only fetches. The hashes are pinned here, and nothing but the named folder's modules is taken, as
it is. Stock images for the ESP32 have newer versions inside, which firmware/link works with, too.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from unearth import PackageFinder

from host_sim.runtimes import ROOT

TARGET = ROOT / "build" / "lib"


class Library(NamedTuple):
    """An archive, its SHA-256, and the one folder in it that is wanted."""

    requirement: str
    sha256: str
    folder: str


LIBRARIES = (
    Library(
        "micropython-umqtt.simple==1.3.4",
        "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f",
        "umqtt",
    ),
    Library(
        "micropython-urequests==0.9.1",
        "15ed0132bcff1a84e87049d9d7780ce26df0810fa674aa89d187e17493d6e3c5",
        "urequests",
    ),
)


class Missing(Exception):
    """The index has no such archive."""


def fetch(library: Library, target: Path = TARGET) -> None:
    """Put the modules of a library below `target`, unless they are there.

    Raises Missing, and unearth's HashMismatchError for an archive that is not the one meant.
    """
    stamp = target / f"{library.folder}.sha256"
    if stamp.exists() and stamp.read_text() == library.sha256:
        return
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple")
    finder = PackageFinder(index_urls=[index], no_binary=[":all:"])
    found = finder.find_best_match(library.requirement).best
    if found is None:
        raise Missing(library.requirement)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        hashes = {"sha256": [library.sha256]}
        source = finder.download_and_unpack(found.link, where / "unpacked", where, hashes)
        shutil.rmtree(target / library.folder, ignore_errors=True)
        (target / library.folder).mkdir(parents=True)
        for module in (source / library.folder).glob("*.py"):
            shutil.copyfile(module, target / library.folder / module.name)
    stamp.write_text(library.sha256)


def fetch_all() -> Path:
    """Bring build/lib up to date; returns it."""
    for library in LIBRARIES:
        fetch(library)
    return TARGET


if __name__ == "__main__":
    fetch_all()
