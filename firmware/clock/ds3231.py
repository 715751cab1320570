"""The DS3231, a clock chip with a temperature-compensated crystal and a battery, over I2C.

Imports policy and its siblings. Source: Maxim's data sheet 19-5170 (address map, control and
status registers). What this driver adds: the alarms are of no use to a lock, so their registers
keep the mark, which tells when the chip was set and how far off it was then. The battery keeps
both or neither. Time without a mark is never believed, and `begin` takes the old mark away first:
a cut in between leaves none.

Its methods pass on the OSError of the I2C bus.
"""

import struct

from ..policy import reasons
from ..policy.instant import DAY_S, Instant, date_of
from . import epoch
from .bound import drift_ms, drift_per_million

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, Union

    Bytes = Union[bytes, bytearray]

    class Bus(Protocol):
        """What this driver uses of `machine.I2C`. Any method may raise OSError."""

        def readfrom_mem_into(self, __address: int, __register: int, __into: bytearray) -> None:
            """Fill the buffer from `register` on, in one transfer."""

        def writeto_mem(self, __address: int, __register: int, __from: "Bytes") -> None:
            """Write from `register` on, in one transfer."""


ADDRESS = 0x68
# 3.5 over all temperatures (2 from 0 to 40 degrees C), and 5 for ten years of the crystal's age
# ("Electrical Characteristics": frequency stability, crystal aging).
DRIFT_PPM = 9

_SECONDS = 0x00
_MARK = 0x07  # the alarms' registers, to 0x0D
_CONTROL = 0x0E
_STATUS = 0x0F

# Control: the oscillator runs, also on battery, and no alarm interrupts. Status: nothing stopped.
# Aging offset: none, because the tolerance is that of a chip that nobody trimmed.
_RUN = b"\x04\x00\x00"
_STOPPED = 0x80  # in the status: the oscillator stopped some time, the chip lost the time
_NO_MARK = b"\x00" * 7
_MARK_FORMAT = ">HHHB"  # day, half-second of the day it was set, spread in seconds, check
_MOST_SPREAD_S = 3600
_FIRST_YEAR = 2000  # the chip has two digits, and a century bit that this driver has no use for
_PER_MILLION = drift_per_million(DRIFT_PPM)


class Reading:
    """When the chip was read, the time was in [at - drift_ms, at + 1 s + spread_s + drift_ms).

    `since` is when the lock set the chip.
    """

    def __init__(self) -> None:
        self.at = Instant()
        self.since = Instant()
        self.spread_s = 0
        self.drift_ms = 0


class Ds3231:
    """The chip on an I2C bus: a `machine.I2C`, or what behaves like it."""

    def __init__(self, i2c: "Bus", address: int = ADDRESS):
        self._i2c = i2c
        self._address = address
        self._registers = bytearray(_STATUS + 1)

    def read(self, reading: Reading) -> int:
        """Fill the reading; RTC_READ, or the event that says why it must not be used."""
        # One transfer: the chip holds the time still from its start on.
        self._i2c.readfrom_mem_into(self._address, _SECONDS, self._registers)
        if self._registers[_STATUS] & _STOPPED:
            return reasons.RTC_STOPPED
        if not _time(self._registers, reading.at):
            return reasons.RTC_UNREADABLE
        if not _mark(self._registers, reading):
            return reasons.RTC_UNMARKED
        age_s = reading.since.until(reading.at)
        if age_s < 0:
            return reasons.RTC_BEHIND
        reading.drift_ms = drift_ms(age_s, _PER_MILLION)
        return reasons.RTC_READ

    def begin(self, at: Instant) -> bool:
        """Set the time, which the chip counts on from now; without `finish` it is not believed.

        False, and nothing changed, if the chip cannot show that year.
        """
        year, month, day = date_of(at.day)
        if not _FIRST_YEAR <= year < _FIRST_YEAR + 100:
            return False
        second = at.second
        fields = (second % 60, second // 60 % 60, second // 3600, 1, day, month, year % 100)
        self.forget()
        # One transfer again; writing the seconds starts a new second.
        self._write(_SECONDS, bytes([value // 10 << 4 | value % 10 for value in fields]))
        return True

    def finish(self, at: Instant, spread_s: int) -> int:
        """The true time was in [at, at + spread_s) when `begin` set `at`: start to believe it.

        RTC_SET, or what is wrong with the chip. A spread above an hour is not worth a mark.
        """
        if not 0 <= spread_s <= _MOST_SPREAD_S:
            return reasons.RTC_UNMARKED
        self._write(_CONTROL, _RUN)
        mark = bytearray(len(_NO_MARK))
        struct.pack_into(_MARK_FORMAT, mark, 0, at.day, at.second // 2, spread_s, 0)
        mark[-1] = _check(mark)
        self._write(_MARK, mark)
        reading = Reading()
        event = self.read(reading)
        if event == reasons.RTC_READ:
            return reasons.RTC_SET if reading.spread_s == spread_s else reasons.RTC_UNREADABLE
        return event

    def forget(self) -> None:
        """Never believe it again, until it is set."""
        self._write(_MARK, _NO_MARK)

    def _write(self, register: int, values: "Bytes") -> None:
        self._i2c.writeto_mem(self._address, register, values)


def _time(registers: bytearray, at: Instant) -> bool:
    """Fill `at` from the chip's fields; False if they are no time as `begin` writes it."""
    second, minute, hour = (_decimal(registers[place]) for place in (0, 1, 2))
    day, month, year = (_decimal(registers[place]) for place in (4, 5, 6))
    if not (second < 60 and minute < 60 and hour < 24 and year < 100):
        return False  # also the 12-hour mode and the century, which set high bits
    number = epoch.day_of(_FIRST_YEAR + year, month, day)
    if number is None:
        return False
    at.day = number
    at.second = hour * 3600 + minute * 60 + second
    return True


def _decimal(value: int) -> int:
    """Two decimal digits; above 99 for what are none."""
    return (value >> 4) * 10 + (value & 15) if value & 15 < 10 and value < 0xA0 else 255


def _mark(registers: bytearray, reading: Reading) -> bool:
    mark = registers[_MARK:_CONTROL]
    day, half, reading.spread_s, check = struct.unpack(_MARK_FORMAT, mark)
    reading.since.day = day
    reading.since.second = half * 2
    return check == _check(mark) and half < DAY_S // 2 and reading.spread_s <= _MOST_SPREAD_S


def _check(mark: bytearray) -> int:
    """Tells a mark from what the registers hold otherwise; no mark is all zeros."""
    return (sum(mark[:-1]) ^ 0x5A) & 0xFF
