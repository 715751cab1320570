"""Puts the firmware onto a board: `python -m tools.flash PORT`, or `make flash PORT=...`.

Only what differs is copied, beside the old files; when all of it is there and right, the board
renames it into place (firmware/hal/update.py). Interrupted anywhere, the board has the old
firmware or finishes the new one at its next start. May import its siblings.
"""

import hashlib
import inspect
import subprocess
import sys
from pathlib import Path

from firmware.hal import update

from . import build, libraries
from .device import Device, DeviceError, named_port

MANIFEST = "firmware.sha256"  # as sha256sum writes it; the last file of each update
_AGENT = Path(__file__).with_name("_flash_device.py").read_text(encoding="utf-8")
_NEEDED = "from firmware.hal.update import FOLDER, READY, finish"
_WHOLE = "What the board has is whole, the old firmware or the new one. Try again: make flash"
_SPARE = 16_384  # bytes of flash that an update leaves


def contents() -> dict[str, bytes]:
    """All that a lock consists of, by its path on the board, the manifest last."""
    build.build()
    found = {}
    for path in sorted((build.TARGET / "firmware").rglob("*.mpy")):
        found[path.relative_to(build.TARGET).as_posix()] = path.read_bytes()
    for path in sorted(libraries.fetch_all().rglob("*.py")):
        name = path.relative_to(build.TARGET).with_suffix(".mpy").as_posix()
        command = [*build.COMPILER, "-s", name, "-o", "-", str(path)]
        found[name] = subprocess.run(command, capture_output=True, check=True).stdout
    for name in ("boot.py", "main.py"):
        found[name] = (build.ROOT / name).read_bytes()
    lines = [f"{digest(content)}  {name}\n" for name, content in found.items()]
    return {**found, MANIFEST: "".join(lines).encode()}


def digest(content: bytes) -> str:
    """As the board tells it."""
    return hashlib.sha256(content).hexdigest()


def put(device: Device, wanted: dict[str, bytes]) -> list[str]:
    """Make the board's firmware this one; the paths that were copied or removed.

    Raises DeviceError; then the board has its old firmware, or has begun to put the new one into
    place and goes on with that when it starts.
    """
    device.check_version()
    device.run(_AGENT.replace(_NEEDED, inspect.getsource(update)))
    device.run("clean()")
    found = device.ask(f"look({list(wanted)!r})")
    changed = [path for path in wanted if found["digests"][path] != digest(wanted[path])]
    if not changed and not found["others"]:
        return []
    size = sum(len(wanted[path]) for path in changed)
    if size + _SPARE > found["free"]:
        raise DeviceError(f"{size} bytes do not fit: only {found['free']} are free on the board")
    for number, path in enumerate(changed):
        device.write(f"{update.FOLDER}/{number}", wanted[path])
    arrived = device.ask(f"check(range({len(changed)}))")
    if arrived != [digest(wanted[path]) for path in changed]:
        raise DeviceError("not all of it arrived as it was sent; nothing was changed, try again")
    lines = [f"- {path}\n" for path in found["others"]]
    lines += [f"{number} {path}\n" for number, path in enumerate(changed)]
    device.write(f"{update.FOLDER}/list", "".join(lines).encode())
    device.run("put()")
    after = device.ask(f"look({list(wanted)!r})")["digests"]
    wrong = [path for path in wanted if after[path] != digest(wanted[path])]
    if wrong:
        raise DeviceError(f"the board's flash does not keep what it is given: {wrong[0]}")
    return found["others"] + changed


def main() -> None:
    """Exits with 0, with 1 if it does not work out, with 2 without a port, with 130 at Ctrl-C."""
    port = named_port("flash")
    try:
        wanted = contents()
        with Device(port) as device:
            try:
                done = put(device, wanted)
            except KeyboardInterrupt:
                device.interrupt()
                raise
            except DeviceError as error:
                raise DeviceError(f"{error}\n{_WHOLE}") from None
            for path in done:
                print(path)
            device.restart()
    except DeviceError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        print("\nInterrupted. What the board has is whole; it starts.", file=sys.stderr)
        sys.exit(130)
    print(f"{len(done)} of {len(wanted)} files were new. The board starts.")


if __name__ == "__main__":
    main()
