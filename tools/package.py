"""Writes package.json, from which `mpremote mip install` copies the sources: run by `make docs`.

The libraries are not in it: stock images for the ESP32 have them. May import host_sim.runtimes.
"""

import json

from host_sim.runtimes import ROOT

PAGE = ROOT / "package.json"


def page() -> str:
    """Its text: pairs of a path on the board, and one here."""
    paths = [path.relative_to(ROOT).as_posix() for path in (ROOT / "firmware").rglob("*.py")]
    lines = [f"    {json.dumps([path, path])}" for path in sorted([*paths, "boot.py", "main.py"])]
    return '{\n  "urls": [\n' + ",\n".join(lines) + "\n  ]\n}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
