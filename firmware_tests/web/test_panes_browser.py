"""The page in a real browser: its main paths by keyboard and mouse, live, on all widths."""

from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from firmware_tests.cloud.realm import write
from firmware_tests.web.conftest import PHONE_WIDTH, faults, opened, picture
from firmware_tests.web.stand import BERLIN, stand
from firmware_tests.web.test_panes_lock import LockLog
from firmware.policy.reasons import BOLT_UNLOCKED
from firmware.store import entry
from host_sim.cloud.domain import devices, issuing, sharing
from host_sim.cloud.domain.model import Device, Share

PATHS = ("/why", "/week", "/shares?edit=new", "/log", "/cloud")

LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE_WIDTH, "has_touch": True},
}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Anna's door with some shares and a log, at an address."""
    with stand(tmp_path_factory.mktemp("stand")) as made:
        with made.setting_up() as context:
            anna, *_ = (made.person(context, name) for name in ("Anna", "Bob", "Clara"))
            device = devices.create(context, anna, "Front door", BERLIN)
            made.device = device.uid
            rules = ["mon-fri 08:00-16:00", "deny wed 12:00-13:00"]
            sharing.create(context, anna, device, "bob@example.org", write(rules=rules))
            night = write(rules=["daily 20:00-06:15"])
            sharing.create(context, anna, device, "clara@example.org", night)
            sharing.create(context, anna, device, "dora@example.org", write(), by_link=True)
            made.lock.state = {
                "applied": device.sequence,
                "digest": issuing.digest(context, device).hex(),
                "settings": device.settings_version,
                "log": 2,
            }
        log = LockLog(made)
        log.add(entry.BOOT, entry.FIRST)
        log.add(entry.BOLT, BOLT_UNLOCKED, count=1)
        log.send()
        with made.served():
            yield made


def end(here, email):
    """Somebody else ends a share."""
    with here.setting_up() as context:
        device = context.session.scalars(select(Device)).one()
        live = select(Share).where(Share.email == email, Share.ended_at.is_(None))
        sharing.end(context, device.owner, context.session.scalars(live).one())
    here.events.add("cloud")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_can_be_read_by_everybody(browser, here, path, look):
    with opened(browser, **LOOKS[look]) as page:
        page.goto(here.address + path)
        name = path.strip("/").partition("?")[0]
        picture(page, f"page-{name}-{look}")
        assert faults(page) == []
        too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not too_wide


def test_a_week_is_chosen_without_leaving_the_page(page, here):
    page.goto(f"{here.address}/week")
    page.evaluate("window.stayed = true")
    table = page.get_by_role("table")
    expect(table.get_by_role("columnheader", name="Thu 2 Jul")).to_be_visible()
    page.get_by_label("Share").select_option("Bob")
    expect(page.get_by_role("table", name="When Bob may open")).to_be_visible()
    cell = table.get_by_role("row", name="12:00").get_by_role("cell").nth(2)
    expect(cell).to_have_text("nobody")
    page.get_by_role("link", name="Clocks back on 25 Oct 2026").click()
    expect(table.get_by_role("columnheader", name="Sun 25 Oct")).to_be_visible()
    expect(table.get_by_role("rowheader", name="02:00 again")).to_be_visible()
    page.get_by_label("Clock").select_option("UTC")
    expect(table.get_by_role("rowheader", name="02:00 again")).to_have_count(0)
    assert "clock=utc" in page.url and "week=2026-10-25" in page.url
    later = page.get_by_role("link", name="Later")
    later.press("Enter")
    expect(table.get_by_role("columnheader", name="Sun 1 Nov")).to_be_visible()
    expect(later).to_be_focused()
    page.go_back()
    expect(table.get_by_role("columnheader", name="Sun 25 Oct")).to_be_visible()
    assert page.evaluate("window.stayed")
    page.reload()
    expect(table.get_by_role("columnheader", name="Sun 25 Oct")).to_be_visible()


def test_a_share_is_previewed_and_signed_by_keyboard(page, here):
    page.goto(f"{here.address}/shares")
    page.get_by_role("link", name="Share Front door with somebody").press("Enter")
    expect(page.get_by_role("heading", name="Terms of a share")).to_be_focused()
    page.get_by_label("E-mail address of who is to have it").fill("frank@example.org")
    rules = page.get_by_label("Rules, one a line")
    rules.fill("sun 02:10-02:40\nmon-fri 08:00-16:00")
    page.get_by_role("button", name="Preview").press("Enter")
    seen = page.locator("#editor-seen")
    expect(seen).to_contain_text("dst-closed")
    expect(rules).to_have_value("sun 02:10-02:40\nmon-fri 08:00-16:00")
    picture(page, "page-preview")
    assert faults(page) == []
    page.get_by_role("button", name="Sign and share").press("Enter")
    expect(page.get_by_role("status")).to_have_text("frank@example.org is invited.")
    row = page.locator("ul.shares > li", has_text="frank@example.org")
    expect(row).to_contain_text("invited")
    expect(page.locator("#editor form")).to_have_count(0)
    row.get_by_role("button", name="Send again").click()
    expect(page.get_by_role("status")).to_contain_text("was sent again")
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)


