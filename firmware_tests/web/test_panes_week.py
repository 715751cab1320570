"""The grid of a week against a second implementation of the rules, by the second."""

from collections import defaultdict
from contextlib import ExitStack
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from sqlalchemy import select

from firmware.policy.instant import from_unix
from firmware_tests import soak
from firmware_tests.both.policy_case import Case
from firmware_tests.cloud.realm import write
from firmware_tests.oracle import zones
from firmware_tests.oracle.line import REASONS, line
from firmware_tests.property.given import DAY_S, scenarios
from firmware_tests.web.page import read
from firmware_tests.web.stand import stand
from host_sim import words
from host_sim.cloud.domain import devices, sharing
from host_sim.cloud.domain.model import Device
from host_sim.web.views.week import segments

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
LORD_HOWE = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
AZORES = "<-01>1<+00>,M3.5.0/0,M10.5.0/1"  # the clocks change at midnight

OFFICE = {"weekdays": 31, "start_s": 8 * 3600, "end_s": 16 * 3600}
NIGHT = {"start_s": 22 * 3600, "end_s": 2 * 3600 + 15 * 60 + 7}
SHIFT = {"weekdays": 96, "start_s": 1800, "end_s": 9000, "utc": True}
LUNCH = {"allow": False, "weekdays": 4, "start_s": 12 * 3600, "end_s": 12 * 3600 + 600}
# A name, the rules as people write them, and as the oracle has them.
SHARES = {
    "Bob": (["mon-fri 08:00-16:00", "deny wed 12:00-12:10"], [OFFICE, LUNCH]),
    "Cleo": (
        ["daily 22:00-02:15:07", "sat,sun 00:30-02:30 utc"],
        [NIGHT, SHIFT],
    ),
    "Dora": ([], []),
}


@pytest.fixture(scope="module")
def stands(tmp_path_factory):
    """One stand for each zone."""
    with ExitStack() as ended:
        yield {
            zone: furnished(ended.enter_context(stand(tmp_path_factory.mktemp("stand"))), zone)
            for zone in (BERLIN, LORD_HOWE, AZORES)
        }


def furnished(made, zone):
    with made.setting_up() as context:
        anna = made.person(context, "Anna")
        device = devices.create(context, anna, "Front door", zone)
        made.device = device.uid
        for name, (rules, _) in SHARES.items():
            made.person(context, name)
            sharing.create(
                context, anna, device, f"{name.lower()}@example.org", write(zone, rules=rules)
            )
    return made


def painted(zone, rules, first, last):
    """What the oracle says of a share with some rules, a byte for each second."""
    return line({"zone": {"tz": zone}, "grant": {"rules": rules}}, first, last)


def monday(clock, day):
    """The first second of the week of a day on the clock of a zone, and that of the next one."""
    start = day - timedelta(day.weekday())
    found = []
    for midnight in (start, start + timedelta(7)):
        near = zones.unix(midnight.year, midnight.month, midnight.day)
        around = range(near - DAY_S, near + DAY_S, 900)
        found.append(next(at for at in around if clock.wall(at) >= midnight))
    return found


def quarters(clock, first, last):
    """The seconds of each cell, by date and label."""
    found: dict[tuple[date, str], list[int]] = defaultdict(list)
    seen = set()
    for at in range(first, last, 900):
        wall = clock.wall(at)
        half = f"{wall.hour:02}:{wall.minute // 30 * 30:02}"
        found[wall.date(), half + (" again" if wall in seen else "")] += range(at, at + 900)
        seen.add(wall)
    return found


def table(text):
    """The cells of the page's table by date and label: names, classes, title."""
    week = read(text).one("table", class_="week")
    head, *body = week.all("tr")
    days = [each.text for each in head.all("th")][1:]
    found = {}
    for row in body:
        label = row.one("th").text
        for day, cell in zip(days, row.all("td"), strict=True):
            found[day, label] = cell
    return days, found


CASES = [
    (BERLIN, datetime(2026, 7, 2)),
    (BERLIN, datetime(2026, 3, 29)),
    (BERLIN, datetime(2026, 10, 25)),
    (LORD_HOWE, datetime(2026, 4, 5)),
    (LORD_HOWE, datetime(2026, 10, 4)),
    (AZORES, datetime(2026, 10, 25)),
    (AZORES, datetime(2026, 3, 29)),
]


