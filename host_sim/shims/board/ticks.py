"""Gives CPython's `time` what MicroPython's has; imported for that alone."""

import time

if not hasattr(time, "ticks_ms"):
    time.ticks_ms = lambda: time.monotonic_ns() // 1_000_000
    time.ticks_diff = lambda late, early: late - early
    time.sleep_ms = lambda ms: time.sleep(ms / 1000)
