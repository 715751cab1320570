"""The house in a real browser: its main paths, live, on all widths."""

import tomllib
from typing import Any

import pytest
from playwright.sync_api import expect

from host_sim.house import people
from firmware_tests.web.conftest import PHONE_WIDTH, faults, opened, picture

LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE_WIDTH, "has_touch": True},
}


@pytest.mark.parametrize("path", ["/", "/console"])
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_can_be_read_by_everybody(browser, home, path, look):
    home.visit("Clara", "unlock")
    with opened(browser, **LOOKS[look]) as page:
        page.goto(home.url + path)
        picture(page, f"house-{path.strip('/') or 'door'}-{look}")
        assert faults(page) == []
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_the_door_moves_when_somebody_comes(page, home):
    page.goto(home.url)
    door = page.locator("#door")
    page.get_by_role("button", name="Anna: lock").press("Enter")
    expect(page.get_by_role("status")).to_have_text("Anna, lock: allowed.")
    expect(page.get_by_role("status")).not_to_contain_class("bad")
    expect(door.get_by_role("img")).to_contain_text("The bolt is locked.")
    page.get_by_role("button", name="Bob: unlock").click()
    expect(door.get_by_role("img")).to_contain_text("The bolt is unlocked.")
    # What happens elsewhere shows, too.
    home.visit("Anna", "lock")
    expect(door.get_by_role("img")).to_contain_text("The bolt is locked.")
    page.get_by_role("button", name="Open the door").click()
    expect(page.get_by_role("status")).to_have_text("The door is locked.")
    expect(page.get_by_role("status")).to_contain_class("bad")
    picture(page, "house-locked")


def test_a_guest_who_is_denied_comes_when_it_is_time(page, home):
    page.goto(home.url)
    row = page.get_by_role("row", name="Clara")
    page.get_by_role("button", name="Clara: unlock").click()
    told = page.get_by_role("status")
    expect(told).to_contain_text("Clara, unlock: denied. No rule of the grant allows this time.")
    expect(told).to_contain_class("bad")
    for part in (row, page.locator("#door")):
        expect(part).to_contain_text("denied. No rule of the grant allows this time. Next: ")
    expect(page.locator("main")).not_to_contain_text("outside_rules")
    expect(page.get_by_label("To when")).to_have_value("Clara")
    page.get_by_role("button", name="may open next").click()
    expect(page.locator("#time")).to_contain_text(", 09:00:")
    page.get_by_role("button", name="an hour").click()
    page.get_by_role("button", name="Clara: unlock").click()
    expect(row).to_contain_text("allowed")
    assert faults(page) == []


def test_a_fault_is_switched_by_keyboard_and_seen(page, home):
    page.goto(home.url)
    switch = page.get_by_role("button", name="Wi-Fi lost")
    switch.press("Space")
    expect(switch).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#door")).to_contain_text("none: the lock decides by what it holds")
    page.get_by_role("button", name="Bob: unlock").click()
    expect(page.get_by_role("row", name="Bob")).to_contain_text("allowed")
    picture(page, "house-offline")
    switch.press("Space")
    expect(page.locator("#door")).to_contain_text("connected to the cloud")


def test_what_travels_shows_as_it_does(page, home):
    page.goto(f"{home.url}/console")
    page.get_by_role("button", name="Bluetooth").click()
    home.visit("Emil", "unlock")
    message = page.locator("details", has_text="inside: act").first
    message.locator("summary").press("Enter")
    expect(message).to_contain_text("action")
    expect(page.locator("details", has_text="MQTT")).to_have_count(0)


def test_the_session_is_a_file_that_plays(page, home):
    page.goto(home.url)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save this session as a scenario").click()
    path = download.value.path()
    assert "share" in tomllib.loads(path.read_text(encoding="utf-8"))


def test_the_phone_in_the_browser_knows_the_door_of_the_house(page, home):
    page.goto(f"{home.url}/phone/")
    page.get_by_label("E-mail address").fill(people.address("Bob"))
    page.get_by_label("Password").fill(people.PASSWORD)
    page.get_by_label("What to call this phone").fill("browser")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Front door")).to_be_visible()


def test_all_of_it_works_without_scripts(browser, home):
    with opened(browser, java_script_enabled=False) as page:
        page.goto(home.url)
        page.get_by_role("button", name="Bolt jams").click()
        expect(page.locator("#faults")).to_contain_text("Something is in the bolt's way.")
        page.get_by_role("button", name="Bolt jams").click()
        page.get_by_role("button", name="Anna: unlock").click()
        expect(page.get_by_role("row", name="Anna")).to_contain_text("allowed")
