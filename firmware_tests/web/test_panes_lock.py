"""The log with its chain, why somebody may or may not, what the lock has, and e-mails."""

import struct
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import select, update

from firmware.policy.decision import TRUSTED, Now
from firmware.policy.grant import LOCAL, REMOTE, UNLOCK
from firmware.policy.instant import from_unix
from firmware.policy.reasons import ALLOWED, BOLT_UNLOCKED, NOW_TRUSTED, OUTSIDE_RULES
from firmware.store import entry
from firmware.store.seal import Seal
from firmware_tests.cloud.realm import write
from firmware_tests.oracle.line import REASONS, line
from firmware_tests.web.page import read
from firmware_tests.web.stand import BERLIN, NOW, stand
from host_sim.cloud.domain import devices, issuing, log, sharing
from host_sim.cloud.domain.model import Device, Key, LogEntry, Share
from host_sim.words import SENTENCES

ANNA, BOB, CLEO = (f"{name}@example.org" for name in ("anna", "bob", "cleo"))
SUMMER = timezone(timedelta(hours=2))
OFFICE = {"weekdays": 31, "start_s": 8 * 3600, "end_s": 16 * 3600}


@pytest.fixture
def here(tmp_path):
    """Anna's door; Bob may open it in office hours, and Cleo may at the door only."""
    with stand(tmp_path) as made:
        with made.setting_up() as context:
            anna, _, _ = (made.person(context, name) for name in ("Anna", "Bob", "Cleo"))
            device = devices.create(context, anna, "Front door", BERLIN)
            made.device = device.uid
            sharing.create(context, anna, device, BOB, write(rules=["mon-fri 08:00-16:00"]))
            sharing.create(context, anna, device, CLEO, write(channels=["local"]))
        yield made


def part(here, name, **query):
    return read(here.client.get(f"/pane/{name}", params=query).text).one("section", id=name)


def rows(section):
    return [
        [each.text for each in row.inside if not isinstance(each, str)]
        for row in section.one("tbody").all("tr")
    ]


# --- the log -------------------------------------------------------------------------------------


class LockLog:
    """Writes a log as the lock does, and hands it to the cloud."""

    def __init__(self, here):
        self._here = here
        self._seal = Seal(bytes(32))
        self.records = []

    def add(self, kind, reason, action=0, share=b"", subject=b"", count=0, at=NOW):
        record = bytearray(entry.BYTES)
        now = Now(from_unix(at), 0, TRUSTED)
        number = len(self.records) + 1
        entry.pack(record, number, kind, now, reason, action, share, subject, count)
        before = entry.link(self.records[-1]) if self.records else bytes(entry.LINK_BYTES)
        entry.chain(record, before)
        entry.tag(record, self._seal)
        self.records.append(bytes(record))

    def send(self, after=0):
        """An export of what comes after a number, as the lock sends it."""
        before = entry.link(self.records[after - 1]) if after else bytes(entry.LINK_BYTES)
        head = struct.pack(">6sBxI16s4x", b"SLOG\x01\x40", True, after, before)
        with self._here.setting_up() as context:
            device = context.session.scalars(select(Device)).one()
            log.take(context, device, head + b"".join(self.records[after:]))


@pytest.fixture
def told(here):
    """A boot, Bob refused and let in, and the bolt."""
    with here.cloud.transaction(reads=True) as context:
        share = context.session.scalars(select(Share).where(Share.email == BOB)).one()
        key = context.session.scalars(select(Key).where(Key.person_id == share.person_id)).one()
    written = LockLog(here)
    asked = {"share": bytes.fromhex(share.uid), "subject": key.thumbprint[:8]}
    written.add(entry.BOOT, entry.FIRST)
    written.add(entry.DECISION, OUTSIDE_RULES, UNLOCK | LOCAL << 6, **asked)
    written.add(entry.DECISION, ALLOWED, UNLOCK | REMOTE << 6, at=NOW + 60, **asked)
    written.add(entry.BOLT, BOLT_UNLOCKED, count=2, at=NOW + 63)
    written.send()
    return written


def timeline(here, **query):
    return rows(part(here, "audit", **query).one("table"))


