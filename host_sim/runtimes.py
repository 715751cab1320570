"""The three interpreters that run the firmware here, and one way to start a program on each.

    cpython         the interpreter that runs this module
    micropython     MicroPython's unix port, 64-bit
    micropython32   MicroPython as a WebAssembly module, 32-bit with an ESP32's 31-bit small ints

Every run is a child process, so that any of them can be killed, and its output is not held back in
a buffer. Programs are looked up from the project's root; their imports from their own directory,
then from the root. Imports nothing of the project.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BOARD = "host_sim/shims/board"  # for `path`: the modules of a board that no runtime here has
LIBRARIES = "build/lib"  # and those that a stock image has inside; `make build` fetches them
NAMES = ("cpython", "micropython", "micropython32")

# The unix port's own default of 2 MB is for programs that mean to be small; a test of the same
# rules is not.
DEFAULT_HEAP = {"micropython": "8m"}


class NotInstalled(Exception):
    """An interpreter is missing on this machine; the message says what to do."""


def command(runtime: str, *arguments: str | Path, heap: str | None = None) -> list[str]:
    """The words that start `arguments` (a program and what it takes) on one of NAMES.

    `heap` is MicroPython's heap size, in its own notation: "16k", "2m". CPython has no such limit
    and refuses one. Relative paths are relative to ROOT. Raises NotInstalled, or ValueError for an
    unknown runtime.
    """
    words = [os.fspath(argument) for argument in arguments]
    if runtime == "cpython":
        if heap is not None:
            raise ValueError("CPython's heap has no limit to set")
        return [sys.executable, *words]
    heap = heap or DEFAULT_HEAP.get(runtime)
    options = ["-X", f"heapsize={heap}"] if heap else []
    if runtime == "micropython":
        return [_micropython(), *options, *words]
    if runtime == "micropython32":
        return [sys.executable, "-m", "host_sim.micropython32", *options, *words]
    raise ValueError(f"no runtime is called {runtime!r}; there are {', '.join(NAMES)}")


def environment(runtime: str, path: Sequence[str | Path] = ()) -> dict[str, str]:
    """This process's environment, with imports looked up in `path` before ROOT.

    `path` is relative to ROOT, or absolute; `micropython32` sees only what lies below ROOT.
    """
    search = [os.fspath(ROOT / directory) for directory in (*path, ".")]
    if runtime == "cpython":
        python_path = os.pathsep.join(search)
        return {**os.environ, "PYTHONPATH": python_path, "PYTHONUNBUFFERED": "1"}
    return {**os.environ, "MICROPYPATH": ":".join([*search, ".frozen"])}


def board_environment(runtime: str) -> dict[str, str]:
    """The environment of a program that is to find all that a board has."""
    shims = [BOARD, *(["host_sim/shims"] if runtime == "cpython" else [])]
    return environment(runtime, path=[*shims, LIBRARIES])


def start(
    runtime: str,
    *arguments: str | Path,
    heap: str | None = None,
    path: Sequence[str | Path] = (),
    **options: Any,
) -> "subprocess.Popen[str]":
    """Start a program with text pipes for stdin and stdout. `options` go to subprocess.Popen."""
    return subprocess.Popen(
        command(runtime, *arguments, heap=heap),
        cwd=ROOT,
        env=environment(runtime, path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def run(
    runtime: str,
    *arguments: str | Path,
    heap: str | None = None,
    path: Sequence[str | Path] = (),
    stdin: str = "",
    timeout_s: float = 60,
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end and return its status, stdout and stderr as text.

    An uncaught exception's traceback is on stderr, but on `micropython` it is on stdout.
    Raises subprocess.TimeoutExpired after `timeout_s`, with the child killed.
    """
    return subprocess.run(
        command(runtime, *arguments, heap=heap),
        cwd=ROOT,
        env=environment(runtime, path),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def best() -> str:
    """The runtime that is nearest to a lock, of those that are here."""
    try:
        _micropython()
    except NotInstalled:
        return "cpython"
    return "micropython"


def _micropython() -> str:
    """The unix port that came with this interpreter's packages, or else one on the PATH."""
    beside = os.path.dirname(sys.executable)
    found = shutil.which("micropython", path=beside) or shutil.which("micropython")
    if found is None:
        raise NotInstalled("the MicroPython unix port is not installed: run `make env`")
    return found
