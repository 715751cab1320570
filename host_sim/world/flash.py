"""A NOR flash in RAM for MicroPython's littlefs, that counts and whose power can be cut.

The geometry is the ESP32's: erase blocks of 4096 bytes, and VfsLfs2's own defaults (reads,
programs and lookahead of 32 bytes), which the port's boot code uses, too. Programming only clears
bits, as on the real thing. Imports only MicroPython's `vfs`, when the file system is first used.
"""

BLOCK_BYTES = 4096
PROGRAM_BYTES = 32
CI_BLOCKS = 64
BOARD_BLOCKS = 512  # 2 MB

MOUNT = "/flash"

_BLOCK_COUNT = 4  # the ioctls of a MicroPython block device
_BLOCK_SIZE = 5
_BLOCK_ERASE = 6
_EIO = 5
_ERASED = b"\xff" * BLOCK_BYTES
_LEHMER = 2147483647


class Flash:
    """`blocks` blocks, erased.

    Counts `erases`, `programs`, `reads`, `written` bytes, and by block erases in `worn` and reads
    in `looked_at`.
    """

    def __init__(self, blocks=CI_BLOCKS, seed=1):
        self._blocks: "list[bytes | bytearray]" = [_ERASED] * blocks
        self._random = seed % (_LEHMER - 1) + 1
        self.clear_counts()
        self.power_on()

    def clear_counts(self):
        """Count from nothing."""
        self.erases = self.programs = self.reads = self.written = 0
        self.worn = [0] * len(self._blocks)
        self.looked_at = [0] * len(self._blocks)

    # --- power -----------------------------------------------------------------------------------

    def cut_at(self, operation, torn):
        """Cut the power at the `operation`-th program or erase from now, the first being 0.

        Torn, that operation is done in part and leaves garbage; clean, it is not done. From then
        on `off` is true and every call of the file system ends in OSError (EIO). (An exception in
        place of that would be more like a cut, but leaves files open, and MicroPython closes those
        when it collects them.)
        """
        self._left = operation
        self._torn = torn

    def power_on(self):
        """Power without a cut to come; what is in the flash stays."""
        self._left = -1
        self._torn = False
        self.off = False

    def image(self):
        """All blocks as they are: a list of bytes, which no later change touches."""
        for number in range(len(self._blocks)):
            block = self._blocks[number]
            if isinstance(block, bytearray):
                self._blocks[number] = bytes(block)
        return list(self._blocks)

    def restore(self, image):
        """Put an earlier image in place, and switch on."""
        self._blocks = list(image)
        self.power_on()

    def flip(self, block, bit):
        """Turn one bit of a block, as radiation or wear does."""
        self._own(block)[bit >> 3] ^= 1 << (bit & 7)

    # --- file system -----------------------------------------------------------------------------

    def format(self):
        """Make an empty littlefs."""
        import vfs

        vfs.VfsLfs2.mkfs(self)

    def mount(self):
        """Mount it at MOUNT. Raises OSError if there is no file system that littlefs can read."""
        import vfs

        vfs.mount(vfs.VfsLfs2(self), MOUNT)

    def unmount(self):
        """Unmount it, also after a power cut: that writes nothing."""
        import vfs

        vfs.umount(MOUNT)

    # --- block device, which littlefs calls ------------------------------------------------------

    def readblocks(self, block, buffer, offset=0):
        """Read part of a block."""
        if self.off:
            return -_EIO
        self.reads += 1
        self.looked_at[block] += 1
        buffer[:] = memoryview(self._blocks[block])[offset : offset + len(buffer)]
        return 0

    def writeblocks(self, block, buffer, offset=0):
        """Program part of a block: bits go from 1 to 0."""
        if offset % PROGRAM_BYTES or len(buffer) % PROGRAM_BYTES:
            raise ValueError("a program that is not aligned")
        if self.off:
            return -_EIO
        cut = self._is_cut()
        if not cut or self._torn:
            length = self._below(len(buffer)) if cut else len(buffer)
            self._program(block, buffer, offset, length)
            if cut:  # the byte that was under way
                self._own(block)[offset + length] &= buffer[length] | self._below(256)
        if cut:
            return -_EIO
        self.programs += 1
        self.written += len(buffer)
        return 0

    def ioctl(self, operation, argument):
        """Geometry, and the erasing of a block."""
        if operation == _BLOCK_COUNT:
            return len(self._blocks)
        if operation == _BLOCK_SIZE:
            return BLOCK_BYTES
        if operation == _BLOCK_ERASE:
            return self._erase(argument)
        return -_EIO if self.off else 0

    def _erase(self, block):
        if self.off:
            return -_EIO
        cut = self._is_cut()
        if not cut:
            self._blocks[block] = _ERASED
        elif self._torn:
            # Some cells are erased, some on their way and read as they please, some as before.
            own = self._own(block)
            first = self._below(BLOCK_BYTES)
            own[:first] = _ERASED[:first]
            for index in range(first, min(first + 64, BLOCK_BYTES)):
                own[index] |= self._below(256)
        if cut:
            return -_EIO
        self.erases += 1
        self.worn[block] += 1
        return 0

    def _program(self, block, buffer, offset, length):
        own = self._own(block)
        if own[offset : offset + length] == _ERASED[:length]:
            own[offset : offset + length] = memoryview(buffer)[:length]
            return
        for index in range(length):
            own[offset + index] &= buffer[index]

    def _is_cut(self):
        self._left -= 1
        self.off = self._left == -1
        return self.off

    def _own(self, block):
        """The block as a bytearray that no image shares."""
        own = self._blocks[block]
        if not isinstance(own, bytearray):
            own = self._blocks[block] = bytearray(own)
        return own

    def _below(self, limit):
        self._random = self._random * 48271 % _LEHMER
        return self._random % limit
