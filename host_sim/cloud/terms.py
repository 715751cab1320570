"""The terms of a share as people write them, both ways.

a rule      [deny] DAYS [HH:MM-HH:MM] [utc] [from DATE] [to DATE]
            mon-fri 08:00-16:00 | deny sat,sun | fri,sat 22:00-06:00
            daily from 2026-07-01 to 2026-08-31
an instant  2026-07-01T12:00Z, or 2026-07-01T12:00 on the wall clock of the lock
a duration  90 s, 15 min, 2 h, 30 d, 1 d 12 h
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from firmware.policy.grant import ALL_RIGHTS, GUEST, GUEST_RIGHTS, Grant, normalise
from firmware.policy.instant import DAY_S, Instant, from_unix
from firmware.policy.schedule import EVERY_DAY, NO_FIRST_DAY, NO_LAST_DAY, Rule
from firmware.policy.zone import Wall, Zone
from host_sim.words import ACTION_NAMES, CHANNEL_NAMES, LEVEL_NAMES, duration, iso, readable

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = date(1970, 1, 1)
_UNITS_S = {"d": DAY_S, "h": 3600, "min": 60, "s": 1}
_RULE = re.compile(
    r"""(?P<deny>deny\s+)?
        (?P<days>daily|[a-z]{3}(?:[,-][a-z]{3})*)
        (?:\s+(?P<start>\d\d:\d\d(?::\d\d)?)-(?P<end>\d\d:\d\d(?::\d\d)?))?
        (?P<utc>\s+utc)?
        (?:\s+from\s+(?P<first>\d{4}-\d\d-\d\d))?
        (?:\s+to\s+(?P<last>\d{4}-\d\d-\d\d))?""",
    re.VERBOSE | re.ASCII,
)


class TermsError(ValueError):
    """Something that cannot be read; the message quotes it and says what is expected."""


def read_rule(text: str) -> Rule:
    """A rule from text. Raises TermsError."""
    found = _RULE.fullmatch(text.strip().lower())
    if not found:
        raise TermsError(f"{text!r} is no rule; write for example 'mon-fri 08:00-16:00'")
    start, end = found["start"], found["end"]
    return Rule(
        _read_days(found["days"]),
        _read_time(start) if start else 0,
        _read_time(end) if end else DAY_S,
        allow=not found["deny"],
        utc=bool(found["utc"]),
        first_day=_read_day(found["first"]),
        last_day=_read_day(found["last"]),
    )


def write_rule(rule: Rule) -> str:
    """A rule as text that `read_rule` reads."""
    words = [] if rule.allow else ["deny"]
    words.append(write_days(rule.weekdays))
    if (rule.start_s, rule.end_s) != (0, DAY_S):
        words.append(f"{write_time(rule.start_s)}-{write_time(rule.end_s)}")
    if rule.utc:
        words.append("utc")
    if rule.first_day != NO_FIRST_DAY:
        words.append(f"from {_EPOCH + timedelta(rule.first_day)}")
    if rule.last_day != NO_LAST_DAY:
        words.append(f"to {_EPOCH + timedelta(rule.last_day)}")
    return " ".join(words)


def write_days(mask: int) -> str:
    """A weekday mask as text: `daily`, `mon-fri`, `tue,thu`."""
    if mask == EVERY_DAY:
        return "daily"
    runs: list[list[str]] = []
    for place, day in enumerate(DAYS):
        if mask >> place & 1:
            if place and mask >> (place - 1) & 1:
                runs[-1].append(day)
            else:
                runs.append([day])
    return ",".join(_write_run(run) for run in runs) or "no day"


def _write_run(run: list[str]) -> str:
    return f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(run)


def write_time(second: int) -> str:
    """A second of the day as `08:00`, with seconds only where there are some."""
    minutes, seconds = divmod(second, 60)
    clock = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{clock}:{seconds:02}" if seconds else clock


def _read_days(text: str) -> int:
    mask = 0
    for part in text.split(","):
        if part == "daily":
            return EVERY_DAY
        first, _, last = part.partition("-")
        start, end = _read_weekday(first), _read_weekday(last or first)
        for step in range((end - start) % 7 + 1):
            mask |= 1 << (start + step) % 7
    return mask


def _read_weekday(text: str) -> int:
    if text not in DAYS:
        raise TermsError(f"{text!r} is no day of the week; write {', '.join(DAYS)} or daily")
    return DAYS.index(text)


def _read_time(text: str) -> int:
    hours, minutes, *seconds = [int(part) for part in text.split(":")]
    second = 3600 * hours + 60 * minutes + sum(seconds)
    if minutes > 59 or sum(seconds) > 59 or second > DAY_S:
        raise TermsError(f"{text!r} is no time of day")
    return second


def _read_day(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return (date.fromisoformat(text) - _EPOCH).days
    except ValueError:
        raise TermsError(f"{text!r} is no date; write for example 2026-07-01") from None


def read_instant(text: str, zone: Zone) -> Instant:
    """An instant from text; without a zone it is what the lock's wall clock shows.

    Where the wall clock shows a time twice the first is meant. Raises TermsError, also for a time
    that it skips.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise TermsError(f"{text!r} is no time; write for example 2026-07-01T12:00Z") from None
    if moment.microsecond:
        raise TermsError(f"{text!r} is not a whole second")
    if moment.tzinfo is not None:
        return from_unix(int(moment.timestamp()))
    return local_instant(moment, zone)


