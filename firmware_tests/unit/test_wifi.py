"""`hal.wifi` over a `network` that is slow, far away, or does not believe us."""

import json
import time

import pytest

pytest.importorskip("machine")  # gives `time` what MicroPython's has
import network  # type: ignore[import-not-found]

from firmware.hal.wifi import JOIN_MS, Wifi

HOME = {"networks": {"Home": "correct horse", "Open": ""}}
WEEK_MS = 7 * 24 * 3600 * 1000


class Air:
    """What is in the air, and a time that passes when the lock sleeps."""

    def __init__(self, folder, monkeypatch):
        self.ms = 0
        self._file = folder / "wifi"
        monkeypatch.setattr(network, "_WORLD", str(folder))
        monkeypatch.setattr(network.WLAN, "_active", False)
        monkeypatch.setattr(network.WLAN, "_asked", None)
        monkeypatch.setattr(time, "ticks_ms", lambda: self.ms)
        self.wifi = Wifi()
        self.wifi.ticks_ms = lambda: self.ms
        self.wifi.sleep_ms = self.sleep

    def sleep(self, ms):
        self.ms += ms

    def is_now(self, **changes):
        self._file.write_text(json.dumps({**HOME, **changes}))

    def bring_up(self) -> int:
        """The ms that it took; OSError passes."""
        since = self.ms
        self.wifi.bring_up()
        return self.ms - since


@pytest.fixture
def air(tmp_path, monkeypatch):
    made = Air(tmp_path, monkeypatch)
    made.is_now()
    return made


def test_it_joins_what_it_was_told_and_stays(air):
    air.is_now(slow_ms=12_000)
    air.wifi.know("Home", "correct horse")
    assert 12_000 <= air.bring_up() < 13_000
    assert air.bring_up() == 0


def test_an_open_network_needs_no_password(air):
    air.wifi.know("Open", "")
    air.bring_up()


def test_a_wrong_password_is_known_at_once_and_the_right_one_helps(air):
    air.wifi.know("Home", "wrong")
    with pytest.raises(OSError):
        air.bring_up()
    assert air.ms < 1000
    air.wifi.know("Home", "correct horse")
    air.bring_up()


def test_without_a_name_nothing_is_joined(air):
    with pytest.raises(OSError):
        air.bring_up()
    assert not network.WLAN().active()


def test_a_network_that_was_away_for_a_week_is_joined_again(air):
    air.wifi.know("Home", "correct horse")
    air.bring_up()
    air.is_now(lost=True)
    while air.ms < WEEK_MS:
        since = air.ms
        with pytest.raises(OSError):
            air.bring_up()
        assert JOIN_MS < air.ms - since < JOIN_MS + 1000  # never longer
        air.sleep(450_000)  # the carrier's longest pause
    air.is_now()
    air.bring_up()


def test_one_that_is_slower_than_anybody_waits_is_given_up_and_tried_anew(air):
    air.is_now(slow_ms=JOIN_MS * 2)
    air.wifi.know("Home", "correct horse")
    for _ in range(3):
        with pytest.raises(OSError):
            air.bring_up()
    air.is_now(slow_ms=JOIN_MS // 2)
    air.bring_up()
