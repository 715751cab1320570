"""Writes docs/reasons.md from the lock's own table: `python -m tools.reasons`."""

from pathlib import Path

from firmware.policy import reasons

PAGE = Path(__file__).parent.parent / "docs" / "reasons.md"
_HEAD = """\
# Reasons

Every answer of the lock has one of these numbers, in the log, over the radio, in the cloud and in
the tools. A number never changes its meaning and is never used again. Made by `make docs` from
`firmware/policy/reasons.py`.
"""
_SECTIONS = (
    ("To somebody who wants something of the lock", range(64)),
    ("To somebody who brings a statement", range(64, 128)),
)


def page() -> str:
    """The whole page."""
    lines = [_HEAD]
    for title, numbers in _SECTIONS:
        lines += [f"## {title}", "", "| number | name | meaning |", "|---:|---|---|"]
        for number, name, text in reasons.TABLE:
            if number in numbers:
                lines.append(f"| {number} | `{name}` | {text} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")
