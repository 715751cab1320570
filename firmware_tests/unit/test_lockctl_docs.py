"""docs/lockctl.md: it shows what the command prints, and its table of codes is complete."""

import re
import shlex

import pytest

from firmware_tests.unit.desk import Desk
from host_sim.cloud.lint import ADVICE
from host_sim.runtimes import ROOT

TEXT = (ROOT / "docs" / "lockctl.md").read_text()


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (body,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "body.json").write_text(body)
    return Desk(tmp_path)


def examples(text: str = TEXT) -> list[tuple[str, str]]:
    """(command, what it prints) in the order of the document."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, printed = re.split(r"(?<!\\)\n", example, maxsplit=1)
            found.append((command.replace("\\\n", ""), printed))
    return found


def test_the_examples_print_what_they_show(desk):
    for command, printed in examples():
        name, *arguments = shlex.split(command)
        assert name == "lockctl"
        output = desk.run(*arguments).output
        assert [line.rstrip() for line in output.splitlines()] == printed.splitlines(), command
    assert len(examples()) == 10


def test_every_code_of_lint_is_described():
    described = re.findall(
        r"`([a-z0-9-]+)`", "".join(re.findall(r"^\| `.*?\|", TEXT, re.MULTILINE))
    )
    assert sorted(described) == sorted(ADVICE)
