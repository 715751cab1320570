"""The part of the policy benchmark that runs on each interpreter: one line of numbers per case.

Takes a count of decisions. Bytes are those of MicroPython's own account of the heap, -1 where
there is none.
"""

import sys
import time

from firmware.policy.decision import Decision, Now, Request, State, decide
from firmware.policy.grant import LOCAL, UNLOCK, Grant
from firmware.policy.instant import from_unix
from firmware.policy.schedule import Rule
from firmware.policy.zone import Zone

try:
    from micropython import mem_total
except ImportError:
    mem_total = None

MONDAY = from_unix(1767607200)  # 2026-01-05T10:00:00Z, 11:00 in Berlin
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


def grant_with(rules):
    """A guest's grant with so many rules, the last of which is the one that allows it."""
    grant = Grant(b"share-1", b"lock-1", b"phone-1")
    grant.rules = rules_with_one_open(rules)
    return grant


def rules_with_one_open(count):
    """The others are for Sundays; some of them deny."""
    hours = range(1, count)
    closed = [Rule(64, 3600 * hour, 3600 * hour + 1800, hour % 2 == 0) for hour in hours]
    return tuple(closed + [Rule(31, 9 * 3600, 17 * 3600)])


def ticks_us():
    """Microseconds of some clock."""
    if hasattr(time, "ticks_us"):
        return time.ticks_us()
    return time.perf_counter_ns() // 1000


def measure(rules, error_s, count):
    """(bytes, microseconds) that `count` decisions took."""
    grant = grant_with(rules)
    request = Request(grant.key, UNLOCK, LOCAL, True)
    now, zone = Now(MONDAY, error_s), Zone(BERLIN)
    state, decision = State(b"lock-1"), Decision()
    decide(grant, request, now, zone, state, decision)
    if not decision.allowed:
        raise ValueError("the benchmark is about a grant that allows")
    taken = mem_total() if mem_total else -1
    began = ticks_us()
    for _ in range(count):
        decide(grant, request, now, zone, state, decision)
    ended = ticks_us()
    if mem_total:
        taken = mem_total() - taken - _OWN
    return taken, ended - began


def measure_nothing(count):
    """The bytes that the measuring itself takes."""
    taken = mem_total()
    began = ticks_us()
    for _ in range(count):
        pass
    ended = ticks_us()
    return mem_total() - taken + 0 * (ended - began)


_OWN = measure_nothing(10) if mem_total else 0

for rules, error_s in ((1, 0), (8, 0), (8, 600)):
    taken, us = measure(rules, error_s, int(sys.argv[1]))
    print(taken, us)
