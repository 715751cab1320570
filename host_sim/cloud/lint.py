"""What is legal in a grant and probably not meant.

No rule is written down here a second time: a finding about time compares what the lock's own
checks say about the grant with what they say about a variation of it - without a rule, with one
rule alone, in a zone whose clocks do not change.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from firmware.policy import reasons
from firmware.policy.decision import REPEAT_S
from firmware.policy.forecast import HORIZON_S
from firmware.policy.grant import ALL_RIGHTS, ANY_CHANNEL, OPENING, OWNER, Grant, fault
from firmware.policy.instant import DAY_S, Instant
from firmware.policy.schedule import EVERY_DAY, NO_FIRST_DAY, NO_LAST_DAY, Rule
from firmware.policy.zone import Zone
from host_sim import words
from host_sim.words import duration

from . import wallclock
from .preview import Span, after, allowed, moment, reasons_over, shown
from .terms import write_rule, write_time
from .wallclock import Local, Night

SHORT_S = 300
LONG_S = 7 * DAY_S  # after a first use

# The codes are stable, for programs. What follows each is what to do about it.
ADVICE = {
    "refused": "Change the terms: no lock takes them in.",
    "over": "Give it a later end, or a fresh lease.",
    "never-active": "Check the weekdays, the hours and the dates against each other.",
    "deny-all": "Narrow the deny rules, or drop the share.",
    "short-window": "Check the start against the end.",
    "overlap": "Merge the rules, unless both are meant as they are.",
    "rule-covered": "Drop the rule, or correct what it was to add.",
    "rule-outside": "Check the dates of the rule against those of the share.",
    "deny-idle": "Drop the rule, or correct what it was to forbid.",
    "dst-closed": "Move the window out of the hour that the clocks skip, if that night matters.",
    "dst-shorter": "Nothing, if the wall clock is what counts; a rule in utc keeps its length.",
    "dst-longer": "Nothing, if the wall clock is what counts; a rule in utc keeps its length.",
    "utc-shifts": "Write the hours of the wall clock without utc, if people go by it.",
    "utc-offset": "Write the hours of the wall clock without utc, if people go by it.",
    "utc-weekday": "Choose the days as UTC counts them, or write the rule without utc.",
    "lease-after-until": "Let the lease end with the share, or earlier.",
    "first-use-idle": "Leave out the time after the first use, or shorten it.",
    "first-use-long": "Shorten the time after the first use, if the uses are meant for one visit.",
    "uses-idle": "Leave out the uses, or add the right to unlock or to pull.",
    "owner-narrowed": "Give an owner all rights on both channels, or make it an admin.",
}


class Finding(NamedTuple):
    """One thing to look at; `rule` counts from 1, None for the share as a whole."""

    code: str
    text: str
    rule: int | None = None

    @property
    def advice(self) -> str:
        """What to do about it."""
        return ADVICE[self.code]


def lint(grant: Grant, zone: Zone, at: Instant) -> list[Finding]:
    """What to look at in a grant for a lock in a zone, from `at` on: the past cannot be mended."""
    reason = fault(grant)
    if reason:
        text = f"{words.text(reason)} ({words.name(reason)}, {reason})"
        return [Finding("refused", text)]
    begin = _later(at, grant.start)
    limits = list(_limits(grant, begin))
    over = _over(grant, zone, begin)
    if over:
        return [*limits, over]
    look = _Look(grant, zone, begin)
    return [*limits, *look.activity(), *_wall_clock(look)]


def _limits(grant: Grant, begin: Instant) -> Iterator[Finding]:
    """What needs no look at the rules."""
    if grant.level == OWNER and (grant.rights, grant.channels) != (ALL_RIGHTS, ANY_CHANNEL):
        yield Finding("owner-narrowed", "The owner lacks a right or a channel.")
    if grant.uses is not None and not grant.rights & OPENING:
        yield Finding("uses-idle", "Only opening is a use, and this share may not open.")
    if grant.lease and grant.until and grant.until.until(grant.lease) > 0:
        yield Finding("lease-after-until", "The lease lasts longer than the share.")
    if grant.after_first_use_s is not None:
        yield from _first_use(grant, begin, grant.after_first_use_s)


def _first_use(grant: Grant, begin: Instant, lasts_s: int) -> Iterator[Finding]:
    if grant.uses == 1 and lasts_s > REPEAT_S:
        yield Finding(
            "first-use-idle", "The first use is the only one; there is no time after it."
        )
    elif grant.until and 0 < begin.until(grant.until) <= lasts_s:
        yield Finding("first-use-idle", "The share ends before the time after its first use.")
    elif grant.uses is not None and lasts_s > LONG_S:
        text = f"The rest of {grant.uses} uses stays good for {duration(lasts_s)} after the first."
        yield Finding("first-use-long", text)


def _over(grant: Grant, zone: Zone, begin: Instant) -> Finding | None:
    _, _, reason = next(reasons_over(grant, zone, begin, 1))
    if reason not in (reasons.EXPIRED, reasons.LEASE_OVER):
        return None
    end = grant.until if reason == reasons.EXPIRED else grant.lease
    assert end
    return Finding("over", f"{words.text(reason)} It ended {moment(end, zone)}.")


class _Look:
    """A grant with its rules varied, over 400 days; the lease aside, since that is renewed."""

    def __init__(self, grant: Grant, zone: Zone, begin: Instant):
        self.grant = copy(grant)
        self.grant.lease = None
        self.zone = zone
        self.begin = begin
        self.rules = list(enumerate(grant.rules, 1))
        self._seen: dict[tuple[Any, ...], list[Span]] = {}

    def activity(self) -> Iterator[Finding]:
        """Whether it is ever active, for how long, and which rules have a part in it."""
        spans = self._spans(self.grant.rules)
        if not spans:
            yield self._inactive()
            return
        yield from self._short(spans)
        idle = self._idle()
        yield from idle
        skip = {finding.rule for finding in idle}
        allowing = [(n, rule) for n, rule in self.rules if rule.allow and n not in skip]
        for place, one in enumerate(allowing):
            for other in allowing[place + 1 :]:
                yield from self._overlap(*one, *other)

    def _spans(self, rules: Sequence[Rule], begin: Instant | None = None) -> list[Span]:
        """When the grant would be allowed with these rules instead."""
        begin = begin or self.begin
        question = (begin.day, begin.second, *(rule.fields() for rule in rules))
        if question not in self._seen:
            varied = copy(self.grant)
            varied.rules = rules
            self._seen[question] = list(allowed(varied, self.zone, begin, HORIZON_S))
        return self._seen[question]

    def _inactive(self) -> Finding:
        allowing = [rule for _, rule in self.rules if rule.allow]
        if self._spans(allowing):
            return Finding("deny-all", "The deny rules forbid all that the share allows.")
        first, last = self.begin, after(self.begin, HORIZON_S)
        span = f"{moment(first, self.zone)} to {moment(last, self.zone)}"
        return Finding("never-active", f"At no time from {span} is it allowed.")

    def _short(self, spans: list[Span]) -> Iterator[Finding]:
        """Windows too short to use, but for those that only the look itself cuts off."""
        starts_here = self.grant.start == self.begin
        whole = [
            (offset_s, length_s)
            for offset_s, length_s in spans
            if (offset_s or starts_here) and offset_s + length_s < HORIZON_S
        ]
        short = [span for span in whole if span[1] < SHORT_S]
        if short:
            offset_s, length_s = short[0]
            first = moment(after(self.begin, offset_s), self.zone)
            text = (
                f"{len(short)} of {len(spans)} windows are open for less than {duration(SHORT_S)}"
            )
            yield Finding("short-window", f"{text}: {first} for {duration(length_s)}.")

    def _idle(self) -> list[Finding]:
        """Rules without which nothing would change; of two that are alike, the later one."""
        kept = [rule for _, rule in self.rules]
        found = []
        for number, rule in reversed(self.rules):
            others = [other for other in kept if other is not rule]
            if rule.allow and not any(other.allow for other in others):
                continue  # without its last allow rule a grant would allow more, not less
            begin = self._first_look(rule)
            if self._spans(kept, begin) == self._spans(others, begin):
                kept = others
                found.append(self._why_idle(number, rule, begin))
        return found[::-1]

    def _why_idle(self, number: int, rule: Rule, begin: Instant) -> Finding:
        alone = copy(rule)
        alone.allow = True
        if not self._spans([alone], begin):
            text = f"{_name(number, rule)} holds at no time of the share."
            return Finding("rule-outside", text, number)
        if rule.allow:
            text = f"{_name(number, rule)} adds nothing to what the other rules say."
            return Finding("rule-covered", text, number)
        text = f"{_name(number, rule)} forbids nothing that is allowed without it."
        return Finding("deny-idle", text, number)

    def _overlap(
        self, number: int, rule: Rule, with_number: int, other: Rule
    ) -> Iterator[Finding]:
        begin = _later(self._first_look(rule), self._first_look(other))
        both_s = _first_common(self._spans([rule], begin), self._spans([other], begin))
        if both_s is not None:
            names = f"{_name(number, rule)} and {_name(with_number, other).lower()}"
            when = moment(after(begin, both_s), self.zone)
            yield Finding("overlap", f"{names} both hold {when}.", with_number)

    def _first_look(self, rule: Rule) -> Instant:
        """Where to begin, for a rule whose dates may lie beyond the next 400 days."""
        if rule.first_day == NO_FIRST_DAY:
            return self.begin
        return _later(self.begin, Instant(rule.first_day - 1))


def _first_common(spans: list[Span], others: list[Span]) -> int | None:
    """Where two lists of spans in order first overlap."""
    place = other_place = 0
    while place < len(spans) and other_place < len(others):
        (at_s, length_s), (other_s, other_length_s) = spans[place], others[other_place]
        end_s, other_end_s = at_s + length_s, other_s + other_length_s
        if max(at_s, other_s) < min(end_s, other_end_s):
            return max(at_s, other_s)
        if end_s < other_end_s:
            place += 1
        else:
            other_place += 1
    return None


# --- rules and the clock on the wall ------------------------------------------------------------


def _wall_clock(look: _Look) -> Iterator[Finding]:
    for number, rule in look.rules:
        yield from _utc(look, number, rule) if rule.utc else _nights(look, number, rule)


def _nights(look: _Look, number: int, rule: Rule) -> Iterator[Finding]:
    told: dict[str, list[str]] = {}
    for night in wallclock.nights(look.grant, rule, look.zone, look.begin):
        told.setdefault(_night_code(night), []).append(_tell_night(night, look.zone))
    for code, texts in told.items():
        yield Finding(code, f"{_name(number, rule)}: {'; '.join(texts)}.", number)


def _night_code(night: Night) -> str:
    if not night.lasts_s:
        return "dst-closed"
    return "dst-shorter" if night.lasts_s < night.usual_s else "dst-longer"


def _tell_night(night: Night, zone: Zone) -> str:
    starts = shown(Instant(night.day), wallclock.UTC)
    at = night.change.at
    before, since = shown(at, wallclock.fixed(night.change.before_s)), shown(at, zone)
    lasts = f"lasts {duration(night.lasts_s)} instead of {duration(night.usual_s)}"
    if not night.lasts_s:
        lasts = "does not open"
    elif night.parts > 1:
        lasts += f", in {night.parts} parts"
    clocks = f"clocks go from {_clock(before)} to {_clock(since)} on {since:%a %Y-%m-%d}"
    return f"the window of {starts:%a %Y-%m-%d} {lasts} ({clocks})"


def _utc(look: _Look, number: int, rule: Rule) -> Iterator[Finding]:
    by_day = rule.weekdays != EVERY_DAY or _dated(rule)
    if not by_day and (rule.start_s, rule.end_s) == (0, DAY_S):
        return  # every second of every day, wherever one counts from
    windows = list(wallclock.locals_of(look.grant, rule, look.zone, look.begin))
    name = _name(number, rule)
    if len({window.start.utcoffset() for window in windows}) > 1:
        told = ", ".join(f"from {w.since:%Y-%m-%d} on {_hours(w, by_day)}" for w in windows)
        yield Finding("utc-shifts", f"{name} moves on the lock's wall clock: {told}.", number)
    elif windows and windows[0].start.utcoffset():
        text = f"{name} is {_hours(windows[0], by_day)} on the lock's wall clock."
        yield Finding("utc-offset", text, number)
    moved = [window for window in windows if _other_days(window, rule)]
    if by_day and moved:
        meant = f"{moved[0].meant:%a} {_clock(moved[0].meant)} UTC"
        text = f"{name} falls on other days on the lock's wall clock"
        yield Finding("utc-weekday", f"{text}: {meant} is {_hours(moved[0], True)}.", number)


def _other_days(window: Local, rule: Rule) -> bool:
    """Whether the wall clock shows another date, or midnight in the middle, where UTC does not."""
    last = window.end - timedelta(seconds=1)
    wraps = window.start.date() != last.date() and rule.start_s < rule.end_s
    return wraps or window.start.date() != window.meant.date()


def _hours(window: Local, with_days: bool) -> str:
    start, end = window.start, window.end
    if not with_days:
        return f"{_clock(start)}-{_clock(end)}"
    until = _clock(end) if start.date() == end.date() else f"{end:%a} {_clock(end)}"
    return f"{start:%a} {_clock(start)}-{until}"


def _clock(local: datetime) -> str:
    return write_time(3600 * local.hour + 60 * local.minute + local.second)


def _name(number: int, rule: Rule) -> str:
    return f"Rule {number} ({write_rule(rule)})"


def _dated(rule: Rule) -> bool:
    return rule.first_day != NO_FIRST_DAY or rule.last_day != NO_LAST_DAY


def _later(one: Instant, other: Instant | None) -> Instant:
    return other if other and one.until(other) > 0 else one