def local_instant(moment: datetime, zone: Zone) -> Instant:
    """The first instant at which the wall clock shows a time. Raises TermsError if none does."""
    shown = from_unix(int(moment.replace(tzinfo=UTC).timestamp()))
    wall = Wall()
    offsets = set()
    for near_s in (-DAY_S, DAY_S):
        at = Instant(shown.day, shown.second)
        at.shift(near_s)
        zone.local(at, wall)
        offsets.add(at.until(wall))
    for offset_s in sorted(offsets, reverse=True):
        at = Instant(shown.day, shown.second)
        at.shift(-offset_s)
        zone.local(at, wall)
        if wall == shown:
            return at
    raise TermsError(f"the wall clock of the lock never shows {moment.isoformat(' ')}")


def local_datetime(at: Instant, zone: Zone) -> datetime:
    """What the wall clock of a zone shows at an instant."""
    wall = Wall()
    zone.local(at, wall)
    return datetime(1970, 1, 1) + timedelta(wall.day, wall.second)


def read_duration(text: str) -> int:
    """Seconds from text. Raises TermsError."""
    if not re.fullmatch(r"\s*(\d{1,9}\s*(d|h|min|s)\s*)+", text, re.ASCII):
        raise TermsError(f"{text!r} is no duration; write for example 90 s, 2 h or 1 d 12 h")
    return sum(int(n) * _UNITS_S[unit] for n, unit in re.findall(r"(\d+)\s*(d|h|min|s)", text))


class Terms(BaseModel):
    """What a share allows, in the project's own words; what is left out does not limit it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    level: str = "guest"
    rights: list[str] | None = None
    channels: list[str] = list(CHANNEL_NAMES.values())
    start: str | None = Field(default=None, alias="from")
    until: str | None = None
    lease: str | None = None
    rules: list[str] = []
    uses: int | None = None
    after_first_use: str | None = None
    duress: bool = False
    parent: str | None = None

    def write(self, grant: Grant, zone: Zone) -> None:
        """Set the terms of a grant to these. Raises TermsError."""
        grant.level = _number(self.level, LEVEL_NAMES, "level")
        grant.rights = GUEST_RIGHTS if grant.level == GUEST else ALL_RIGHTS
        if self.rights is not None:
            grant.rights = _mask(self.rights, ACTION_NAMES, "right")
        grant.channels = _mask(self.channels, CHANNEL_NAMES, "channel")
        grant.start = _optional(self.start, zone)
        grant.until = _optional(self.until, zone)
        grant.lease = _optional(self.lease, zone)
        grant.rules = [read_rule(rule) for rule in self.rules]
        grant.uses = self.uses
        lasts = self.after_first_use
        grant.after_first_use_s = None if lasts is None else read_duration(lasts)
        grant.duress = self.duress
        grant.parent = None if self.parent is None else self.parent.encode()
        normalise(grant)


def write_terms(grant: Grant) -> dict[str, Any]:
    """The terms of a grant in these words, UTC for instants; `Terms` reads them."""
    terms = {
        "level": LEVEL_NAMES[grant.level],
        "rights": _names(grant.rights, ACTION_NAMES),
        "channels": _names(grant.channels, CHANNEL_NAMES),
        "from": grant.start and iso(grant.start),
        "until": grant.until and iso(grant.until),
        "lease": grant.lease and iso(grant.lease),
        "rules": [write_rule(rule) for rule in grant.rules] or None,
        "uses": grant.uses,
        "after_first_use": grant.after_first_use_s and duration(grant.after_first_use_s),
        "duress": grant.duress or None,
        "parent": grant.parent and readable(grant.parent),
    }
    return {name: value for name, value in terms.items() if value is not None}


def _optional(text: str | None, zone: Zone) -> Instant | None:
    return None if text is None else read_instant(text, zone)


def _names(mask: int, table: dict[int, str]) -> list[str]:
    return [name for bit, name in table.items() if mask & bit]


def _mask(names: list[str], table: dict[int, str], what: str) -> int:
    mask = 0
    for name in names:
        mask |= _number(name, table, what)
    return mask


def _number(name: str, table: dict[int, str], what: str) -> int:
    for number, known in table.items():
        if known == name:
            return number
    raise TermsError(f"{name!r} is no {what}; there are {', '.join(table.values())}")
