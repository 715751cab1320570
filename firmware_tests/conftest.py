"""pytest's hooks: three runtimes for `both/` and `power/`, one seed, no skipped test in CI."""

import os
import random
import re
import sys

import hypothesis
import pytest

from firmware_tests import features, harness, soak
from host_sim import runtimes
from tools import build

# Here a test is one source for several runtimes.
SHARED = tuple(runtimes.ROOT / "firmware_tests" / name for name in ("both", "power"))

# A slow machine is no failure, and a failure must be repeatable elsewhere.
hypothesis.settings.register_profile("sharelock", deadline=None, print_blob=True)
hypothesis.settings.load_profile("sharelock")


def pytest_addoption(parser):
    parser.addini(
        "child_timeout_s", "seconds that one test may take on MicroPython", default="120"
    )
    parser.addoption(
        "--database",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="what tests of the share cloud run on that do not ask for both (default: sqlite)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    # In the environment, because xdist's workers and MicroPython's children inherit it.
    os.environ.setdefault("SEED", str(random.SystemRandom().randrange(1 << 30)))
    if not sys.stdout.isatty():
        # Room for file and line in the summary, which pytest cuts to the terminal's width.
        os.environ.setdefault("COLUMNS", "160")
    # Read by hypothesis's own pytest_configure, which comes after this one.
    config.option.hypothesis_seed = soak.seed()
    config.stash[harness.CHILDREN] = harness.Children()
    if not hasattr(config, "workerinput"):
        build.build()  # for the children of all workers
    config.addinivalue_line(
        "markers", "soak: has a full length, run by `make soak` (set for importers of soak.py)"
    )


def pytest_unconfigure(config):
    config.stash[harness.CHILDREN].close()


def pytest_report_header():
    lines = [f"SEED={soak.seed()}" + (", full length" if os.getenv("SOAK") == "1" else "")]
    for module in sorted(module for folder in SHARED for module in folder.glob("test_*.py")):
        for runtime, reason in features.excluded(module).items():
            lines.append(f"not on {runtime}: {module.name} ({reason})")
    return lines


def pytest_pycollect_makemodule(module_path, parent):
    if module_path.parent in SHARED:
        return harness.BothModule.from_parent(parent, path=module_path)
    return None


def pytest_collection_modifyitems(items):
    for item in items:
        namespace = vars(item.getparent(pytest.Module).obj)
        if any(value is soak or value in (soak.count, soak.seed) for value in namespace.values()):
            item.add_marker("soak")


def pytest_terminal_summary(terminalreporter):
    """What tests that passed printed for it: how often each cut the power, and whole lines."""
    printed = "\n".join(report.capstdout for report in terminalreporter.getreports("passed"))
    total = sum(int(number) for number in re.findall(r"^cuts: (\d+)$", printed, re.MULTILINE))
    if total:
        terminalreporter.write_line(f"The power was cut at {total} points.")
    for line in re.findall(r"^summary: (.*)$", printed, re.MULTILINE):
        terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _not_skipped_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _not_skipped_in_ci((yield))


def _not_skipped_in_ci(report):
    """In CI a skipped test fails, and says why it was skipped: everything can run there."""
    if os.getenv("CI") and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"In CI nothing may be skipped: {reason}"
    return report
