"""Wall clocks through zoneinfo: of the tz database's zones, and of a POSIX string alone.

Reads the pinned `tzdata` package, never the machine's own files. Instants are Unix seconds,
offsets are seconds east of UTC.
"""

import functools
import importlib.resources
import io
import struct
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_FILES = importlib.resources.files("tzdata")
_MAGIC = b"TZif2"
_DAY_S = 86_400
_EVER_S = 1 << 62


def names() -> list[str]:
    """Every zone and link of the package."""
    return _FILES.joinpath("zones").read_text(encoding="ascii").split()


def _data(name: str) -> bytes:
    return _FILES.joinpath("zoneinfo", name).read_bytes()


def real(name: str) -> ZoneInfo:
    """The zone with all its history and its future, as the package has it."""
    return ZoneInfo.from_file(io.BytesIO(_data(name)))


def footer(name: str) -> str:
    """The POSIX string that stands for a zone's future (RFC 9636 section 3.3)."""
    return _data(name)[:-1].rpartition(b"\n")[2].decode("ascii")


@functools.cache
def posix(text: str) -> ZoneInfo:
    """A zone that knows nothing but a POSIX string: a TZif file with no changes in its table."""
    block = (
        _MAGIC
        + bytes(15)
        + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
        + struct.pack(">lBB4s", 0, 0, 0, b"UTC\0")
    )
    return ZoneInfo.from_file(io.BytesIO(block + block + b"\n" + text.encode("ascii") + b"\n"))


def listed_changes(name: str) -> list[int]:
    """The instants that a zone's table lists (the 64-bit block of RFC 9636 section 3.2)."""
    data = _data(name)
    header = struct.Struct(">4sc15x6l")
    magic, version, *counts = header.unpack_from(data)
    if magic != b"TZif" or version < b"2":
        raise ValueError(f"{name} is not a TZif file of version 2 or later")
    isut, isstd, leaps, times, types, letters = counts
    second = header.size + times * 5 + types * 6 + letters + leaps * 8 + isstd + isut
    times = header.unpack_from(data, second)[5]
    return list(struct.unpack_from(f">{times}q", data, second + header.size))


def unix(
    year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0, second: int = 0
) -> int:
    """The Unix seconds of a moment in UTC."""
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


def offset(zone: ZoneInfo, at: int) -> int:
    """Seconds that the wall clock is ahead of UTC."""
    ahead = datetime.fromtimestamp(at, zone).utcoffset() or timedelta()
    return ahead // timedelta(seconds=1)


def changes(zone: ZoneInfo, first: int, last: int) -> list[int]:
    """When the offset changes, in (first, last], if no two changes are within six hours."""
    found = []
    before = offset(zone, first)
    for at in range(first, last, _DAY_S // 4):
        end = min(at + _DAY_S // 4, last)
        after = offset(zone, end)
        if after != before:
            found.append(_bisect(zone, at, end, before))
        before = after
    return found


def _bisect(zone, low, high, before):
    while high - low > 1:
        middle = (low + high) // 2
        if offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


class Clock:
    """The wall clock of a lock: a POSIX string, and perhaps a next zone from some instant on.

    `zone` is a dict: `tz`, and optionally `next`: a dict with `from` (Unix seconds) and `tz`.
    """

    def __init__(self, zone: dict) -> None:
        self._zones = [(-_EVER_S, posix(zone["tz"]))]
        while "next" in zone:
            zone = zone["next"]
            self._zones.append((zone["from"], posix(zone["tz"])))

    def wall(self, at: int) -> datetime:
        """What it shows, without a zone."""
        zone = [zone for since, zone in self._zones if since <= at][-1]
        return datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)

    def segments(self, first: int, last: int) -> list[tuple[int, int, int]]:
        """(begin, end, offset) pieces of [first, last) with one offset each."""
        pieces = []
        ends = [since for since, _ in self._zones[1:]] + [_EVER_S]
        for (since, zone), end in zip(self._zones, ends, strict=True):
            begin, end = max(first, since), min(last, end)
            if begin >= end:
                continue
            cuts = [begin, *(at for at in changes(zone, begin, end) if at < end), end]
            pieces += [(a, b, offset(zone, a)) for a, b in zip(cuts, cuts[1:], strict=False)]
        return pieces


@functools.lru_cache(maxsize=256)
def _clock(tz, later):
    if later is None:
        return Clock({"tz": tz})
    return Clock({"tz": tz, "next": {"tz": later[0], "from": later[1]}})


def clock(zone: dict) -> Clock:
    """A Clock, remembered; for a zone dict with at most one successor."""
    later = zone.get("next")
    return _clock(zone["tz"], later and (later["tz"], later["from"]))
