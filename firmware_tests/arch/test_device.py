"""Device code stays inside what MicroPython on an ESP32 can do: language, methods, flash."""

import ast
import io
import subprocess
import tokenize
from collections.abc import Iterator

import pytest

from firmware_tests.arch.source import Source, device, nothing, source, under
from host_sim import runtimes
from tools import build, sizes

# Of all .mpy files, and of heap on 64 bits for a running door, which differs by some hundred bytes
# from machine to machine; see docs/decisions/0006-size.md.
FLASH_LIMIT_BYTES = 131_500
HEAP_LIMIT_BYTES = 183_500
HEAP_IN_PLACE_LIMIT_BYTES = 112_000

TYPES = (int, str, bytes, bytearray, memoryview, list, tuple, dict, set, frozenset)


@pytest.mark.parametrize("this", device(), ids=lambda this: str(this.path))
def test_mpy_cross_compiles_every_source(this):
    command = [*build.COMPILER, "-march=xtensawin", "-"]
    done = subprocess.run(command, input=this.text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_what_is_built_fits_the_lock():
    assert sum(sizes.flash().values()) <= FLASH_LIMIT_BYTES
    for taken, limit in (
        (sizes.heap(), HEAP_LIMIT_BYTES),
        (sizes.heap_in_place(), HEAP_IN_PLACE_LIMIT_BYTES),
    ):
        assert all(taken.values())
        assert sum(taken.values()) <= limit


@pytest.fixture(scope="module")
def absent_methods() -> set[str]:
    """Methods of CPython's built-in types that no built-in type of some MicroPython has."""
    known = _methods()
    program = "firmware_tests/arch/show_methods.py"
    absent: set[str] = set()
    for runtime in ("micropython", "micropython32"):
        done = runtimes.run(runtime, program)
        assert done.returncode == 0, done.stderr
        absent |= known - set(done.stdout.split())
    return absent


def _methods() -> set[str]:
    return {name for type_ in TYPES for name in dir(type_) if not name.startswith("_")}


def calls_of(methods: set[str], this: Source, defined: set[str]) -> Iterator[str]:
    """Uses of methods that MicroPython lacks, unless the project defines one of that name."""
    for node in ast.walk(this.tree):
        if isinstance(node, ast.Attribute) and node.attr in methods - defined:
            yield this.at(node.lineno, f"MicroPython has no method {node.attr}")


def forbidden(this: Source) -> Iterator[str]:
    """Constructs that compile and then surprise on the device."""
    for node in ast.walk(this.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
            yield this.at(node.lineno, "float: single precision, and every result allocates")
        elif isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            yield this.at(node.lineno, "division makes a float; use //")
        elif isinstance(node, ast.Assert):
            yield this.at(node.lineno, "assert disappears with -O")
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield this.at(node.lineno, "bare except also swallows CancelledError")
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in (
            "to_bytes",
            "from_bytes",
        ):
            if node.keywords:
                yield this.at(node.lineno, "int.to_bytes and int.from_bytes take no keywords")
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "pow":
            yield this.at(node.lineno, "pow(x, -1, p) is 0 on MicroPython; invert by other means")
    yield from _joined_f_strings(this)
    yield from _recursion(this)


def _joined_f_strings(this: Source) -> Iterator[str]:
    """MicroPython joins adjacent literals before it formats them, and formats all of them."""
    before = False  # the token before was a literal
    formatted = False  # and one of its run was an f-string
    for token in tokenize.generate_tokens(io.StringIO(this.text).readline):
        if token.type in (tokenize.NL, tokenize.COMMENT):
            continue
        name = tokenize.tok_name[token.type]
        if name in ("STRING", "FSTRING_START"):
            f_string = (
                name == "FSTRING_START" or "f" in token.string.split(token.string[-1])[0].lower()
            )
            if before and (formatted or f_string):
                yield this.at(token.start[0], "f-string next to another literal; join them with +")
            formatted = f_string or (before and formatted)
        before = name in ("STRING", "FSTRING_END")


def _recursion(this: Source) -> Iterator[str]:
    """Functions of a module that call themselves or each other in a ring: the stack is short."""
    calls: dict[str, set[str]] = {}
    lines: dict[str, int] = {}
    for node in ast.walk(this.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines[node.name] = node.lineno
            calls.setdefault(node.name, set()).update(_called(node))
    for name in calls:
        reached: set[str] = set()
        todo = [name]
        while todo:
            for callee in calls.get(todo.pop(), set()) - reached:
                reached.add(callee)
                todo.append(callee)
        if name in reached:
            yield this.at(lines[name], f"{name} can call itself")


def _called(function: ast.AST) -> Iterator[str]:
    """Names called bare or on self."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "self":
                yield node.func.attr


def test_device_code_calls_no_method_that_micropython_lacks(absent_methods):
    assert {"bit_length", "removeprefix", "zfill"} <= absent_methods
    defined = {
        node.name
        for this in device()
        for node in ast.walk(this.tree)
        if isinstance(node, ast.FunctionDef)
    }
    nothing(finding for this in device() for finding in calls_of(absent_methods, this, defined))
    assert list(calls_of(absent_methods, source("firmware/x.py", "(5).bit_length()"), set()))


def test_device_code_has_none_of_the_known_traps():
    nothing(finding for this in device() for finding in forbidden(this))


def test_tests_for_all_runtimes_do_not_join_f_strings():
    nothing(
        finding for this in under("firmware_tests/both") for finding in _joined_f_strings(this)
    )


@pytest.mark.parametrize(
    "code",
    [
        "x = 0.5",
        "x = a / b",
        "x /= b",
        "assert x",
        "try:\n    pass\nexcept:\n    pass",
        "int.from_bytes(b, byteorder='big')",
        "(5).to_bytes(2, 'big', signed=True)",
        "pow(a, -1, p)",
        "x = 'a' f'{b}'",
        "x = f'{a}' 'b'",
        "x = ('a'\n     'b'\n     f'{c}')",
        "def f():\n    f()",
        "def f():\n    g()\ndef g():\n    f()",
        "class A:\n    def f(self):\n        self.f()",
    ],
)
def test_a_trap_is_found(code):
    assert list(forbidden(source("firmware/x.py", code)))


@pytest.mark.parametrize(
    "code",
    [
        "x = a // b",
        "x = 'a' 'b'",
        "x = f'{a}' + f'{b}'",
        "def f(a):\n    a.f()",
        "x = ['a', f'{b}', 'c']",
        "int.from_bytes(b, 'big')",
    ],
)
def test_what_is_no_trap_passes(code):
    nothing(forbidden(source("firmware/x.py", code)))
