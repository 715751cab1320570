"""Why a program ended, kept over restarts, and the watchdog that finds out where it hung."""

from pathlib import Path
from types import SimpleNamespace

import machine  # type: ignore[import-not-found]
import pytest

from firmware.hal.crash import Crash
from firmware.hal.watchdog import TIMEOUT_MS, Watchdog

FILE = Path("crash")


@pytest.fixture(autouse=True)
def flash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_crashes_in_a_row_are_counted_and_the_reason_stays_when_they_are_forgotten():
    for count in (1, 2, 3):
        crash = Crash()
        assert crash.count == count - 1
        crash.note(f"reason {count}")
    assert (Crash().count, Crash().why) == (3, "reason 3")
    Crash().forget()
    assert (Crash().count, Crash().why) == (0, "reason 3")


def test_a_board_that_always_crashes_does_not_wear_out_its_flash():
    for number in range(12):
        Crash().note(f"reason {number}")
    kept = FILE.read_text()
    assert kept == "9 reason 8"
    crash = Crash()
    crash.note("another")
    assert (crash.why, FILE.read_text()) == ("another", kept)


def test_a_long_reason_is_cut():
    Crash().note("x" * 1000)
    assert FILE.read_text() == "1 " + "x" * 120


@pytest.mark.parametrize("content", ["", "x", "nine ValueError()", " "])
def test_what_is_no_such_file_is_no_crash(content):
    FILE.write_text(content)
    assert Crash().count == 0


class Dog:
    """A `machine.WDT`."""

    made: "list[Dog]" = []

    def __init__(self, timeout):
        self.timeout = timeout
        self.fed = 0
        self.made.append(self)

    def feed(self):
        self.fed += 1


def test_the_watchdog_bites_only_who_started_it_and_names_the_task(monkeypatch):
    noted: list[bytes] = []
    rtc = SimpleNamespace(memory=noted.append)
    monkeypatch.setattr(machine, "RTC", lambda: rtc)
    monkeypatch.setattr(machine, "WDT", Dog)
    monkeypatch.setattr(Dog, "made", [])
    watchdog = Watchdog()
    watchdog.feed()
    assert Dog.made == []
    watchdog.start()
    (dog,) = Dog.made
    assert dog.timeout == TIMEOUT_MS == 30_000
    watchdog.begin(b"scan")
    watchdog.feed()
    assert dog.fed == 1
    assert noted == [b"scan"]
