"""What a decision costs: bytes of heap, and time as a ratio to something else in the same run."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from firmware.policy.decision import Decision, Now, Request, State, decide
from firmware.policy.forecast import MOST_STEPS, next_allowed
from firmware.policy.grant import LOCAL, UNLOCK, Grant
from firmware.policy.instant import DAY_S, from_unix
from firmware.policy.schedule import Rule
from firmware.policy.zone import Zone
from host_sim import runtimes

CHILD = Path(__file__).with_name("_policy_child.py")
DECISIONS = {"cpython": 20_000, "micropython": 20_000, "micropython32": 2_000}
MONDAY = 1_767_607_200  # 2026-01-05T10:00:00Z
SEARCHES = 1_000


def rows() -> Iterator[tuple[str, int | float | str, str, str]]:
    """Bytes and ratios on each interpreter, the naive way for comparison, steps of a search."""
    for runtime, count in DECISIONS.items():
        one, eight, erring = _measured(runtime, count)
        if runtime != "cpython":
            yield f"decision, 8 rules: heap on {runtime}", eight[0], "bytes", "0"
            yield f"... with an error of the clock on {runtime}", erring[0], "bytes", "0"
        ratio = f"of one rule, on {runtime}"
        yield "decision, 8 rules: time", eight[1] / one[1], "", ratio
        yield "... with an error of the clock of 600 s", erring[1] / one[1], "", ratio
        if runtime == "cpython":
            naive = _seconds(_naive, count) * 1_000_000
            yield (
                "decision, 8 rules: time",
                eight[1] / naive,
                "",
                "of datetime and zoneinfo, windows only",
            )
    steps = sorted(_steps(random.Random(1)))
    yield (
        "next allowed: steps, half of the searches",
        steps[len(steps) // 2],
        "",
        f"at most {MOST_STEPS}",
    )
    yield (
        "next allowed: steps, most",
        steps[-1],
        "",
        f"of {len(steps)} random denials with 1 to 8 rules",
    )


def _measured(runtime: str, count: int) -> list[tuple[int, int]]:
    done = runtimes.run(runtime, CHILD.relative_to(runtimes.ROOT), str(count), timeout_s=300)
    done.check_returncode()
    lines = [line.split() for line in done.stdout.splitlines() if line]
    return [(int(taken), int(us)) for taken, us in lines]


def _seconds(function: Callable[[], bool], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        function()
    return time.perf_counter() - began


_ZONE = ZoneInfo("Europe/Berlin")
_WINDOWS = [(64, 3600 * hour, 3600 * hour + 1800) for hour in range(1, 8)] + [(31, 32_400, 61_200)]


def _naive() -> bool:
    """Eight windows with the standard library, as one would write it on a server."""
    wall = datetime.fromtimestamp(MONDAY, _ZONE).replace(tzinfo=None)
    midnight = wall.replace(hour=0, minute=0, second=0)
    open_now = False
    for weekdays, start_s, end_s in _WINDOWS:
        begin, end = midnight + timedelta(seconds=start_s), midnight + timedelta(seconds=end_s)
        open_now |= bool(weekdays >> wall.weekday() & 1) and begin <= wall < end
    return open_now


class _Counting(Decision):
    """Counts the moves along time: one for each step of a search."""

    moves = 0

    def move(self, seconds: int) -> None:
        self.moves += 1
        super().move(seconds)


def _steps(source: random.Random) -> Iterator[int]:
    """The steps of searches after random denials."""
    zone = Zone("CET-1CEST,M3.5.0,M10.5.0/3")
    grant, state = Grant(b"share-1", b"lock-1", b"phone-1"), State(b"lock-1")
    request = Request(grant.key, UNLOCK, LOCAL, True)
    searches = 0
    while searches < SEARCHES:
        grant.rules = _rules(source)
        now = Now(from_unix(MONDAY + source.randrange(365 * DAY_S)), source.choice([0, 60, 600]))
        decision = _Counting()
        decide(grant, request, now, zone, state, decision)
        if not decision.allowed:
            decision.moves = 0
            next_allowed(grant, request, now, zone, state, decision)
            searches += 1
            yield decision.moves


def _rules(source):
    return tuple(_rule(source) for _ in range(source.randint(1, 8)))


def _rule(source: random.Random) -> Rule:
    start_s, end_s = source.sample(range(0, DAY_S, 300), 2)
    return Rule(
        source.randint(1, 127), start_s, end_s, source.random() < 0.7, source.random() < 0.3
    )
