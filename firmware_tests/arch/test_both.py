"""What runs where: LACKS and the table in features.py are the only way out of a runtime."""

import ast
import re
from collections.abc import Iterator

import pytest

from firmware_tests import features
from firmware_tests.arch.source import Source, nothing, source, under
from firmware_tests.arch.test_imports import imports
from host_sim import runtimes

RUNTIME_NAMES = ("sys.implementation", "sys.platform", "sys.version", "sys.maxsize")

# These decide who gets in. They need nothing that a runtime may lack, so each is tested on all.
PURE = (
    "firmware/policy",
    *(f"firmware/crypto/{name}.py" for name in ("cbor", "cose", "p256", "kdf")),
)

TESTS = [
    this
    for this in under("firmware_tests/both", "firmware_tests/power")
    if this.path.name.startswith("test_")
]


@pytest.mark.parametrize("runtime", runtimes.NAMES)
@pytest.mark.parametrize("feature", features.PROBE)
def test_the_table_is_true(feature, runtime):
    program = "firmware_tests/arch/try_feature.py"
    # On CPython the shims stand in for MicroPython's modules, as they do for the tests.
    path = ["host_sim/shims"] if runtime == "cpython" else []
    done = runtimes.run(runtime, program, path=path, stdin=features.PROBE[feature])
    missing = feature in features.MISSING[runtime]
    assert (done.returncode != 0) == missing, done.stderr


def test_the_documents_show_the_table():
    text = (runtimes.ROOT / "docs" / "testing.md").read_text("utf-8")
    rows = re.findall(r"^\| (\w+).*? \| (.*) \| (.*) \| (.*) \|$", text, re.MULTILINE)
    shown = {name: cells for name, *cells in rows}
    for feature in features.PROBE:
        for runtime, cell in zip(features.MISSING, shown[feature], strict=True):
            assert cell.startswith("no") == (feature in features.MISSING[runtime]), feature


def test_the_table_has_a_reason_for_every_gap():
    assert list(features.MISSING) == list(runtimes.NAMES)
    for missing in features.MISSING.values():
        assert set(missing) <= set(features.PROBE)
        assert all(missing.values())


def other_ways_out(this: Source) -> Iterator[str]:
    """How a module of `both/` could leave a runtime out, or test something else there."""
    for module, line, _ in imports(this):
        if module.split(".")[0] in ("pytest", "unittest"):
            yield this.at(line, "pytest is not there on MicroPython")
    for node in ast.walk(this.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in RUNTIME_NAMES:
            yield this.at(node.lineno, "asks which runtime this is; use LACKS")
        elif isinstance(node, ast.ExceptHandler) and "ImportError" in ast.unparse(node):
            yield this.at(node.lineno, "goes on without a module; use LACKS")


def test_a_module_leaves_a_runtime_out_only_by_lacks():
    for this in TESTS:
        features.lacks(runtimes.ROOT / this.path)  # ValueError for anything but known features
    nothing(finding for this in TESTS for finding in other_ways_out(this))


@pytest.mark.parametrize(
    "code",
    [
        "import pytest",
        "from pytest import skip",
        "import sys\nif sys.implementation.name == 'cpython':\n    pass",
        "try:\n    import asyncio\nexcept ImportError:\n    asyncio = None",
    ],
)
def test_another_way_out_is_found(code):
    assert list(other_ways_out(source("firmware_tests/both/test_x.py", code)))


def test_lacks_excludes_something_real():
    for this in TESTS:
        lacking = features.lacks(runtimes.ROOT / this.path)
        assert not lacking or features.excluded(runtimes.ROOT / this.path), this.path


def test_the_rules_are_tested_on_every_runtime():
    everywhere = [this for this in TESTS if not features.lacks(runtimes.ROOT / this.path)]
    tested = {module for this in everywhere for module, _, _ in imports(this)}
    for pure in under(*PURE):
        if pure.path.name != "__init__.py":
            assert any(f"{name}.".startswith(f"{pure.module}.") for name in tested), pure.path
            excluded = set(TESTS) - set(everywhere)
            assert not [
                this.path for this in excluded if this.path.stem == f"test_{pure.path.stem}"
            ]
