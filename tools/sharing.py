"""Writes the table in docs/sharing.md from the service's own: `python -m tools.sharing`."""

import re
from pathlib import Path

from host_sim.cloud.domain.permissions import MAY, Act, Standing

PAGE = Path(__file__).parent.parent / "docs" / "sharing.md"
_TABLE = re.compile(r"(?<=<!-- made by `make docs` -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)


def page() -> str:
    """The page as it should be."""
    return _TABLE.sub(_table(), PAGE.read_text(encoding="utf-8"))


def _table() -> str:
    lines = [
        "| | " + " | ".join(each.value for each in Standing) + " |",
        "|---|" + ":-:|" * len(Standing),
    ]
    for act in Act:
        cells = ("yes" if act in MAY[standing] else "" for standing in Standing)
        lines.append(f"| {act.value} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote the table in {PAGE.name}")
