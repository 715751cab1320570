"""Files that other programs look at while they are written."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """The whole content or nothing new, whatever was there before."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_bytes(content)
        os.replace(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
