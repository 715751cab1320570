"""Runs first on the board; nothing here can raise, or main.py would not run."""

try:
    import machine

    machine.freq(240_000_000)  # a stock image boots at 160 MHz
except (ImportError, AttributeError, ValueError, OSError):
    pass  # another chip, or no chip at all
