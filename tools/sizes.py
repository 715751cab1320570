"""How much of a lock the firmware takes: `python -m tools.sizes`, after `python -m tools.build`.

Flash is the bytes of the .mpy files. Heap is what importing all that a running door needs leaves
taken on 64-bit MicroPython, package after package; pointers there are twice as wide as an ESP32's.
In place is the same from a ROM file system, where bytecode and texts stay in flash.
May import tools.build, tools.rom and host_sim.runtimes.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from host_sim import runtimes
from tools import rom
from tools.build import TARGET

# For each package, in the order of its loading, what the door, the intake and phones ask of it.
RUNNING = {
    "policy": ("zone", "decision"),
    "crypto": ("p256", "cose", "cwt", "kdf", "constant_time"),
    "store": ("grants", "log", "settings", "floor", "strangers"),
    "clock": ("clock", "ticks", "ds3231", "epoch"),
    "lock": ("assembly", "bolt", "sensors", "calibration", "battery"),
    "access": ("sync", "intake", "door"),
    "link": ("visits",),
}


def flash() -> dict[str, int]:
    """Bytes of .mpy of each package, and of what is in none."""
    found = dict.fromkeys(RUNNING, 0)
    for path in (TARGET / "firmware").rglob("*.mpy"):
        package = path.parent.name if path.parent.name in found else "others"
        found[package] = found.get(package, 0) + path.stat().st_size
    return found


def heap(image: Path | None = None) -> dict[str, int]:
    """Bytes of heap that each package of RUNNING adds, from files or from a ROM file system."""
    names = [f"firmware.{package}.{each}" for package in RUNNING for each in RUNNING[package]]
    source = ("", [TARGET]) if image is None else (str(image), [])
    done = runtimes.run("micropython", "tools/_sizes_child.py", source[0], *names, path=source[1])
    if done.returncode:
        raise RuntimeError(done.stdout)
    found = dict.fromkeys(RUNNING, 0)
    for line in done.stdout.splitlines():
        name, taken = line.split()
        found[name.split(".")[1]] += int(taken)
    return found


def rom_image() -> bytes:
    """What is built as a ROM file system."""
    paths = [path for folder in ("firmware", "lib") for path in (TARGET / folder).rglob("*.*")]
    return rom.image({path.relative_to(TARGET).as_posix(): path.read_bytes() for path in paths})


def heap_in_place() -> dict[str, int]:
    """The same when the firmware is in a ROM file system."""
    with tempfile.NamedTemporaryFile(suffix=".romfs") as image:
        image.write(rom_image())
        image.flush()
        return heap(Path(image.name))


def rows() -> Iterator[str]:
    """The table, line by line."""
    on_flash, in_heap, in_place = flash(), heap(), heap_in_place()
    yield f"{'':10}{'flash':>9}{'heap':>9}{'in place':>10}"
    for package, taken in on_flash.items():
        more = f"{in_heap[package]:9,}{in_place[package]:10,}" if package in in_heap else ""
        yield f"{package:10}{taken:9,}{more}"
    sums = (sum(each.values()) for each in (on_flash, in_heap, in_place))
    yield "{:10}{:9,}{:9,}{:10,}  bytes".format("", *sums)


if __name__ == "__main__":
    print(*rows(), sep="\n")
