"""What each runtime lacks, and why: the only way for a module in `both/` not to run somewhere.

Such a module says `LACKS = ("cryptolib",)`: it needs features that some runtime lacks. It is then
not collected on the runtimes where MISSING lists one of them. firmware_tests/arch/test_both.py
tries every PROBE on every runtime, so a feature that appears (or disappears) there fails until the
table is right.

Host only.
"""

import ast
from pathlib import Path

# A program that ends without an exception where the feature exists.
PROBE = {
    "asyncio": "import asyncio",
    "cryptolib": "import cryptolib",
    "heap_counters": "from micropython import heap_lock, mem_total",
    "littlefs": "from vfs import VfsLfs2",
    "native": "import micropython\n@micropython.viper\ndef f() -> int:\n    return 1\nf()",
    "random": "import os\nos.urandom(1)",
    "sockets": "import socket",
    "threads": "import _thread",
    "tls": "import tls",
}

MISSING = {
    "cpython": {
        "heap_counters": "CPython's heap cannot be locked or counted",
        "littlefs": "the file system is MicroPython's own C code",
        "native": "the viper code emitter is MicroPython's",
        "tls": "MicroPython's C module; CPython has ssl, with other rules",
    },
    "micropython": {},
    "micropython32": {
        "asyncio": "not compiled in",
        "cryptolib": "not compiled in: it comes with the TLS library",
        "littlefs": "not compiled in",
        "native": "WebAssembly cannot run code that a program makes",
        "random": "os.urandom reads a device file, and the build has none",
        "sockets": "WebAssembly programs here have no network",
        "threads": "not compiled in",
        "tls": "not compiled in",
    },
}


def lacks(module: Path) -> tuple[str, ...]:
    """What the `both/` module at this path declares in LACKS, read without importing it; or ().

    Raises ValueError if LACKS is anything but a literal tuple of features that PROBE knows.
    """
    for statement in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "LACKS":
            value = ast.literal_eval(statement.value)
            unknown = [name for name in value if name not in PROBE]
            if not isinstance(value, tuple) or unknown:
                raise ValueError(f"{module.name}: LACKS must be a tuple of {', '.join(PROBE)}")
            return value
    return ()


def excluded(module: Path) -> dict[str, str]:
    """On which runtimes the module cannot run: runtime to reason."""
    reasons = {}
    for runtime, missing in MISSING.items():
        why = [f"{name}: {missing[name]}" for name in lacks(module) if name in missing]
        if why:
            reasons[runtime] = "; ".join(why)
    return reasons
