"""How many rounds a randomised test makes, and from which seed.

For tests on every runtime: imports only os. A module that imports this one is part of `make soak`.

A test that would fill a heap which is never collected can be run in parts: its module says
`PARTS = {"test_x": 50}`, and at full length MicroPython's children run it 50 times, each time with
another seed and a 50th of the rounds.
"""

import os

part = 0  # which of how many parts this is; set by whoever runs the test
parts = 1


def count(full: int, ci: int) -> int:
    """`full` rounds when SOAK=1 is in the environment, else `ci`: at least 1 % of them."""
    if ci * 100 < full:
        raise ValueError("fewer than 1 % of the rounds in ordinary runs")
    return full // parts if os.getenv("SOAK") == "1" else ci


def seed() -> int:
    """The run's seed, from SEED in the environment; pytest chooses one, prints it and sets it."""
    return int(os.getenv("SEED") or "1") + part


class Random:
    """Test data that a seed repeats, the same on every runtime (one of which has no `random`).

    Lehmer's generator with Park and Miller's second multiplier, modulo the prime 2^31-1. Not for
    keys.
    """

    def __init__(self, seed: int) -> None:
        self._state = seed % 2147483646 + 1

    def below(self, limit: int) -> int:
        """An int in range(limit), about evenly for a limit far below 2^31."""
        self._state = self._state * 48271 % 2147483647
        return self._state % limit

    def bytes(self, length: int) -> bytes:
        """`length` bytes."""
        return bytes([self.below(256) for _ in range(length)])
