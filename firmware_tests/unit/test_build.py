"""What is shipped is the same program as the sources, without its constants."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.hal.board import BOARDS, Board
from host_sim.runtimes import ROOT
from tools import build, names

PROGRAM = {
    "p/__init__.py": '"""A package."""\n',
    "p/numbers.py": "ONE = 1\nSHIFTED = ONE << 4 | 2\nHUGE = 1 << 40\nWORD = 'word'\n",
    "p/state.py": "LEFT = 3\ndef take():\n    global LEFT\n    LEFT -= 1\n"
    "class Box:\n  def __init__(self, a):\n    self._b, self._c, self._d = a, a + 1, a + 2\n"
    "  def all(self):\n    return self._b, self._c, self._d\n",
    "p/again.py": "from . import numbers\nfrom .numbers import ONE\nTWO = numbers.ONE + ONE\n",
}


def shrunk(main: str) -> dict[str, str]:
    """The sources of PROGRAM and a module p.main as they would be compiled."""
    sources = {Path(path): text for path, text in {**PROGRAM, "p/main.py": main}.items()}
    modules, _ = build.shrink(sources, {"_kept"})
    return {module.path.as_posix(): module.source() for module in modules}


def output(folder: Path, sources: dict[str, str]) -> str:
    for path, text in sources.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", "import p.main; p.main.show()"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("main", "value"),
    [
        ("from .numbers import SHIFTED\ndef show():\n    print(SHIFTED)\n", "18"),
        ("from . import numbers\ndef show():\n    print(numbers.WORD)\n", "'word'"),
        ("from . import numbers as n\ndef show():\n    print(n.ONE)\n", "1"),
        ("from . import again\ndef show():\n    print(again.TWO)\n", "2"),
        ("from . import again\ndef show():\n    print(again.ONE)\n", "1"),
        ("_OWN = -5\n_MORE = _OWN * 2\ndef show():\n    print(_MORE)\n", "-10"),
    ],
    ids=["imported", "of a module", "renamed", "derived", "passed on", "own"],
)
def test_a_constant_is_a_value_and_nothing_else_is_left(tmp_path, main, value):
    small = shrunk(main)
    assert small["p/main.py"] == f"def show():\n    print({value})"
    assert small["p/numbers.py"] == "HUGE = 1 << 40"
    assert output(tmp_path, small) == output(tmp_path, {**PROGRAM, "p/main.py": main})


@pytest.mark.parametrize(
    "main",
    [
        "from .numbers import ONE\ndef show(ONE=7):\n    print(ONE)\n",
        "from . import numbers\nclass B:\n  ONE = 7\ndef show(numbers=B):\n  print(numbers.ONE)\n",
        "from .numbers import HUGE\ndef show():\n    print(HUGE)\n",
        "from . import state\ndef show():\n    state.take()\n    print(state.LEFT)\n",
        "A = 1\nclass B:\n    A = 2\ndef show():\n    print(A, B.A, [A for A in (3,)])\n",
        "def show():\n    from .numbers import ONE, HUGE\n    print(ONE, HUGE)\n",
        "from . import again\ndef show():\n    print(again.numbers.ONE, again.TWO)\n",
        "class Odd(Exception):\n    CODE = 4\ndef show():\n    print(Odd.CODE, Odd().CODE)\n",
    ],
    ids=["hidden", "module hidden", "large", "changed", "twice", "late", "far", "of a class"],
)
def test_what_is_no_constant_works_as_before(tmp_path, main):
    before = output(tmp_path, {**PROGRAM, "p/main.py": main})
    assert output(tmp_path, shrunk(main)) == before


PRIVATE = """
_KINDS = (1, 2)
class _Odd(Exception):
    pass
class _Key:
    pass
class Door:
    _open = 0
    def __init__(self, grants, left=3):
        self._grants, self._left, self._kept = grants, left, _KINDS
    def _take(self, grants):
        self._left -= len(self._grants) + len(grants)
        return self._left
def show():
    door = Door('ab', left=7)
    print(door._take('c'), door._open, _KINDS, door._kept, repr(_Odd()), _Key is not _Odd)
"""


def test_parameters_and_private_values_have_short_names(tmp_path):
    small = shrunk(PRIVATE)
    main = small["p/main.py"]
    words = set(re.findall(r"\w+", main))
    assert not {"_grants", "grants", "_left", "_open", "_KINDS", "_take", "_Key"} & words
    assert {"_kept", "left", "_Odd"} <= words
    assert output(tmp_path, small) == output(tmp_path, {**PROGRAM, "p/main.py": PRIVATE})


MORE = """
  def more(self):
    self._d = self._e = 5
    return self._c
def show():
    a = A(4)
    print(a.more(), a._e, a.all())
