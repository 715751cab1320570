"""Locks, shares and organisations in the page, against what the cloud's database then has."""

import pytest
from sqlalchemy import select

from firmware_tests.cloud.realm import write
from firmware_tests.web.page import read
from firmware_tests.web.stand import BERLIN, NOW, stand
from host_sim.cloud.domain import devices, homes, sharing
from host_sim.cloud.domain.model import Device, Mail, Member, Organisation, Share

ANNA, BOB, CLEO, EVE = (f"{name}@example.org" for name in ("anna", "bob", "cleo", "eve"))
OFFICE = ["mon-fri 08:00-16:00"]


@pytest.fixture
def here(tmp_path):
    """Anna's door: Bob is a guest in office hours, Cleo an admin, Eve is invited by link."""
    with stand(tmp_path) as made:
        with made.setting_up() as context:
            anna, _, _ = (made.person(context, name) for name in ("Anna", "Bob", "Cleo"))
            made.person(context, "Zoe")
            device = devices.create(context, anna, "Front door", BERLIN)
            made.device = device.uid
            share = sharing.create
            share(context, anna, device, BOB, write(rules=OFFICE), may_pass_on=True)
            share(context, anna, device, CLEO, write(level="admin", channels=["local"]))
            share(context, anna, device, EVE, write(uses=3, after_first_use="2 h"), by_link=True)
        yield made


def part(here, name, **query):
    """A pane."""
    return read(here.client.get(f"/pane/{name}", params=query).text).one("section", id=name)


def shares(here, me=ANNA):
    """The page's list: by name, the element of each share."""
    lists = part(here, "shares", me=me).all("ul", class_="shares")
    items = lists[0].all("li") if lists else []
    return {each.one("strong").text: each for each in items}


def uid(here, email):
    with here.cloud.transaction(reads=True) as context:
        live = select(Share.uid).where(Share.email == email, Share.ended_at.is_(None))
        return context.session.scalar(live)


def kept(here, email):
    """The live share of somebody, as it is in the database."""
    with here.cloud.transaction(reads=True) as context:
        live = select(Share).where(Share.email == email, Share.ended_at.is_(None))
        return context.session.scalar(live)


def act(here, pane, action, me=ANNA, **form):
    return here.client.post(f"/pane/{pane}/{action}?me={me}", data=form, headers={"X-Live": "1"})


# --- the list ------------------------------------------------------------------------------------


def test_the_owner_sees_every_share_and_how_it_stands(here):
    found = {name: each.text for name, each in shares(here).items()}
    assert list(found) == ["Anna", "Bob", "Cleo", EVE]
    assert "owner, by ownership open now" in found["Anna"]
    assert "guest, may be passed on; mon-fri 08:00-16:00 open now" in found["Bob"]
    assert "until Thu 2 Jul 2026, 16:00:00 +02:00" in found["Bob"]
    assert "admin, only at the door" in found["Cleo"]
    assert "guest, 3 uses, for 2 h from the first use on invited" in found[EVE]
    assert "the link is good until Sat 1 Aug 2026, 15:46:40 +02:00" in found[EVE]


def test_home_assistant_has_a_share_and_no_eyes(here):
    with here.setting_up() as context:
        (device,) = context.session.scalars(select(Device))
        homes.switch_on(context, device.owner, device)
    assert "Home Assistant" in shares(here)
    names = [each.text for each in part(here, "eyes").all("option")]
    assert names == ["Anna", "Bob", "Cleo", "Zoe"]


def test_time_alone_opens_and_closes(here):
    here.time.now = NOW + 3 * 3600
    assert "closed now until Fri 3 Jul 2026, 08:00:00 +02:00" in shares(here)["Bob"].text
    here.time.now = NOW + 31 * 86_400
    assert "the link has run out" in shares(here)[EVE].text


@pytest.mark.parametrize(
    ("me", "mark"),
    [
        (ANNA, "Anna is owner · shared with 2 · 1 invited"),
        (BOB, "Bob is guest · shared by Anna"),
        (CLEO, "Cleo is administrator · shared by Anna"),
    ],
)
def test_a_lock_has_a_mark(here, me, mark):
    assert (
        part(here, "shares", me=me).one("ul", class_="doors").one("li").text
        == f"Front door {mark}"
    )


