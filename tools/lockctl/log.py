"""`lockctl log`: the audit log, as a lock exports it."""

from pathlib import Path
from typing import Any, BinaryIO

import click
from rich.text import Text

from firmware.store import entry
from firmware.store.export import HEAD_BYTES, HeadError, read_head
from firmware.store.seal import Seal
from host_sim.cloud.entries import Fault, described, faults, meaning

from .cli import NO, BadInput, Group, json_option
from .output import console, print_json, table

_KEY_BYTES = 32


@click.group(cls=Group)
def log() -> None:
    """The audit log, as a lock exports it."""


@log.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The log's key, 64 hexadecimal digits in a file: checks who wrote the entries, too.",
)
@click.option("--link", metavar="HEX", help="The link that the first entry has to continue.")
@click.option("--entries", "show_all", is_flag=True, help="Show every entry.")
@json_option
def verify(
    file: BinaryIO, key: Path | None, link: str | None, show_all: bool, as_json: bool
) -> None:
    """Check the chain, the numbers and the gaps of an exported log.

    Prints what is wrong, with the place in the file; and what the log itself says is missing.
    Exits with 0 if every entry is as the lock chained it, with 1 if something is wrong, with 2 if
    FILE is no export.

    \b
    Example:
      lockctl log verify front-door.slog --key front-door.key
    """
    export = _Export(file.read(), file.name)
    if link is not None:
        export.previous = _hex(link, entry.LINK_BYTES, "--link")
    seal = Seal(_hex(key.read_text("ascii").strip(), _KEY_BYTES, str(key))) if key else None
    export.check(seal)
    if as_json:
        print_json(export.members(show_all))
    else:
        export.tell(show_all)
    click.get_current_context().exit(NO if export.faults else 0)


class _Export:
    """An export: a head, then entries; after `check`, also the faults."""

    def __init__(self, content: bytes, name: str) -> None:
        try:
            self.after, self.previous = read_head(content[:HEAD_BYTES])
        except HeadError as error:
            raise BadInput(f"{name}: {error}") from None
        body = content[HEAD_BYTES:]
        whole = len(body) // entry.BYTES * entry.BYTES
        self.records = [body[at : at + entry.BYTES] for at in range(0, whole, entry.BYTES)]
        self.entries = [entry.Entry(record) for record in self.records]
        self.rest = len(body) - whole
        self.faults: list[Fault] = []
        self.sealed = "unchecked"

    def check(self, seal: Seal | None) -> None:
        """Find the faults."""
        self.faults = faults(self.records, self.previous, self.after or None, seal)
        if self.rest:
            text = f"{self.rest} bytes are left over: the file was cut"
            self.faults.append(Fault(len(self.records), "length", text))
        if seal:
            self.sealed = "wrong" if any(name == "tag" for _, name, _ in self.faults) else "good"

    def notes(self) -> list[entry.Entry]:
        """Entries in which the log itself tells of gaps, damage and unclean stops."""
        bad = {place for place, _, _ in self.faults}
        return [
            each
            for place, each in enumerate(self.entries)
            if place not in bad
            and (
                each.kind in (entry.GAP, entry.DAMAGE)
                or (each.kind, each.reason) == (entry.BOOT, entry.UNCLEAN)
            )
        ]

    def members(self, show_all: bool) -> dict[str, Any]:
        """What is printed as JSON."""
        members: dict[str, Any] = {
            "good": not self.faults,
            "entries": len(self.entries),
            "first": self.entries[0].sequence if self.entries else None,
            "last": self.entries[-1].sequence if self.entries else None,
            "link": self.entries[-1].link.hex() if self.entries else None,
            "beginning": "known" if self.previous is not None else "unknown",
            "tags": self.sealed,
            "faults": [
                {"entry": place, "offset": _offset(place), "fault": name, "text": text}
                for place, name, text in self.faults
            ],
            "notes": [
                {"sequence": each.sequence, "count": each.count, "text": meaning(each)}
                for each in self.notes()
            ],
        }
        if show_all:
            members["log"] = [described(each) for each in self.entries]
        return members

    def tell(self, show_all: bool) -> None:
        """Print it for people."""
        out = console()
        if show_all:
            shown = table("number", "time", "clock", "kind", "share", "count", "what")
            for each in self.entries:
                fields = described(each)
                shown.add_row(
                    str(each.sequence),
                    fields["time"],
                    fields["clock"],
                    fields["kind"],
                    fields["share"] or "",
                    str(each.count),
                    fields["what"],
                )
            out.print(shown)
        for place, name, text in self.faults:
            where = f"  entry {place} at byte {_offset(place)}: {text}"
            out.print(Text.assemble((name, "bold red"), where), soft_wrap=True)
        for each in self.notes():
            where = f"  number {each.sequence}: {meaning(each)} ({each.count})"
            out.print(Text.assemble(("note", "yellow"), where), soft_wrap=True)
        if self.previous is None:
            text = "  what came before the first entry is not known; --link HEX says it"
            out.print(Text.assemble(("note", "yellow"), text), soft_wrap=True)
        verdict = ("BROKEN", "bold red") if self.faults else ("GOOD", "bold green")
        text = f"  {len(self.entries)} entries"
        if self.entries:
            text += f", numbers {self.entries[0].sequence} to {self.entries[-1].sequence}"
            text += f", last link {self.entries[-1].link.hex()}"
        if self.sealed == "unchecked":
            text += "; who wrote them was not checked (--key)"
        out.print(Text.assemble(verdict, text), soft_wrap=True)


def _offset(place: int) -> int:
    return HEAD_BYTES + place * entry.BYTES


def _hex(text: str, length: int, what: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != length:
        raise BadInput(f"{what}: expected {2 * length} hexadecimal digits")
    return value