def test_the_newest_is_on_top_with_who_and_why(here, told):
    found = timeline(here)
    assert [row[3] for row in found[:5]] == ["4", "3", "2", "1", ""]
    when, what, who, number, link = found[0]
    assert when == "Thu 2 Jul 2026, 15:47:43 +02:00 trusted, error under 1 s"
    assert what == f"bolt_unlocked bolt {SENTENCES['bolt_unlocked']} (2)"
    assert link == f"{entry.link(told.records[3]).hex()[:8]}…"
    assert found[1][1] == "allowed decision unlock, remote. Every check passed."
    assert found[2][1] == (
        "outside_rules decision unlock, local. No rule of the grant allows this time."
    )
    assert [row[2] for row in found[:4]] == ["", "Bob with phone", "Bob with phone", ""]
    assert found[3][1] == "first boot: there was no log boot"
    deeds = [row for row in found if not row[3]]
    assert ["share.created cloud share of Cleo, version 1", "Anna"] in [row[1:3] for row in deeds]


def test_what_is_taken_in_and_what_the_clock_knows_has_words(here, told):
    told.add(entry.STATEMENT, ALLOWED)
    told.add(entry.CLOCK, NOW_TRUSTED)
    told.send(after=4)
    clock, statement = timeline(here)[:2]
    assert clock[1] == f"now_trusted clock {SENTENCES['now_trusted']}"
    assert statement[1] == "allowed statement The lock took it in."


def test_a_whole_chain_says_so(here, told):
    section = part(here, "audit")
    link = entry.link(told.records[-1]).hex()
    assert section.one("strong", class_="good").text == "Whole."
    assert (
        f"numbers 1 to 4, each linked to the one before; the last link is {link}" in section.text
    )


@pytest.mark.parametrize("number", [1, 2])
def test_a_changed_entry_is_found_by_its_number(here, told, number):
    with here.setting_up() as context:
        forged = bytearray(told.records[number - 1])
        forged[5] = ALLOWED
        mine = update(LogEntry).where(LogEntry.sequence == number)
        context.session.execute(mine.values(record=bytes(forged)))
    section = part(here, "audit")
    assert section.one("strong", class_="bad").text == "Broken."
    faults = [each.text for each in section.all("li", class_="bad")]
    assert faults == [
        f"link: number {number}: it, or the entry before, is not what the lock chained",
    ]
    (marked,) = section.one("tbody").all("tr", class_="bad")
    assert f"chained {number}" in marked.text.replace("Bob with phone ", "")


def test_a_missing_entry_is_found(here, told):
    with here.setting_up() as context:
        third = select(LogEntry).where(LogEntry.sequence == 3)
        context.session.delete(context.session.scalars(third).one())
    section = part(here, "audit")
    assert section.one("strong", class_="bad").text == "Broken."
    assert "number 4" in section.all("li", class_="bad")[0].text


def test_a_log_that_was_put_back_is_another_story(here, told):
    other = LockLog(here)
    for _ in range(3):
        other.add(entry.BOOT, entry.UNCLEAN, at=NOW + 100)
    other.send()
    section = part(here, "audit")
    assert [each.text for each in section.all("strong", class_="good")] == ["Whole.", "Whole."]
    assert "told anew for the 2. time: numbers 1 to 3" in section.text
    assert "log.went-back" in section.one("table").text


def test_there_is_more_to_show(here, told):
    for _ in range(60):
        told.add(entry.BOLT, BOLT_UNLOCKED)
    told.send(after=4)
    section = part(here, "audit")
    assert [row[3] for row in rows(section)] == [f"{number}" for number in range(64, 24, -1)]
    (more,) = section.all("a")
    assert more.attributes["href"] == "?events=2#audit"
    assert len(timeline(here, events="2")) > 64
    assert len(timeline(here, events="x")) == 40


def test_a_guest_reads_no_log(here, told):
    section = part(here, "audit", me=BOB)
    assert section.text == "What happened Bob may not read the log of this lock."


# --- why -----------------------------------------------------------------------------------------


def phone(here, email):
    with here.cloud.transaction(reads=True) as context:
        held = select(Key).join(Share, Share.person_id == Key.person_id)
        return context.session.scalars(held.where(Share.email == email)).one().uid


def verdict(section):
    return section.one("p", class_="verdict").one("strong").text


@pytest.mark.parametrize(
    "at", ["2026-07-03T07:59:59", "2026-07-03T08:00:00", "2026-07-03T15:59:59", "2026-07-04T12:00"]
)
def test_the_answer_is_that_of_another_implementation(here, at):
    section = part(here, "explain", phone=phone(here, BOB), at=at)
    moment = int(datetime.fromisoformat(at).replace(tzinfo=SUMMER).timestamp())
    scenario = {"zone": {"tz": BERLIN}, "grant": {"rules": [OFFICE]}}
    painted = line(scenario, moment, moment + 4 * 86_400)
    reason = REASONS[painted[0]]
    assert verdict(section) == reason
    if reason != "allowed":
        later = datetime.fromtimestamp(moment + painted.index(0), SUMMER)
        assert f"into a yes {later:%a} {later.day} {later:%b %Y, %H:%M:%S} +02:00." in section.text
    checks = rows(section)
    assert [row[0] for row in checks][-5:] == [
        "allow rules",
        "uses",
        "first use",
        "parent",
        "clock error",
    ]
    said = [row[1] for row in checks]
    place = said.index(reason) if reason != "allowed" else len(said)
    assert set(said[:place]) == {"passed"}
    assert set(said[place + 1 :]) <= {"not asked"}


