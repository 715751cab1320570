"""Hypothesis strategies: any grant that a lock takes in."""

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from firmware.policy import grant as g
from firmware.policy.grant import Grant, fault, normalise
from firmware.policy.instant import Instant
from firmware.policy.schedule import Rule

seconds = st.integers(0, 86_399)
days = st.integers(g.FIRST_DAY, g.LAST_DAY)
instants = st.builds(Instant, days, seconds)
ids = st.binary(min_size=1, max_size=16)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).map(str.encode)


@st.composite
def rules(draw: Any) -> Rule:
    """One rule in any form that input may have."""
    start_s = draw(seconds)
    end_s = draw(st.integers(0, 86_400).filter(lambda end: end != start_s))
    first, last = draw(st.none() | days), draw(st.none() | days)
    if first is not None and last is not None and first > last:
        first, last = last, first
    weekdays = draw(st.integers(1, 127))
    return Rule(weekdays, start_s, end_s, draw(st.booleans()), draw(st.booleans()), first, last)


@st.composite
def grants(draw: Any) -> Grant:
    """A grant for "front-door", without a key, in normal form."""
    level = draw(st.sampled_from((g.GUEST, g.ADMIN, g.OWNER)))
    most = g.GUEST_RIGHTS if level == g.GUEST else g.ALL_RIGHTS
    grant = Grant(draw(ids), b"front-door", b"", level, draw(st.integers(1, most)))
    grant.holder = draw(names)
    grant.version = draw(st.integers(1, g.MOST_VERSION))
    grant.channels = draw(st.integers(1, 3))
    grant.issued = draw(instants)
    grant.duress = draw(st.booleans())
    if level != g.OWNER:
        grant.start, grant.until, grant.lease = (draw(st.none() | instants) for _ in range(3))
        grant.rules = draw(st.lists(rules(), max_size=g.MOST_RULES))
        grant.uses = draw(st.none() | st.integers(1, g.MOST_USES))
        grant.after_first_use_s = draw(st.none() | st.integers(1, 499_999_999))
        grant.parent = draw(st.none() | ids)
    normalise(grant)
    assume(fault(grant) == 0)
    return grant
