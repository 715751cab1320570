"""The published vectors are what the oracle says now, small, and in the order of the checks."""

import ast
import json
from pathlib import Path

from firmware_tests import oracle
from firmware_tests.both.policy_case import Case
from firmware_tests.oracle import model
from tools.vectors import policy, scenarios
from tools.vectors.__main__ import FOLDER, stale


def test_the_files_are_what_the_generators_make():
    assert [path.name for path in stale()] == [], "run `make vectors`"


def test_who_answers_does_not_know_the_firmware():
    made_by = ("policy.py", "scenarios.py", "offsets.py")
    modules = [path for folder in oracle.__path__ for path in Path(folder).glob("*.py")]
    modules += [Path(scenarios.__file__).with_name(name) for name in made_by]
    imported = set()
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    assert len(modules) >= 9
    assert not [name for name in imported if name and name.split(".")[0] == "firmware"]


def test_all_of_them_together_are_small():
    names = ["zones", *map(policy.name_of, scenarios.GROUPS)]
    assert sum((FOLDER / f"{name}.json").stat().st_size for name in names) < 400_000


def test_of_two_checks_that_fail_together_the_earlier_one_is_the_reason():
    checks = list(scenarios.FAULTS)
    pairs = 0
    for scenario in json.loads((FOLDER / "order.json").read_text())["scenarios"]:
        failing = scenario["name"].split("+")
        if set(failing) <= set(checks):
            earliest = min(failing, key=checks.index)
            assert [moment["reason"] for moment in scenario["moments"]] == [earliest]
            pairs += len(failing) == 2
    assert pairs == len(checks) * (len(checks) - 1) / 2 == 171


def test_what_is_left_out_means_the_same_to_the_oracle_and_to_the_firmware():
    plain, whole = (
        Case({}),
        Case({"grant": model.GRANT, "state": model.STATE, "request": model.REQUEST}),
    )
    for part in ("grant", "state", "request"):
        assert vars(getattr(plain, part)) == vars(getattr(whole, part))
    with_rule = Case({"grant": {"rules": [{}]}}).grant.rules[0]
    assert vars(with_rule) == vars(Case({"grant": {"rules": [model.RULE]}}).grant.rules[0])
