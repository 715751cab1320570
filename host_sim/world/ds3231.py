"""A DS3231 as the data sheet describes it, with a battery, an oscillator that is off, and faults.

Behind the methods of `machine.I2C` that the driver uses. It ignores what the chip ignores, and
raises ValueError for what the data sheet leaves undefined. Runs wherever the firmware's tests run.
"""

ADDRESS = 0x68
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ENODEV = 19

_CONTROL = 0x0E
_STATUS = 0x0F
_AGING = 0x10
_REGISTERS = 0x13
_OSF = 0x80
_EOSC = 0x80  # in the control register: stop on battery
_CLEAR_ONLY = 0x83  # status bits that software can clear and not set: OSF, A2F, A1F
_EN32KHZ = 0x08


class Ds3231:
    """One chip. `true_ms()` is the world's time; the oscillator is fast by `ppm`, or slow."""

    def __init__(self, true_ms, ppm=0):
        self.ppm = ppm
        self.dead = False  # does not answer: a broken wire, a chip without power
        self.calls_left = -1  # so many more I2C transfers, then it is dead; negative for no end
        self.pause = _no_pause  # called before and after each transfer: the bus takes its time
        self.quarter_degrees = 100
        self._true_ms = true_ms
        self._registers = bytearray(_REGISTERS)
        self._running = False
        self._second = 0
        self.battery_out()

    # --- what happens to it ---------------------------------------------------------------------

    def battery_out(self):
        """No power at all, for a moment: the registers hold nothing in particular."""
        for place in range(_REGISTERS):
            self._registers[place] = (place * 37 + 11) & 0xFF
        self._registers[_CONTROL] = 0x1C
        self._registers[_STATUS] = _OSF | _EN32KHZ
        self._registers[_AGING] = 0
        self._set(0, 1, 1, 1, 0, 0, 0)
        self._running = True

    def main_off(self):
        """The lock loses its power; the battery takes over."""
        self._run()
        if self._registers[_CONTROL] & _EOSC:
            self.stop()

    def stop(self):
        """The oscillator stops: moisture, a shock, a low battery."""
        self._run()
        self._running = False
        self._registers[_STATUS] |= _OSF

    def go(self):
        """It runs again, from where it stood."""
        self._run()
        self._running = True

    def jump(self, seconds):
        """Somebody else sets the chip, at its contacts, by so much forwards or backwards."""
        self._run()
        day = 0
        seconds += self._second
        while seconds < 0:
            seconds += 86_400
            day -= 1
        for _ in range(-day):
            self._yesterday()
        self._second = 0
        self._add(seconds)

    def memory(self):
        """What its battery keeps, for JSON and `remember`; time goes on for it meanwhile."""
        self._run()
        time = [self._year, self._month, self._day, self._weekday]
        time += [self._second, self._century, self._twelve]
        return [list(self._registers), time, self._running, self._rest, self._counted_ms]

    def remember(self, memory):
        """Be the chip whose `memory` this was."""
        registers, time, self._running, rest, counted_ms = memory
        self._registers = bytearray(registers)
        self._set(*time)
        self._rest, self._counted_ms = rest, counted_ms

    # --- the bus --------------------------------------------------------------------------------

    def readfrom_mem_into(self, address, register, buffer):
        """Read registers from `register` on; time stands still during the transfer."""
        self._answer(address)
        self._run()
        shown = self._shown()
        for place in range(len(buffer)):
            buffer[place] = shown[(register + place) % _REGISTERS]
        self.pause()

    def readfrom_mem(self, address, register, count):
        """Read so many registers."""
        buffer = bytearray(count)
        self.readfrom_mem_into(address, register, buffer)
        return bytes(buffer)

    def writeto_mem(self, address, register, values):
        """Write registers from `register` on."""
        self._answer(address)
        self._run()
        fields = self._shown()
        for place, value in enumerate(values):
            place = (register + place) % _REGISTERS
            fields[place] = value
            if 7 <= place <= _CONTROL or place == _AGING:
                self._registers[place] = value
            elif place == _STATUS:
                kept = self._registers[_STATUS] & value & _CLEAR_ONLY
                stopped = 0 if self._running else _OSF
                self._registers[_STATUS] = kept | value & _EN32KHZ | stopped
        if register < 7:
            self._take(fields, register == 0)
        self.pause()

    def _answer(self, address):
        self.pause()
        if self.calls_left == 0:
            self.dead = True
        self.calls_left -= 1
        if self.dead or address != ADDRESS:
            raise OSError(ENODEV)

    # --- time -----------------------------------------------------------------------------------

    def _set(self, year, month, day, weekday, second, century, twelve):
        self._year, self._month, self._day, self._weekday = year, month, day, weekday
        self._second, self._century, self._twelve = second, century, twelve
        self._counted_ms = self._true_ms()  # the world's time at which it last moved
        self._rest = 0  # millionths of a millisecond, and milliseconds, below a second

    def _take(self, fields, restart):
        """The time registers were written; writing the seconds restarts the countdown chain."""
        second, minute = _decimal(fields[0] & 0x7F), _decimal(fields[1] & 0x7F)
        twelve = fields[2] & 0x40
        hour = _decimal(fields[2] & (0x1F if twelve else 0x3F))
        if twelve:
            if not 1 <= hour <= 12:
                raise ValueError("undefined: hour %d of 12" % hour)
            hour = hour % 12 + (12 if fields[2] & 0x20 else 0)
        weekday, day = fields[3] & 7, _decimal(fields[4] & 0x3F)
        month, year = _decimal(fields[5] & 0x1F), _decimal(fields[6])
        legal = second < 60 and minute < 60 and hour < 24 and weekday and 1 <= month <= 12
        if not legal or not 1 <= day <= _days(year, month):
            raise ValueError("undefined: illogical time or date")
        rest = self._rest
        second += minute * 60 + hour * 3600
        self._set(year, month, day, weekday, second, fields[5] & 0x80, twelve)
        if not restart:
            self._rest = rest

    def _run(self):
        """Count on to the world's time."""
        now_ms = self._true_ms()
        passed_ms = now_ms - self._counted_ms
        self._counted_ms = now_ms
        if self._running:
            self._rest += passed_ms * (1_000_000 + self.ppm)
            seconds = self._rest // 1_000_000_000
            self._rest -= seconds * 1_000_000_000
            self._add(seconds)

    def _add(self, seconds):
        seconds += self._second
        for _ in range(seconds // 86_400):
            self._tomorrow()
        self._second = seconds % 86_400

    def _tomorrow(self):
        self._weekday = self._weekday % 7 + 1
        self._day += 1
        if self._day > _days(self._year, self._month):
            self._day = 1
            self._month += 1
        if self._month > 12:
            self._month = 1
            self._year += 1
        if self._year > 99:
            self._year = 0
            self._century ^= 0x80

    def _yesterday(self):
        self._day -= 1
        if self._day < 1:
            self._month -= 1
            if self._month < 1:
                self._month = 12
                self._year -= 1
            self._day = _days(self._year, self._month)

    def _shown(self):
        """The registers as a reader sees them."""
        shown = bytearray(self._registers)
        minutes = self._second // 60
        hour = minutes // 60
        shown[0] = _digits(self._second % 60)
        shown[1] = _digits(minutes % 60)
        if self._twelve:
            shown[2] = _digits((hour + 11) % 12 + 1) | 0x40 | (0x20 if hour >= 12 else 0)
        else:
            shown[2] = _digits(hour)
        shown[3] = self._weekday
        shown[4] = _digits(self._day)
        shown[5] = _digits(self._month) | self._century
        shown[6] = _digits(self._year)
        shown[0x11] = self.quarter_degrees >> 2 & 0xFF
        shown[0x12] = (self.quarter_degrees & 3) << 6
        return shown


def _no_pause():
    pass


def _days(year, month):
    return 29 if month == 2 and year % 4 == 0 else DAYS[month - 1]


def _decimal(value):
    if value & 15 > 9 or value > 0x99:
        raise ValueError("undefined: no decimal digits")
    return (value >> 4) * 10 + (value & 15)


def _digits(value):
    return value // 10 << 4 | value % 10
