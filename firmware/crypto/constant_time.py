"""Comparison whose time does not tell where secrets differ. Imports nothing."""


def equal(a: bytes, b: bytes) -> bool:
    """Whether two byte strings are equal; the time it takes tells only their lengths."""
    if len(a) != len(b):
        return False
    difference = 0
    for i in range(len(a)):
        difference |= a[i] ^ b[i]
    return difference == 0
