"""MicroPython's libraries are those that are pinned, unpacked where MicroPython finds them."""

import subprocess

import pytest
from unearth.errors import HashMismatchError

from host_sim import runtimes
from tools import libraries


@pytest.mark.parametrize("library", libraries.LIBRARIES, ids=lambda library: library.folder)
def test_each_is_fetched_once_and_its_modules_alone(library, tmp_path):
    libraries.fetch(library, tmp_path)
    found = sorted(path.name for path in (tmp_path / library.folder).iterdir())
    assert found in (["simple.py"], ["__init__.py"])
    first = (tmp_path / library.folder / found[0]).stat().st_mtime_ns
    libraries.fetch(library, tmp_path)
    assert (tmp_path / library.folder / found[0]).stat().st_mtime_ns == first


def test_another_archive_than_the_pinned_one_is_refused(tmp_path):
    changed = libraries.LIBRARIES[0]._replace(sha256="00" * 32)
    with pytest.raises(HashMismatchError):
        libraries.fetch(changed, tmp_path)
    assert not (tmp_path / "umqtt").exists()


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(libraries.Missing):
        libraries.fetch(
            libraries.LIBRARIES[0]._replace(requirement="micropython-umqtt.simple==0.0.1"),
            tmp_path,
        )


def test_micropython_imports_them():
    program = "import umqtt.simple, urequests; print(umqtt.simple.__file__)"
    command = runtimes.command("micropython", "-c", program)
    environment = runtimes.environment("micropython", path=[libraries.fetch_all()])
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("build/lib/umqtt/simple.py")