@pytest.mark.parametrize("shown_in", ["local", "utc"])
@pytest.mark.parametrize(("zone", "day"), CASES, ids=lambda value: str(value)[:10])
def test_every_cell_says_who_and_by_which_rule(stands, zone, day, shown_in):
    clock = zones.clock({"tz": "UTC0" if shown_in == "utc" else zone})
    first, last = monday(clock, day)
    web = stands[zone].client
    days, cells = table(web.get(f"/pane/week?week={day.date()}&clock={shown_in}").text)
    expected = quarters(clock, first, last)
    assert len({key[0] for key in expected}) == 7
    oracle = Oracle(zone, first, last)
    for (each, label), seconds in expected.items():
        cell = cells.pop((f"{each:%a} {each.day} {each:%b}", label))
        check_cell(cell, seconds, oracle)
    # What is left is not on the clock on that day.
    for cell in cells.values():
        assert {"skipped", "once"} & set(cell.attributes["class"].split())
    if zone == BERLIN and shown_in == "local":
        sunday = sum(len(each) for (on, _), each in expected.items() if on.weekday() == 6)
        assert sunday == {3: 23, 7: 24, 10: 25}[day.month] * 3600


class Oracle:
    """What each share, and each rule by itself, is in a week: a byte for each second."""

    def __init__(self, zone, first, last):
        self._first = first
        self.whole = {
            name: painted(zone, rules, first, last) for name, (_, rules) in SHARES.items()
        }
        self.alone = {
            name: [painted(zone, [{**rule, "allow": True}], first, last) for rule in rules]
            for name, (_, rules) in SHARES.items()
        }

    def open(self, line, seconds):
        """Those of some seconds at which a line is open."""
        return [at for at in seconds if not line[at - self._first]]


def check_cell(cell, seconds, oracle):
    open_at = {"Anna": seconds} | {
        name: oracle.open(whole, seconds) for name, whole in oracle.whole.items()
    }
    names = [name for name in open_at if open_at[name]]
    assert cell.text == ", ".join(names)
    is_whole = all(len(open_at[name]) == len(seconds) for name in names)
    assert ("all" if is_whole else "part") in cell.attributes["class"].split()
    for name in SHARES:
        told = [each for each in cell.attributes["title"].split("; ") if f"{name}: " in each]
        assert bool(told) == bool(open_at[name])
        for number, (text, rule) in enumerate(zip(*SHARES[name], strict=True), 1):
            acts = oracle.open(oracle.alone[name][number - 1], open_at[name])
            if told and rule.get("allow", True):
                assert (f"rule {number} ({text})" in told[0]) == bool(acts)


def uid_of(made, name):
    """Of somebody's share."""
    with made.cloud.transaction(reads=True) as context:
        device = context.session.scalars(select(Device)).one()
        shares = sharing.visible(context, device.owner, device)
        return next(each.uid for each in shares if each.person and each.person.name == name)


def one_share(made, name, **query):
    web = made.client
    return web.get("/pane/week", params={"who": uid_of(made, name), **query}).text


def test_a_cell_that_is_open_in_part_says_since_when(stands):
    _, cells = table(one_share(stands[BERLIN], "Bob", week="2026-07-01"))
    wednesday = cells["Wed 1 Jul", "12:00"].attributes
    assert "part" in wednesday["class"]
    assert wednesday["title"] == (
        "Wed 12:00 to 12:30. Bob: deny_rule, rule 2 (deny wed 12:00-12:10) from 12:00, "
        "then rule 1 (mon-fri 08:00-16:00) from 12:10"
    )
    assert cells["Wed 1 Jul", "16:00"].attributes["title"] == (
        "Wed 16:00 to 16:30. Bob: outside_rules"
    )


def test_rows_are_in_the_order_of_time(stands):
    page = read(stands[BERLIN].client.get("/pane/week?week=2026-10-25").text)
    labels = [each.text for each in page.one("tbody").all("th")]
    assert len(labels) == 50
    assert labels[3:9] == ["01:30", "02:00", "02:30", "02:00 again", "02:30 again", "03:00"]


