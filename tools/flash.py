"""Puts the firmware onto a board: `python -m tools.flash PORT`, or `make flash PORT=...`.

Into its ROM partition, from which it runs in place, if it has one; else into files. Only what
differs is copied, beside what is in use: blocks into the slot of the partition that is not, files
into a folder. When all of it is there and right, the board renames the files into place
(firmware/hal/update.py), `slots` among them, which tells boot.py which slot counts. Interrupted
anywhere, the board has the old firmware or finishes the new one at its next start. May import its
siblings.
"""

import base64
import hashlib
import inspect
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

from firmware.hal import update

from . import build, libraries, rom
from .device import Device, DeviceError, named_port

MANIFEST = "firmware.sha256"  # as sha256sum writes it; the last file of each update
SLOTS = "slots"  # where in the ROM partition the firmware is, see boot.py
MOUNT = "/rom/"
_IN_ROM = ("firmware/", "lib/")
_AGENT = Path(__file__).with_name("_flash_device.py").read_text(encoding="utf-8")
_NEEDED = "from firmware.hal.update import FOLDER, READY, finish"
_WHOLE = "What the board has is whole, the old firmware or the new one. Try again: make flash"
_SPARE = 16_384  # bytes of flash that an update leaves


def contents() -> dict[str, bytes]:
    """All that a lock consists of but the manifest, by its path on a board that runs files."""
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
    return found


def with_manifest(files: dict[str, bytes]) -> dict[str, bytes]:
    """These files, and the one that lists them."""
    lines = [f"{digest(content)}  {name}\n" for name, content in files.items()]
    return {**files, MANIFEST: "".join(lines).encode()}


def digest(content: bytes) -> str:
    """As the board tells it."""
    return hashlib.sha256(content).hexdigest()


def put(device: Device, files: dict[str, bytes]) -> tuple[list[str], str]:
    """Make the board's firmware this one.

    Returns the paths that were copied or removed, and why it does not run in place, "" if it does.
    Raises DeviceError; then the board has its old firmware, or has begun to put the new one into
    place and goes on with that when it starts.
    """
    device.check_version()
    device.run(_AGENT.replace(_NEEDED, inspect.getsource(update)))
    device.run("clean()")
    found_rom = device.ask(f"rom({SLOTS!r})")
    image = b""
    if found_rom["size"]:
        image = rom.image({path: files[path] for path in files if path.startswith(_IN_ROM)})
        files = {MOUNT * path.startswith(_IN_ROM) + path: files[path] for path in files}
    wanted = with_manifest(files)
    found = _look(device, wanted)
    changed = [path for path in wanted if found["digests"][path] != digest(wanted[path])]
    to_write = {path: wanted[path] for path in changed if not path.startswith(MOUNT)}
    if image:
        to_write |= _put_image(device, image, found_rom)
    if to_write or found["others"]:
        gone = [path for path in found["others"] if not path.startswith(MOUNT)]
        _put_files(device, to_write, gone, found["free"])
    kept = {path: wanted[path] for path in wanted if not path.startswith(MOUNT)} | to_write
    after = _look(device, kept)["digests"]
    wrong = [path for path in kept if after[path] != digest(kept[path])]
    if wrong:
        raise DeviceError(f"the board's flash does not keep what it is given: {wrong[0]}")
    return sorted(found["others"]) + changed, _why_not_in_place(found_rom)


def _look(device: Device, wanted: dict[str, bytes]) -> Any:
    return device.ask(f"look({list(wanted)!r}, {MANIFEST!r})")


def _why_not_in_place(found: dict[str, Any]) -> str:
    if found["size"]:
        return ""
    if found["can"]:
        return "its flash has no ROM partition"
    return "its MicroPython has no ROM file system"


def _put_image(device: Device, image: bytes, found: dict[str, Any]) -> dict[str, bytes]:
    """Write an image into the slot that is not in use; the file that makes it count, if any."""
    whole = found["whole"]
    room = rom.slot_bytes(found["size"])
    if len(image) > room:
        raise DeviceError(
            f"{len(image)} bytes do not fit: a slot of the board's ROM partition has {room}"
        )
    if whole and whole[0].split()[1:] == rom.line(0, image).split()[1:]:
        return {}
    start = room if whole and whole[0].split()[0] == "0" else 0
    blocks = list(rom.blocks(image))
    there = device.ask(f"blocks({start}, {len(blocks)})")
    new = [number for number, block in enumerate(blocks) if there[number] != digest(block)]
    for count, number in enumerate(new):
        _show_progress(count * rom.BLOCK_BYTES, len(new) * rom.BLOCK_BYTES)
        at = start + number * rom.BLOCK_BYTES
        device.run(f"store({at}, {_packed(blocks[number])!r})")
    if device.ask(f"print(json.dumps(digest_of({start}, {len(image)})))") != digest(image):
        raise DeviceError("the board's ROM partition does not keep what it is given")
    return {SLOTS: (rom.line(start, image) + "".join(whole[:1])).encode()}


def _packed(block: bytes) -> bytes:
    """For the agent's `store`; 512 bytes of window are what a small board can spare."""
    packer = zlib.compressobj(level=9, wbits=-9)
    return base64.b64encode(packer.compress(block) + packer.flush())


def _put_files(device: Device, files: dict[str, bytes], gone: list[str], free: int) -> None:
    """Copy them, and from then on they count; those that are gone are removed after that."""
    size = sum(map(len, files.values()))
    if size + _SPARE > free:
        raise DeviceError(f"{size} bytes do not fit: only {free} are free on the board")
    sent = 0
    for number, path in enumerate(files):
        _show_progress(sent, size)
        device.write(f"{update.FOLDER}/{number}", files[path])
        sent += len(files[path])
    arrived = device.ask(f"check(range({len(files)}))")
    if arrived != [digest(content) for content in files.values()]:
        raise DeviceError("not all of it arrived as it was sent; nothing was changed, try again")
    lines = [f"{number} {path}\n" for number, path in enumerate(files)]
    lines += [f"- {path}\n" for path in gone]
    device.write(f"{update.FOLDER}/list", "".join(lines).encode())
    device.run("put()")


def _show_progress(sent: int, size: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{sent:,} of {size:,} bytes", end="\r", file=sys.stderr, flush=True)


def main() -> None:
    """Exits with 0, with 1 if it does not work out, with 2 without a port, with 130 at Ctrl-C."""
    port = named_port("flash")
    try:
        files = contents()
        with Device(port) as device:
            try:
                done, why = put(device, files)
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
    how = f"from files, as {why} (docs/hardware.md)" if why else "in place"
    print(f"{len(done)} of {len(files) + 1} files were new. The board starts, {how}.")


if __name__ == "__main__":
    main()
