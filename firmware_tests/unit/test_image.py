"""`make image`: a partition more in an image of MicroPython, and nothing else changed."""

import struct
import subprocess
import sys

import pytest

from host_sim.runtimes import ROOT
from tools import image, rom
from tools.image import ImageError

# MicroPython's own table for 4 MB, and with a partition more, both as mp-image-tool-esp32 0.1.1
# writes them.
NVS = "aa50010200900000006000006e76730000000000000000000000000000000000"
PHY = "aa50010100f00000001000007068795f696e6974000000000000000000000000"
FACTORY = "aa5000000000010000001f00666163746f727900000000000000000000000000"
ROMFS = "aa50018f0000200000000500726f6d6673000000000000000000000000000000"
VFS = "aa50018100002000000020007666730000000000000000000000000000000000"
CHECKSUM = "ebebffffffffffffffffffffffffffff"
BEFORE = NVS + PHY + FACTORY + CHECKSUM + "8405a9bb5ce0b84c4f2ca5de9a76b050"
AFTER = NVS + PHY + FACTORY + ROMFS + CHECKSUM + "886a4433affac2853d53115caf12bd60"
ESP32, C3, S3, C6 = 0, 5, 9, 13
STARTS = {ESP32: 0x1000, C3: 0, S3: 0}
MB4, MB8 = 2, 3


def firmware(chip=ESP32, table=BEFORE, flash=MB4, app=b"...\0VfsRom\0..."):
    """An image for a whole flash, with random bytes where a bootloader and a program would be."""
    header = struct.pack("<BBBBI4xH", 0xE9, 3, 2, flash << 4 | 0xF, 0x400805F0, chip)
    made = bytearray((header + bytes(range(256)) * 512)[: 0x10000 - STARTS.get(chip, 0)])
    at = 0x8000 - STARTS.get(chip, 0)
    made[at : at + 0x1000] = bytes.fromhex(table).ljust(0x1000, b"\xff")
    return bytes(made) + app


@pytest.mark.parametrize("chip", STARTS)
def test_the_table_gets_one_more_line_and_nothing_else_changes(chip):
    given = firmware(chip)
    made = image.with_rom(given)
    at = 0x8000 - STARTS[chip]
    assert made[at : at + 0x1000].rstrip(b"\xff").hex() == AFTER
    assert made[:at] + made[at + 0x1000 :] == given[:at] + given[at + 0x1000 :]
    assert len(made) == len(given)


def test_a_large_flash_gets_a_large_partition():
    start, size, partitions = image.read(image.with_rom(firmware(S3, flash=MB8)))
    assert (start, size) == (0, 8 << 20)
    assert partitions[-1].size == rom.LARGE_BYTES


REFUSED = {
    "nothing": (b"", "no image for one of ESP32, ESP32-C3, ESP32-S3"),
    "no image": (b"\x7fELF" + bytes(100_000), "no image"),
    "another chip": (firmware(C6), "no image"),
    "cut off": (firmware()[:0x7000], "no partition table"),
    "wrong checksum": (firmware(table=BEFORE[:-2] + "51"), "no partition table"),
    "no table": (firmware(table=""), "no partition table"),
    "no entry": (firmware(table=CHECKSUM + "d41d8cd98f00b204e9800998ecf8427e"), "no partition"),
    "again": (image.with_rom(firmware()), "has a ROM partition already"),
    "fixed files": (
        firmware(table=NVS + VFS + CHECKSUM + "38c4baacd186403b744627d389c23ea1"),
        "before MicroPython 1.26",
    ),
    "stock": (firmware(app=b"..."), "without the ROM file system"),
    "small": (firmware(flash=1), "a flash of 2 MB has 0 KB behind its last partition"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_and_told_why(name):
    given, why = REFUSED[name]
    with pytest.raises(ImageError, match=why):
        image.with_rom(given)


def make_image(path):
    return subprocess.run(
        [sys.executable, "-m", "tools.image", str(path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_says_how_it_goes_on(tmp_path, monkeypatch, capsys):
    source = tmp_path / "ESP32.bin"
    source.write_bytes(firmware())
    monkeypatch.setattr(image, "TARGET", tmp_path / "build")
    monkeypatch.setattr(sys, "argv", ["image", str(source)])
    image.main()
    target = tmp_path / "build/ESP32-rom.bin"
    assert target.read_bytes() == image.with_rom(firmware())
    said = capsys.readouterr().out
    assert "  romfs             0x200000     320 KB\n" in said
    assert "  (files)           0x250000   1,728 KB" in said
    assert f"esptool --port PORT write-flash 0x1000 {target}\n" in said


def test_what_the_command_cannot_do_it_tells_in_a_line(tmp_path):
    done = make_image("")
    assert (done.returncode, done.stdout) == (2, "") and "FIRMWARE=" in done.stderr
    done = make_image(tmp_path / "none.bin")
    assert done.returncode == 1 and done.stderr.startswith(f"Error: {tmp_path}/none.bin: ")
    assert len(done.stderr.splitlines()) == 1
