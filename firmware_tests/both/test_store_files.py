"""The port to the file system on a computer's folders, from CPython and MicroPython."""

import os

from firmware.store.files import Files
from firmware_tests.both.check import equal, raises

LACKS = (
    "random",
)  # a name of its own for the folder; and the WebAssembly build has no writable one


class Folder:
    """A folder that goes away afterwards."""

    def __enter__(self):
        self.path = "/tmp/sharelock-" + "".join(["%02x" % byte for byte in os.urandom(8)])
        return self

    def __exit__(self, kind, error, trace):
        for name in os.listdir(self.path):
            os.remove(self.path + "/" + name)
        os.rmdir(self.path)


def test_a_file_that_is_not_there():
    with Folder() as folder:
        files = Files(folder.path)
        equal(files.read("a"), None)
        equal(files.read_into("a", 0, bytearray(4)), 0)
        equal(files.size("a"), -1)
        equal(files.names(), [])
        files.remove("a")


def test_contents_and_names():
    with Folder() as folder:
        files = Files(folder.path)
        files.replace("a", b"one")
        files.replace("b", bytearray(b"other"))
        files.replace("a", memoryview(b"two2")[:3])
        equal(files.read("a"), b"two")
        files.append("a", b"+3")
        files.append("c", b"new")
        equal(files.read("a"), b"two+3")
        equal(files.size("a"), 5)
        files.remove("b")
        equal(sorted(Files(folder.path).names()), ["a", "c"])


def test_an_empty_file_counts_as_none():
    with Folder() as folder:
        files = Files(folder.path)
        with open(folder.path + "/a", "wb"):
            pass
        equal(files.read("a"), None)
        equal(files.size("a"), -1)
        equal(files.names(), ["a"])


def test_read_into_reads_what_is_there():
    with Folder() as folder:
        files = Files(folder.path)
        files.replace("a", b"0123456789")
        buffer = bytearray(4)
        equal(files.read_into("a", 3, buffer), 4)
        equal(bytes(buffer), b"3456")
        equal(files.read_into("a", 8, memoryview(buffer)), 2)
        equal(bytes(buffer[:2]), b"89")
        equal(files.read_into("a", 10, buffer), 0)
        equal(files.read_into("a", 99, buffer), 0)


def test_a_folder_that_cannot_be_made_is_an_error():
    raises(OSError, Files, "/tmp/sharelock-no-such-folder/below")
