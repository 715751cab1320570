"""The answer of time at every second of a span, painted into one byte per second.

Independent of `verdict`: works window by window, not moment by moment. A byte is 0 where time
allows, else the index of the reason in REASONS; later strokes are the stronger reasons.
"""

import re
from datetime import UTC, date, datetime, timedelta

from . import model, zones
from .verdict import window_of

REASONS = (
    "allowed",
    "too_early",
    "expired",
    "lease_over",
    "deny_rule",
    "outside_rules",
    "first_use_over",
    "parent_denies",
)


def line(scenario: dict, first: int, last: int) -> bytearray:
    """One byte for every second of [first, last). A parent that the grant names must be held."""
    clock = zones.clock(scenario.get("zone", model.ZONE))
    pieces = {False: clock.segments(first, last), True: [(first, last, 0)]}
    grant, state = model.grant(scenario["grant"]), model.state(scenario.get("state", {}))
    painted = _Line(first, last)
    if grant["parent"] is not None:
        _paint(painted, grant, state, pieces, _line_of_parent(state, pieces, first, last))
    else:
        _paint(painted, grant, state, pieces, None)
    return painted.bytes


def _line_of_parent(state, pieces, first, last):
    painted = _Line(first, last)
    _paint(painted, state["parent"]["grant"], state["parent"]["state"], pieces, None)
    return painted


def _paint(painted, grant, state, pieces, parent):
    """The weakest reason first."""
    if parent:
        painted.bytes[:] = parent.bytes.translate(bytes([0]) + bytes([7]) * 255)
    if grant["after_first_use_s"] is not None and state["first_use"] is not None:
        painted.stroke(
            state["first_use"] + grant["after_first_use_s"], painted.last, "first_use_over"
        )
    allow = [rule for rule in grant["rules"] if rule["allow"]]
    if allow:
        _paint_outside(painted, allow, pieces)
    for rule in grant["rules"]:
        if not rule["allow"]:
            for begin, end in spans(rule, pieces[rule["utc"]]):
                painted.stroke(begin, end, "deny_rule")
    for term, reason in (("lease", "lease_over"), ("until", "expired")):
        if grant[term] is not None:
            painted.stroke(grant[term], painted.last, reason)
    if grant["from"] is not None:
        painted.stroke(painted.first, grant["from"], "too_early")


def _paint_outside(painted, allow, pieces):
    inside = _Line(painted.first, painted.last)
    for rule in allow:
        for begin, end in spans(rule, pieces[rule["utc"]]):
            inside.stroke(
                begin, end, "outside_rules"
            )  # marks the inside; what is left over is outside
    begin = painted.first
    while begin < painted.last:
        begin = inside.find(0, begin)
        end = inside.find(REASONS.index("outside_rules"), begin)
        painted.stroke(begin, end, "outside_rules")
        begin = end


def spans(rule: dict, pieces: list) -> list[tuple[int, int]]:
    """The pieces of Unix time during which the rule's clock shows one of its windows."""
    found = []
    for begin, end, ahead in pieces:
        day = _date(begin + ahead) - timedelta(1)
        while day <= _date(end - 1 + ahead):
            window = window_of(rule, day)
            if window:
                opens, closes = (
                    int(wall.replace(tzinfo=UTC).timestamp()) - ahead for wall in window
                )
                if max(opens, begin) < min(closes, end):
                    found.append((max(opens, begin), min(closes, end)))
            day += timedelta(1)
    return found


def _date(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


class _Line:
    def __init__(self, first, last):
        self.first = first
        self.last = last
        self.bytes = bytearray(last - first)

    def stroke(self, begin, end, reason):
        begin, end = max(begin, self.first) - self.first, min(end, self.last) - self.first
        if begin < end:
            self.bytes[begin:end] = bytes([REASONS.index(reason)]) * (end - begin)

    def find(self, value, since):
        """The first second from `since` on that has this byte; `last` if there is none."""
        found = self.bytes.find(value, since - self.first)
        return self.last if found < 0 else found + self.first


def runs(painted: bytearray, first: int) -> list[tuple[int, int, str]]:
    """(begin, end, reason) of a line, neighbours with different reasons."""
    same = re.finditer(rb"(.)\1*", painted, re.DOTALL)
    return [(first + run.start(), first + run.end(), REASONS[run[1][0]]) for run in same]
