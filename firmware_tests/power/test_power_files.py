"""The port to the file system on littlefs: every call is atomic at every cut, full is an error."""

from firmware.store.files import Files
from firmware_tests.both.check import equal, raises, true
from host_sim.world.flash import MOUNT, Flash
from firmware_tests.power.sweep import sweep

LACKS = ("littlefs",)

ROOT = MOUNT + "/a"
BIG = bytes(range(256)) * 45


def files():
    return Files(ROOT)


def swept(setup, action, allowed):
    """Sweep with a recovery that writes, and check that a file is among `allowed`."""

    def write_elsewhere():
        Files(ROOT).replace("boots", b"some more boots")
        return Files(ROOT)

    def check(after, done):
        content = after.read("a")
        true(content in allowed, content and len(content))
        if done:
            equal(content, allowed[-1])
        equal(after.read("other"), b"untouched")

    def set_up():
        files().replace("other", b"untouched")
        setup(files())

    def act(done):
        action(files())
        done.append(True)

    cuts = sweep(set_up, act, write_elsewhere, check)
    print("cuts:", cuts)
    true(cuts >= 6, cuts)


def test_replace_is_old_or_new():
    swept(
        lambda f: f.replace("a", b"old"),
        lambda f: f.replace("a", b"new" * 9),
        (b"old", b"new" * 9),
    )


def test_replace_of_several_blocks_is_old_or_new():
    swept(lambda f: f.replace("a", BIG), lambda f: f.replace("a", BIG[7:]), (BIG, BIG[7:]))


def test_a_new_file_is_there_or_not():
    swept(lambda f: None, lambda f: f.replace("a", BIG), (None, BIG))


def test_append_is_all_or_nothing():
    swept(lambda f: f.replace("a", BIG), lambda f: f.append("a", BIG), (BIG, BIG + BIG))


def test_remove_is_done_or_not():
    swept(lambda f: f.replace("a", BIG), lambda f: f.remove("a"), (BIG, None))


def test_the_sweep_finds_a_writer_that_is_not_atomic():
    def in_two_steps(f):
        f.replace("a", b"half")
        f.append("a", b" and half")

    allowed = (b"old", b"half and half")
    error = raises(AssertionError, swept, lambda f: f.replace("a", b"old"), in_two_steps, allowed)
    true("cut" in str(error), error)


def test_full_is_an_error_and_changes_nothing():
    flash = Flash(16)
    flash.format()
    flash.mount()
    try:
        files().replace("a", BIG)
        error = raises(OSError, files().replace, "a", BIG * 4)
        equal(error.errno, 28)
        equal(files().read("a"), BIG)
    finally:
        flash.unmount()


def test_no_power_no_operation():
    flash = Flash()
    flash.format()
    flash.mount()
    folder = files()
    before = flash.image()
    flash.cut_at(0, False)
    raises(OSError, folder.replace, "a", BIG)
    raises(OSError, folder.replace, "b", BIG)
    raises(OSError, folder.read, "a")
    flash.unmount()
    equal(flash.image() == before, True)


def test_a_torn_operation_leaves_garbage():
    flash = Flash()
    flash.format()
    flash.mount()
    files().replace("a", BIG)
    before = flash.image()
    flash.cut_at(1, True)
    raises(OSError, files().replace, "a", BIG)
    flash.unmount()
    equal(flash.image() == before, False)


def test_programming_only_clears_bits():
    flash = Flash(1)
    flash.writeblocks(0, b"\xf0" * 32, 64)
    flash.writeblocks(0, b"\x3c" * 32, 64)
    equal(flash.image()[0][63:65], b"\xff\x30")
    raises(ValueError, flash.writeblocks, 0, b"\x00" * 31, 64)
    flash.ioctl(6, 0)
    equal(flash.image()[0], b"\xff" * 4096)
    equal((flash.erases, flash.programs, flash.worn), (1, 2, [1]))
