"""The harness fails when it should: pytest runs on a small project with broken `both/` tests."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from host_sim import runtimes

FRAME = [
    "pyproject.toml",
    "firmware_tests/__init__.py",
    "firmware_tests/conftest.py",
    "firmware_tests/features.py",
    "firmware_tests/harness.py",
    "firmware_tests/soak.py",
    "firmware_tests/both/__init__.py",
    "firmware_tests/both/check.py",
    "firmware_tests/both/run.py",
    "host_sim/__init__.py",
    "host_sim/micropython32.py",
    "host_sim/runtimes.py",
    "tools/__init__.py",
    "tools/build.py",
]


class Project:
    """A directory with the harness and one test module."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in FRAME:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(runtimes.ROOT / name, root / name)

    def pytest(self, source: str, *options: str, where: str = "both", **environment: str) -> str:
        """pytest's output for `source` as a test module, with its exit status as the last word."""
        test = self.root / "firmware_tests" / where / "test_it.py"
        test.parent.mkdir(exist_ok=True)
        test.write_text(source, encoding="utf-8")
        clean = {
            k: v
            for k, v in os.environ.items()
            if k not in ("CI", "SEED", "SOAK") and "PYTEST" not in k
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
            cwd=self.root,
            env={**clean, "PYTHONPATH": str(self.root), "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return f"{done.stdout}{done.stderr}\nstatus {done.returncode}"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def summary(output: str, test: str, runtime: str) -> str:
    """The line of the short summary for a failed test."""
    (line,) = re.findall(rf"^FAILED \S+::{test}\[{runtime}\] - (.*)$", output, re.MULTILINE)
    return line


def test_a_passing_test_runs_three_times(project):
    output = project.pytest("def test_it():\n    pass\n", "-v")
    for runtime in runtimes.NAMES:
        assert f"test_it[{runtime}]" in output
    assert "3 passed" in output and output.endswith("status 0")


@pytest.mark.parametrize("parallel", [(), ("--numprocesses=1",)], ids=["serial", "xdist"])
def test_a_failure_names_file_line_and_values_on_every_runtime(project, parallel):
    source = """
from firmware_tests.both.check import equal

def deeper():
    raise ValueError("from below")

def test_wrong():
    print("said before")
    equal(1 + 1, 3, "sum")

def test_broken():
    deeper()
"""
    output = project.pytest(source, *parallel)
    for runtime in runtimes.NAMES:
        assert (
            summary(output, "test_wrong", runtime)
            == "test_it.py:9: AssertionError: sum: got 2, expected 3"
        )
        assert summary(output, "test_broken", runtime).startswith(
            "test_it.py:5: ValueError: from below"
        )
    # MicroPython tracebacks come with the source, and with what the test printed.
    assert output.count('equal(1 + 1, 3, "sum")') >= 3
    assert output.count("said before") >= 3
    assert "6 failed" in output and output.endswith("status 1")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("import sys; sys.exit(0)", "SystemExit"),
        (
            "import uctypes; uctypes.bytes_at(0xFFFFFFF0, 8)",
            "the interpreter ended with status (-11|70)",
        ),
        ("endless(0)", "recursion"),
        ("bytearray(1 << 40)", "(MemoryError|OverflowError)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
    ids=["sys.exit", "process gone", "recursion", "memory", "interrupt"],
)
def test_a_crash_is_a_failure_and_the_next_test_still_runs(project, body, says):
    source = f"""
def endless(n):
    return endless(n + 1) + 1

def test_crash():
    {body}

def test_next():
    pass
"""
    output = project.pytest(source, "-k", "not cpython")
    for runtime in ("micropython", "micropython32"):
        assert re.search(says, summary(output, "test_crash", runtime))
    assert "2 failed, 2 passed" in output and output.endswith("status 1")


def test_a_hang_is_a_failure_after_the_time_limit(project):
    source = "def test_hang():\n    while True:\n        pass\n\ndef test_next():\n    pass\n"
    output = project.pytest(source, "-k", "not cpython", "-o", "child_timeout_s=1")
    for runtime in ("micropython", "micropython32"):
        assert summary(output, "test_hang", runtime) == "test_it.py:1: no answer after 1 s"
    assert "2 failed, 2 passed" in output


def test_a_module_that_cannot_be_imported_fails(project):
    source = """import sys

if sys.implementation.name == "micropython":
    import absent

def test_it():
    pass
"""
    output = project.pytest(source)
    for runtime in ("micropython", "micropython32"):
        assert "test_it.py:4: ImportError: no module named 'absent'" in summary(
            output, "test_it", runtime
        )
    assert "2 failed, 1 passed" in output


def test_memory_left_behind_does_not_add_up(project):
    # Two thirds of the 32-bit heap in each test: only a new child for each has room for it.
    source = """
kept = []

def fill():
    kept[:] = [bytearray(1000000) for _ in range(340)]

def test_a():
    fill()

def test_b():
    fill()

def test_c():
    fill()
"""
    output = project.pytest(source, "-k", "micropython32")
    assert "3 passed" in output


def test_arguments_are_refused(project):
    output = project.pytest("def test_it(tmp_path):\n    pass\n")
    assert "functions without arguments" in output and output.endswith("status 2")


def test_a_feature_that_is_missing_excludes_the_module_and_is_reported(project):
    output = project.pytest("LACKS = ('cryptolib',)\n\ndef test_it():\n    pass\n", "-v")
    assert "2 passed" in output
    assert "not on micropython32: test_it.py (cryptolib:" in output


def test_an_unknown_feature_is_an_error(project):
    output = project.pytest("LACKS = ('luck',)\n\ndef test_it():\n    pass\n")
    assert "LACKS must be a tuple of" in output and not output.endswith("status 0")


@pytest.mark.parametrize(
    "source",
    [
        "import pytest\n\n@pytest.mark.skip(reason='too tired')\ndef test_it():\n    pass\n",
        "import pytest\n\ndef test_it():\n    pytest.skip('too tired')\n",
        "import pytest\n\npytest.skip('too tired', allow_module_level=True)\n",
    ],
    ids=["mark", "call", "module"],
)
def test_a_skipped_test_fails_in_ci_only(project, source):
    at_a_desk = project.pytest(source, where="unit")
    assert "1 skipped" in at_a_desk and "failed" not in at_a_desk
    in_ci = project.pytest(source, where="unit", CI="true")
    assert re.search(r"In CI nothing may be skipped: .*too tired", in_ci)
    assert re.search(r"\b1 (failed|error)\b", in_ci) and not in_ci.endswith("status 0")


def test_the_seed_is_printed_and_repeats_a_run(project):
    source = """
import os
from hypothesis import given, strategies as st
from firmware_tests import soak

seen = []

@given(st.integers(0, 10**9))
def test_it(n):
    seen.append(n)

def test_print():
    print("count", soak.count(100, 1), "seen", sum(seen))
    assert False
"""
    runs = [project.pytest(source, "-v", where="unit", SEED=seed) for seed in ("5", "5", "6")]
    assert all("SEED=5" in output for output in runs[:2])
    sums = [re.findall(r"count 1 seen (\d+)", output) for output in runs]
    assert sums[0] == sums[1] != sums[2]
    assert re.search(r"SEED=\d+", project.pytest(source, "-v", where="unit"))


def test_soak_runs_only_the_modules_with_a_full_length(project):
    source = """
from firmware_tests.soak import count

def test_it():
    print("count", count(100, 1))
    assert False
"""
    project.pytest("def test_other():\n    pass\n", where="unit")
    output = project.pytest(source, "-m", "soak", SOAK="1")
    assert output.count("count 100") >= 3
    assert "3 failed, 1 deselected" in output


def test_parts_share_the_rounds_and_have_seeds_of_their_own(project):
    source = """
from firmware_tests import soak

PARTS = {"test_it": 4}

def test_it():
    raise ValueError("rounds %d seed %d" % (soak.count(100, 1), soak.seed()))
"""
    output = project.pytest(source, "-k", "micropython", SOAK="1", SEED="5")
    for part in range(4):
        assert output.count(f"ValueError: rounds 25 seed {5 + part}") >= 2
    assert "8 failed" in output
    assert "rounds 1 seed 5" in project.pytest(source, "-k", "micropython32", SEED="5")
