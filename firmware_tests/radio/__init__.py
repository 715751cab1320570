"""Locks and phones over a simulated radio: real MicroPython below, unmodified bleak above."""
