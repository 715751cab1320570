"""Share requests as clients of tedee's deviceShare API write them (v1.22 to v1.33).

There all dates and weekdays are UTC. The dates of `dayStartTime` and `dayEndTime` are ignored,
only their time of day counts; `startDate` and `endDate` are instants. A fraction of a second
rounds inwards, so that no rounding makes a share wider. A field that a change leaves out keeps its
value, null clears it.
"""

import json
import re
from datetime import datetime
from decimal import Decimal
from math import ceil, floor
from typing import Annotated, Any, NoReturn, TypeVar
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
    Grant,
    normalise,
)
from firmware.policy.instant import DAY_S, Instant, from_unix
from firmware.policy.schedule import EVERY_DAY, Rule

GROUP = 1  # the other type of principal, beside a user
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


class Times(Body):
    """When a share is active: seconds of the day and instants in UTC, None for no limit."""

    week_days: int | None = None
    day_start_time: Annotated[Any, BeforeValidator(_time_of_day), _TEXT] = None
    day_end_time: Annotated[Any, BeforeValidator(_time_of_day), _TEXT] = None
    start_date: Annotated[Any, BeforeValidator(_start), _TEXT] = None
    end_date: Annotated[Any, BeforeValidator(_end), _TEXT] = None


class RepeatEvent(Times):
    """The same in a share, with its number."""

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
        grant.rights = rights(self.access_level)
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
        """What it names, for `tedee_terms.change`."""
        named = _named(self)
        event = named.pop("repeat_event", RepeatEvent())
        return {**named, **_named(event)}


class Access(Times):
    """The body of a PUT of the later API (v37), flat; what it leaves out has no limit."""

    access_level: int = Field(ge=GUEST, le=OWNER)
    remote_access_disabled: bool = False

    def named(self) -> dict[str, Any]:
        """All that it says, for `tedee_terms.change`."""
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


def rights(level: int) -> int:
    """What a level may do."""
    return GUEST_RIGHTS if level == GUEST else ALL_RIGHTS


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
