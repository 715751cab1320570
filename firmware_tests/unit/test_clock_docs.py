"""docs/clock.md shows the table of events as it is."""

import re

from firmware.clock import events
from host_sim.runtimes import ROOT


def test_the_events():
    text = (ROOT / "docs" / "clock.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    assert [(int(number), name, meaning) for number, name, meaning in rows] == list(events.TABLE)
