"""The other ways onto a board: package.json for `mpremote mip`, manifest.py for who freezes."""

import runpy
from pathlib import PurePosixPath

from firmware_tests.flash.port import UNPROVISIONED, Console, mpremote
from host_sim.runtimes import ROOT
from host_sim.serial_board import SerialBoard
from tools import flash

SOURCES = {
    PurePosixPath(path).with_suffix(".py").as_posix()
    for path in flash.contents()
    if not path.startswith("lib/")
}


def test_what_is_frozen_is_what_is_built():
    found: set[str] = set()
    names = {
        "include": lambda path: None,
        "module": found.add,
        "package": lambda name, base_path: found.update(
            path.relative_to(ROOT / base_path).as_posix()
            for path in (ROOT / base_path / name).rglob("*.py")
        ),
    }
    runpy.run_path(str(ROOT / "manifest.py"), names)
    assert found == SOURCES


def test_mip_installs_a_lock(tmp_path):
    with SerialBoard(tmp_path) as board:
        mpremote(board.port, "mip", "install", "--target", ".", str(ROOT / "package.json"))
        found = {path.relative_to(board.flash).as_posix() for path in board.flash.rglob("*.py")}
        assert found == SOURCES
        mpremote(board.port, "reset")
        with Console(board.port) as console:
            console.hear(UNPROVISIONED)
