"""Share requests as clients of tedee's deviceShare API write them (v1.22 to v1.33).

There all dates and weekdays are UTC. The dates of `dayStartTime` and `dayEndTime` are ignored,
only their time of day counts; `startDate` and `endDate` are instants. A fraction of a second
rounds inwards, so that no rounding makes a share wider. A field that a change leaves out keeps its
value, null clears it.

The other way round, `shown` says a grant in these words. Where they have no room for it, it names
no weekday, so that nothing ever looks wider than it is; a change keeps what they cannot say, and
is refused where it cannot.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from math import ceil, floor
from typing import Annotated, Any, NamedTuple, NoReturn, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from firmware.policy.grant import (
    ALL_RIGHTS,
    ANY_CHANNEL,
    GUEST,
    GUEST_RIGHTS,
    LOCAL,
    OWNER,
    REMOTE,
    Grant,
    normalise,
)
from firmware.policy.instant import DAY_S, Instant, from_unix, iso
from firmware.policy.schedule import EVERY_DAY, NO_FIRST_DAY, NO_LAST_DAY, Rule

GROUP = 1  # the other type of principal, beside a user
NO_DAY = 0  # the weekdays of a share that is listed, and cannot be said
MOST_ID = 2**63 - 1

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2}T)?(\d{2}):(\d{2}):(\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)


class BadRequest(Exception):
    """A body that cannot be used; `problems` is all that is wrong with it, each with its place."""

    def __init__(self, *problems: str):
        super().__init__("; ".join(problems))
        self.problems = problems


class BadJson(BadRequest):
    """A text that is no JSON; `position` is where reading it stopped."""

    def __init__(self, problem: str, position: int):
        super().__init__(problem)
        self.position = position


class NotExpressible(BadRequest):
    """A change of something that this API has no words for, so that it cannot say what is left."""


def _time_of_day(text: object) -> Decimal | None:
    """Seconds of the day, 0..86400, with any fraction; a date before it is ignored."""
    if text is None:
        return None
    _, hours, minutes, seconds, fraction, zone = _parts(text)
    if zone not in ("Z", "+00:00"):
        raise ValueError("must be UTC, ending in Z, for so are the weekdays")
    time = 3600 * int(hours) + 60 * int(minutes) + Decimal(seconds + fraction)
    if int(minutes) > 59 or int(seconds) > 59 or time > DAY_S:
        raise ValueError("is not a time of day")
    return time


def _start(text: object) -> Instant | None:
    return _instant(text, up=True)


def _end(text: object) -> Instant | None:
    return _instant(text, up=False)


def _instant(text: object, up: bool) -> Instant | None:
    if text is None:
        return None
    date, hours, minutes, seconds, fraction, zone = _parts(text)
    if not date or not zone:
        raise ValueError("needs a date and a zone, as in 2020-12-14T08:09:57.781Z")
    whole = datetime.fromisoformat(f"{date}{hours}:{minutes}:{seconds}{zone}")
    return from_unix(int(whole.timestamp()) + (up and _has_fraction(fraction)))


def _parts(text: object) -> tuple[str, ...]:
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError("is not a time in ISO 8601, as in 2020-12-14T08:09:57.781Z")
    return found.groups("")


def _has_fraction(digits: str) -> bool:
    return digits.strip(".0") != ""


class Body(BaseModel):
    """Of a request of this API."""

    # An unknown field is an error: a misspelt endDate must not make a share that never ends.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)


_B = TypeVar("_B", bound=Body)


_TEXT = WithJsonSchema({"type": ["string", "null"], "examples": ["2020-12-14T08:09:57.781Z"]})


class _Times(Body):
    week_days: int | None = None
    day_start_time: Annotated[Any, BeforeValidator(_time_of_day), _TEXT] = None
    day_end_time: Annotated[Any, BeforeValidator(_time_of_day), _TEXT] = None
    start_date: Annotated[Any, BeforeValidator(_start), _TEXT] = None
    end_date: Annotated[Any, BeforeValidator(_end), _TEXT] = None


class RepeatEvent(_Times):
    """When a share is active: seconds of the day and instants in UTC, None for no limit."""

    id: int | None = None

    def rules(self, utc: bool = True) -> list[Rule]:
        """The window as rules of the lock, none without a limit; `utc=False` takes it as local."""
        if self.week_days is None and self.day_start_time is None and self.day_end_time is None:
            return []
        weekdays = EVERY_DAY if self.week_days is None else self.week_days
        start = 0 if self.day_start_time is None else self.day_start_time
        end = DAY_S if self.day_end_time is None else self.day_end_time
        start_s, end_s = ceil(start), floor(end)
        if start <= end:
            # With no whole second between them they would change places, and mean nearly all day.
            end_s = max(start_s, end_s)
        return [Rule(weekdays, start_s, end_s, utc=utc)]


class NewShare(Body):
    """The body of a POST, and with that all that a share says."""

    device_id: int = Field(ge=1, le=MOST_ID)
    user_email: str = Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    access_level: int = Field(ge=GUEST, le=OWNER)
    remote_access_disabled: bool = False
    repeat_event: RepeatEvent = RepeatEvent()

    def changed(self, change: "ShareChange") -> "NewShare":
        """The share after a change."""
        named = _named(change)
        if "repeat_event" in named:
            event = named["repeat_event"]
            named["repeat_event"] = self.repeat_event.model_copy(update=_named(event))
        return self.model_copy(update=named)

    def write_terms(self, grant: Grant, utc: bool = True) -> None:
        """Set the terms of a grant to the share's; `utc=False` takes its window as local."""
        grant.level = self.access_level
        grant.rights = _rights(self.access_level)
        grant.channels = LOCAL if self.remote_access_disabled else ANY_CHANNEL
        grant.start = self.repeat_event.start_date
        grant.until = self.repeat_event.end_date
        grant.rules = self.repeat_event.rules(utc)
        normalise(grant)


