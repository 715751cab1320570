"""The vectors of what a grant means: scenarios from `scenarios`, answers from the oracle."""

import json
from collections.abc import Callable

from firmware_tests.oracle import model
from firmware_tests.oracle.forecast import next_allowed
from firmware_tests.oracle.verdict import verdict

from . import scenarios


def files():
    """Yield the name and the text of one file per group."""
    for group in scenarios.GROUPS:
        asks_next = group is scenarios.next_time
        answered = [_answered(scenario, moments, asks_next) for scenario, moments in group()]
        yield (
            f"{name_of(group)}.json",
            text(name_of(group), group.__doc__ or "", "scenarios", answered),
        )


def name_of(group: Callable) -> str:
    """What a group of scenarios is called in its file."""
    return group.__name__.removesuffix("_time").replace("_", "-")


def _answered(scenario, moments, asks_next):
    found = []
    for moment in moments:
        answer = verdict({key: scenario[key] for key in scenario if key != "name"}, moment)
        if asks_next:
            answer["next"] = next_allowed(scenario, moment)
        found.append(moment | answer)
    return model.written(scenario) | {"moments": model.written(found)}


def text(group: str, about: str, kind: str, entries: list) -> str:
    """A JSON file with one entry per line, which keeps differences readable."""
    lines = [json.dumps(entry, separators=(",", ":"), ensure_ascii=True) for entry in entries]
    head = json.dumps({"group": group, "about": about}, ensure_ascii=True)[:-1]
    return f'{head}, "{kind}": [\n' + ",\n".join(lines) + "\n]}\n"
