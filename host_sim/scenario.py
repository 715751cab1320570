"""A story about a lock as a TOML file; docs/simulator.md describes it.

Shares are handed out, changed and used in the order of their times. A time without a zone is what
the wall clock of the lock shows.
"""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from firmware.policy.instant import Instant, from_unix
from firmware.policy.zone import Zone, ZoneError
from host_sim import words

from .cloud.terms import Terms, TermsError, local_instant
from .world.zones import posix

Action = Literal["unlock", "lock", "pull", "read-log", "manage"]
Channel = Literal["local", "remote"]
Bolt = Literal["unknown", "locked", "unlocked", "jammed"]
Millivolts = Annotated[int, Field(ge=0, le=10_000)]
Seconds = Annotated[int, Field(ge=0, le=3600)]


class ScenarioError(Exception):
    """A file that tells no story; the message names the place and what is expected."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class LockTable(_Table):
    """`[lock]`: its id, its zone (of the tz database, or POSIX TZ) and where its clock starts."""

    id: str = Field(default="front-door", min_length=1, max_length=16)
    zone: str
    clock: datetime


class ShareTable(_Table):
    """`[[share]]`: who gets what, in the body of a tedee request or in our own terms."""

    at: datetime | None = None
    who: str = Field(min_length=1, max_length=32)
    title: str = ""
    body: str | None = None
    refused: str | None = None  # what is wrong with the body as it was printed
    level: int = 0  # for a body that is no more than a repeatEvent
    terms: Terms | None = None
    expect: str = "allowed"


class ChangeTable(_Table):
    """`[[change]]`: a share gets new terms, or ends."""

    at: datetime
    who: str
    title: str = ""
    body: str | None = None
    terms: Terms | None = None
    revoke: bool = False  # it ends
    expect: str = "allowed"


class VisitTable(_Table):
    """`[[visit]]`: somebody wants something of the lock."""

    at: datetime
    who: str
    action: Action = "unlock"
    channel: Channel = "local"
    proven: bool = True
    brings: bool = False  # what waits in the cloud for this share comes along on the phone
    expect: str
    next: datetime | Literal["never"] | None = None
    bolt: Bolt | None = None  # what it comes to


class BringTable(_Table):
    """`[[bring]]`: somebody brings a statement that they should not have."""

    at: datetime
    who: str
    what: Literal["replayed", "forged"]
    expect: str


class EventTable(_Table):
    """`[[event]]`: something happens to the lock."""

    at: datetime
    network: Literal["on", "off"] | None = None
    clock: Seconds | Literal["unknown"] | None = None  # the error of its clock from now on
    mode: Literal["normal", "vacation", "privacy", "no-remote", "passage"] | None = None
    courier: bool = False  # somebody brings the lock all that waits for it
    hand: Literal["lock", "unlock", "pull", "push", "swing", "slam"] | None = None
    jam: bool | None = None  # something is in the bolt's way, or no longer
    battery: Millivolts | None = None
    power: Literal["cut"] | None = None


class _File(_Table):
    title: str
    lock: LockTable
    share: list[ShareTable]
    change: list[ChangeTable] = []
    visit: list[VisitTable] = []
    event: list[EventTable] = []
    bring: list[BringTable] = []


Step = ShareTable | ChangeTable | VisitTable | EventTable | BringTable


@dataclass(frozen=True)
class Scenario:
    """A story: the lock, and what happens, in order; `folder` is where the files it names are."""

    title: str
    lock: LockTable
    zone: str
    start: Instant
    steps: list[tuple[Instant, Step]]
    folder: Path

    def instant(self, moment: datetime) -> Instant:
        """The instant of a time in the file. Raises ScenarioError."""
        return _instant(moment, Zone(self.zone))


def load(path: Path) -> Scenario:
    """Read a file. Raises ScenarioError, or OSError if it cannot be read."""
    try:
        file = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        zone = posix(file.lock.zone)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ZoneError) as error:
        raise ScenarioError(f"{path}: {error}") from None
    except ValidationError as error:
        raise ScenarioError("\n".join(f"{path}: {_problem(e)}" for e in error.errors())) from None
    start = _instant(file.lock.clock, Zone(zone))
    steps: list[tuple[Instant, Step]] = []
    tables: list[Step] = [*file.event, *file.share, *file.change, *file.bring, *file.visit]
    for table in tables:
        at = start if table.at is None else _instant(table.at, Zone(zone))
        if at.until(start) > 0:
            raise ScenarioError(f"{path}: {table.at} is before the lock's clock starts")
        steps.append((at, table))
    steps.sort(key=lambda step: (step[0].day, step[0].second, _fraction(step[1])))
    _check_names(path, file)
    return Scenario(file.title, file.lock, zone, start, steps, path.parent)


def _fraction(step: Step) -> int:
    """The part of its time below a second, which only says what came first."""
    return 0 if step.at is None else step.at.microsecond


def _check_names(path: Path, file: _File) -> None:
    known = {name for _, name, _ in words.TABLE}
    holders = [share.who for share in file.share]
    for who in holders:
        if holders.count(who) > 1:
            raise ScenarioError(f"{path}: {who!r} has more than one share; one for each holder")
    named: list[ChangeTable | BringTable] = [*file.change, *file.bring]
    for change in named:
        if change.who not in holders:
            raise ScenarioError(f"{path}: a change for {change.who!r}, who has no share")
    bodies: list[ShareTable | ChangeTable] = [*file.share, *file.change]
    for step in bodies:
        ends = isinstance(step, ChangeTable) and step.revoke
        if (step.body is not None) + (step.terms is not None) + ends != 1:
            raise ScenarioError(f"{path}: the share of {step.who!r} needs either a body or terms")
    answers: list[ShareTable | ChangeTable | VisitTable | BringTable]
    answers = [*bodies, *file.bring, *file.visit]
    for expecting in answers:
        if expecting.expect not in known:
            raise ScenarioError(f"{path}: {expecting.expect!r} is no reason; see docs/reasons.md")


def _instant(moment: datetime, zone: Zone) -> Instant:
    if moment.tzinfo is not None:
        return from_unix(int(moment.timestamp()))
    try:
        return local_instant(moment, zone)
    except TermsError as error:
        raise ScenarioError(str(error)) from None


def _problem(detail: Any) -> str:
    place = ".".join(str(step) for step in detail["loc"])
    return f"{place}: {detail['msg'].removeprefix('Value error, ')}"
