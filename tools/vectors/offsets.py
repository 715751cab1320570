"""The vectors of zones: POSIX TZ strings with the offset around each change of 2026 to 2029.

The answers come from zoneinfo and from the oracle's own reading, which must agree - but for days
that are given by their number, which zoneinfo misreads (see `firmware_tests.oracle.posix`).
"""

from firmware_tests.oracle import model, posix, zones
from firmware_tests.oracle.zones import unix

from . import policy

STRINGS = (
    "UTC0",
    "IST-5:30",
    "<-0930>9:30",
    "<+14>-14",
    "AAA-0:00:01",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "EST5EDT,M3.2.0,M11.1.0",
    "EST5EDT4,M3.2.0/2:00:00,M11.1.0/+2",
    "NST3:30NDT,M3.2.0,M11.1.0",
    "CST5CDT,M3.2.0/0,M11.1.0/1",
    "EET-2EEST,M4.5.5/0,M10.5.4/24",
    "EET-2EEST,M3.4.4/50,M10.4.4/50",
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
    "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
    "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
    "<-06>6<-05>,M9.1.6/22,M4.1.6/22",
    "IST-2IDT,M3.4.4/26,M10.5.0",
    "<+00>0<+02>-2,M3.5.0/1,M10.5.0/3",
    "IST-1GMT0,M10.5.0,M3.5.0/1",
    "EST5EDT,0/0,J365/25",
    "XXX3EDT4,0/0,J365/23",
    "AAA0BBB,J59/0,J60/0",
    "AAA0BBB,59/0,60/0",
    "AAA0BBB,J60,J300",
    "AAA3BBB,59,364/24",
    "AAA-3BBB,M3.5.0/-167,M10.5.0/167",
)


def files():
    """Yield zones.json."""
    entries = [{"tz": text, "moments": _moments(text)} for text in STRINGS]
    about = (
        "Offsets of POSIX TZ strings, in seconds east of UTC, around each change of the clocks."
    )
    yield "zones.json", policy.text("zones", about, "zones", entries)


def _moments(text):
    offset = posix.offsets(text)
    hours = range(unix(2026), unix(2030), 3600)
    changed = [at for at in hours if offset(at) != offset(at - 3600)]
    exact = [_exact(offset, at) for at in changed] or [unix(2026, 1, 1), unix(2026, 7, 1)]
    moments = [at + near for at in exact for near in (-1, 0, 1)]
    if "M" in text.partition(",")[2] or "," not in text:
        differ = [at for at in moments if zones.offset(zones.posix(text), at) != offset(at)]
        if differ:
            raise AssertionError(f"{text}: the oracles disagree at {model.iso(differ[0])}")
    return [[at, model.iso(at), offset(at)] for at in moments]


def _exact(offset, at):
    return next(
        second for second in range(at - 3599, at + 1) if offset(second) != offset(second - 1)
    )
