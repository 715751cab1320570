"""`make flash` onto a board with a ROM partition: it runs in place, an update is whole or none."""

import shutil

import pytest
from mpremote.transport_serial import SerialTransport

from firmware.hal import update
from firmware_tests.flash.port import LISTENS, Console, mpremote, restart
from host_sim.serial_board import SerialBoard
from tools import flash, rom
from tools.device import Device, DeviceError

NEW, OLD = "This lock is not provisioned", "This lock is Not provisioned"
UNUSED = "firmware/calibrate.mpy", "lib/urequests/__init__.mpy"  # by what runs here
BLOCKS = 3  # in which the two differ
STEPS = "clean(", "store(", "f=open(", "f.close(", "put(", "look("
HEAP = """
import gc, firmware
gc.collect()
before = gc.mem_alloc()
import firmware.app
gc.collect()
print(gc.mem_alloc() - before)
"""
ADDRESS = """
import uctypes, vfs
from firmware.crypto.p256_table import G_TABLE
print(uctypes.addressof(G_TABLE) - uctypes.addressof(memoryview(vfs.rom_ioctl(2, 0))))
"""


def older(files):
    """A firmware that says something else at its start, from the ROM partition and main.py."""
    made = {path: content.replace(NEW.encode(), OLD.encode()) for path, content in files.items()}
    made |= {path: files[path][:-1] + b"?" for path in UNUSED}
    made["main.py"] = b"print('older')\n" + files["main.py"]
    return made


def put(board, files):
    with Device(board.port) as device:
        try:
            return flash.put(device, files)
        finally:
            device.restart()


def version(said):
    """Which firmware a board runs that says so; it is never half of one and half of the other."""
    assert ("older" in said) == (OLD in said) != (NEW in said), said
    return OLD if OLD in said else NEW


def starts(board):
    return version(restart(board, LISTENS))


@pytest.fixture(scope="session")
def files():
    return flash.contents()


@pytest.fixture(scope="session")
def two(tmp_path_factory, files):
    """The folder of a board with an older firmware, and one that is older still in its way."""
    folder = tmp_path_factory.mktemp("rom")
    oldest = {**older(files), "firmware/provision.mpy": b"another"}
    with SerialBoard(folder, rom=rom.BYTES) as board:
        for made in (oldest, older(files)):
            put(board, made)
            with Console(board.port) as console:
                assert version(console.hear(LISTENS)) == OLD
    return folder


@pytest.fixture
def board(two, tmp_path):
    """One with power, and its prompt."""
    shutil.copytree(two, tmp_path, dirs_exist_ok=True)
    with SerialBoard(tmp_path) as made:
        with Console(made.port) as console:
            assert version(console.hear(LISTENS)) == OLD
        yield made


def slots(board):
    return [line.split() for line in (board.flash / flash.SLOTS).read_text().splitlines()]


def test_bytecode_and_tables_stay_in_the_partition(board, flashed, tmp_path):
    (start, size, _), _ = slots(board)
    at = int(mpremote(board.port, "exec", ADDRESS))
    assert int(start) < at < int(start) + int(size)
    in_place = int(mpremote(board.port, "exec", HEAP))
    shutil.copytree(flashed, tmp_path / "files/flash")
    with SerialBoard(tmp_path / "files") as other:
        with Console(other.port) as console:
            console.hear(LISTENS)
        from_files = int(mpremote(other.port, "exec", HEAP))
    assert in_place < from_files * 3 // 4


def test_the_new_firmware_goes_into_the_other_slot(board, files):
    before = slots(board)
    done, why = put(board, files)
    in_rom = ["/rom/firmware/app.mpy", *(f"/rom/{path}" for path in UNUSED)]
    assert (done, why) == ([*in_rom, "main.py", flash.MANIFEST], "")
    assert [slots(board)[0][0], slots(board)[1]] == [before[1][0], before[0]]
    with Console(board.port) as console:
        assert version(console.hear(LISTENS)) == NEW
    assert put(board, files) == ([], "")


def cut_board(two, tmp_path, name):
    folder = tmp_path / name
    shutil.copytree(two, folder)
    return SerialBoard(folder)


def test_the_power_may_go_at_every_step_and_in_every_block(two, files, tmp_path, monkeypatch):
    real, left = SerialTransport.exec_raw_no_follow, [0]

    def exec_raw_no_follow(self, command):
        left[0] -= str(command).startswith(STEPS)
        if left[0] < 0:
            made.cut()
            raise OSError("the power is gone")
        return real(self, command)

    with monkeypatch.context() as patch:
        patch.setattr(SerialTransport, "exec_raw_no_follow", exec_raw_no_follow)
        seen: list[str] = []
        while not seen or seen[-1]:
            made = cut_board(two, tmp_path, f"exchange{len(seen)}")
            left[0] = len(seen)
            with made:
                try:
                    put(made, files)
                    seen.append("")
                except DeviceError:
                    seen.append(starts(made))
    *seen, _ = seen
    assert seen == sorted(seen, key=(OLD, NEW).index) and OLD in seen and NEW in seen, seen
    monkeypatch.setattr(Device.run, "__defaults__", (1,))  # nobody answers after that
    for number in range(BLOCKS):
        with cut_board(two, tmp_path, f"block{number}") as made:
            assert starts(made) == OLD
            (made.world / "rom_cut").write_text(str(number))
            with Device(made.port) as device, pytest.raises(DeviceError, match="not answer"):
                flash.put(device, files)
            (made.world / "rom_cut").unlink()
            assert starts(made) == OLD
            put(made, files)
            assert starts(made) == NEW


