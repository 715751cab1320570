"""Tests with one source and three runtimes: CPython, MicroPython 64-bit and MicroPython 32-bit."""
