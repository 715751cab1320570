"""The phone's page as a person uses it: a browser with its own Web Bluetooth, an `org.bluez` over
Bumble's controllers, the firmware on MicroPython, and a share cloud that comes and goes."""

import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from firmware.policy import reasons
from firmware.policy.grant import LOCAL, UNLOCK
from firmware.policy.instant import from_unix
from firmware_tests.board import Board
from firmware_tests.cloud.databases import Sqlite
from firmware_tests.cloud.test_native_shares import API, add_lock, give, ok
from firmware_tests.cloud.world import PASSWORD, World
from firmware_tests.radio import conftest as on_air
from firmware_tests.web.conftest import (
    PHONE_WIDTH,
    chromium,
    faults,
    launched,
    opened,
    picture,
)
from host_sim import words
from host_sim.cloud import issuer
from host_sim.cloud.domain.model import Device
from host_sim.cloud.keys import PrivateKey
from host_sim.world.network import FINE, REFUSES, Proxy

radio = on_air.radio

WARSAW = ZoneInfo("Europe/Warsaw")
UNLOCKED = "Unlocked."
PATIENCE_MS = 60_000
MESSAGE_1, RESUME = 0x10, 0x20
# Notes the first byte of each message that the page sends: a piece begins with its number, its
# length and the message's.
OVERHEARD = """
  globalThis.sent = [];
  for (const name of ["writeValueWithoutResponse", "writeValueWithResponse"]) {
    const write = BluetoothRemoteGATTCharacteristic.prototype[name];
    BluetoothRemoteGATTCharacteristic.prototype[name] = function (piece) {
      if (piece[0] & 0x80) globalThis.sent.push(piece[4]);
      return write.call(this, piece);
    };
  }
"""


class Town:
    """Anna has a door and its lock has a cloud, which the lock cannot reach; `url` can be cut."""

    def __init__(self, folder, stack):
        sqlite = Sqlite(folder)
        url = stack.enter_context(sqlite.copy())
        self.world = stack.enter_context(World(url, folder, lambda: int(time.time())))
        at = stack.enter_context(self.world.served())
        self.proxy = stack.enter_context(Proxy(int(at.partition(":")[2])))
        self.url = f"http://127.0.0.1:{self.proxy.port}/phone/"
        self.anna = self.world.person("anna@example.org")
        self.door = add_lock(self.anna)
        self.told = ok(self.anna.post(f"{API}/devices/{self.door}/enrolment"), 201)
        self.board = self.provisioned(folder)
        with self.world.transaction() as context:
            context.session.query(Device).one().public_key = bytes.fromhex(self.board.key)
        self.board.on()
        stack.callback(self.board.off)
        self._guests = 0
        self.heard = set()  # addresses of locks, and of those that are gone
        self.gone = set()

    def provisioned(self, folder):
        board = Board("micropython", folder)
        board.provision(self.told["lock"], self.told["issuer"])
        return board

    def guest(self, words=None, **more):
        """Somebody new with a share of the door."""
        self._guests += 1
        person = self.world.person(f"guest-{self._guests}@example.org")
        return person, give(self.anna, self.door, person.email, words, **more)

    @contextmanager
    def without_power(self):
        """The lock is off; afterwards it has another address."""
        self.board.off()
        self.gone |= self.heard
        try:
            yield
        finally:
            self.gone |= self.heard
            self.board.on()

    @contextmanager
    def offline(self):
        """Nobody reaches the cloud."""
        self.proxy.fault = REFUSES
        self.proxy.drop()
        try:
            yield
        finally:
            self.proxy.fault = FINE

    def tell_time(self):
        """Let the lock know the time."""
        nonce = self.board.ask("nonce").get("nonce")
        if nonce:
            signer = self.world.service.issuers
            now = from_unix(int(time.time()))
            change = issuer.time(self.told["lock"].encode(), now, bytes.fromhex(nonce))
            token = issuer.sign(change, signer.key(signer.current))
            assert self.board.ask("statement", token=token.hex())["reason"] == reasons.TIME_SET

    def says(self, person):
        """The lock's reason to the phone of somebody, at the door."""
        (phone,) = ok(person.get(f"{API}/phones"))
        asked = {"key": phone["thumbprint"], "action": UNLOCK, "channel": LOCAL, "proven": True}
        return self.board.ask("act", **asked)["reason"]