@pytest.mark.parametrize(
    ("me", "names", "deeds"),
    [
        (ANNA, ["Anna", "Bob", "Cleo", EVE], {EVE: ["Send again", "Revoke"], "Bob": ["Revoke"]}),
        (BOB, ["Anna", "Bob"], {"Bob": ["Give back"]}),
        (CLEO, ["Anna", "Bob", "Cleo", EVE], {"Cleo": ["Revoke", "Give back"]}),
        ("zoe@example.org", [], {}),
    ],
)
def test_everybody_sees_and_does_what_they_may(here, me, names, deeds):
    found = shares(here, me)
    assert list(found) == names
    for name, wanted in deeds.items():
        assert [each.text for each in found[name].all("button")] == wanted
    assert all(not each.all("button") for name, each in found.items() if name == "Anna")


def test_an_invitation_is_sent_again(here):
    answer = act(here, "shares", "resend", share=uid(here, EVE))
    assert (answer.status_code, answer.text) == (
        200,
        "The invitation to eve@example.org was sent again.",
    )
    with here.cloud.transaction(reads=True) as context:
        mails = context.session.scalars(select(Mail).where(Mail.to == EVE)).all()
    assert len(mails) == 2 and mails[0].text != mails[1].text
    link = part(here, "mail").all("p", class_="letter")[0].all("a")[0].attributes["href"]
    assert "/accept#" in link and link in mails[1].text


def test_a_share_ends(here):
    assert act(here, "shares", "end", share=uid(here, BOB)).text == "The share of Bob has ended."
    assert kept(here, BOB) is None
    assert "Bob" not in shares(here)
    assert act(here, "shares", "drop", me=CLEO, share=uid(here, CLEO)).status_code == 200
    assert kept(here, CLEO) is None


def test_who_may_not_is_told_and_nothing_changes(here):
    bobs, evers = uid(here, BOB), uid(here, EVE)
    refusals = [
        act(here, "shares", "end", me="zoe@example.org", share=bobs),
        act(here, "shares", "end", me=BOB, share=bobs),
        act(here, "shares", "resend", share=bobs),
        act(here, "shares", "resend", me=BOB, share=evers),
        act(here, "shares", "end", share="0" * 32),
        act(here, "shares", "end"),
    ]
    assert [each.status_code for each in refusals] == [422] * 6
    assert refusals[2].text == "This share was accepted already."
    assert kept(here, BOB) and kept(here, EVE)


# --- the editor ----------------------------------------------------------------------------------


def editor(here, me=ANNA, **query):
    return part(here, "editor", me=me, **query)


def previewed(here, me=ANNA, **query):
    """The editor after a preview of fields, and the form as a browser would send it then."""
    seen = editor(here, me, level="guest", **query)
    return seen, seen.one("form").fields()


def sign(here, form, me=ANNA, **changed):
    return act(here, "editor", "sign", **{**form, **changed, "me": me})


def test_a_form_starts_as_the_share_is(here):
    form = editor(here, edit=uid(here, BOB)).one("form")
    fields = form.fields()
    assert fields["rules"].strip() == "mon-fri 08:00-16:00"
    assert (fields["level"], fields["passing"]) == ("guest", "on")
    ticked = [
        each.attributes["value"]
        for each in form.all("input", name="right")
        if "checked" in each.attributes
    ]
    assert ticked == ["unlock", "lock", "pull"]
    assert not form.all("button", id="editor-sign")


def test_a_preview_comes_before_the_signature_and_changes_nothing(here):
    seen, form = previewed(
        here, edit="new", email=EVE, right="unlock", channel="local", rules="fri 22:00-06:00"
    )
    spans = [each.text for each in seen.one("ul", class_="plain").all("li")]
    assert spans == [
        "Fri 3 Jul 2026, 22:00:00 +02:00 until Sat 4 Jul 2026, 06:00:00 +02:00",
        "Fri 10 Jul 2026, 22:00:00 +02:00 until Sat 11 Jul 2026, 06:00:00 +02:00",
    ]
    assert seen.all("button", id="editor-sign")
    changed = sign(here, form, rules="daily")
    assert (changed.status_code, "look at them again" in changed.text) == (422, True)
    unseen = {name: value for name, value in form.items() if name != "previewed"}
    assert sign(here, unseen).status_code == 422
    assert kept(here, BOB).version == 1


