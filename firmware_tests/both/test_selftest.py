"""The self-test passes, and notices each part that is broken."""

from firmware import selftest
from firmware_tests.both.check import equal


def test_all_is_well():
    equal(selftest.run(), None)


def test_a_broken_part_is_named():
    for name, attribute in (("signatures", "p256"), ("zones", "Zone"), ("decisions", "decide")):
        kept = getattr(selftest, attribute)
        setattr(selftest, attribute, _Broken)
        try:
            equal(selftest.run(), name)
        finally:
            setattr(selftest, attribute, kept)


class _Broken:
    """Stands for a module, a class and a function, and is wrong in all of these parts."""

    def __init__(self, *arguments):
        pass

    def local(self, at, wall):
        """Never touches the wall clock."""

    @staticmethod
    def PublicKey(x, y):
        """No key at all."""

    @staticmethod
    def verify(digest, signature, key):
        """Finds everything in order."""
        return True
