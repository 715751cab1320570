"""Any text as a time zone: refused with a position, or it means what its changes say."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.policy.instant import from_unix, to_unix
from firmware.policy.zone import Wall, Zone, ZoneError
from firmware_tests import soak
from firmware_tests.oracle import posix
from firmware_tests.oracle.zones import unix

SPAN = unix(2020), unix(2046)

ALPHABET = "ABMJmest<>+-,./:0123456789 \n\0é١"

names = st.one_of(
    st.text("ABCXYZabcxyz", min_size=3, max_size=6),
    st.text("ABCabc0123456789+-", min_size=3, max_size=6).map("<{}>".format),
)
signs = st.sampled_from(["", "+", "-"])


@st.composite
def times(draw, most_hours):
    text = draw(signs) + str(draw(st.integers(0, most_hours)))
    for _ in range(draw(st.integers(0, 2))):
        text += f":{draw(st.integers(0, 59)):02}"
    return text


@st.composite
def days(draw):
    kind = draw(st.sampled_from("MMJn"))
    if kind == "M":
        return f"M{draw(st.integers(1, 12))}.{draw(st.integers(1, 5))}.{draw(st.integers(0, 6))}"
    if kind == "J":
        return f"J{draw(st.integers(1, 365))}"
    return str(draw(st.integers(0, 364)))


@st.composite
def zone_texts(draw):
    """A valid string, mostly with daylight saving."""
    text = draw(names) + draw(times(24))
    if draw(st.integers(0, 4)) == 0:
        return text
    text += draw(names) + (draw(times(24)) if draw(st.booleans()) else "")
    for _ in range(2):
        text += "," + draw(days()) + ("/" + draw(times(167)) if draw(st.booleans()) else "")
    return text


def zone_or_none(text):
    """None if it is refused, in the only way in which it may be."""
    try:
        return Zone(text)
    except ZoneError as fault:
        assert 0 <= fault.position <= len(text)
        return None


@settings(max_examples=soak.count(100_000, 1500))
@given(st.text(ALPHABET, max_size=60))
def test_any_text_is_a_zone_or_refused_with_a_position(text):
    assert (zone_or_none(text) is not None) == posix.valid(text)


@settings(max_examples=soak.count(100_000, 2000))
@given(zone_texts(), st.integers(0, 100), st.text(ALPHABET, max_size=2), st.integers(0, 2))
def test_a_damaged_string_is_refused_unless_it_still_is_one(text, at, inserted, removed):
    damaged = text[:at] + inserted + text[at + removed :]
    assert (zone_or_none(damaged) is not None) == posix.valid(damaged)


@settings(max_examples=soak.count(50_000, 700))
@given(zone_texts(), st.lists(st.integers(*SPAN), min_size=10, max_size=30))
def test_a_string_means_what_the_list_of_its_changes_says(text, moments):
    zone, offset, wall = Zone(text), posix.offsets(text), Wall()
    for at in sorted(moments) + moments:
        zone.local(from_unix(at), wall)
        assert to_unix(wall) - at == offset(at), (text, at)
        assert wall.steady_s > 0
        end = min(at + wall.steady_s, SPAN[1])
        if end > at:
            assert offset(end - 1) == offset(at)
