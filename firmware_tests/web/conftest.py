"""Debian's Chromium without a window, driven by Playwright; its pictures go to build/pictures.

While Playwright's own loop runs no test can have another one, so a browser is a module's.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserType, ConsoleMessage, Page, sync_playwright

from host_sim.runtimes import ROOT

PICTURES = ROOT / "build" / "pictures"
PHONE_WIDTH = {"width": 390, "height": 844}  # CSS pixels
_PATIENCE_MS = 60_000


@contextlib.contextmanager
def chromium(*options: str, **environment: str) -> Iterator[Browser]:
    """A browser, until it is closed; a skip where there is none."""
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with (
        sync_playwright() as playwright,
        launched(playwright.chromium, *options, **environment) as it,
    ):
        yield it


@contextlib.contextmanager
def launched(kind: BrowserType, *options: str, **environment: str) -> Iterator[Browser]:
    """One more browser; `browser_type` of the other one is its `kind`."""
    started = kind.launch(
        executable_path=shutil.which("chromium"),
        chromium_sandbox=os.geteuid() != 0,  # root has to do without
        args=options,
        env={**os.environ, **environment},
    )
    yield started
    started.close()


@contextlib.contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page in a profile of its own; at the end nothing in it may have gone wrong unseen."""
    wrong: list[str] = []

    def said(message: ConsoleMessage) -> None:
        # What could not be fetched is the page's to tell: being offline is no fault.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            wrong.append(message.text)

    context = browser.new_context(**options)
    context.set_default_timeout(_PATIENCE_MS)
    try:
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(error.stack or error.message))
        page.on("console", said)
        yield page
        assert wrong == []
    finally:
        context.close()


def faults(page: Page) -> list[str]:
    """What axe finds that is serious or critical, a line each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html']}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def picture(page: Page, name: str) -> None:
    """Keep what the page looks like, all of it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser):
    """A page in a new profile."""
    with opened(browser) as made:
        yield made
