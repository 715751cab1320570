"""Scenarios for hypothesis, in the dicts of the oracle, near where the answer may change."""

from hypothesis import strategies as st

from firmware_tests.oracle import zones
from firmware_tests.oracle.zones import unix

DAY_S = 86_400
TIMEZONES = (
    "UTC0",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    "EST5EDT,M3.2.0,M11.1.0",
    "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
    "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
    "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
    "IST-1GMT0,M10.5.0,M3.5.0/1",
    "IST-2IDT,M3.4.4/26,M10.5.0",
    "EET-2EEST,M3.5.0/0,M10.5.0/0",
    "<+00>0<+02>-2,M3.5.0/1,M10.5.0/3",
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
    "<+14>-14",
)
_ONE_DAY = st.integers(0, 6).map(lambda day: 1 << day)
_CHANGES = {
    tz: zones.changes(zones.posix(tz), unix(2026), unix(2029)) or [unix(2027, 6, 1)]
    for tz in TIMEZONES
}
_SECONDS = st.one_of(
    st.sampled_from([0, 1, 3600, 7200, 9000, 10800, 43200, DAY_S - 3600, DAY_S - 1]),
    st.integers(0, DAY_S - 1),
    st.integers(0, 23).map(lambda hour: hour * 3600),
)


@st.composite
def zone_dicts(draw):
    """One zone, or one with a successor that takes over in the years of the tests."""
    tz = draw(st.sampled_from(TIMEZONES))
    if draw(st.integers(0, 9)):
        return {"tz": tz}
    return {
        "tz": tz,
        "next": {
            "tz": draw(st.sampled_from(TIMEZONES)),
            "from": draw(st.integers(unix(2026), unix(2029))),
        },
    }


@st.composite
def moments_near(draw, zone):
    """Unix seconds: within a week of a change of the clocks, or anywhere in three years."""
    if "next" in zone and draw(st.booleans()):
        base = zone["next"]["from"]
    elif draw(st.booleans()):
        base = draw(st.sampled_from(_CHANGES[zone["tz"]]))
    else:
        base = draw(st.integers(unix(2026), unix(2029)))
    return base + draw(st.integers(-7 * DAY_S, 7 * DAY_S))


@st.composite
def rule_dicts(draw, at):
    """A valid rule; its dates, if any, are near `at`."""
    start_s, end_s = draw(_SECONDS), draw(_SECONDS) or DAY_S
    if start_s == end_s:
        start_s, end_s = 0, DAY_S
    rule = {
        "allow": draw(st.booleans()) or draw(st.booleans()),
        "weekdays": draw(st.one_of(st.just(127), st.integers(1, 127), _ONE_DAY)),
        "start_s": start_s,
        "end_s": end_s,
        "utc": draw(st.integers(0, 2)) == 0,
    }
    if draw(st.integers(0, 3)) == 0:
        first = draw(st.integers(-5, 5))
        rule["first_date"] = date(at + first * DAY_S)
        if draw(st.booleans()):
            rule["last_date"] = date(at + (first + draw(st.integers(0, 5))) * DAY_S)
    return rule


def date(at):
    return zones.datetime.fromtimestamp(at, zones.UTC).date().isoformat()


@st.composite
def timed_grants(draw, at, most_rules=8):
    """Terms of time for a grant, near `at`; sometimes none."""
    terms = {"rules": draw(st.lists(rule_dicts(at), max_size=most_rules))}
    near = st.integers(at - 3 * DAY_S, at + 3 * DAY_S)
    if draw(st.integers(0, 4)) == 0:
        terms["from"] = draw(near)
    for term in ("until", "lease"):
        if draw(st.integers(0, 4)) == 0:
            terms[term] = max(draw(near), terms.get("from", 0) + 1)
    if draw(st.integers(0, 4)) == 0:
        terms["after_first_use_s"] = draw(st.integers(1, 5 * DAY_S))
    return terms


@st.composite
def scenarios(draw, most_rules=8, parents=True):
    """(scenario, a moment in Unix seconds): time conditions only, everything else is in order."""
    zone = draw(zone_dicts())
    at = draw(moments_near(zone))
    grant, state = draw(timed_grants(at, most_rules)), {}
    if "after_first_use_s" in grant and draw(st.booleans()):
        state["first_use"] = at - draw(st.integers(-DAY_S, 5 * DAY_S))
    if parents and draw(st.integers(0, 3)) == 0:
        parent = {
            "grant": {"share": "share-0", "key": "phone-0"} | draw(timed_grants(at, most_rules))
        }
        if draw(st.booleans()):
            parent["state"] = {"first_use": at - draw(st.integers(0, DAY_S))}
        grant["parent"], state["parent"] = "share-0", parent
    return {"zone": zone, "grant": grant, "state": state}, at


ERRORS_S = st.one_of(st.just(0), st.integers(0, 90), st.integers(0, 3600), st.just(3600))
