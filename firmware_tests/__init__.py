"""Every test of the project: `both/` on CPython and two MicroPython builds, the rest on CPython.

This file stays empty of code: MicroPython imports it on the way to `firmware_tests.both`.
"""