class ShareChange(Body):
    """The body of a PATCH: the share's id and the fields to change."""

    id: int = Field(ge=1, le=MOST_ID)
    access_level: int = Field(default=GUEST, ge=GUEST, le=OWNER)
    remote_access_disabled: bool = False
    repeat_event: RepeatEvent = RepeatEvent()

    def named(self) -> dict[str, Any]:
        """What it names, for `change`."""
        named = _named(self)
        return {**named, **_named(named.pop("repeat_event", RepeatEvent()))}


class Access(_Times):
    """The body of a PUT of the later API (v37), flat; what it leaves out has no limit."""

    access_level: int = Field(ge=GUEST, le=OWNER)
    remote_access_disabled: bool = False

    def named(self) -> dict[str, Any]:
        """All that it says, for `change`."""
        return {name: getattr(self, name) for name in Access.model_fields}


class Principal(Body):
    """Whom the later API gives access: a user by address, or a group by id."""

    principal_type: int = Field(default=0, ge=0, le=GROUP)
    principal_id: Annotated[UUID | None, Field(strict=False)] = None
    user_email: str | None = Field(default=None, max_length=254)


class NewAccess(Access, Principal):
    """The body of a POST of the later API."""


class Copies(Body):
    """The body of a POST to `copy-to`."""

    principals: list[Principal] = Field(min_length=1, max_length=100)


def _named(body: Body) -> dict[str, Any]:
    return {name: getattr(body, name) for name in body.model_fields_set - {"id"}}


def _rights(level: int) -> int:
    return GUEST_RIGHTS if level == GUEST else ALL_RIGHTS


class Shown(NamedTuple):
    """A grant in tedee's words, and the names of what they have no room for."""

    access_level: int
    remote_access_disabled: bool
    event: RepeatEvent
    not_expressible: tuple[str, ...]


def shown(grant: Grant) -> Shown:
    """A grant as it is listed: at no time, in no way and to nobody wider than it is."""
    unsaid = {
        "rights": grant.rights != _rights(grant.level),
        "channels": grant.channels == REMOTE,
        "rules": not _is_sayable(grant.rules),
        "uses": grant.uses is not None,
        "afterFirstUse": grant.after_first_use_s is not None,
        "parent": grant.parent is not None,
    }
    names = [name for name, is_so in unsaid.items() if is_so]
    event = _event(grant)
    if names:
        event = event.model_copy(update={"week_days": NO_DAY})
    if grant.duress:
        names.append("duress")  # which opens as often as it seems
    return Shown(grant.level, not grant.channels & REMOTE or "channels" in names, event, (*names,))