@pytest.fixture(scope="module")
def town(radio, tmp_path_factory):
    with ExitStack() as stack:
        yield Town(tmp_path_factory.mktemp("town"), stack)


@pytest.fixture(scope="module")
def browser(radio):
    with chromium("--enable-features=WebBluetooth") as started:
        yield started


def digits(scalar):
    """The public key of a number."""
    public = PrivateKey.from_scalar(scalar).public
    return (public.x + public.y).hex()


def entries(town):
    """How much of the lock's log the cloud has."""
    events = ok(town.anna.get(f"{API}/devices/{town.door}/audit?limit=1000"))["items"]
    return sum(each["type"].startswith("sharelock.log.") for each in events)


class Phone:
    """The page in somebody's hand, who chooses the lock that is there when asked for one."""

    def __init__(self, page, town):
        self.page = page
        self.town = town
        self.chosen = 0
        self._answered = set()
        page.add_init_script(OVERHEARD)
        self._chooser = page.context.new_cdp_session(page)
        self._chooser.on("DeviceAccess.deviceRequestPrompted", self._choose)
        self._chooser.send("DeviceAccess.enable")
        page.goto(town.url)

    def _choose(self, prompt):
        there = {device["id"] for device in prompt["devices"]} - self.town.gone
        if there and prompt["id"] not in self._answered:
            self._answered.add(prompt["id"])
            self.town.heard |= there
            self.chosen += 1
            choice = {"id": prompt["id"], "deviceId": there.pop()}
            self._chooser.send("DeviceAccess.selectPrompt", choice)

    def sign_in(self, person):
        self.page.get_by_label("E-mail address").fill(person.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.card.wait_for()

    @property
    def card(self):
        return self.page.get_by_role("article", name="Door")

    def press(self, button, expected, passes=False):
        """Press a button of the door; what the page says to it, when the visit is over.

        Time `passes` quickly, if the page is to lose its patience.
        """
        self.click(button)
        return self.hear(expected, passes)

    def click(self, button):
        self.page.evaluate("sent.length = 0")
        self.card.get_by_role("button", name=button, exact=True).click()

    def hear(self, expected, passes=False):
        said = self.card.get_by_role("status").filter(has_text=expected)
        while passes and not said.is_visible():
            self.page.clock.fast_forward(10_000)
        said.wait_for()
        self.settle()
        assert self.card.locator(".doubt").inner_text() == ""
        return said.inner_text()

    def settle(self):
        """Wait until the page has done what it was told to."""
        expect(self.page.locator("[aria-busy]")).to_have_count(0, timeout=PATIENCE_MS)

    def fetch(self):
        self.page.get_by_role("button", name="Fetch what is new").click()
        self.settle()

    def seen(self):
        """How the lock was, as the page keeps it."""
        return self.page.evaluate(
            """async () => {
              const { Wallet } = await import("./wallet.js");
              const [lock] = (await Wallet.open()).locks.values();
              return { ...lock.seen, at: null };
            }"""
        )

    def began(self):
        """How the last visit did: MESSAGE_1 and so on."""
        return self.page.evaluate("sent[0]")

    def handshakes(self):
        return self.page.evaluate("sent").count(MESSAGE_1)


@pytest.fixture
def phone(browser, town):
    zone = {"locale": "en-GB", "timezone_id": "Europe/Warsaw"}
    with opened(browser, viewport=PHONE_WIDTH, **zone) as page:
        yield Phone(page, town)


def test_a_first_visit_with_an_invitation_and_two_more(town, phone):
    guest, share = town.guest(by_link=True)
    assert faults(phone.page) == []
    phone.page.goto(urljoin(town.url, f"/accept#{town.world.secret(guest.email)}"))
    phone.page.get_by_role("link", name="Open the door with this device").click()
    phone.sign_in(guest)
    assert ok(guest.get(f"{API}/shares/{share['id']}"))["active"]
    picture(phone.page, "phone")
    assert phone.press("Unlock", UNLOCKED) == UNLOCKED
    assert (phone.began(), phone.handshakes(), phone.chosen) == (MESSAGE_1, 1, 1)
    assert "pin 26 1" in town.board.happened()
    seen = phone.card.locator(".seen").inner_text()
    assert seen.startswith("Bolt unlocked, ") and str(datetime.now(UTC).year) in seen
    picture(phone.page, "phone-unlocked")
    for _ in range(2):
        assert phone.press("Unlock", UNLOCKED) == UNLOCKED
        assert (phone.began(), phone.handshakes(), phone.chosen) == (RESUME, 0, 1)
    assert phone.press("Lock", "Locked.") and phone.press("May I?", "It would open.")


def test_an_invitation_is_taken_later_or_tells_what_is_wrong(town, phone):
    guest, _ = town.guest()
    phone.sign_in(guest)
    share = give(town.anna, add_lock(town.anna), guest.email, by_link=True)
    link = phone.page.get_by_label("Link of an invitation", exact=True)
    accept = phone.page.get_by_role("button", name="Accept")
    link.fill("https://cloud.example/accept#wrong")
    accept.click()
    expect(phone.page.locator("#told")).to_have_text(
        "This link was used, has run out, or never was one."
    )
    link.fill(f"https://cloud.example/accept#{town.world.secret(guest.email)}")
    accept.click()
    expect(link).to_have_value("")
    assert ok(guest.get(f"{API}/shares/{share['id']}"))["active"]
    phone.page.get_by_role("button", name="Sign out").click()
    phone.page.get_by_role("button", name="Sign in").wait_for()
    # What was fetched opens the door all the same.
    assert phone.press("Unlock", UNLOCKED) == UNLOCKED


def test_a_lock_that_lost_its_power_is_found_again(town, phone):
    phone.page.clock.install()
    phone.page.reload()
    guest, _ = town.guest()
    phone.sign_in(guest)
    phone.press("Unlock", UNLOCKED)
    with town.without_power():
        phone.press("Unlock", "out of reach", passes=True)
    # It has another address now, and no places of resumption.
    phone.press("Unlock", UNLOCKED)
    assert (phone.began(), phone.handshakes(), phone.chosen) == (RESUME, 1, 2)


def test_a_browser_that_remembers_the_lock_does_not_ask_for_it_again(town, browser):
    flags = (
        "--enable-features=WebBluetooth,WebBluetoothNewPermissionsBackend",
        "--enable-blink-features=WebBluetoothGetDevices",
    )
    with launched(browser.browser_type, *flags) as other, opened(other) as page:
        phone = Phone(page, town)
        guest, _ = town.guest()
        phone.sign_in(guest)
        phone.press("Unlock", UNLOCKED)
        page.reload()
        phone.press("Unlock", UNLOCKED)
        assert (phone.began(), phone.chosen) == (RESUME, 1)
        with town.without_power():
            pass
        page.reload()
        phone.press("Unlock", UNLOCKED)  # it has another address now
        assert phone.chosen == 2


def test_two_tabs_take_turns(town, phone):
    guest, _ = town.guest()
    phone.sign_in(guest)
    phone.press("Unlock", UNLOCKED)
    other = Phone(phone.page.context.new_page(), town)
    tabs = (phone, other)
    for _ in range(2):
        for tab in tabs:
            tab.click("Unlock")
        for tab in tabs:
            assert tab.hear(UNLOCKED) == UNLOCKED
        assert [(tab.began(), tab.handshakes()) for tab in tabs] == [(RESUME, 0)] * 2


def test_a_denied_guest_reads_why_and_when(town, phone):
    town.tell_time()
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0) + timedelta(days=2)
    guest, _ = town.guest({"from": noon.isoformat(timespec="minutes").replace("+00:00", "Z")})
    phone.sign_in(guest)
    said = phone.press("Unlock", "No.")
    hour = datetime.fromtimestamp(noon.timestamp(), WARSAW).strftime("%H:%M")
    assert said.startswith(f"No. {words.text(reasons.TOO_EARLY)} It would be a yes from {noon:%A}")
    assert said.endswith(f" {noon.day} {noon:%B %Y} at {hour}.")
    assert phone.press("May I?", "No.") == said
    assert phone.press("Pull latch", "No.")
    picture(phone.page, "phone-denied")


