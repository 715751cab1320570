"""A factory reset leaves alone what is no lock's, and is not over before all of it is gone."""

import pytest

from firmware.store import wipe

OURS = ("log", "state", "ledger", "statements", "g", "g0", "g12")
OTHERS = ("firmware", "lib", "update", "garden", "g1b")


@pytest.fixture
def root(tmp_path):
    for folder in OURS + OTHERS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").touch()
    wipe.begin(str(tmp_path))
    return tmp_path


def files(root):
    return {path.parent.name for path in root.glob("*/file")}


def test_what_is_no_locks_stays(root):
    wipe.finish(str(root))
    assert files(root) == set(OTHERS)
    assert not wipe.is_begun(str(root))


def test_what_cannot_be_removed_is_tried_again(root):
    (root / "crash" / "in the way").mkdir(parents=True)
    with pytest.raises(OSError):
        wipe.finish(str(root))
    assert wipe.is_begun(str(root))
    (root / "crash" / "in the way").rmdir()
    (root / "crash").rmdir()
    (root / "crash").touch()
    wipe.finish(str(root))
    assert not wipe.is_begun(str(root))
    assert not (root / "crash").exists()