def test_what_others_do_shows_and_what_one_types_stays(page, here):
    with here.setting_up() as context:
        device = context.session.scalars(select(Device)).one()
        sharing.create(context, device.owner, device, "gone@example.org", write())
    page.goto(f"{here.address}/shares?edit=new")
    row = page.locator("ul.shares > li", has_text="gone@example.org")
    expect(row).to_have_count(1)
    who = page.get_by_label("E-mail address of who is to have it")
    who.fill("half@")
    row.get_by_role("button", name="Revoke").focus()
    end(here, "gone@example.org")
    expect(row).to_have_count(0)
    expect(who).to_have_value("half@")


def test_a_simulator_that_ends_and_comes_back_is_noticed(page, tmp_path):
    with stand(tmp_path) as made:
        with made.setting_up() as context:
            anna = made.person(context, "Anna")
            device = devices.create(context, anna, "Front door", BERLIN)
            made.device = device.uid
        status = page.get_by_role("status")
        with made.served():
            page.goto(f"{made.address}/shares")
            expect(page.locator("#shares")).to_contain_text("not shared")
        expect(status).to_have_text("The simulator does not answer.")
        with made.setting_up() as context:
            device = context.session.scalars(select(Device)).one()
            sharing.create(context, device.owner, device, "late@example.org", write())
        with made.served(int(made.address.rpartition(":")[2])):
            expect(page.locator("#shares")).to_contain_text("1 invited", timeout=15_000)
            expect(status).to_be_empty()


def test_a_refusal_is_told_and_nothing_is_lost(page, here):
    page.goto(f"{here.address}/shares?edit=new")
    who = page.get_by_label("E-mail address of who is to have it")
    who.fill("bob@example.org")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Sign and share").click()
    expect(page.get_by_role("status")).to_have_text("This person has a share of the device.")
    expect(who).to_have_value("bob@example.org")


def test_all_of_it_works_without_scripts(browser, here):
    with opened(browser, java_script_enabled=False) as page:
        page.goto(f"{here.address}/shares?me=anna@example.org&edit=new")
        page.get_by_label("E-mail address of who is to have it").fill("gina@example.org")
        page.get_by_label("Rules, one a line").fill("daily 10:00-11:00\nsat 12:00-13:00")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("#editor-seen")).to_contain_text("Fri 3 Jul 2026, 10:00:00")
        page.get_by_role("button", name="Sign and share").click()
        row = page.locator("ul.shares > li", has_text="gina@example.org")
        expect(row).to_contain_text("invited")
        row.get_by_role("button", name="Send again: gina@example.org").click()
        row.get_by_role("button", name="Send again: gina@example.org").click()
        row.get_by_role("button", name="Revoke").click()
        expect(row).to_have_count(0)
        page.get_by_label("Signed in at the cloud as").select_option("Bob")
        page.get_by_role("button", name="Look").click()
        expect(page.locator("#shares")).to_contain_text("shared by Anna")


def test_a_list_that_is_unrolled_stays_so(page, here):
    page.goto(f"{here.address}/why")
    who = page.get_by_label("Who")
    who.evaluate("element => { element.mark = true; }")
    marked = "element => element.mark === true"
    who.dispatch_event("pointerdown")
    who.focus()
    here.events.add("door")
    page.wait_for_timeout(600)
    assert who.evaluate(marked)
    page.get_by_role("button", name="Ask the lock").focus()
    expect(page.locator("#explain-phone")).not_to_have_js_property("mark", True)


def test_the_lock_is_asked_why(page, here):
    page.goto(f"{here.address}/why")
    expect(page.get_by_role("table")).to_contain_text("clock error")
    page.get_by_label("Who").select_option("Bob, phone")
    page.get_by_label("When").fill("2026-07-04T12:00:01")
    page.get_by_role("button", name="Ask the lock").click()
    expect(page.locator(".verdict")).to_contain_text("outside_rules")
    expect(page.get_by_label("When")).to_have_value("2026-07-04T12:00:01")
    expect(page.locator("#explain")).to_contain_text("Mon 6 Jul 2026, 08:00:00 +02:00")
