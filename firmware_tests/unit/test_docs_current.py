"""Pages that are made from the code are up to date."""

from tools import package, power, protocol, reasons, sharing


def test_the_reasons():
    assert reasons.PAGE.read_text(encoding="utf-8") == reasons.page(), "run `make docs`"


def test_the_table_of_who_may_do_what():
    assert sharing.PAGE.read_text(encoding="utf-8") == sharing.page(), "run `make docs`"


def test_the_example_in_the_protocol():
    assert protocol.PAGE.read_text(encoding="utf-8") == protocol.page(), "run `make docs`"


def test_the_package():
    assert package.PAGE.read_text(encoding="utf-8") == package.page(), "run `make docs`"


def test_the_table_of_currents():
    shown = power.PAGE.read_text(encoding="utf-8")
    assert shown == power.page() and power.table() in shown, "run `make docs`"
