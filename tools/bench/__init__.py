"""Benchmarks: each module has a `rows()` generator; `python -m tools.bench` prints them all."""
