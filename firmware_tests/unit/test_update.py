"""An update that the flash does not take is tried again, and never taken for done."""

import pytest

from firmware.hal import update


@pytest.fixture
def flash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "update").mkdir()
    (tmp_path / "main.py").write_text("old")
    return tmp_path


def ready(flash):
    (flash / "update" / "0").write_text("new")
    (flash / "update" / "1").write_text("new")
    (flash / "update" / "ready").write_text("0 main.py\n1 firmware/app.mpy\n- firmware/app.py\n")


@pytest.mark.parametrize("in_the_way", ["firmware/app.mpy", "firmware/app.py"])
def test_a_file_that_cannot_be_put_leaves_the_list(flash, in_the_way):
    ready(flash)
    (flash / in_the_way / "something").mkdir(parents=True)
    with pytest.raises(OSError):
        update.finish()
    assert (flash / "update" / "ready").exists()
    (flash / in_the_way / "something").rmdir()
    (flash / in_the_way).rmdir()
    assert update.finish() is True
    assert [(flash / name).read_text() for name in ("main.py", "firmware/app.mpy")] == ["new"] * 2
    assert not (flash / "firmware" / "app.py").exists()
    assert update.finish() is False


def test_a_list_that_cannot_be_read_is_no_missing_one(flash):
    (flash / "update" / "ready").mkdir()
    with pytest.raises(OSError):
        update.finish()
