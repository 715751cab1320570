"""Prints the records of a story for people, or as JSON lines for programs."""

import json
from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.text import Text

from firmware.policy.instant import DAY_S, from_unix
from firmware.policy.zone import Zone

from .cloud.terms import local_datetime
from .grid import HOURS, week
from .story import Record


def tell_json(records: Iterable[Record], console: Console) -> int:
    """One JSON object a line; returns the number of surprises."""
    surprises = 0
    for record in records:
        console.out(json.dumps(record, ensure_ascii=False), highlight=False)
        surprises = record.get("surprises", 0)
    return surprises


class Teller:
    """For people: times on the wall clock of the lock, one line for each decision."""

    def __init__(self, console: Console):
        self._console = console
        self._zone = Zone("UTC0")
        self._day = ""

    def tell(self, records: Iterable[Record]) -> int:
        """Print all; returns the number of surprises."""
        surprises = 0
        for record in records:
            getattr(self, "_" + record["kind"])(record)
            surprises = record.get("surprises", 0)
        return surprises

    def _line(self, *parts: str | tuple[str, str]) -> None:
        self._console.print(Text.assemble(*parts), soft_wrap=True)

    def _lock(self, record: Record) -> None:
        self._zone = Zone(record["posix"])
        self._line((record["title"], "bold"))
        self._line(
            f"The lock {record['lock']!r} runs on {record['runtime']}, in {record['zone']} "
            f"({record['posix']}); its clock says {self._moment(record['at'])}."
        )

    def _share(self, record: Record) -> None:
        self._line()
        self._line((record["who"], "bold"), f"  {record['title']}")

    def _change(self, record: Record) -> None:
        self._step(record, (f"{record['who']}: {record['title']}", "cyan"))

    def _refused(self, record: Record) -> None:
        problem = (record["problem"], "yellow")
        self._line(f"  {record['body']} as it was printed: ", problem, self._surprise(record))

    def _unsigned(self, record: Record) -> None:
        self._line("  not signed: ", (record["reason"], "red"), self._surprise(record))

    def _waiting(self, record: Record) -> None:
        self._line("            signed; waits in the cloud for the network")

    def _statement(self, record: Record) -> None:
        taken = record["reason"] == "allowed"
        self._line(
            f"  {record['who']}: share {record['share']}, version {record['version']}, "
            f"{record['bytes']} bytes signed; the lock: ",
            ("taken in", "green") if taken else (f"refused, {record['reason']}", "red"),
            self._surprise(record),
        )
        for name, value in record["terms"].items():
            shown = ", ".join(value) if isinstance(value, list) else str(value)
            self._line((f"    {name.replace('_', ' '):15} ", "dim"), shown)

    def _grid(self, record: Record) -> None:
        start = int(datetime.fromisoformat(record["start"]).timestamp())
        self._line((f"              {HOURS}", "dim"))
        for row, cells in enumerate(week(from_unix(start), self._zone, record["spans"])):
            day = self._local(start + row * DAY_S + DAY_S // 2)
            self._line((f"    {day:%a %d %b}  ", "dim"), (cells, "green"))

    def _event(self, record: Record) -> None:
        value = record["value"]
        if record["what"] == "clock" and value != "unknown":
            value = f"good to {value} s"
        elif isinstance(value, bool):
            value = "on" if value else "off"
        self._step(record, (f"{record['what']}: {value}", "cyan"))

    def _bring(self, record: Record) -> None:
        what = f"{record['who']}'s grant is brought, {record['what']}: "
        if record["reason"] != "allowed":
            said = (f"refused, {record['reason']}", "green")
        elif record["what"] == "replayed":
            said = ("still good, nothing changes", "green")
        else:
            said = ("taken in", "red")
        self._step(record, what, said, self._surprise(record))

    def _visit(self, record: Record) -> None:
        what = f"{record['who']:10} {record['action']:8} {record['channel']:6}  "
        if record["reason"] == "allowed":
            bolt = f", the bolt {record['bolt']}" if "bolt" in record else ""
            self._step(record, what, ("allowed", "green"), bolt, self._surprise(record))
            return
        later = f", next {self._moment(record['next'])}" if record["next"] else ""
        denied = (f"denied, {record['reason']}", "red")
        self._step(record, what, denied, later, self._surprise(record))

    def _end(self, record: Record) -> None:
        count = record["surprises"]
        bad = (f"{count} not as expected", "bold red")
        verdict = bad if count else ("as expected", "green")
        self._line()
        self._line(f"{record['steps']} steps, ", verdict, ".")

    def _step(self, record: Record, *parts: str | tuple[str, str]) -> None:
        """A line that begins with the time, below a heading for each new day."""
        local = self._local(int(datetime.fromisoformat(record["at"]).timestamp()))
        day = f"{local:%A %d %B %Y}"
        if day != self._day:
            self._day = day
            self._line()
            self._line((day, "bold"))
        self._line(f"  {local:%H:%M:%S}  ", *parts)

    def _surprise(self, record: Record) -> tuple[str, str]:
        if record["ok"]:
            return "", ""
        wanted = record.get("expected", "")
        if "expected_next" in record:
            wanted += f", next {record['expected_next'] or 'never'}"
        if "expected_bolt" in record:
            wanted += f", the bolt {record['expected_bolt']}"
        return f"   <- expected {wanted}", "bold red"

    def _moment(self, text: str) -> str:
        local = self._local(int(datetime.fromisoformat(text).timestamp()))
        return f"{local:%a %Y-%m-%d %H:%M:%S}"

    def _local(self, unix_s: int) -> datetime:
        return local_datetime(from_unix(unix_s), self._zone)
