"""The page's parts about the house itself, without a browser."""

import asyncio
import html
import re
import tomllib

import httpx2
import pytest

from firmware.policy import reasons
from host_sim import words
from host_sim.cloud.domain import sharing
from host_sim.house import attacker, console, people
from host_sim.house.faults import SWITCHES, share_of


LIVE = {"X-Live": "1"}


@pytest.fixture
def web(home):
    with httpx2.Client(base_url=home.url, timeout=60) as client:
        yield client


def post(web, path, **fields):
    """What a form's button answers."""
    answer = web.post(f"/pane/{path}", data=fields, headers=LIVE)
    return answer.status_code, answer.text


def pane(web, name):
    answer = web.get(f"/pane/{name}")
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", html.unescape(answer.text))


def test_the_picture_tells_what_it_shows(home, web):
    assert post(web, "people/visit", who="Anna", action="lock")[1].endswith("allowed.")
    home.until(lambda: home.house.lock.state["bolt"] == "LOCKED")
    assert "The door is closed. The bolt is locked. The latch is out." in pane(web, "door")
    assert post(web, "door/swing") == (200, "The door is locked.")
    assert post(web, "door/turn", to="unlock")[0] == 200
    home.until(lambda: home.house.lock.state["bolt"] == "UNLOCKED")
    assert post(web, "door/swing") == (200, "The door is open.")
    home.until(lambda: home.house.lock.state["is_open"])
    assert "The door is open. The bolt is unlocked." in pane(web, "door")
    assert post(web, "door/swing") == (200, "The door is shut.")
    assert post(web, "door/turn", to="away")[0] == 422


def test_people_get_answers_in_words_and_when_next(home, web):
    answer = web.post("/pane/people/visit", data={"who": "Bob", "action": "pull"}, headers=LIVE)
    assert (answer.text, answer.headers["X-Denied"]) == ("Bob, pull: allowed.", "0")
    home.do(home.house.faults.set("power", True))
    answer = web.post("/pane/people/visit", data={"who": "Bob", "action": "pull"}, headers=LIVE)
    assert answer.text == "Bob, pull: no answer. No lock within reach."
    assert answer.headers["X-Denied"] == "1"
    assert 'no answer</span>. <br><span class="small">No lock within' in pane(web, "people")
    assert post(web, "people/visit", who="Mallory", action="unlock")[0] == 422
    assert post(web, "people/visit", who="Bob", action="manage")[0] == 422
    assert post(web, "people/network", who="Bob")[1] == "The phone has no network now."
    assert 'aria-pressed="false"' in pane(web, "people")


def test_time_stops_and_jumps_to_a_window(home, web):
    assert post(web, "time/rate", rate="0") == (200, "Time stands still.")
    assert post(web, "time/rate", rate="-1")[0] == 422
    assert post(web, "time/rate", rate="1") == (200, "Time runs.")
    assert post(web, "time/window", who="Bob") == (422, "Bob may open now.")
    status, text = post(web, "time/window", who="Clara")
    assert (status, re.findall("(?:Tue|Thu).*, 09:00:0", text) != []) == (200, True), text
    assert post(web, "time/step", by="an hour")[0] == 200
    assert post(web, "time/to", at="2001-01-01T00:00")[0] == 422


@pytest.mark.parametrize("name", SWITCHES)
def test_each_switch_goes_on_and_off(home, web, name):
    label, text = SWITCHES[name]
    assert post(web, "faults/switch", name=name) == (200, text)
    assert f'aria-pressed="true" title="{text}">{label}' in pane(web, "faults")
    assert f'<strong class="warn">{label}.</strong> {text}' in pane(web, "faults")
    assert post(web, "faults/switch", name=name) == (200, f"{label}: no longer.")
    assert f'<strong class="warn">{label}' not in pane(web, "faults")
    assert post(web, "faults/switch", name="none")[0] == 422