def change(grant: Grant, named: dict[str, Any]) -> None:
    """Set the terms that a change names; one that says what is shown anyway changes nothing.

    So whoever sends back what they were shown never loses, or widens, what was not. Raises
    BadRequest, and NotExpressible for what would change something that cannot be said.
    """
    before = shown(grant)
    level = named.get("access_level", grant.level)
    if level != grant.level:
        plain = grant.rights == _rights(grant.level)
        grant.rights = _rights(level) if plain else grant.rights & _rights(level)
        grant.level = level
    disabled = named.get("remote_access_disabled", before.remote_access_disabled)
    if disabled != before.remote_access_disabled:
        if "channels" in before.not_expressible:
            raise NotExpressible("remoteAccessDisabled: this share is for remote access only")
        grant.channels = LOCAL if disabled else ANY_CHANNEL
    times = {
        name: named[name]
        for name in _Times.model_fields
        if name in named and named[name] != getattr(before.event, name)
    }
    if times.keys() & _OF_RULES and "rules" in before.not_expressible:
        raise NotExpressible("repeatEvent: this share has rules that one window cannot express")
    event = _event(grant).model_copy(update=times)
    _check_window(event, times)
    grant.start, grant.until = event.start_date, event.end_date
    if times.keys() & _OF_RULES:
        grant.rules = event.rules()
    normalise(grant)


_OF_RULES = {"week_days", "day_start_time", "day_end_time"}


def _check_window(event: RepeatEvent, named: dict[str, Any]) -> None:
    """Refuse what is within one second, part of which was rounded earlier: it is not overnight."""
    start, end = event.day_start_time, event.day_end_time
    one = ("day_start_time" in named) != ("day_end_time" in named)
    if one and None not in (start, end) and 0 < start - end < 1:
        raise BadRequest("repeatEvent: the window has no whole second")


def _is_sayable(rules: Sequence[Rule]) -> bool:
    if not rules:
        return True
    rule = rules[0]
    dated = (rule.first_day, rule.last_day) != (NO_FIRST_DAY, NO_LAST_DAY)
    return len(rules) == 1 and rule.allow and rule.utc and not dated


def _event(grant: Grant) -> RepeatEvent:
    """The times of a grant; without the rules, if one window cannot express them."""
    times: dict[str, Any] = {"start_date": grant.start, "end_date": grant.until}
    if grant.rules and _is_sayable(grant.rules):
        (rule,) = grant.rules
        times["day_start_time"] = Decimal(rule.start_s) if rule.start_s else None
        times["day_end_time"] = Decimal(rule.end_s) if rule.end_s < DAY_S else None
        whole = (rule.start_s, rule.end_s) == (0, DAY_S)
        times["week_days"] = None if rule.weekdays == EVERY_DAY and not whole else rule.weekdays
    return RepeatEvent().model_copy(update=times)


def write_time(second: Decimal | None, day: str) -> str | None:
    """A time of day as the API lists it, on a day such as `2020-12-14` that means nothing."""
    if second is None:
        return None
    minutes, seconds = divmod(int(second), 60)
    return f"{day}T{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.000Z"


def write_instant(at: Instant | None) -> str | None:
    """An instant as the API lists it."""
    return None if at is None else iso(at)[:-1] + ".000Z"


def read_json(text: str | bytes) -> Any:
    """JSON, strictly; raises BadRequest with line and column, or naming what occurs twice."""
    try:
        text = text.decode() if isinstance(text, bytes) else text
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        problem = error.msg[0].lower() + error.msg[1:]
        place = f"line {error.lineno}, column {error.colno}"
        raise BadJson(f"{place}: {problem}", error.pos) from None
    except UnicodeDecodeError as error:
        raise BadRequest(f"byte {error.start + 1} is not UTF-8") from None
    except RecursionError:
        raise BadRequest("nested too deeply") from None
    except ValueError:  # which json gives for these alone, besides the two above
        raise BadRequest("a number with too many digits") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in members if keys.count(key) > 1)
        raise BadRequest(f"{twice}: given more than once")
    return members


def _no_constant(name: str) -> NoReturn:
    raise BadRequest(f"{name} is not JSON")


def read_new(text: str | bytes) -> NewShare:
    """The body of a POST to `.../my/deviceshare`. Raises BadRequest."""
    return read_body(NewShare, text)


def read_change(text: str | bytes) -> ShareChange:
    """The body of a PATCH of `.../my/deviceshare`. Raises BadRequest."""
    return read_body(ShareChange, text)


def read_body(kind: type[_B], text: str | bytes) -> _B:
    """The body of any other request. Raises BadRequest."""
    return check(kind, read_json(text))


def check(kind: type[_B], body: Any) -> _B:
    """The same from JSON that was read. Raises BadRequest."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise BadRequest(*[_problem(detail) for detail in error.errors()]) from None


def _problem(detail: Any) -> str:
    place = ".".join(str(step) for step in detail["loc"]) or "body"
    return f"{place}: {detail['msg'].removeprefix('Value error, ')}"
