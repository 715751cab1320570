"""Tests of the sources themselves: which module imports which, style, types, and the harness."""