def make_update(folder, files, monkeypatch):
    """A board to which all of the new firmware was sent; the lines of what is to be done."""

    def stop(program, timeout_s=30):
        if program == "put()":
            raise DeviceError("the power is gone")
        return real(program, timeout_s)

    with SerialBoard(folder) as board:
        restart(board, LISTENS)
        with Device(board.port) as device, pytest.raises(DeviceError):
            real = device.run
            monkeypatch.setattr(device, "run", stop)
            flash.put(device, files)
    ready = (folder / "flash" / update.FOLDER / "list").rename(folder / "flash" / update.READY)
    return ready.read_text().splitlines()


def do_some(folder, lines):
    """As `update.finish` does, until the power goes."""
    for line in lines:
        number, _, path = line.partition(" ")
        if number == "-":
            (folder / path).unlink()
        else:
            (folder / update.FOLDER / number).rename(folder / path)


@pytest.mark.parametrize("had_files", [True, False])
def test_an_update_may_lose_its_power_between_any_two_files(
    had_files, flashed, two, files, tmp_path, monkeypatch
):
    """What finishes it is in what goes, or in a slot; a boot.py may know nothing of slots."""
    begun = tmp_path / "begun"
    if had_files:
        shutil.copytree(flashed, begun / "flash")
        first, _, rest = files["boot.py"].decode().partition("def mount")
        (begun / "flash/boot.py").write_text(first + rest.partition("del mount\n")[2])
        (begun / "world").mkdir()
        (begun / "world/romfs").write_bytes(b"\xff" * rom.BYTES)
    else:
        shutil.copytree(two, begun)
    lines = make_update(begun, files, monkeypatch)
    assert (len(lines) > 100) == had_files
    for count in {0, 1, 2, len(lines) // 2, len(lines)}:
        folder = tmp_path / str(count)
        shutil.copytree(begun, folder)
        do_some(folder / "flash", lines[:count])
        with SerialBoard(folder) as board:
            said = restart(board, LISTENS)
            assert version(said) == NEW and "ends" not in said
            assert not (board.flash / update.READY).exists()
            assert not list(board.flash.glob("firmware/**/*.*")), count
            assert "/rom/" in mpremote(board.port, "exec", "import firmware; print(firmware)")


def damage(board, slot):
    """Turn a bit of an image in the flash."""
    start = int(slots(board)[slot][0])
    with (board.world / "romfs").open("r+b") as file:
        file.seek(start + 10_000)
        (byte,) = file.read(1)
        file.seek(start + 10_000)
        file.write(bytes([byte ^ 4]))


def test_a_damaged_slot_is_not_run_but_the_one_before(board, files):
    put(board, files)
    assert starts(board) == NEW
    board.cut()
    damage(board, 0)
    assert OLD in restart(board, LISTENS)
    put(board, files)
    assert starts(board) == NEW
    board.cut()
    for slot in (0, 1):
        damage(board, slot)
    restart(board, "ImportError", ">>> ")
    put(board, files)
    assert starts(board) == NEW


# --- what can be wrong --------------------------------------------------------------------------


def test_what_does_not_fit_into_a_slot_is_refused(two, files, tmp_path):
    shutil.copytree(two / "flash", tmp_path / "flash")
    with SerialBoard(tmp_path, rom=64 * 1024) as made:
        restart(made, ">>> ")
        with pytest.raises(DeviceError, match="a slot of the board's ROM partition has 32768"):
            put(made, files)


def test_what_the_partition_does_not_keep_is_told_and_does_not_count(board, files, monkeypatch):
    packed = flash._packed
    monkeypatch.setattr(flash, "_packed", lambda block: packed(block[:-1] + b"?"))
    with pytest.raises(DeviceError, match="ROM partition does not keep"):
        put(board, files)
    assert starts(board) == OLD


@pytest.mark.parametrize("size, why", [(0, "no ROM partition"), (None, "no ROM file system")])
def test_a_board_without_the_partition_is_told_why_it_runs_from_files(
    flashed, files, tmp_path, size, why
):
    shutil.copytree(flashed, tmp_path / "flash")
    with SerialBoard(tmp_path, rom=size) as made:
        assert starts(made) == NEW
        assert why in put(made, files)[1]
