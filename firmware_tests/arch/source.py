"""The device's source files, parsed once."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from host_sim.runtimes import ROOT


class Source(NamedTuple):
    """One Python file: its path from the project's root, its text and its tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The dotted name under which it is imported."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        """The dotted name that its relative imports start from."""
        return ".".join(self.path.parts[:-1])

    def at(self, line: int, what: str) -> str:
        """A finding, as an editor finds it."""
        return f"{self.path}:{line}: {what}"


def source(path: str, text: str) -> Source:
    """A source that need not exist."""
    return Source(Path(path), text, ast.parse(text))


@cache
def under(*names: str) -> tuple[Source, ...]:
    """Every Python file that is, or lies under, one of these paths from the root."""
    return tuple(
        source(str(path.relative_to(ROOT)), path.read_text("utf-8")) for path in _files(names)
    )


def device() -> tuple[Source, ...]:
    """Everything that goes onto the lock."""
    return under("firmware", "boot.py", "main.py")


def nothing(findings: Iterable[str]) -> None:
    """Fail with all findings, one a line, if there are any."""
    __tracebackhide__ = True
    found = "\n".join(findings)
    assert not found, "\n" + found


def _files(names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        path = ROOT / name
        if path.is_file():
            yield path
        yield from sorted(path.rglob("*.py"))
