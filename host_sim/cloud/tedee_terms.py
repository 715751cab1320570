"""Grants in tedee's words, both ways.

Where the words have no room for a grant it is shown with no weekday, so that nothing ever looks
wider than it is. A change keeps what they cannot say, and is refused where it cannot.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from firmware.policy.grant import ANY_CHANNEL, LOCAL, REMOTE, Grant, normalise
from firmware.policy.instant import DAY_S, Instant
from firmware.policy.schedule import EVERY_DAY, NO_FIRST_DAY, NO_LAST_DAY, Rule
from host_sim.words import iso

from .tedee import BadRequest, RepeatEvent, Times, rights

NO_DAY = 0  # the weekdays of a share that is listed, and cannot be said

_OF_RULES = {"week_days", "day_start_time", "day_end_time"}


class NotExpressible(BadRequest):
    """A change of something that this API has no words for, so that it cannot say what is left."""


class Shown(NamedTuple):
    """A grant in tedee's words, and the names of what they have no room for."""

    access_level: int
    remote_access_disabled: bool
    event: RepeatEvent
    not_expressible: tuple[str, ...]


def shown(grant: Grant) -> Shown:
    """A grant as it is listed: at no time, in no way and to nobody wider than it is."""
    unsaid = {
        "rights": grant.rights != rights(grant.level),
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
        plain = grant.rights == rights(grant.level)
        grant.rights = rights(level) if plain else grant.rights & rights(level)
        grant.level = level
    disabled = named.get("remote_access_disabled", before.remote_access_disabled)
    if disabled != before.remote_access_disabled:
        if "channels" in before.not_expressible:
            raise NotExpressible("remoteAccessDisabled: this share is for remote access only")
        grant.channels = LOCAL if disabled else ANY_CHANNEL
    times = {
        name: named[name]
        for name in Times.model_fields
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