def test_a_lock_without_the_time_gets_it_through_the_phone(town, phone):
    guest, _ = town.guest(lease="7 d")
    phone.sign_in(guest)
    with town.without_power():
        pass
    with town.offline():
        said = phone.press("Unlock", "No.")
        assert said == f"No. {words.text(reasons.CLOCK_UNKNOWN)}"
    assert phone.press("Unlock", UNLOCKED) == UNLOCKED


def test_a_courier_without_a_network_carries_both_ways(town, phone):
    (ends, share), (begins, _) = town.guest(), town.guest()
    for person, key in ((ends, 31), (begins, 32)):
        ok(person.post(f"{API}/phones", json={"name": "phone", "key": digits(key)}), 201)
    phone.sign_in(town.anna)
    phone.press("Carry only", "The lock has")
    assert (town.says(ends), town.says(begins)) == (reasons.ALLOWED, reasons.ALLOWED)
    ok(town.anna.delete(f"{API}/shares/{share['id']}"), 204)
    late, _ = town.guest()
    ok(late.post(f"{API}/phones", json={"name": "phone", "key": digits(33)}), 201)
    phone.fetch()

    with town.offline():
        phone.page.reload()
        phone.page.get_by_text("No network").wait_for()
        assert town.says(ends) == reasons.ALLOWED
        assert phone.press("Unlock", UNLOCKED) == UNLOCKED
    assert town.says(ends) in (reasons.REVOKED, reasons.UNKNOWN_SHARE)
    assert (town.says(begins), town.says(late)) == (reasons.ALLOWED, reasons.ALLOWED)
    assert phone.card.locator(".brings").inner_text() == "0"
    assert phone.card.locator(".takes").inner_text() == "1"
    with town.offline():
        phone.press("Carry only", "The lock has")
    assert phone.card.locator(".takes").inner_text() == "1"  # which has all of the one before

    before, kept = entries(town), phone.seen()["kept"]
    phone.fetch()
    assert phone.card.locator(".takes").inner_text() == "0"
    assert entries(town) > before
    with town.offline():
        phone.press("Carry only", "The lock has")
    assert phone.seen()["kept"] > kept


