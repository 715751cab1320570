"""The three interpreters can be started, talked to, limited and missed."""

import pytest

from host_sim import runtimes

MICROPYTHONS = [name for name in runtimes.NAMES if name != "cpython"]


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Write a program into a root of its own; `micropython32` sees no other files."""
    monkeypatch.setattr(runtimes, "ROOT", tmp_path)
    # The launcher of micropython32 is found from the project's root, which is elsewhere now.
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))

    def write(text: str, name: str = "program.py") -> str:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


PROJECT = runtimes.ROOT


@pytest.mark.parametrize("runtime", runtimes.NAMES)
def test_a_program_gets_its_arguments_and_stdin_and_gives_its_status(program, runtime):
    name = program(
        "import sys\nprint(sys.argv[1:], sys.stdin.readline().strip(), __name__)\nsys.exit(3)\n"
    )
    done = runtimes.run(runtime, name, "a", "b c", stdin="hello\n")
    assert done.stdout == "['a', 'b c'] hello __main__\n"
    assert done.returncode == 3


@pytest.mark.parametrize("runtime", runtimes.NAMES)
def test_path_goes_before_the_root(program, runtime):
    program("WHERE = 'root'\n", "thing.py")
    program("WHERE = 'shim'\n", "shims/thing.py")
    name = program("import thing\nprint(thing.WHERE)\n", "apps/program.py")
    root = runtimes.run(runtime, name)
    shim = runtimes.run(runtime, name, path=["shims"])
    assert (root.stdout, shim.stdout) == ("root\n", "shim\n")


@pytest.mark.parametrize("runtime", runtimes.NAMES)
def test_a_program_answers_through_pipes_while_it_runs(program, runtime):
    name = program("import sys\nfor line in sys.stdin:\n    print('got', line.strip())\n")
    with runtimes.start(runtime, name) as child:
        assert child.stdin and child.stdout
        for word in ("one", "two"):
            child.stdin.write(word + "\n")
            child.stdin.flush()
            assert child.stdout.readline() == f"got {word}\n"
        child.stdin.close()
    assert child.returncode == 0


@pytest.mark.parametrize("runtime", MICROPYTHONS)
def test_a_heap_is_a_limit(program, runtime):
    name = program("print(len(bytearray(100000)))\n")
    assert runtimes.run(runtime, name, heap="400k").stdout == "100000\n"
    refused = runtimes.run(runtime, name, heap="64k")
    assert "MemoryError" in refused.stdout + refused.stderr


def test_live_objects_survive_on_micropython32(program):
    # With the build's own collector this prints garbage or dies: see host_sim/micropython32.py.
    name = program("""
import gc

def work(a, b, c, d, e):
    f = [a]; g = [b]; h = [c]; i = [d]; j = [e]; k = [f]; l = [g]; m = [h]; n = [i]; o = [j]
    for _ in range(200):
        gc.collect()
        [bytearray(64) for _ in range(50)]
    return k, l, m, n, o

print(work(1, 2, 3, 4, 5), gc.mem_free() > 0, gc.isenabled())
""")
    done = runtimes.run("micropython32", name)
    assert done.stdout == "([[1]], [[2]], [[3]], [[4]], [[5]]) True False\n", done.stderr


def test_garbage_stays_on_micropython32(program):
    name = program("for _ in range(100):\n    bytearray(100000)\n")
    assert "MemoryError" in runtimes.run("micropython32", name, heap="4m").stderr
    assert runtimes.run("micropython", name, heap="4m").returncode == 0


def test_a_trap_is_a_status_and_not_a_python_traceback(program):
    done = runtimes.run(
        "micropython32", program("import uctypes\nuctypes.bytes_at(0xFFFFFFF0, 8)\n")
    )
    assert done.returncode == 70
    assert "out of bounds" in done.stderr and "micropython32.py" not in done.stderr


def test_what_cannot_be_asked_for_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="no runtime is called 'pypy'"):
        runtimes.command("pypy", "x.py")
    with pytest.raises(ValueError, match="no limit"):
        runtimes.command("cpython", "x.py", heap="1m")
    monkeypatch.setattr(runtimes.sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(runtimes.NotInstalled, match="make env"):
        runtimes.command("micropython", "x.py")