@pytest.mark.parametrize(
    ("terms", "codes"),
    [
        ({"rules": "mon 08:00-09:00 from 2026-07-07 to 2026-07-10"}, ["never-active"]),
        ({"rules": "mon-fri 08:00-16:00\r\nwed 10:00-12:00"}, ["rule-covered"]),
        ({"rules": "mon 08:00-12:00\nmon 11:00-13:00"}, ["overlap"]),
        ({"rules": "sun 02:10-02:40"}, ["dst-longer", "dst-closed"]),
        ({"rules": "sun 02:10-02:40 utc"}, ["utc-shifts"]),
        ({"rules": "daily", "until": "2026-06-01T12:00"}, ["over"]),
        ({"right": "manage"}, ["refused"]),
        ({}, []),
    ],
)
def test_what_is_odd_is_said_before_signing(here, terms, codes):
    query = {"edit": "new", "email": EVE, "right": "unlock", "channel": "local", **terms}
    seen, _ = previewed(here, **query)
    found = [each.text for each in seen.all("span", class_="warn")]
    assert found == codes
    assert ("Nothing odd" in seen.text) == (not codes)


@pytest.mark.parametrize(
    ("terms", "problem"),
    [
        ({"rules": "sometimes"}, "'sometimes' is no rule"),
        ({"uses": "a few"}, "uses: "),
        ({"from": "2027-03-28T02:30"}, "never shows"),
        ({"lease": "soon"}, "'soon' is no duration"),
        ({"right": "manage"}, "No lock takes that."),
    ],
)
def test_what_makes_no_sense_cannot_be_signed(here, terms, problem):
    query = {"edit": "new", "email": EVE, "right": "unlock", "channel": "local", **terms}
    seen, form = previewed(here, **query)
    assert problem in seen.one("p", class_="bad").text
    assert not seen.all("button", id="editor-sign")
    assert "previewed" not in form


def test_a_share_is_made_as_it_was_seen(here):
    _, form = previewed(
        here,
        edit="new",
        email="new@example.org",
        right="unlock",
        channel="local",
        rules="mon-fri 08:00-16:00\r\ndeny wed",
        until="2026-12-31T12:00",
        uses="5",
        lasts="2 h",
        lease="7 d",
        duress="on",
        passing="on",
        link="on",
    )
    answer = sign(here, form)
    assert (answer.status_code, answer.text) == (200, "new@example.org is invited.")
    assert answer.headers["X-Look"] == "?me=anna%40example.org"
    made = kept(here, "new@example.org")
    assert made.terms == {
        "level": "guest",
        "rights": ["unlock"],
        "channels": ["local"],
        "until": "2026-12-31T11:00:00Z",
        "rules": ["mon-fri 08:00-16:00", "deny wed"],
        "uses": 5,
        "after_first_use": "2 h",
        "duress": True,
    }
    assert (made.lease_s, made.may_pass_on, made.by_link) == (7 * 86_400, True, True)


def test_a_share_is_changed_and_what_is_left_out_is_gone(here):
    before = kept(here, BOB)
    _, form = previewed(
        here, edit=before.uid, right="unlock", channel="remote", rules="sat 10:00-12:00"
    )
    assert sign(here, form).text == "Version 2 of the share with bob@example.org is signed."
    made = kept(here, BOB)
    assert made.terms == {
        "level": "guest",
        "rights": ["unlock"],
        "channels": ["remote"],
        "rules": ["sat 10:00-12:00"],
    }
    assert (made.version, made.may_pass_on) == (2, False)


def test_an_instant_that_the_clock_shows_twice_is_not_changed_by_looking(here):
    with here.setting_up() as context:
        device = context.session.scalars(select(Device)).one()
        share = sharing.find(context, device.owner, uid(here, BOB))
        second = write(until="2026-10-25T01:30:00Z")  # 02:30 for the second time
        sharing.change(context, device.owner, share, second)
    fields = editor(here, edit=uid(here, BOB)).one("form").fields()
    assert fields["until"] == "2026-10-25T01:30:00Z"
    _, form = previewed(
        here, edit=uid(here, BOB), right="unlock", channel="local", until=fields["until"]
    )
    assert sign(here, form).text == "Version 3 of the share with bob@example.org is signed."
    assert kept(here, BOB).terms["until"] == "2026-10-25T01:30:00Z"


def test_a_holder_passes_on_what_is_no_wider(here):
    query = {"edit": "new", "email": "dora@example.org", "channel": "local"}
    seen, form = previewed(here, BOB, right="unlock", rules="daily", **query)
    # The preview is of both: Bob's own hours count.
    assert seen.one("ul", class_="plain").all("li")[1].text == (
        "Fri 3 Jul 2026, 08:00:00 +02:00 until 16:00:00 +02:00"
    )
    assert sign(here, form, me=BOB).text == "dora@example.org is invited."
    made = kept(here, "dora@example.org")
    assert made.origin == "passed on" and made.parent_id == kept(here, BOB).id
    found = shares(here)["dora@example.org"]
    assert "passed on by Bob" in found.text


