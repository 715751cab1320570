"""`python -m tools.bench` finds benchmarks, prints their rows, and survives one that breaks."""

import json

import pytest
from click.testing import CliRunner

import tools.bench
from tools.bench import __main__ as bench


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The command on a package with a good and a broken benchmark."""
    (tmp_path / "good_one.py").write_text(
        "def rows():\n"
        "    yield 'field multiplications', 1251, '', 'at most 1 260'\n"
        "    yield 'verify', 1.76123456, 'ms', '[shared]'\n"
    )
    (tmp_path / "worse_one.py").write_text("def rows():\n    yield 'x', 1 // 0, '', ''\n")
    monkeypatch.setattr(tools.bench, "__path__", [str(tmp_path)])
    return lambda *arguments: CliRunner().invoke(bench.main, arguments)


def test_a_table_shows_values_units_and_budgets(run):
    output = run("good_one").output
    assert "1,251" in output and "at most 1 260" in output
    assert "1.761" in output and "[shared]" in output


def test_json_has_every_digit(run):
    rows = json.loads(run("--json", "good_one").output)
    assert rows[1] == {
        "bench": "good_one",
        "what": "verify",
        "value": 1.76123456,
        "unit": "ms",
        "note": "[shared]",
    }


def test_a_broken_benchmark_fails_and_the_others_are_shown(run):
    result = run()
    assert result.exit_code == 1
    assert "1,251" in result.output and "ZeroDivisionError" in result.output


def test_an_unknown_name_is_refused(run):
    result = run("fast")
    assert result.exit_code == 2
    assert "no benchmark fast; there are: good_one, worse_one" in result.output
