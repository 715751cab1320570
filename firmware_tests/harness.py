"""Runs each test function of `both/` on three runtimes: collection, children, failures.

Host only. A function `test_x` becomes the items test_x[cpython], which pytest runs itself, and
test_x[micropython] and test_x[micropython32], which ask a child process. One child serves a
module's functions in turn, so a test costs a line through a pipe; a child that dies, hangs or
fills its heap is replaced for the next function. Every item ends with a verdict of its own: no
answer is a failure.

micropython32 stands for the lock: it runs build/firmware, which is what a lock gets, where the
others run the sources. What is built has no line numbers.
"""

import inspect
import linecache
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from _pytest._code.code import ReprExceptionInfo, ReprFileLocation, ReprTracebackNative

from firmware_tests import features
from host_sim import runtimes
from tools import build

BUILT = ("micropython32",)
CHILD_PROGRAM = "firmware_tests/both/run.py"
MARK = "\x1e"

_FRAME = re.compile(r'  File "(?P<file>.+)", line (?P<line>\d+)(, in (?P<function>.+))?')
_FRAMES_OF_THE_HARNESS = ("firmware_tests/both/run.py", "firmware_tests/both/check.py", "<stdin>")


class Result(NamedTuple):
    """What became of one function: passed, failed, died or timeout; and all that it printed."""

    verdict: str
    output: str


class Child:
    """A MicroPython process that has one module of `both/` loaded."""

    def __init__(self, runtime: str, module: str) -> None:
        self.module = module
        self.finished = False
        built = runtime in BUILT
        self._process = runtimes.start(
            runtime,
            CHILD_PROGRAM,
            module,
            *(["dropped"] if built else []),
            path=[*([build.TARGET] if built else []), runtimes.BOARD],
            stderr=subprocess.STDOUT,
            errors="replace",
        )

    def call(self, function: str, timeout_s: float) -> Result:
        """Run one function there. Another call needs another child once `finished` is true."""
        assert self._process.stdin and self._process.stdout
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._process.kill()

        timer = threading.Timer(timeout_s, expire)
        timer.start()
        output: list[str] = []
        try:
            self._process.stdin.write(function + "\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                if line.startswith(MARK):
                    verdict, *last = line[1:].split()
                    self.finished = bool(last)
                    return Result(verdict, "".join(output)[:-1])
                output.append(line)
        except BrokenPipeError:
            output.append("".join(self._process.stdout))
        finally:
            timer.cancel()
        self.finished = True
        status = self._process.wait()
        if expired.is_set():
            return Result("timeout", "".join(output) + f"no answer after {timeout_s:g} s\n")
        return Result("died", "".join(output) + f"the interpreter ended with status {status}\n")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Children:
    """At most one child per runtime: that of the module whose turn it is."""

    def __init__(self) -> None:
        self._of_runtime: dict[str, Child] = {}

    def call(self, runtime: str, module: str, function: str, timeout_s: float) -> Result:
        child = self._of_runtime.get(runtime)
        if child is None or child.finished or child.module != module:
            if child is not None:
                child.close()
            child = self._of_runtime[runtime] = Child(runtime, module)
        return child.call(function, timeout_s)

    def close(self) -> None:
        for child in self._of_runtime.values():
            child.close()
        self._of_runtime.clear()


CHILDREN = pytest.StashKey[Children]()


class BothModule(pytest.Module):
    """A test module of `both/`: every function once per runtime that has what the module needs."""

    def collect(self) -> Iterator[pytest.Item]:
        excluded = features.excluded(self.path)
        for test in super().collect():
            if not isinstance(test, pytest.Function) or inspect.signature(test.obj).parameters:
                raise self.CollectError(
                    f"{test.nodeid}: tests in both/ are functions without arguments"
                )
            for runtime in runtimes.NAMES:
                if runtime in excluded:
                    continue
                name = f"{test.name}[{runtime}]"
                if runtime == "cpython":
                    yield OnCPython.from_parent(self, name=name, callobj=test.obj)
                    continue
                parts = self._parts(test.name)
                for part in range(parts):
                    yield OnMicroPython.from_parent(
                        self,
                        name=name if parts == 1 else f"{name[:-1]}-{part}]",
                        function=test.obj,
                        runtime=runtime,
                        part=part,
                        parts=parts,
                    )

    def _parts(self, name: str) -> int:
        """In how many parts a test runs; see `soak`."""
        return getattr(self.obj, "PARTS", {}).get(name, 1) if os.getenv("SOAK") == "1" else 1


class OnCPython(pytest.Function):
    """The function in this process."""

    def repr_failure(self, excinfo, style=None):
        """As pytest's, with the place in front of the message, as on MicroPython."""
        shown = super().repr_failure(excinfo)
        crash = getattr(shown, "reprcrash", None)
        if crash is not None:
            crash.message = f"{Path(crash.path).name}:{crash.lineno}: {crash.message}"
        return shown


class OnMicroPython(pytest.Item):
    """The function in a child."""

    def __init__(
        self, *, function: Callable[[], None], runtime: str, part: int, parts: int, **parent: Any
    ) -> None:
        super().__init__(**parent)
        self.obj = function
        self.runtime = runtime
        self._call = f"{function.__name__} {part} {parts}"

    def runtest(self) -> None:
        module = self.path.relative_to(runtimes.ROOT).with_suffix("").as_posix().replace("/", ".")
        timeout_s = float(self.config.getini("child_timeout_s"))
        children = self.config.stash[CHILDREN]
        result = children.call(self.runtime, module, self._call, timeout_s)
        if result.verdict != "passed":
            raise NotPassed(result)
        if result.output:
            self.add_report_section("call", "stdout", result.output)

    def repr_failure(self, excinfo, style=None):
        if not isinstance(excinfo.value, NotPassed):
            return super().repr_failure(excinfo)
        place, message, lines = _explain(excinfo.value.result, self.path, self.reportinfo()[1])
        place.message = f"{Path(place.path).name}:{place.lineno}: {message}"
        return ReprExceptionInfo(ReprTracebackNative(lines), place)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.obj.__code__.co_firstlineno - 1, self.name


class NotPassed(Exception):
    """The child's verdict is not "passed"."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.verdict)
        self.result = result


def _explain(
    result: Result, test: Path, first_line: int
) -> tuple[ReprFileLocation, str, list[str]]:
    """Where and why it failed, and the output with the source line under each line of a traceback.

    The place is the innermost line of the test's own file, else that of the function's head.
    """
    place = ReprFileLocation(str(test), first_line + 1, "")
    shown = []
    for line in result.output.splitlines(keepends=True):
        frame = _FRAME.match(line)
        if frame is None:
            shown.append(line)
            continue
        path = runtimes.ROOT / frame["file"]
        if path == test:
            place = ReprFileLocation(str(test), int(frame["line"]), "")
        if not frame["file"].endswith(_FRAMES_OF_THE_HARNESS):
            shown += [line, f"    {linecache.getline(str(path), int(frame['line'])).strip()}\n"]
    message = shown[-1].strip() if shown else ""
    return place, message or result.verdict, shown
