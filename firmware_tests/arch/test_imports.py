"""Imports point one way: policy, crypto <- store, clock, lock <- access <- link <- app."""

import ast
from collections.abc import Iterator

import pytest

from firmware_tests.arch.source import Source, device, nothing, source, under

_RULES = {"policy", "crypto"}
_STATE = _RULES | {"store", "clock", "lock"}

# What each layer may import besides itself. main.py makes hal's objects and hands them to app.
ARROWS = {
    "policy": set(),
    "crypto": set(),
    "store": _RULES,
    "clock": _RULES,
    "lock": _RULES,
    "access": _STATE,
    "link": _STATE | {"access"},
    "hal": {"unload"},
    "selftest": _RULES,
    "tasks": set(),
    "unload": set(),
    "heap": set(),
    "provision": _RULES | {"store", "link"},
    "calibrate": {"lock", "store"},
    "app": _STATE | {"access", "link", "selftest", "tasks", "unload", "heap"},
    "service": {"link", "lock", "store"},
    "boot": {"hal", "store"},
    "main": {"app", "hal", "heap", "service", "store"},
}

# MicroPython's modules that change nothing outside the program.
PURE = {"binascii", "hashlib", "micropython", "struct"}
ANYWHERE = PURE | {"array", "asyncio", "collections", "errno", "gc", "io", "json", "os", "sys"}
# The time, the pins, the radios, the network and the chip's AES belong to hal; sockets and TLS to
# the links, too.
HARDWARE = {
    "_thread",
    "bluetooth",
    "cryptolib",
    "esp",
    "esp32",
    "machine",
    "neopixel",
    "network",
    "time",
    "vfs",
}
SOCKETS = {"select", "socket", "ssl", "tls", "umqtt", "requests", "urequests"}
OUTSIDE = {
    **dict.fromkeys(ARROWS, ANYWHERE),
    "policy": PURE,
    "crypto": PURE,
    "link": ANYWHERE | SOCKETS,
    "hal": ANYWHERE | SOCKETS | HARDWARE,
    "boot": ANYWHERE | {"vfs"},  # to mount the folder in which hal is
}

# Top-level packages of the project, and what each may import of them. The oracle is the second
# implementation of the rules, that the generated test vectors come from; nothing else uses it.
PROJECT = {
    "firmware": {"firmware"},
    "host_sim": {"firmware", "host_sim"},
    "tools": {"firmware", "host_sim", "tools", "firmware_tests.oracle"},
    "firmware_tests": {"firmware", "host_sim", "tools", "firmware_tests"},
}


def imports(this: Source) -> Iterator[tuple[str, int, bool]]:
    """Each imported module's full name, the line, and whether only a type checker sees it.

    `from firmware import policy` counts as firmware.policy, and so does every other imported name:
    a name that is not a module only makes the path longer, and layers are looked up from the
    front.
    """
    hidden = _lines_for_type_checkers(this.tree)
    for node in ast.walk(this.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, node.lineno in hidden
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = this.package.split(".")[: len(this.package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno, node.lineno in hidden


def _lines_for_type_checkers(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def layer(module: str) -> str:
    """The layer of a dotted module name of the device: "firmware.crypto.p256" is in "crypto"."""
    parts = module.split(".")
    return parts[1] if parts[0] == "firmware" and len(parts) > 1 else parts[0]


def wrong_arrows(this: Source) -> Iterator[str]:
    """What a device module imports and must not."""
    here = layer(this.module)
    if here == "firmware":  # the package itself
        allowed, outside = set(), set()
    elif here in ARROWS:
        allowed, outside = ARROWS[here] | {here}, OUTSIDE[here]
    else:
        yield this.at(1, f"no layer is called {here!r}; there are {', '.join(ARROWS)}")
        return
    for module, line, for_types in imports(this):
        if module.split(".")[0] == "firmware":
            if layer(module) not in allowed:
                yield this.at(line, f"{here} must not import {module}")
        elif module.split(".")[0] not in outside and not (
            for_types and module.startswith("typing.")
        ):
            yield this.at(line, f"{here} must not import {module}")
    for node in ast.walk(this.tree):
        if isinstance(node, ast.Name) and node.id in ("__import__", "exec", "eval"):
            yield this.at(node.lineno, f"{node.id} hides an import from this test")


def wrong_packages(this: Source) -> Iterator[str]:
    """What a module imports from a package of the project that must not know it."""
    here = this.module.split(".")[0]
    for module, line, _ in imports(this):
        known = any(f"{module}.".startswith(f"{allowed}.") for allowed in PROJECT[here])
        if module.split(".")[0] in PROJECT and not known:
            yield this.at(line, f"{here} must not import {module}")


def test_imports_on_the_device_point_one_way():
    nothing(finding for module in device() for finding in wrong_arrows(module))


def test_packages_import_only_what_lies_below_them():
    nothing(finding for module in under(*PROJECT) for finding in wrong_packages(module))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("firmware/policy/zone.py", "import firmware.crypto"),
        ("firmware/policy/zone.py", "from firmware import crypto"),
        ("firmware/policy/zone.py", "from ..crypto import cbor"),
        ("firmware/policy/zone.py", "from .. import crypto"),
        ("firmware/policy/zone.py", "import os"),
        ("firmware/policy/zone.py", "def f():\n    import time"),
        ("firmware/policy/zone.py", "f = __import__('os')"),
        ("firmware/policy/zone.py", "if TYPE_CHECKING:\n    from firmware.access import unlock"),
        ("firmware/store/log.py", "from firmware.clock import wall"),
        ("firmware/lock/bolt.py", "import machine"),
        ("firmware/lock/bolt.py", "from typing import Any"),
        ("firmware/lock/bolt.py", "from firmware import hal"),
        ("firmware/access/unlock.py", "from firmware.link import frames"),
        ("firmware/hal/pins.py", "from firmware.lock import bolt"),
        ("firmware/hal/pulse.py", "from firmware.policy import grant"),
        ("firmware/app.py", "import machine"),
        ("firmware/app.py", "import time"),
        ("firmware/app.py", "from firmware.hal import hardware"),
        ("firmware/link/ble.py", "import bluetooth"),
        ("firmware/provision.py", "from firmware.access import intake"),
        ("boot.py", "import machine"),
        ("main.py", "import esp32"),
        ("firmware/policy/zone.py", "import host_sim.world"),
        ("firmware/extra/thing.py", ""),
        ("main.py", "from firmware.policy import zone"),
    ],
)
def test_a_wrong_arrow_is_found(path, line):
    assert list(wrong_arrows(source(path, line)))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("firmware/policy/zone.py", "from . import instant"),
        ("firmware/policy/zone.py", "from firmware.policy.instant import Instant\nimport struct"),
        ("firmware/access/unlock.py", "from firmware.policy import decision"),
        ("firmware/access/unlock.py", "if TYPE_CHECKING:\n    from typing import Any"),
        ("firmware/link/ble.py", "import asyncio\nfrom firmware import access"),
        ("firmware/app.py", "from firmware.store import flash"),
        ("firmware/hal/pins.py", "import machine, esp32, network, time"),
        ("main.py", "from firmware import app"),
    ],
)
def test_a_right_arrow_is_not(path, line):
    nothing(wrong_arrows(source(path, line)))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("firmware/app.py", "import tools.build"),
        ("host_sim/door.py", "from tools import lockctl"),
        ("host_sim/cloud/issuer.py", "from firmware_tests.both import check"),
        ("tools/build.py", "import firmware_tests"),
    ],
)
def test_a_package_that_reaches_up_is_found(path, line):
    assert list(wrong_packages(source(path, line)))
