"""How much of a lock the firmware takes: `python -m tools.sizes`, after `python -m tools.build`.

Flash is the bytes of the .mpy files. Heap is what importing all that a running door needs leaves
taken on 64-bit MicroPython, package after package; pointers there are twice as wide as an ESP32's.
May import tools.build and host_sim.runtimes.
"""

from collections.abc import Iterator

from host_sim import runtimes
from tools.build import TARGET

# For each package, in the order of its loading, what the door and the intake ask of it.
RUNNING = {
    "policy": ("zone", "decision"),
    "crypto": ("p256", "cose", "cwt", "kdf", "constant_time"),
    "store": ("grants", "log", "settings", "floor", "strangers"),
    "clock": ("clock", "ticks", "ds3231", "epoch"),
    "access": ("sync", "intake", "door"),
}


def flash() -> dict[str, int]:
    """Bytes of .mpy of each package, and of what is in none."""
    found = dict.fromkeys(RUNNING, 0)
    for path in (TARGET / "firmware").rglob("*.mpy"):
        package = path.parent.name if path.parent.name in found else "others"
        found[package] = found.get(package, 0) + path.stat().st_size
    return found


def heap() -> dict[str, int]:
    """Bytes of heap that each package of RUNNING adds."""
    names = [f"firmware.{package}.{each}" for package in RUNNING for each in RUNNING[package]]
    done = runtimes.run("micropython", "tools/_sizes_child.py", *names, path=[TARGET])
    if done.returncode:
        raise RuntimeError(done.stdout)
    found = dict.fromkeys(RUNNING, 0)
    for line in done.stdout.splitlines():
        name, taken = line.split()
        found[name.split(".")[1]] += int(taken)
    return found


def rows() -> Iterator[str]:
    """The table, line by line."""
    on_flash, in_heap = flash(), heap()
    yield f"{'':10}{'flash':>9}{'heap':>9}"
    for package, taken in on_flash.items():
        yield f"{package:10}{taken:9,}{in_heap.get(package, 0):9,}"
    yield f"{'':10}{sum(on_flash.values()):9,}{sum(in_heap.values()):9,}  bytes"


if __name__ == "__main__":
    print(*rows(), sep="\n")
