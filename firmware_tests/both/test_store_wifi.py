"""The Wi-Fi that a lock keeps: written, read, damaged, refused."""

from firmware.store import wifi
from firmware_tests.both.board_case import RamFlash
from firmware_tests.both.check import equal, raises


def test_name_and_password_are_kept_and_the_newest_counts():
    flash = RamFlash()
    equal(wifi.read(flash.pair), None)
    wifi.write(flash.pair, "Home", "correct horse")
    wifi.write(flash.pair, "K\u00fcche", "")
    equal(wifi.read(flash.pair), ("K\u00fcche", ""))


def test_one_damaged_copy_is_healed_and_two_are_none():
    flash = RamFlash()
    wifi.write(flash.pair, "Home", "correct horse")
    flash.log.replace("wifi", b"damaged")
    equal(wifi.read(flash.pair), ("Home", "correct horse"))
    flash.state.replace("wifi", b"damaged")
    equal(wifi.read(flash.pair), ("Home", "correct horse"))
    flash.log.replace("wifi", b"damaged")
    flash.state.replace("wifi", b"damaged")
    equal(wifi.read(flash.pair), None)


def test_what_no_network_can_have_is_refused():
    flash = RamFlash()
    for name, password in (("", ""), ("a" * 33, ""), ("Home", "seven77"), ("Home", "a" * 65)):
        raises(ValueError, wifi.write, flash.pair, name, password)
    equal(wifi.read(flash.pair), None)
