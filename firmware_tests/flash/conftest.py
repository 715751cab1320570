"""A flash with the firmware on it, put there by `make flash`'s tool, and boards with a copy."""

import shutil

import pytest

from firmware_tests.flash.port import LISTENS, Console, make_lock, restart, run
from host_sim.serial_board import SerialBoard


@pytest.fixture(scope="session")
def flashed(tmp_path_factory):
    """The folder that a new board's flash is after the first `make flash`."""
    folder = tmp_path_factory.mktemp("flashed")
    with SerialBoard(folder) as board:
        done = run("tools.flash", board.port)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "files were new" in done.stdout
        with Console(board.port) as console:
            console.hear("not provisioned")
    return folder / "flash"


@pytest.fixture
def board(flashed, tmp_path):
    """A flashed board with power, and its prompt."""
    shutil.copytree(flashed, tmp_path / "flash")
    with SerialBoard(tmp_path) as made:
        with Console(made.port) as console:
            console.hear("not provisioned")
            console.hear(LISTENS)
        yield made


@pytest.fixture
def lock(board):
    """A provisioned lock that runs."""
    make_lock(board)
    restart(board)
    return board
