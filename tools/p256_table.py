"""Writes firmware/crypto/p256_table.py: the comb table of the P-256 base point.

`python -m tools.p256_table`. The points come from PyPI `cryptography` (OpenSSL), one scalar
multiplication each, not from the code that will use them; a test runs this again and compares.
May import anything of the host; nothing imports it but its test.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
TEETH = 7
COLUMNS = 37
BYTES_PER_LINE = 20
TARGET = Path(__file__).parent.parent / "firmware" / "crypto" / "p256_table.py"

HEADER = '''"""The comb table of the P-256 base point, written by tools/p256_table.py; do not edit.

64 affine points, 64 bytes each (x, y; big-endian): place p holds
2^222*G + sum over i = 0..5 of (+ if bit i of p is set, else -) 2^(37*i)*G.
"""

# fmt: off
G_TABLE = (
'''


def table(private: int = 1) -> bytes:
    """The 64 points, 4096 bytes, for the base point or `private` times it."""
    points = []
    for place in range(1 << (TEETH - 1)):
        scalar = 1 << (COLUMNS * (TEETH - 1))
        for tooth in range(TEETH - 1):
            sign = 1 if place >> tooth & 1 else -1
            scalar += sign << (COLUMNS * tooth)
        point = (
            ec.derive_private_key(scalar * private % N, ec.SECP256R1())
            .public_key()
            .public_numbers()
        )
        points.append(point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big"))
    return b"".join(points)


def source() -> str:
    """The module's text."""
    raw = table()
    lines = []
    for start in range(0, len(raw), BYTES_PER_LINE):
        escapes = "".join(f"\\x{byte:02x}" for byte in raw[start : start + BYTES_PER_LINE])
        lines.append(f'    b"{escapes}"\n')
    return HEADER + "".join(lines) + ")\n"


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="ascii")
    print(TARGET)