def test_what_an_attacker_brings_again_and_again_changes_nothing(home, web, monkeypatch):
    monkeypatch.setattr(attacker, "EVERY_S", 0.1)
    house = home.house
    before = house.lock.state["digest"]
    home.do(house.faults.set("forged", True))
    refused = f"Anna: refused. {words.text(reasons.BAD_SIGNATURE)}"
    assert refused in pane(web, "faults")
    home.do(house.faults.set("replayed", True))
    assert re.search("Anna,[^:]* Clara,[^:]*: still good, so nothing changes.", answers(house))
    assert house.lock.state["digest"] == before
    again(house, "Clara", limit)
    assert home.do(house.settled())
    # Nobody touches a switch any more.
    old = f"Clara.*: refused. {words.text(reasons.OLD_SEQUENCE)}"
    home.until(lambda: re.search(old, answers(house)))
    assert refused in pane(web, "faults")
    assert home.do(house.settled())
    changed = house.lock.state["digest"]
    assert changed != before
    home.do(house.faults.set("replayed", False))
    home.do(house.faults.set("forged", False))
    home.do(asyncio.sleep(0.2))
    last = house.events.last
    home.do(asyncio.sleep(0.5))
    assert [event for event in house.events.kept("ble") if event.number > last] == []


def answers(house):
    return "\n".join(house.faults.told("replayed"))


def test_an_attacker_at_a_lock_without_power_waits(home, web, monkeypatch):
    monkeypatch.setattr(attacker, "EVERY_S", 0.1)
    home.do(home.house.faults.set("power", True))
    home.do(home.house.faults.set("forged", True))
    assert "The lock does not answer." in pane(web, "faults")
    home.do(home.house.faults.set("power", False))
    home.until(lambda: "Anna: refused" in home.house.faults.told("forged")[1])


def again(house, name, change):
    """Give somebody's share another version."""
    with house.cloud.transaction() as ctx:
        share = share_of(ctx, name)
        assert share is not None
        sharing.change(ctx, people.find(ctx, people.OWNER), share, change)


def limit(grant):
    grant.uses = 99


def test_who_is_revoked_while_the_lock_is_offline_opens_until_it_hears(home, web):
    house = home.house
    assert post(web, "faults/switch", name="revoked")[0] == 200
    assert "It was Bob's." in pane(web, "faults")
    home.until(lambda: not house.lock.state["is_online"])
    assert home.visit("Bob", "unlock").reason == reasons.ALLOWED
    assert post(web, "faults/switch", name="revoked")[0] == 200
    assert home.do(house.settled())
    assert home.visit("Bob", "unlock").reason is None  # a stranger now


def test_when_nobody_has_a_share_nobody_is_revoked(home, web, monkeypatch):
    monkeypatch.setattr(people, "WITH_PHONES", (people.OWNER,))
    status, text = post(web, "faults/switch", name="revoked")
    assert (status, text.startswith("Nobody has a share left")) == (422, True)
    assert home.house.faults.on == set()


def test_what_travels_is_decoded(home, web):
    home.visit("Anna", "unlock")
    home.visit("Anna", "lock")
    lines = console.read(home.house.events.kept(*console.WIRES))
    titles = [line.title for line in lines if line.wire == "ble"]
    at = len(titles) - 1 - titles[::-1].index("a phone connected")
    assert titles[at : at + 4] == ["a phone connected", "greeting", "resumption", "sealed frame"]
    assert "inside: act" in titles[at:]
    first = next(line for line in lines if line.title == "EDHOC message 1")
    assert (first.way, first.members["METHOD"]) == ("phone to lock", "3")
    assert len(first.members["G_X"]) == len("h''") + 64
    kinds = {line.members.get("kind") for line in lines if line.wire == "mqtt"}
    assert {"batch", "time", "settings"} <= kinds
    asked = [line for line in lines if line.wire == "http" and "/grant: 200" in line.title]
    assert asked and "answered: token" in asked[-1].members
    text = pane(web, "console")
    assert "inside: act" in text
    assert "EDHOC" not in web.get("/pane/console?wire=mqtt").text


def test_the_session_is_a_scenario(home, web):
    story = tomllib.loads(web.get("/session.toml").text)
    assert story["lock"]["id"] == home.house.lock_id
    assert {share["who"] for share in story["share"]} >= {"Anna", "Bob", "Clara", "Emil"}
