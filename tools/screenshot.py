"""Makes the pictures in docs: `python -m tools.screenshot` starts a house and looks at its page.

Needs Chromium, as Debian has it.
"""

import asyncio
import shutil
import sys

from playwright.async_api import Page, async_playwright

from host_sim.house.house import House
from host_sim.house.run import Front
from host_sim.runtimes import ROOT
from tools import libraries

DOCS = ROOT / "docs"
_SIZE = {"width": 1100, "height": 900}
_MOVES_MS = 2500


async def _look(page: Page, house: House) -> None:
    await house.visit("Bob", "unlock")
    await house.visit("Anna", "lock")
    await house.visit("Clara", "unlock")
    await page.wait_for_timeout(_MOVES_MS)
    await page.goto(house.net.url)
    await page.screenshot(path=DOCS / "page-door.png")
    await page.goto(f"{house.net.url}/week")
    await page.screenshot(path=DOCS / "page-week.png")


async def _make(chromium: str) -> None:
    async with House() as house, async_playwright() as playwright:
        await house.net.serve(Front(house))
        await house.furnish()
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        await _look(await browser.new_page(viewport=_SIZE), house)  # type: ignore[arg-type]
        await browser.close()


def main() -> None:
    """Make them."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed: apt-get install chromium")
    libraries.fetch_all()
    asyncio.run(_make(chromium))


if __name__ == "__main__":
    main()