def test_what_was_passed_on_opens_only_while_its_parent_does(tmp_path):
    with stand(tmp_path) as made:
        with made.setting_up() as context:
            anna, bob, _ = (made.person(context, name) for name in ("Anna", "Bob", "Finn"))
            device = devices.create(context, anna, "Front door", BERLIN)
            made.device = device.uid
            rules = write(rules=["mon-fri 08:00-16:00"])
            whole = sharing.create(
                context, anna, device, "bob@example.org", rules, may_pass_on=True
            )
            early = write(rules=["daily 07:00-09:00"])
            sharing.pass_on(context, bob, whole, "finn@example.org", early)
        _, cells = table(one_share(made, "Finn"))
    assert cells["Wed 1 Jul", "07:30"].attributes["title"].endswith("Finn: parent_denies")
    assert cells["Wed 1 Jul", "08:30"].text == "Finn"
    assert "rule 1 (daily 07:00-09:00)" in cells["Wed 1 Jul", "08:30"].attributes["title"]
    assert cells["Sat 4 Jul", "08:30"].text == "nobody"


def test_the_words_below_it_are_exact_to_the_second(stands):
    page = read(one_share(stands[BERLIN], "Cleo", week="2026-10-25"))
    told = [each.text for each in page.one("details", id="week-words").one("ul").all("li")]
    assert told[0] == "Mon 00:00 to 02:15:07, rule 1 (daily 22:00-02:15:07)"
    # At 03:00 it is 02:00 again, and rule 1 holds again; rule 2 does not mind the clocks.
    first, second = "rule 1 (daily 22:00-02:15:07)", "rule 2 (sat,sun 00:30-02:30 utc)"
    assert told[-5:] == [
        f"Sat 22:00 to Sun 02:15:07, {first}",
        f"Sun 02:30 to 02:00 again, {second}",
        f"Sun 02:00 again to 02:15:07 again, {first}, {second}",
        f"Sun 02:15:07 again to 03:30, {second}",
        f"Sun 22:00 to 24:00, {first}",
    ]


def test_a_guest_sees_the_owner_and_themselves(stands):
    page = read(stands[BERLIN].client.get("/pane/week?me=bob@example.org").text)
    choices = [each.text for each in page.one("select", id="week-who").all("option")]
    assert choices == ["All together", "Anna", "Bob"]


@pytest.mark.parametrize(
    "week", ["", "yesterday", "0001-01-01", "9999-12-31", "2026-02-30", "1999-12-31"]
)
def test_a_day_that_is_none_is_today(stands, week):
    days, _ = table(stands[BERLIN].client.get("/pane/week", params={"week": week}).text)
    assert days[0] == "Mon 29 Jun"


def test_links_lead_to_the_weeks_around_and_to_the_next_change(stands):
    page = read(stands[BERLIN].client.get("/pane/week?week=2026-10-25&clock=utc").text)
    links = {each.text: each.attributes["href"] for each in page.one("p", class_="weeks").all("a")}
    assert links == {
        "Earlier": "?clock=utc&week=2026-10-12#week",
        "This week": "?clock=utc#week",
        "Later": "?clock=utc&week=2026-10-26#week",
        "Clocks forward on 28 Mar 2027": "?clock=utc&week=2027-03-28#week",
    }


@settings(max_examples=soak.count(5_000, 60))
@given(scenarios(most_rules=4))
def test_segments_name_the_rules_that_act(drawn):
    scenario, at = drawn
    scenario["state"].pop("first_use", None)
    scenario["state"].get("parent", {}).pop("state", None)
    scenario["grant"].pop("after_first_use_s", None)
    case = Case(scenario)
    span_s = 6 * DAY_S
    whole = line(scenario, at, at + span_s)
    rules = scenario["grant"]["rules"]
    limits = {**scenario["grant"], "rules": []}
    limits.pop("parent", None)
    alone = [
        line(
            {"zone": scenario["zone"], "grant": {**limits, "rules": [{**rule, "allow": True}]}},
            at,
            at + span_s,
        )
        for rule in rules
    ]
    end = 0
    for each in segments(case.grant, case.zone, from_unix(at), span_s, case.state.parent):
        assert each.offset_s == end
        end = each.offset_s + each.length_s
        reason = words.name(each.reason)
        kind = {"allowed": True, "deny_rule": False}.get(reason)
        for second in {each.offset_s, each.offset_s + each.length_s // 2, end - 1}:
            assert REASONS[whole[second]] == reason
            acting = [
                n
                for n, rule in enumerate(rules, 1)
                if rule["allow"] is kind and not alone[n - 1][second]
            ]
            assert each.rules == tuple(acting)
    assert end == span_s
