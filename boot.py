"""Runs first on the board; nothing here can raise, or main.py would not run."""

try:
    import micropython

    micropython.kbd_intr(-1)  # nobody at the serial line stops what comes
except BaseException:  # noqa: BLE001  # as below
    pass


def mount():
    """Find the firmware in the ROM partition: the newest that is whole. Else it is in files."""
    import sys
    from binascii import hexlify
    from hashlib import sha256

    import vfs

    with open("slots") as slots:  # a line for each: where, how long, SHA-256; the newest first
        try:
            vfs.umount("/rom")  # what the partition begins with, which MicroPython has mounted
        except OSError:
            pass
        rom = memoryview(vfs.rom_ioctl(2, 0))
        for slot in slots:
            start, size, digest = slot.split()
            image = rom[int(start) : int(start) + int(size)]
            if hexlify(sha256(image).digest()).decode() == digest:
                image = vfs.VfsRom(image)  # type: ignore[attr-defined]  # no stock ESP32 has it
                vfs.mount(image, "/rom")
                sys.path.insert(0, "/rom")
                sys.path.append("/rom/lib")
                break


try:
    mount()
except BaseException:  # noqa: BLE001  # as below; a board without such a partition ends up here
    pass
del mount
try:
    from firmware.hal import bare, update

    if update.finish():
        bare.restart()  # what runs now may be half of the old firmware
except SystemExit:
    raise
except BaseException:  # noqa: BLE001  # as below; the next start tries it again
    pass
try:
    from firmware.store import wipe

    wipe.finish(".")
except BaseException:  # noqa: BLE001  # the same; until then the board is no lock
    pass
try:
    from firmware.hal import bare

    bare.safe()  # before the firmware loads, which takes seconds
    bare.full_speed()
except BaseException:  # noqa: BLE001  # whatever it is, main.py comes across it and can tell
    pass
