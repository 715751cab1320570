"""The host simulator: the same firmware on a desk, with a world, a share cloud and a phone.

May import firmware; never tools or firmware_tests.
"""
