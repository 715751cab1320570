"""Tests of one module at a time, on CPython."""
