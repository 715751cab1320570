"""Shorter names for what is nobody else's business; a part of `tools.build`.

MicroPython keeps every name of a program in RAM, parameters and attributes among them, in a table
that doubles when it is full. So in what is compiled `_0`, `_1` and so on stand for

- parameters, except those with a default: callers may name them;
- private attributes, variables, functions and classes of a module, but not its exceptions.

It is conservative: a name stays if anything in `kept`, a string or another module has it; where a
class extends one of another module, the two share no names. Tracebacks have short names, too;
`Reader` completes them. May import nothing of the project.
"""

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from typing import TypeGuard

_FRAME = re.compile(rb'  File "([\w.]+)", line \d+, in (_\d+)')
_FUNCTIONS = (ast.FunctionDef, ast.Lambda)


def shorten(trees: Sequence[ast.Module], kept: set[str]) -> list[dict[str, str]]:
    """Rename in all modules of a program; returns what the private names of each are now."""
    bound = [set(_bound(tree)) for tree in trees]
    homes = Counter(name for names in bound for name in names)
    above = _extended(trees)
    stay = set(kept)
    for tree, own, parents in zip(trees, bound, above, strict=True):
        stay.update(_fixed(tree), _used(tree) - own)
        stay.update(name for name in _of_others(tree) if homes[name] > 1)
        stay.update(*(own & bound[parent] for parent in parents))
        if any(above[parent] for parent in parents):
            stay.update(own)
    found: list[dict[str, str]] = [{} for _ in trees]
    for place in sorted(range(len(trees)), key=lambda place: len(above[place])):
        taken = set().union(*(found[parent].values() for parent in above[place]))
        unused = (name for name in _unused(trees[place]) if name not in taken)
        found[place] = dict(zip(sorted(bound[place] - stay), unused, strict=False))
    for tree, renamed in zip(trees, found, strict=True):
        _rename(tree, renamed)
        for node in list(ast.walk(tree))[::-1]:  # inner functions come first
            if isinstance(node, _FUNCTIONS):
                _rename_parameters(node)
    return found


def _extended(trees: Sequence[ast.Module]) -> list[set[int]]:
    """For each module the places of those that have a class which one of its own extends.

    Its own is among them if it extends something that is not known.
    """
    homes: dict[str, set[int]] = {}
    bases: list[set[str]] = [set() for _ in trees]
    for place, tree in enumerate(trees):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, set()).add(place)
                bases[place].update(ast.unparse(base).split(".")[-1] for base in node.bases)
    found = []
    for place, names in enumerate(bases):
        known = set().union(*(homes.get(name, set()) for name in names)) - {place}
        unknown = {name for name in names - set(homes) if not hasattr(builtins, name)}
        found.append(known | {place} if unknown else known)
    return found


class Reader:
    """Completes the tracebacks in what a lock says, by the lines of build/names.txt."""

    def __init__(self, text: str) -> None:
        lines = (line.encode().split() for line in text.splitlines())
        self._names = {(module, short): name for module, short, name in lines}
        self._line = b""

    def read(self, said: bytes) -> bytes:
        """The same, and at the end of a frame's line what the function is called."""
        shown = b""
        for byte in said:
            if byte in b"\r\n":
                frame = _FRAME.fullmatch(self._line)
                name = frame and self._names.get((frame[1], frame[2]))
                shown += b" = " + name if name else b""
                self._line = b""
            else:
                self._line += bytes([byte])
            shown += bytes([byte])
        return shown


def _is_private(name: str) -> bool:
    return name.startswith("_") and name.strip("_") != "" and not name.startswith("__")


def _bound(tree: ast.AST) -> Iterator[str]:
    """The private names that get a value here: of variables, and of attributes of `self`."""
    for node in ast.walk(tree):
        name = ""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.attr if _is_self(node.value) else ""
        elif isinstance(node, ast.FunctionDef) or _is_plain_class(node):
            name = node.name
        if _is_private(name):
            yield name


def _used(tree: ast.AST) -> set[str]:
    """All private names that are asked for."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return set(filter(_is_private, names))


def _of_others(tree: ast.AST) -> Iterator[str]:
    """Attributes of something that may be of another module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not _is_self(node.value):
            yield node.attr


def _is_plain_class(node: ast.AST) -> TypeGuard[ast.ClassDef]:
    """Not an exception, whose name is told."""
    return isinstance(node, ast.ClassDef) and not node.bases


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _fixed(tree: ast.AST) -> Iterator[str]:
    """Names that something else than a name or an attribute has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.bases:
            yield node.name
        elif isinstance(node, ast.ExceptHandler):
            yield node.name or ""
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.keyword):
            yield node.arg or ""
        elif isinstance(node, ast.alias):
            yield from (node.name, node.asname or "")
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _unused(tree: ast.AST) -> Iterator[str]:
    """Short names that nothing here has."""
    taken = _used(tree) | set(_fixed(tree)) | set(_bound(tree))
    return (name for name in map("_{}".format, count()) if name not in taken)


def _rename(tree: ast.AST, names: dict[str, str]) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
        elif isinstance(node, ast.Attribute):
            node.attr = names.get(node.attr, node.attr)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            node.name = names.get(node.name, node.name)


def _rename_parameters(function: ast.FunctionDef | ast.Lambda) -> None:
    """Those without a default, once the functions inside of it have other names for theirs."""
    given = function.args
    required = given.args[: len(given.args) - len(given.defaults)]
    required += [given.vararg] if given.vararg else []
    if isinstance(function, ast.Lambda):
        body = ast.Module([ast.Expr(function.body)], [])
    else:
        body = ast.Module(function.body, [])
    inner = {node.name for node in ast.walk(body) if isinstance(node, ast.FunctionDef)}
    fixed = {*_fixed(body), *inner, "self"}
    if any(isinstance(node, ast.ClassDef) for node in ast.walk(body)):
        return
    unused = _unused(function)
    names = {each.arg: next(unused) for each in required if each.arg not in fixed}
    for each in required:
        each.arg = names.get(each.arg, each.arg)
    for node in ast.walk(body):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
