"""ruff and mypy find nothing, and the locks lock."""

import os
import re
import subprocess
import sys

import pytest

from firmware_tests.arch.source import nothing
from host_sim.runtimes import ROOT

DEVICE = ["firmware", "boot.py", "main.py"]
STUBS = ".venv/stubs"


def output_of(*command: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_ruff_check():
    status, output = output_of("ruff", "check", "--output-format=concise")
    assert status == 0, output


def test_ruff_format():
    status, output = output_of("ruff", "format", "--check", "--quiet", "--output-format=concise")
    assert status == 0, "run `make format`\n" + output


def test_types_on_the_host():
    status, output = output_of("mypy")
    assert status == 0, output


def mypy_for_the_device(*what: str) -> list[str]:
    """What mypy says about device code, with MicroPython's standard library for CPython's."""
    options = [
        "--config-file=",
        "--no-site-packages",
        f"--custom-typeshed-dir={STUBS}",
        "--no-error-summary",
    ]
    options += [
        "--check-untyped-defs",
        "--disallow-incomplete-defs",
        "--cache-dir=.mypy_cache/device",
    ]
    _, output = output_of("mypy", *options, *what, MYPYPATH=STUBS)
    # The stubs' own faults, which come with them, are not ours.
    return [line for line in output.splitlines() if not line.startswith(STUBS)]


def test_types_on_the_device():
    nothing(mypy_for_the_device(*DEVICE))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import dataclasses", "dataclasses"),
        ("import hashlib\nhashlib.sha512(b'')", "sha512"),
        ("import machine\nmachine.Pim(4)", "Pim"),
        ("def f(a: int) -> int:\n    return a + 'b'", "Unsupported operand"),
    ],
)
def test_the_device_view_sees_what_micropython_lacks(code, says):
    findings = mypy_for_the_device("-c", code)
    assert any(says in line for line in findings), findings


@pytest.mark.parametrize(
    "name", [f"requirements{part}.txt" for part in ("", "-artik", "-cwt", "-stubs")]
)
def test_a_lock_pins_and_hashes_and_names_no_host(name):
    text = (ROOT / name).read_text()
    assert "://" not in text and "--index" not in text and "--find" not in text
    packages = (
        re.split(r"\n(?=[a-z])", text)[1:]
        if text.startswith("#")
        else re.split(r"\n(?=[a-z])", text)
    )
    assert packages
    for package in packages:
        assert re.match(r"\S+==\S+", package), package
        assert "--hash=sha256:" in package, package