def test_who_may_not_share_has_no_editor(here):
    assert "Choose a share" in editor(here, "zoe@example.org", edit="new").text
    assert "Choose a share" in editor(here, edit="0" * 32).text
    _, form = previewed(
        here, CLEO, edit="new", email="x@example.org", right="unlock", channel="local"
    )
    refused = sign(here, form, me="zoe@example.org")
    assert refused.status_code == 422
    assert kept(here, "x@example.org") is None


# --- organisations -------------------------------------------------------------------------------


def place(here, name):
    with here.cloud.transaction(reads=True) as context:
        return context.session.scalar(select(Organisation).where(Organisation.name == name))


def members(here, name):
    with here.cloud.transaction(reads=True) as context:
        rows = context.session.scalars(select(Member).order_by(Member.id)).all()
        return {each.email: each.role.name for each in rows if each.organisation.name == name}


def test_members_come_change_and_go_and_shares_by_role_with_them(here):
    anna = place(here, "Anna").uid
    said = act(
        here, "organisations", "invite", organisation=anna, email="zoe@example.org", role="Staff"
    )
    assert said.text == "zoe@example.org is invited to Anna as Staff."
    assert members(here, "Anna") == {ANNA: "Admin", "zoe@example.org": "Staff"}
    assert "guest, by role" in shares(here)["Zoe"].text

    section = part(here, "organisations")
    forms = [
        each
        for each in section.all("form")
        if each.attributes.get("aria-label") == "zoe@example.org in Anna"
    ]
    number = forms[0].fields()["member"]
    act(here, "organisations", "role", organisation=anna, member=number, role="Admin")
    assert members(here, "Anna")["zoe@example.org"] == "Admin"
    assert "admin, by role" in shares(here)["Zoe"].text
    act(here, "organisations", "remove", organisation=anna, member=number)
    assert members(here, "Anna") == {ANNA: "Admin"}
    assert "Zoe" not in shares(here)


def test_what_roles_may_is_told(here):
    section = part(here, "organisations")
    rows = [[each.text for each in row.all("td")] for row in section.one("tbody").all("tr")]
    assert rows == [
        ["yes", "yes", "–"],
        ["yes", "yes", "–"],
        ["yes", "yes", "–"],
        ["yes", "yes", "–"],
        ["yes", "–", "–"],
    ]


def test_a_role_is_made_and_changed_and_shares_follow(here):
    anna = place(here, "Anna").uid
    form = {"organisation": anna, "name": "Cleaner"}
    view, control = "View Organization Devices", "Control Organization Devices"
    said = act(here, "organisations", "define", permission=[view], **form)
    assert said.text == "Anna has the role Cleaner now."
    act(
        here, "organisations", "invite", organisation=anna, email="zoe@example.org", role="Cleaner"
    )
    assert "Zoe" not in shares(here)
    assert act(here, "organisations", "define", permission=[control], **form).status_code == 422
    said = act(here, "organisations", "define", permission=[view, control], **form)
    assert said.text == "Cleaner of Anna is changed."
    assert "guest, by role" in shares(here)["Zoe"].text


def test_who_does_not_manage_changes_nothing(here):
    anna = place(here, "Anna").uid
    act(here, "organisations", "invite", organisation=anna, email=BOB, role="User")
    assert "Bob is User." in part(here, "organisations", me=BOB).text
    for action, form in (
        ("invite", {"email": "x@example.org", "role": "Admin"}),
        ("below", {"name": "Cellar"}),
        ("remove", {"member": "1"}),
        ("define", {"name": "Boss", "permission": "Manage Organization"}),
    ):
        answer = act(here, "organisations", action, me=BOB, organisation=anna, **form)
        assert answer.status_code == 422
    assert members(here, "Anna") == {ANNA: "Admin", BOB: "User"}


def test_an_organisation_below(here):
    anna = place(here, "Anna").uid
    assert act(here, "organisations", "below", organisation=anna, name="Cellar").status_code == 200
    section = part(here, "organisations")
    assert "Cellar below Anna" in [each.text for each in section.all("h3")]
    assert act(here, "organisations", "below", organisation=anna, name=" ").status_code == 422