def test_nobody_can_read_the_keys_of_a_browser(town, phone):
    guest, _ = town.guest()
    phone.sign_in(guest)
    phone.press("Unlock", UNLOCKED)
    kept = phone.page.evaluate(
        """async () => {
          const request = indexedDB.open("sharelock");
          await new Promise((resolve) => (request.onsuccess = resolve));
          const store = request.result.transaction("wallet").objectStore("wallet").getAll();
          await new Promise((resolve) => (store.onsuccess = resolve));
          const phone = store.result.find((each) => each.phone).phone;
          const keys = [phone.secret, ...store.result.filter((each) => each instanceof CryptoKey)];
          const read = (key) => ["raw", "jwk", "pkcs8"].map((form) =>
            crypto.subtle.exportKey(form, key).then(() => "read", () => "refused"));
          const tries = await Promise.all(keys.flatMap(read));
          const kinds = keys.map((key) => [key.algorithm.name, key.extractable]);
          return { point: [...phone.point], tries, kinds };
        }"""
    )
    assert kept["tries"] == ["refused"] * 6
    assert kept["kinds"] == [["ECDH", False], ["HMAC", False]]
    (known,) = ok(guest.get(f"{API}/phones"))
    assert known["key"] == bytes(kept["point"]).hex()
    phone.page.get_by_text("Forget everything").click()
    phone.page.get_by_role("button", name="Delete key and locks").click()
    phone.page.get_by_text("This phone knows no lock yet.").wait_for()
    assert ok(guest.get(f"{API}/phones")) == []


def test_another_lock_is_told_from_the_own_one(town, phone, tmp_path):
    guest, _ = town.guest()
    phone.sign_in(guest)
    other = town.provisioned(tmp_path)
    with town.without_power():
        other.on()
        phone.press("Unlock", "not the lock")
        other.off()
    assert "pin 26 1" not in other.happened()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_for_everybody(town, browser, scheme):
    guest, _ = town.guest()
    with opened(browser, viewport={"width": 320, "height": 640}, color_scheme=scheme) as page:
        phone = Phone(page, town)
        assert faults(page) == []
        phone.sign_in(guest)
        phone.card.get_by_role("button", name="Unlock").focus()
        page.keyboard.press("Enter")
        phone.card.get_by_role("status").filter(has_text=UNLOCKED).wait_for()
        assert faults(page) == []
        assert page.evaluate("document.activeElement.name") == "unlock"
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        picture(page, f"phone-{scheme}")


def test_it_can_be_installed(town, phone):
    page = phone.page
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    chrome = page.context.new_cdp_session(page)
    # A test's profile is one that keeps nothing: Chromium installs nothing from those.
    errors = chrome.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [each["errorId"] for each in errors] == ["in-incognito"]
    assert chrome.send("Page.getAppManifest")["errors"] == []
