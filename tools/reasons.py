"""Writes docs/reasons.md from the table of words: `python -m tools.reasons`."""

from pathlib import Path

from host_sim import words

PAGE = Path(__file__).parent.parent / "docs" / "reasons.md"
_HEAD = """\
# Reasons

Every answer of the lock has one of these numbers, in the log, over the radio, in the cloud and in
the tools. A number never changes its meaning and is never used again. Made by `make docs` from
`firmware/policy/reasons.py`, which has the numbers, and `host_sim/words.py`, which has the words.
"""
_SECTIONS = (
    ("To somebody who wants something of the lock", range(64)),
    ("To somebody who brings a statement", range(64, 128)),
    ("What happened to the clock", range(128, 160)),
    ("What happened to the door", range(160, 192)),
)


def page() -> str:
    """The whole page."""
    lines = [_HEAD]
    for title, numbers in _SECTIONS:
        lines += [f"## {title}", "", "| number | name | meaning |", "|---:|---|---|"]
        for number, name, text in words.TABLE:
            if number in numbers:
                lines.append(f"| {number} | `{name}` | {text} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")
