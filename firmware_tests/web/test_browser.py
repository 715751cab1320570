"""The browser that the tests of pages have: it notices what is wrong with one."""

import pytest

from firmware_tests.web.conftest import faults, opened

GOOD = "<!doctype html><html lang=en><title>Door</title><main><h1>Door</h1></main></html>"


def test_a_page_without_faults(page):
    page.set_content(GOOD)
    assert page.title() == "Door" and faults(page) == []


def test_what_a_screen_reader_cannot_read_is_found(page):
    page.set_content(GOOD.replace("</main>", "<input></main>"))
    (found,) = faults(page)
    assert found == "label: <input>"


@pytest.mark.parametrize("wrong", ["throw Error('wrong')", "console.error('wrong')"])
def test_an_error_nobody_saw_fails_the_test(browser, wrong):
    with pytest.raises(AssertionError, match="wrong"), opened(browser) as page:
        page.set_content(f"{GOOD}<script>{wrong}</script>")
        page.evaluate("0")
