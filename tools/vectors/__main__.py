"""Write the vectors, or check that they are up to date."""

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

import tools.vectors

FOLDER = Path(__file__).parents[2] / "firmware_tests" / "vectors"


def files():
    """Yield (path, text) of everything that the modules of this package make."""
    for module in sorted(found.name for found in pkgutil.iter_modules(tools.vectors.__path__)):
        made = getattr(importlib.import_module(f"tools.vectors.{module}"), "files", None)
        if made and module != "__main__":
            yield from ((FOLDER / name, text) for name, text in made())


def stale() -> list[Path]:
    """The files that differ from what would be written."""
    return [
        path
        for path, text in files()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tools.vectors", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if something would change"
    )
    if parser.parse_args().check:
        for path in (old := stale()):
            print(f"{path.name} is out of date: run `make vectors`", file=sys.stderr)
        return 1 if old else 0
    for path, text in files():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{path.name}: {len(text)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