def test_a_no_that_time_does_not_change(here):
    section = part(here, "explain", phone=phone(here, CLEO), channel="remote")
    assert verdict(section) == "channel_closed"
    assert "Time alone does not change that" in section.text
    row = next(row for row in rows(section) if row[0] == "channel")
    assert row == ["channel", "channel_closed", "remote of local"]
    assert verdict(part(here, "explain", phone=phone(here, CLEO))) == "allowed"
    assert verdict(part(here, "explain", phone="")) == "unknown_share"


def test_the_lock_is_asked_and_nobody_else(here):
    asked = []

    async def explain(key, action, channel, at_s):
        asked.append((key, action, channel, at_s))
        return {"steps": [], "reason": OUTSIDE_RULES, "next": NOW + 60}

    here.lock.explain = explain
    section = part(here, "explain", phone=phone(here, BOB), action="pull", channel="remote")
    with here.cloud.transaction(reads=True) as context:
        bob = select(Key).join(Share, Share.person_id == Key.person_id).where(Share.email == BOB)
        thumbprint = context.session.scalars(bob).one().thumbprint
    assert asked == [(thumbprint, 4, REMOTE, NOW)]
    assert "into a yes Thu 2 Jul 2026, 15:47:40 +02:00." in section.text


def test_a_time_that_never_is_and_a_lock_without_power(here):
    assert "never shows" in part(here, "explain", at="2027-03-28T02:30").text
    assert "is no time" in part(here, "explain", at="soon").text

    async def gone(*question):
        raise ConnectionError("the lock has no power")

    here.lock.explain = gone
    assert "The lock does not answer: the lock has no power" in part(here, "explain").text


# --- what the lock has ---------------------------------------------------------------------------


def wanted(here):
    with here.cloud.transaction(reads=True) as context:
        device = context.session.scalars(select(Device)).one()
        return {
            "applied": device.sequence,
            "digest": issuing.digest(context, device).hex(),
            "settings": device.settings_version,
            "log": 0,
        }


def test_a_lock_that_has_all_is_the_same(here):
    assert "Not known." in part(here, "sync").text
    here.lock.state = wanted(here)
    section = part(here, "sync")
    assert "The same." in section.text
    assert [row[3] for row in rows(section)] == ["yes"] * 4
    assert "Signed, and not there yet" not in section.text


def test_what_waits_is_named(here):
    here.lock.state = wanted(here)
    with here.setting_up() as context:
        device = context.session.scalars(select(Device)).one()
        share = context.session.scalars(select(Share).where(Share.email == BOB)).one()
        sharing.end(context, device.owner, share)
        sharing.create(context, device.owner, device, BOB, write())
    section = part(here, "sync")
    assert "Not the same." in section.text
    assert [row[3] for row in rows(section)] == ["no", "no", "yes", "yes"]
    waiting = [each.text for each in section.one("ol").all("li")]
    assert [each.split(" signed")[0] for each in waiting] == [
        "4: revocation for Bob, version 1",
        "5: grant for Bob, version 1",
    ]


def test_a_log_on_its_way_is_no_difference_in_what_is_wanted(here):
    here.lock.state = {**wanted(here), "log": 7}
    section = part(here, "sync")
    assert "The same." in section.text
    assert rows(section)[3][1:] == ["7", "0", "no"]


# --- e-mails -------------------------------------------------------------------------------------


def test_mails_are_there_with_links_that_can_be_followed(here):
    with here.setting_up() as context:
        device = context.session.scalars(select(Device)).one()
        sharing.create(context, device.owner, device, "new@example.org", write(), by_link=True)
    section = part(here, "mail")
    first = section.all("article")[0]
    assert first.one("h3").text == "Front door is to be shared with you"
    assert "To new@example.org, Thu 2 Jul 2026, 13:46:40 UTC, not sent yet" in first.text
    links = [each.attributes["href"] for each in first.all("a")]
    assert links[0].startswith("http://127.0.0.1:8080/accept#")
    assert links[1] == "http://127.0.0.1:8080/sign-up"
    here.cloud.deliver_mail()
    assert "not sent yet" not in part(here, "mail").text