"""
NAMES = {
    "of a string": "class A:\n  def __init__(self):\n    self._a = 5\n"
    "def show():\n    print(getattr(A(), '_a'))\n",
    "of another": "from .state import Box\nclass A:\n  def __init__(self):\n"
    "    self._a = self._b = 2\n"
    "def show():\n    print(Box(1)._b, A()._b, Box(3)._c)\n",
    "inherited": "from .state import Box\nclass A(Box):\n" + MORE,
    "inherited by another name": "from .state import Box as B\nclass A(B):\n" + MORE,
    "of a closure": "def f(a, b):\n    return lambda c: [a for a in b] + [a, b, c]\n"
    "def show():\n    print(f(1, (2, 3))(4))\n",
    "hidden": "def f(a):\n    def g(b, max):\n        return max + a + b\n"
    "    return g(1, 2) + max(a, 3)\ndef show():\n    print(f(5))\n",
    "nonlocal": "def f(a, *rest):\n    def g():\n        nonlocal a\n        a += 1\n    g()\n"
    "    return a, rest\ndef show():\n    print(f(1, 2))\n",
    "global": "_n = [0]\n_m = 1.5\ndef f(by):\n    global _m\n    _m += by\n    _n[0] = by\n"
    "def show():\n    f(2)\n    print(_n, _m)\n",
    "caught": "def f(a):\n    try:\n        return 1 // a\n    except ArithmeticError as a:\n"
    "        return str(a)\ndef show():\n    print(f(1), f(0))\n",
    "of a class inside": "def f(a):\n    class B:\n        a = 2\n"
    "    return B.a, a\ndef show():\n    print(f(1))\n",
}


@pytest.mark.parametrize("main", NAMES.values(), ids=NAMES)
def test_what_has_a_short_name_is_still_what_it_was(tmp_path, main):
    before = output(tmp_path, {**PROGRAM, "p/main.py": main})
    assert output(tmp_path, shrunk(main)) == before


def test_a_traceback_is_completed_as_it_comes():
    reader = names.Reader("firmware.app _3 _tick\nfirmware.app _4 _work\n")
    said = b'Traceback:\r\n  File "firmware.app", line 1, in _3\r\n'
    said += b'  File "firmware.app", line 1, in run\r\n'
    said += b'  File "firmware.tasks", line 1, in _3\r\nin _4\r\n'
    shown = b"".join(reader.read(said[at : at + 7]) for at in range(0, len(said), 7))
    assert shown == said.replace(b'app", line 1, in _3', b'app", line 1, in _3 = _tick')


def test_what_only_type_checkers_read_is_gone():
    main = "CHECKED = False\nif TYPE_CHECKING:\n    from .numbers import ONE\nx = [CHECKED]\n"
    assert shrunk(main)["p/main.py"] == "x = [False]"


def test_a_board_that_cannot_be_wired_is_not_built(tmp_path, monkeypatch):
    class Wrong(Board):
        pins = {**Board.pins, "strike": 34}

    monkeypatch.setitem(BOARDS, "wrong", Wrong)
    with pytest.raises(ValueError, match="strike: pin 34 is only an input"):
        build.build(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_build_follows_the_sources_and_tells_what_it_dropped_and_renamed(tmp_path):
    stray = tmp_path / "firmware" / "gone.mpy"
    stray.parent.mkdir()
    stray.write_bytes(b"of a source that was deleted")
    build.build(tmp_path)
    made = {path.relative_to(tmp_path).with_suffix(".py") for path in tmp_path.rglob("*.mpy")}
    sources = (build.ROOT / "firmware").rglob("*.py")
    assert made == {path.relative_to(build.ROOT) for path in sources}
    assert "module.CLOCK_UNCERTAIN = 19" in (tmp_path / "dropped.py").read_text()
    assert re.search(r"^firmware\.app _\d+ _watchdog$", (tmp_path / "names.txt").read_text(), re.M)
    assert b"CLOCK_UNCERTAIN" not in (tmp_path / "firmware/policy/decision.mpy").read_bytes()


def required(function: ast.FunctionDef) -> set[str]:
    """Its parameters without a default."""
    return {each.arg for each in function.args.args[: -len(function.args.defaults) or None]}


def test_nobody_passes_by_name_what_has_a_short_name():
    """Not to any function or class of that name, for nothing tells here which it is."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "firmware").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    short = set()
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            short |= {(node.name, each) for each in required(node)}
        elif isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, ast.FunctionDef) and each.name == "__init__":
                    short |= {(node.name, name) for name in required(each)}
    calls = [node for node in nodes if isinstance(node, ast.Call) and node.keywords]
    assert ("Lock", "hardware") in short and len(calls) > 30
    for call in calls:
        name = ast.unparse(call.func).rpartition(".")[2]
        assert not short & {(name, each.arg) for each in call.keywords}, ast.unparse(call)
